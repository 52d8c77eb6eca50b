//! The environment as it was when the executor was created. A host may change its variables later (C's `setenv`) while
//! threads of ours would read them, which is a race in its process.

use aws_credential_types::Credentials;
use aws_types::os_shim_internal::Env;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// Variables and their values, read once. The default is empty.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// The variables of this process whose name and value are UTF-8. No other thread may change a variable meanwhile.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(Arc::new(std::env::vars_os().filter_map(text).collect()))
    }

    /// These variables and no others.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// As the SDK takes it.
    pub(super) fn for_sdk(&self) -> Env {
        let variables = self.0.iter().map(|(name, value)| (name.clone(), value.clone()));
        Env::from(variables.collect::<HashMap<_, _>>())
    }

    /// The access key of AWS's variables.
    pub(super) fn keys(&self) -> Option<Credentials> {
        let set = |name: &str| self.get(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
        let secret = set("AWS_SECRET_ACCESS_KEY").or_else(|| set("SECRET_ACCESS_KEY"))?;
        Some(Credentials::new(set("AWS_ACCESS_KEY_ID")?, secret, set("AWS_SESSION_TOKEN"), None, "Environment"))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Without names and values, many of which are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}
