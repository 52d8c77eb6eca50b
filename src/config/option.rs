//! What an option is. Parsing, the JSON Schema and the reference page all follow from the options in [`table`]. To add
//! one, add a constant there, list it in [`ALL`], and use it in `assemble.rs`.

mod table;

pub(crate) use table::*;

/// What an option accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Text that is not empty.
    Text,
    /// Name, `name:alias`, partial or whole ARN of a Lambda function.
    FunctionName,
    /// Version or alias of a function.
    Qualifier,
    /// URL of an SQS queue.
    QueueUrl,
    /// Name of an Airflow team.
    Team,
    /// Scheme, host, and optionally port and path of a service.
    Endpoint,
    /// An integer; both ends included.
    Integer {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// True or false.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An object, passed on as written: another part reads it.
    Object,
    /// An object of routes by queue name; `queues.rs` reads it.
    Queues,
    /// Not in this version. Null and false, which ask for nothing, are accepted; the text says what to do instead.
    Later(&'static str),
}

impl Kind {
    /// True if its values are text.
    pub(crate) fn is_text(self) -> bool {
        match self {
            Self::Text | Self::FunctionName | Self::Qualifier | Self::QueueUrl | Self::Team | Self::Endpoint => true,
            Self::Integer { .. } | Self::Boolean | Self::Choice(_) | Self::Object | Self::Queues | Self::Later(_) => {
                false
            }
        }
    }
}

/// The value of an option that is not given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Default {
    /// None.
    Absent,
    /// Not giving it is an error, except with `local`.
    Required,
    /// This number.
    Integer(u64),
    /// This boolean.
    Boolean(bool),
    /// This text.
    Text(&'static str),
}

/// Where an option comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Airflow's section `aws_lambda_executor` has it too, with the same meaning.
    Airflow,
    /// Only this library has it.
    Own,
}

/// One option.
#[derive(Debug)]
pub(crate) struct Opt {
    /// Name in JSON.
    pub(crate) name: &'static str,
    /// What it accepts.
    pub(crate) kind: Kind,
    /// Its value if it is not given.
    pub(crate) default: Default,
    /// Whether Airflow has it too.
    pub(crate) origin: Origin,
    /// True: its value never appears in an error, a log record or a description.
    pub(crate) secret: bool,
    /// Meaning, with the unit. See [`Self::description`].
    pub(crate) doc: &'static str,
}

impl Opt {
    /// For the schema and the reference page.
    pub(crate) fn description(&self) -> String {
        match self.kind {
            Kind::Later(what) => format!("{} Not in this version: {what}.", self.doc),
            _ => self.doc.to_owned(),
        }
    }
}

/// Options of earlier versions, and what replaces them: words that follow the name.
static REMOVED: [(&str, &str); 2] = [
    (
        "ack",
        "was removed in 0.2.0 (freeing a batch acknowledges nothing; call lambda_executor_batch_ack or \
         lambda_executor_ack)",
    ),
    ("max_stranger_delay_s", "was renamed in 0.2.0 (write `max_unmatched_delay_s`)"),
];

/// The option of that name.
pub(crate) fn find(name: &str) -> Option<&'static Opt> {
    ALL.into_iter().find(|option| option.name == name)
}

/// Of an option of an earlier version, what became of it.
pub(crate) fn removed(name: &str) -> Option<&'static str> {
    REMOVED.iter().find(|(removed, _)| *removed == name).map(|(_, what)| *what)
}

/// The option with the most similar name, for a name that is misspelt.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let allowed = (name.chars().count() / 3).max(1);
    ALL.into_iter()
        .map(|option| (distance(name, option.name), option.name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance without regard to case.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    // Names of options are short: a longer name is similar to none, and must not take longer.
    for (done, letter) in from.chars().take(100).enumerate() {
        let mut diagonal = done;
        let mut left = done + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&to) {
            let exchange = diagonal + usize::from(!letter.eq_ignore_ascii_case(other));
            diagonal = *cell;
            *cell = exchange.min(diagonal + 1).min(left + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = done + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for option in ALL {
            assert!(std::ptr::eq(find(option.name).unwrap(), option), "{} is listed twice", option.name);
            assert!(option.doc.ends_with('.'), "{}: the text ends without a full stop", option.name);
        }
        assert!(find("nonsense").is_none());
    }

    #[test]
    fn options_of_earlier_versions_name_what_replaces_them() {
        for (name, what) in REMOVED {
            assert!(find(name).is_none() && removed(name) == Some(what), "{name}");
            let replacement = what.split('`').nth(1);
            assert!(replacement.is_none_or(|name| find(name).is_some()), "{what}");
        }
        assert_eq!(removed("queue_url"), None);
    }

    #[test]
    fn defaults_are_allowed_values() {
        for option in ALL {
            match (option.kind, option.default) {
                (Kind::Integer { min, max }, Default::Integer(value)) => {
                    assert!((min..=max).contains(&value), "{}", option.name);
                }
                (Kind::Choice(words), Default::Text(word)) => assert!(words.contains(&word), "{}", option.name),
                (Kind::Text, Default::Text(text)) => assert!(!text.is_empty(), "{}", option.name),
                (Kind::Boolean | Kind::Later(_), Default::Boolean(_)) | (_, Default::Absent | Default::Required) => {}
                (kind, default) => panic!("{}: {kind:?} cannot be {default:?}", option.name),
            }
        }
    }

    #[test]
    fn misspelt_names_find_the_nearest() {
        assert_eq!(nearest("que_url"), Some("queue_url"));
        assert_eq!(nearest("function"), None);
        assert_eq!(nearest("FUNCTION_NAME"), Some("function_name"));
        assert_eq!(nearest("max_invoke_attempt"), Some("max_invoke_attempts"));
        assert_eq!(nearest("result_timeout"), Some("result_timeout_ms"));
        assert_eq!(nearest("zzz"), None);
        assert_eq!(nearest(""), None);
    }
}
