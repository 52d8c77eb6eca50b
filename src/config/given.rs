//! The options as given, checked one by one, and everything that is wrong with them.

use super::airflow::{Airflow, Written};
use super::json;
use super::option::{self, Default, Opt, Origin};
use super::value::{self, Checked, Problem};
use super::wrong::{Wrong, shown};
use std::collections::BTreeMap;

/// The source of options that were not given.
pub(super) const DEFAULT: &str = "default";

/// The checked values, and everything that is wrong so far. Defaults come from the table.
#[derive(Debug, std::default::Default)]
pub(crate) struct Given {
    values: BTreeMap<&'static str, Checked>,
    /// Where each option was given, also with an invalid value: then it is not reported as missing too.
    named: BTreeMap<&'static str, Place>,
    /// The object or `airflow.cfg` could not be read: nothing is reported as missing.
    pub(crate) unreadable: bool,
    wrong: Vec<String>,
    later: Vec<String>,
}

/// Where an option was given.
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
                given.wrong.push(format!("the configuration {line}"));
                given.unreadable = true;
            }
        }
        given
    }

    fn take(&mut self, name: &str, text: &str) {
        let Some(option) = option::find(name) else {
            // Without its value: a misspelt name may be that of a secret.
            let why = match (option::removed(name), option::nearest(name)) {
                (Some(what), _) => what.to_owned(),
                (None, Some(near)) => format!("unknown option (did you mean `{near}`?)"),
                (None, None) => "unknown option".to_owned(),
            };
            self.wrong.push(format!("{}: {why}", shown(name)));
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

    /// Adds the value of an option from Airflow's sources, unless JSON has one.
    pub(crate) fn take_airflow(&mut self, option: &'static Opt, airflow: &Airflow<'_>) {
        if self.has(option) || option.origin != Origin::Airflow {
            return;
        }
        let Some(mut written) = airflow.find(option.name) else { return };
        let value = std::mem::replace(&mut written.value, Ok(String::new()));
        let checked = value.map_err(Wrong::value).and_then(|value| {
            // The error does not show what variables and references were replaced with, so it says that they were.
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

    /// Adds an error about an option.
    pub(crate) fn wrong(&mut self, option: &Opt, line: &str) {
        let place = match self.named.get(option.name) {
            Some(Place::Airflow(written)) => &written.place,
            Some(Place::Json) | None => option.name,
        };
        self.wrong.push(format!("{place}: {line}"));
    }

    /// Adds an error about the value of an option, which is shown as written.
    pub(crate) fn refuse(&mut self, option: &Opt, wrong: &Wrong, expected: Option<&str>) {
        let why = match (wrong.why.as_str(), expected) {
            ("", Some(expected)) => format!("expected {expected}"),
            (why, Some(expected)) => format!("{why} (expected {expected})"),
            (why, None) => why.to_owned(),
        };
        let line = match (self.named.get(option.name), self.text(option)) {
            (Some(Place::Airflow(written)), _) => match &written.text {
                // A URL with a password has an `@`; no valid value has one.
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

    /// Adds errors about parts of an option, which begin with its name.
    pub(crate) fn wrong_within(&mut self, lines: Vec<String>) {
        self.wrong.extend(lines);
    }

    /// True if the option was given and is not null, even if its value is invalid.
    pub(crate) fn has(&self, option: &Opt) -> bool {
        self.named.contains_key(option.name)
    }

    /// Where an option was given, as [`super::Effective::source`] has it.
    pub(crate) fn source(&self, option: &Opt) -> String {
        match self.named.get(option.name) {
            Some(Place::Json) => "JSON".into(),
            Some(Place::Airflow(written)) => written.place.clone(),
            None => DEFAULT.into(),
        }
    }

    /// Text of an option, as given or by default. Given as empty, it is none.
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

    /// Boolean of an option, as given or by default.
    pub(crate) fn boolean(&self, option: &Opt) -> bool {
        match (self.values.get(option.name), option.default) {
            (Some(&Checked::Boolean(value)), _) | (None, Default::Boolean(value)) => value,
            _ => false,
        }
    }

    /// What is invalid, and what only a later version accepts.
    pub(crate) fn into_problems(self) -> (Vec<String>, Vec<String>) {
        (self.wrong, self.later)
    }
}
