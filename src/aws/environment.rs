//! The environment as the SDK takes it.

use crate::runtime::environment::Environment;
use aws_credential_types::Credentials;
use aws_types::os_shim_internal::Env;
use std::collections::HashMap;

impl Environment {
    /// For the SDK's own lookups.
    pub(super) fn for_sdk(&self) -> Env {
        let variables = self.texts().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Env::from(variables.collect::<HashMap<_, _>>())
    }

    /// The access key of AWS's variables.
    pub(super) fn keys(&self) -> Option<Credentials> {
        let set = |name: &str| self.text(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
        let secret = set("AWS_SECRET_ACCESS_KEY").or_else(|| set("SECRET_ACCESS_KEY"))?;
        Some(Credentials::new(set("AWS_ACCESS_KEY_ID")?, secret, set("AWS_SESSION_TOKEN"), None, "Environment"))
    }
}
