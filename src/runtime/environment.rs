//! The environment as it was when the configuration was read. All of `config` reads variables from here, so that tests
//! have their own, and the process's is not read unless Airflow's sources are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

/// Variables, read once.
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

/// A variable whose value is not text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not UTF-8")]
pub struct NotUtf8;

impl Environment {
    /// That of this process. Meanwhile no other thread may call C's `setenv`.
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// These variables and no others.
    pub fn of<N: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// The value of a variable; an empty one is a value.
    ///
    /// # Errors
    ///
    /// [`NotUtf8`], if the variable exists and is not UTF-8.
    pub fn get(&self, name: &str) -> Result<Option<&str>, NotUtf8> {
        let value = self.variables.get(std::ffi::OsStr::new(name));
        value.map(|value| value.to_str().ok_or(NotUtf8)).transpose()
    }
}

/// Without names and values: environments hold secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn values_are_found_by_their_exact_name() {
        let environment = Environment::of([("A", "1"), ("EMPTY", "")]);
        assert_eq!(environment.get("A"), Ok(Some("1")));
        assert_eq!(environment.get("EMPTY"), Ok(Some("")));
        assert_eq!(environment.get("a"), Ok(None));
    }

    #[test]
    fn values_that_are_not_text_are_errors() {
        let environment = Environment::of([(OsString::from("A"), OsString::from_vec(vec![b'x', 0xff]))]);
        assert_eq!(environment.get("A"), Err(NotUtf8));
    }

    #[test]
    fn debugging_shows_no_secret() {
        let shown = format!("{:?}", Environment::of([("AIRFLOW_CONN_X", "aws://AKIA:hunter2@")]));
        assert_eq!(shown, "Environment(1 variables)");
    }
}
