//! What was given, checked option by option, and everything that was wrong with it.

use super::airflow::{Airflow, Written};
use super::json;
use super::option::{self, Default, Opt, Origin};
use super::value::{self, Checked, Problem};
use super::wrong::{Wrong, shown};
use std::collections::BTreeMap;

/// The checked values of what was written, and what is wrong so far. Defaults come from the table.
#[derive(Debug, std::default::Default)]
pub(crate) struct Given {
    values: BTreeMap<&'static str, Checked>,
    /// Where an option was named, though perhaps wrongly: then it is not to be called missing too.
    named: BTreeMap<&'static str, Place>,
    /// There was no object, or no `airflow.cfg` that can be read: nothing can be said of what is missing.
    pub(crate) unreadable: bool,
    wrong: Vec<String>,
    later: Vec<String>,
}

/// Where an option was named.
#[derive(Debug)]
enum Place {
    Json,
    Airflow(Written),
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
            _ if self.has(option) => self.wrong(option, "is given twice"),
            Ok(None) => return,
            Ok(Some(value)) => {
                self.values.insert(option.name, value);
            }
            Err(Problem::Wrong(line)) => self.wrong(option, &line),
            Err(Problem::Later(line)) => self.later.push(format!("{}: {line}", option.name)),
        }
        self.named.insert(option.name, Place::Json);
    }

    /// Adds what Airflow's sources have of an option, where JSON has nothing.
    pub(crate) fn take_airflow(&mut self, option: &'static Opt, airflow: &Airflow<'_>) {
        if self.has(option) || option.origin != Origin::Airflow {
            return;
        }
        let Some(mut written) = airflow.find(option.name) else { return };
        let value = std::mem::replace(&mut written.value, Ok(String::new()));
        let checked = value.map_err(Wrong::value).and_then(|value| {
            // Of what was put in place the error shows nothing, so it says at least that something was.
            let replaced = written.text.as_ref() != Some(&value);
            value::check_written(option, &value).map_err(|wrong| if replaced { wrong.of_expanded() } else { wrong })
        });
        self.named.insert(option.name, Place::Airflow(written));
        match checked {
            Ok(Some(value)) => {
                self.values.insert(option.name, value);
            }
            Ok(None) => {}
            Err(wrong) => self.refuse(option, &wrong, Some(&value::allowed(option.kind))),
        }
    }

    /// Problems of a whole source.
    pub(crate) fn wrong_source(&mut self, lines: Vec<String>) {
        self.unreadable |= !lines.is_empty();
        self.wrong.extend(lines);
    }

    /// One more line about an option.
    pub(crate) fn wrong(&mut self, option: &Opt, line: &str) {
        let place = match self.named.get(option.name) {
            Some(Place::Airflow(written)) => &written.place,
            Some(Place::Json) | None => option.name,
        };
        self.wrong.push(format!("{place}: {line}"));
    }

    /// One more line about the value of an option, as it was written.
    pub(crate) fn refuse(&mut self, option: &Opt, wrong: &Wrong, expected: Option<&str>) {
        let why = match (wrong.why.as_str(), expected) {
            ("", Some(expected)) => format!("expected {expected}"),
            (why, Some(expected)) => format!("{why} (expected {expected})"),
            (why, None) => why.to_owned(),
        };
        let line = match (self.named.get(option.name), self.text(option)) {
            (Some(Place::Airflow(written)), _) => match &written.text {
                // No value that is allowed has an `@`, but a URL with a password in it has.
                Some(text) if !wrong.hidden && !option.secret && !text.contains('@') => {
                    format!("{}={}: {why}", written.place, shown(text))
                }
                _ => format!("{}: {why}", written.place),
            },
            (_, Some(text)) if !wrong.hidden && !option.secret => {
                format!("{}: `{}` {why}", option.name, shown(&text))
            }
            _ => format!("{}: {why}", option.name),
        };
        self.wrong.push(line);
    }

    /// Lines about what is within an option, which begin with its name.
    pub(crate) fn wrong_within(&mut self, lines: Vec<String>) {
        self.wrong.extend(lines);
    }

    /// True if the option was named and not null, even if its value is wrong.
    pub(crate) fn has(&self, option: &Opt) -> bool {
        self.named.contains_key(option.name)
    }

    /// Where an option comes from, for people.
    pub(crate) fn source(&self, option: &Opt) -> String {
        match self.named.get(option.name) {
            Some(Place::Json) => "JSON".into(),
            Some(Place::Airflow(written)) => written.place.clone(),
            None => super::effective::DEFAULT.into(),
        }
    }

    /// Text of an option, as given or by default. Named without a value, it is nothing.
    pub(crate) fn text(&self, option: &Opt) -> Option<String> {
        match (self.values.get(option.name), option.default) {
            (Some(Checked::Text(text) | Checked::Object(text)), _) => Some(text.clone()),
            (None, Default::Text(text)) if !self.has(option) => Some(text.to_owned()),
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
