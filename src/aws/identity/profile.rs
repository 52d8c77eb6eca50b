//! Credentials of a profile in the shared files. The SDK reads the files and handles all kinds of profiles but one: those
//! that name a program (`credential_process`), alone or below a role. Its own provider for these needs tokio's `process`,
//! which installs a signal handler that crashes Go hosts.
//!
//! `os_shim_internal` is the only way to the SDK's reader of profiles ([`aws_config::profile::load`] takes both of its
//! types) and to give the SDK an environment other than the process's. A change there is a build error, not a surprise.

use super::process::Process;
use super::role::{AssumedRole, Role};
use crate::aws::Settings;
use aws_config::SdkConfig;
use aws_config::profile::{Profile, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;

/// Provider of a named profile, or of the default profile where that names a program. `None`: the SDK's default chain is
/// sufficient.
pub(in crate::aws) fn provider(
    base: &SdkConfig,
    profiles: &ProfileSet,
    settings: &Settings,
    name: Option<&str>,
) -> Option<SharedCredentialsProvider> {
    match (find(profiles), name) {
        (Some(program), _) => Some(program.provider(base, settings)),
        (None, Some(name)) => Some(named(base, name)),
        (None, None) => None,
    }
}

/// As in boto3, a named profile wins over the environment's keys.
fn named(base: &SdkConfig, name: &str) -> SharedCredentialsProvider {
    let mut surroundings = ProviderConfig::without_region().with_region(base.region().cloned());
    if let Some(client) = base.http_client() {
        surroundings = surroundings.with_http_client(client);
    }
    let profile = ProfileFileCredentialsProvider::builder().configure(&surroundings).profile_name(name).build();
    SharedCredentialsProvider::new(profile)
}

/// A program, and the roles that are assumed one after another with its credentials.
struct Program {
    command: String,
    roles: Vec<Role>,
}

impl Program {
    fn provider(self, base: &SdkConfig, settings: &Settings) -> SharedCredentialsProvider {
        let mut provider = SharedCredentialsProvider::new(Process::new(self.command));
        for role in self.roles {
            let with = base.clone().into_builder().credentials_provider(provider).build();
            provider = SharedCredentialsProvider::new(AssumedRole::new(&with, settings, role));
        }
        provider
    }
}

/// The program that the credentials of the selected profile come from, if they do. Follows `source_profile` in the SDK's order: in profiles that others refer to, keys come first; a role is assumed with
/// the credentials of its source.
fn find(profiles: &ProfileSet) -> Option<Program> {
    let mut name = profiles.selected_profile();
    let mut roles = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    loop {
        let profile = profiles.get_profile(name)?;
        if seen.contains(&name) || (!seen.is_empty() && profile.get("aws_access_key_id").is_some()) {
            return None;
        }
        seen.push(name);
        let source = profile.get("source_profile");
        match (role(profile), source) {
            (Some(role), Some(source)) if profile.get("credential_source").is_none() => {
                roles.push(role);
                if source == name {
                    return here(profile, roles);
                }
                name = source;
            }
            (Some(_), _) => return None,
            (None, _) => return here(profile, roles),
        }
    }
}

fn role(profile: &Profile) -> Option<Role> {
    if profile.get("web_identity_token_file").is_some() {
        return None;
    }
    Some(Role {
        arn: profile.get("role_arn")?.into(),
        session_name: profile.get("role_session_name").map(Into::into),
        external_id: profile.get("external_id").map(Into::into),
        ..Role::default()
    })
}

/// The program of the profile at the end, unless one of the kinds that the SDK looks for first is there.
fn here(profile: &Profile, mut roles: Vec<Role>) -> Option<Program> {
    let first = [
        "credential_source",
        "web_identity_token_file",
        "sso_session",
        "sso_account_id",
        "sso_region",
        "sso_role_name",
        "sso_start_url",
        "login_session",
    ];
    if first.into_iter().any(|key| profile.get(key).is_some()) {
        return None;
    }
    roles.reverse();
    Some(Program { command: profile.get("credential_process")?.into(), roles })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::os_shim_internal::{Env, Fs};

    /// The program of the profile `p`, and the roles on top of it, in the order in which they are assumed.
    async fn found(config: &str) -> Option<(String, Vec<String>)> {
        let fs = Fs::from_slice(&[("/home/.aws/config", config)]);
        let env = Env::from_slice(&[("HOME", "/home")]);
        let profiles = aws_config::profile::load(&fs, &env, &Default::default(), Some("p".into())).await;
        let program = find(&profiles.expect("a file that can be read"))?;
        Some((program.command, program.roles.into_iter().map(|role| role.arn).collect()))
    }

    #[tokio::test]
    async fn a_program_is_found_alone_and_below_roles() {
        let alone = "[profile p]\ncredential_process = run me --now\n";
        assert_eq!(found(alone).await, Some(("run me --now".into(), vec![])));
        let itself = "[profile p]\nrole_arn = a\nsource_profile = p\ncredential_process = run\n";
        assert_eq!(found(itself).await, Some(("run".into(), vec!["a".into()])));
        let chain = "[profile p]\nrole_arn = last\nsource_profile = q\n[profile q]\nrole_arn = first\n\
                     source_profile = r\n[profile r]\ncredential_process = run\n";
        assert_eq!(found(chain).await, Some(("run".into(), vec!["first".into(), "last".into()])));
    }

    #[tokio::test]
    async fn other_kinds_of_profiles_are_left_to_the_sdk() {
        for config in [
            "[profile other]\ncredential_process = run\n",
            "[profile p]\naws_access_key_id = A\naws_secret_access_key = s\n",
            "[profile p]\nrole_arn = a\ncredential_source = Environment\ncredential_process = run\n",
            "[profile p]\nrole_arn = a\nsource_profile = q\n[profile q]\naws_access_key_id = A\n\
             aws_secret_access_key = s\ncredential_process = run\n",
            "[profile p]\nrole_arn = a\nsource_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p\n",
            "[profile p]\nrole_arn = a\nweb_identity_token_file = /t\ncredential_process = run\n",
            "[profile p]\nsso_session = s\ncredential_process = run\n[sso-session s]\nsso_region = r\n",
        ] {
            assert_eq!(found(config).await, None, "{config}");
        }
    }
}
