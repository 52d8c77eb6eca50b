//! What was given, checked option by option, and everything that was wrong with it.

use super::json;
use super::option::{self, Default, Opt};
use super::value::{self, Checked, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// The checked values of what was written, and what is wrong so far. Defaults come from the table.
#[derive(Debug, std::default::Default)]
pub(crate) struct Given {
    values: BTreeMap<&'static str, Checked>,
    /// Named, though perhaps wrongly: not to be called missing too.
    named: BTreeSet<&'static str>,
    /// There was no object: nothing can be said of what it lacks.
    pub(crate) unreadable: bool,
    wrong: Vec<String>,
    later: Vec<String>,
}

impl Given {
    /// Reads a JSON object.
    pub(crate) fn read(text: &str) -> Self {
        let mut given = Self::default();
        match json::read(text) {
            Ok(members) => {
                for member in members {
                    given.take(&member.name, member.text.get());
                }
            }
            Err(line) => {
                given.wrong.push(line);
                given.unreadable = true;
            }
        }
        given
    }

    fn take(&mut self, name: &str, text: &str) {
        let Some(option) = option::find(name) else {
            // Without its value: a misspelt name may belong to a secret.
            self.wrong.push(match option::nearest(name) {
                Some(near) => format!("{}: unknown option (did you mean `{near}`?)", name.escape_debug()),
                None => format!("{}: unknown option", name.escape_debug()),
            });
            return;
        };
        match value::check_json(option, text) {
            _ if self.named.contains(option.name) => self.wrong(option, "is given twice"),
            Ok(None) => return,
            Ok(Some(value)) => {
                self.values.insert(option.name, value);
            }
            Err(Problem::Wrong(line)) => self.wrong(option, &line),
            Err(Problem::Later(line)) => self.later.push(format!("{}: {line}", option.name)),
        }
        self.named.insert(option.name);
    }

    /// One more line about an option.
    pub(crate) fn wrong(&mut self, option: &Opt, line: &str) {
        self.wrong.push(format!("{}: {line}", option.name));
    }

    /// Lines about what is within an option, which begin with its name.
    pub(crate) fn wrong_within(&mut self, lines: Vec<String>) {
        self.wrong.extend(lines);
    }

    /// True if the option was named and not null, even if its value is wrong.
    pub(crate) fn has(&self, option: &Opt) -> bool {
        self.named.contains(option.name)
    }

    /// Text of an option, as given or by default.
    pub(crate) fn text(&self, option: &Opt) -> Option<String> {
        match (self.values.get(option.name), option.default) {
            (Some(Checked::Text(text) | Checked::Object(text)), _) => Some(text.clone()),
            (None, Default::Text(text)) => Some(text.to_owned()),
            _ => None,
        }
    }

    /// Number of an option, as given or by default.
    pub(crate) fn integer(&self, option: &Opt) -> u64 {
        match (self.values.get(option.name), option.default) {
            (Some(&Checked::Integer(value)), _) | (None, Default::Integer(value)) => value,
            _ => 0,
        }
    }

    /// Truth value of an option, as given or by default.
    pub(crate) fn boolean(&self, option: &Opt) -> bool {
        match (self.values.get(option.name), option.default) {
            (Some(&Checked::Boolean(value)), _) | (None, Default::Boolean(value)) => value,
            _ => false,
        }
    }

    /// What is wrong, and what is only too early.
    pub(crate) fn into_problems(self) -> (Vec<String>, Vec<String>) {
        (self.wrong, self.later)
    }
}
