//! The table of options for documents: `docs/configuration.md` is generated from it by the test `generated_docs`.

use super::option::{self, Default, Kind, Opt, Origin};
use super::{airflow, queues, value};

/// One option, in words and Markdown.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its value if it is not given.
    pub default: String,
    /// What it accepts.
    pub allowed: String,
    /// What it means, with the unit.
    pub description: String,
    /// The environment variable that Airflow reads it from, if Airflow has it too.
    pub airflow_variable: Option<String>,
}

/// Which options [`reference`] returns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// The members of the configuration.
    Options,
    /// The members of an entry of option `queues`.
    Queues,
}

/// The options of a section, in the order of the reference page.
pub fn reference(section: Section) -> Vec<Described> {
    match section {
        Section::Options => option::ALL.into_iter().map(described).collect(),
        Section::Queues => queues::MEMBERS.into_iter().map(described).collect(),
    }
}

fn described(option: &Opt) -> Described {
    Described {
        name: option.name,
        default: default(option),
        allowed: allowed(option),
        description: option.description(),
        airflow_variable: (option.origin == Origin::Airflow).then(|| airflow::variable(None, option.name)),
    }
}

fn default(option: &Opt) -> String {
    match option.default {
        Default::Absent => "none".into(),
        Default::Required => "required, except with `local`".into(),
        Default::Integer(value) => value.to_string(),
        Default::Boolean(value) => value.to_string(),
        Default::Text(value) => code(value),
    }
}

fn allowed(option: &Opt) -> String {
    match option.kind {
        Kind::Choice(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(", "),
        Kind::QueueUrl | Kind::Endpoint => code(&value::allowed(option.kind)),
        kind => value::allowed(kind),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_described() {
        let options = reference(Section::Options);
        assert_eq!(options.len(), option::ALL.len());
        assert_eq!(reference(Section::Queues).len(), queues::MEMBERS.len());
        let log = options.iter().find(|option| option.name == "log").unwrap();
        assert_eq!(log.default, "`warn`");
        assert_eq!(log.allowed, "`off`, `error`, `warn`, `info`, `debug`, `trace`");
        assert_eq!(log.airflow_variable, None);
        let conn_id = options.iter().find(|option| option.name == "conn_id").unwrap();
        assert_eq!(conn_id.airflow_variable.as_deref(), Some("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID"));
    }
}
