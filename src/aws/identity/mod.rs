//! Where credentials come from, and the role that is assumed with them.
//!
//! | file | |
//! |---|---|
//! | `role.rs` | a role, assumed through STS |
//! | `profile.rs` | a profile of the shared files, and those that name a program |
//! | `process.rs` | that program: `credential_process` |
//! | `cache.rs` | credentials are kept, and renewed before they expire |
//! | `with_timeout.rs` | a provider may not hang a call, and its errors name the origin of the credentials |

mod cache;
mod process;
mod profile;
mod role;
mod with_timeout;

pub use role::{Method, Role};

pub(super) use cache::{Cached, Loaded};
pub(super) use profile::provider as of_profile;
pub(super) use role::AssumedRole;
pub(super) use with_timeout::{LOAD_LIMIT, Origin, WithTimeout};

use aws_credential_types::Credentials;

/// Credentials to use. The default is the SDK's default chain: environment, profile, SSO, web identity, ECS, IMDS.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// These keys, and no others.
    pub keys: Option<Keys>,
    /// This profile of the shared files: its credentials unless there are keys, its region and endpoints in any case.
    pub profile: Option<String>,
    /// Assumed with the credentials found so far.
    pub role: Option<Role>,
}

impl Identity {
    /// Given keys, without a role.
    pub fn of_keys(keys: Keys) -> Self {
        Self { keys: Some(keys), ..Self::default() }
    }

    /// True if another search may find other credentials.
    pub(super) fn may_renew(&self) -> bool {
        self.keys.is_none() || self.role.is_some()
    }

    /// Where its credentials come from before a role is assumed, for messages.
    pub(super) fn origin(&self) -> String {
        match (&self.keys, &self.profile) {
            (Some(_), _) => "the given keys".into(),
            (None, Some(profile)) => format!("profile `{profile}`"),
            (None, None) => "the AWS default chain".into(),
        }
    }
}

/// Credentials as they are given.
#[derive(Clone, Eq, PartialEq)]
pub struct Keys {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
}

// By hand, so that no key can get into a log.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys { .. }")
    }
}

impl From<&Keys> for Credentials {
    fn from(keys: &Keys) -> Self {
        Self::new(&keys.access_key_id, &keys.secret_access_key, keys.session_token.clone(), None, "given")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_shown() {
        let keys = Keys {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "hush".into(),
            session_token: Some("token".into()),
        };
        assert_eq!(format!("{keys:?}"), "Keys { .. }");
        let identity = format!("{:?}", Identity::of_keys(keys));
        assert!(!identity.contains("AKID") && !identity.contains("hush") && !identity.contains("token"), "{identity}");
    }
}
