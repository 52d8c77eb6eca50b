//! The options in force and where each was given, for the log and the statistics.

use super::given::{DEFAULT, Given};
use super::option::{self, Default, Kind};
use serde_json::Value;

/// One option in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its value; null if it has none. For secrets, and for objects, which may hold some: the word `given`.
    pub value: Value,
    /// `JSON`, `default`, a variable of the environment, or file, line, section and name in `airflow.cfg`.
    pub source: String,
}

impl Effective {
    /// True unless it has its default.
    pub fn is_given(&self) -> bool {
        self.source != DEFAULT
    }
}

/// All of them, in the order of the reference page.
pub(super) fn of(given: &Given) -> Vec<Effective> {
    let one = |option: &'static option::Opt| {
        let value = match option.kind {
            _ if option.secret && given.has(option) => Value::from("given"),
            Kind::Integer { .. } if option.default != Default::Absent || given.has(option) => {
                Value::from(given.integer(option))
            }
            Kind::Boolean => Value::from(given.boolean(option)),
            kind if kind.is_text() || option.default != Default::Absent => Value::from(given.text(option)),
            _ => Value::from(given.has(option).then_some("given")),
        };
        Effective { name: option.name, value, source: given.source(option) }
    };
    option::ALL.into_iter().map(one).collect()
}
