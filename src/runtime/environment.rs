//! The environment as it was when the executor was created. A host may change its variables later (C's `setenv`) while
//! threads of ours would read them, which is a race in its process. So it is read once, and configuration, credentials and
//! proxies are looked up here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

/// Variables and their values, read once. A copy shares them. The default is empty.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<OsString, OsString>>);

/// A variable whose value is not text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not UTF-8")]
pub struct NotUtf8;

impl Environment {
    /// That of this process. No other thread may change a variable meanwhile.
    pub fn of_process() -> Self {
        Self(Arc::new(std::env::vars_os().collect()))
    }

    /// These variables and no others.
    pub fn of<N: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// The value of a variable; an empty one is a value.
    ///
    /// # Errors
    ///
    /// [`NotUtf8`], if the variable exists and is not UTF-8.
    pub fn get(&self, name: &str) -> Result<Option<&str>, NotUtf8> {
        let value = self.0.get(OsStr::new(name));
        value.map(|value| value.to_str().ok_or(NotUtf8)).transpose()
    }

    /// The value of a variable that is UTF-8, for those that AWS's SDKs define: they ignore others.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).ok().flatten()
    }

    /// All variables whose name and value are UTF-8.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }
}

/// Without names and values: environments hold secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
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
        assert_eq!((environment.text("A"), environment.texts().count()), (None, 0));
    }

    #[test]
    fn debugging_shows_no_secret() {
        let shown = format!("{:?}", Environment::of([("AIRFLOW_CONN_X", "aws://AKIA:hunter2@")]));
        assert_eq!(shown, "Environment(1 variables)");
    }
}
