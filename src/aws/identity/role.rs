//! A role that is assumed through STS, with the SDK's client. The SDK renews the credentials before they expire.

use crate::aws::Settings;
use crate::aws::quiet::WithoutEnvironment;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::{Credentials as StsCredentials, PolicyDescriptorType, Tag};
use aws_sdk_sts::{Client, config};
use std::error::Error;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A role and how it is assumed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Role {
    /// ARN of the role.
    pub arn: String,
    /// What STS accepts as proof.
    pub method: Method,
    /// Name of the session; generated where there is none.
    pub session_name: Option<String>,
    /// Lifetime of the credentials; STS's default is an hour.
    pub duration_s: Option<i32>,
    /// Inline session policy.
    pub policy: Option<String>,
    /// Managed session policies.
    pub policy_arns: Vec<String>,
    /// Agreed with the owner of the role.
    pub external_id: Option<String>,
    /// Session tags, name and value.
    pub tags: Vec<(String, String)>,
    /// Names of the tags that further roles inherit.
    pub transitive_tag_keys: Vec<String>,
    /// Source identity of the session.
    pub source_identity: Option<String>,
    /// Host of the identity provider, for OAuth tokens that are not OpenID's.
    pub provider_id: Option<String>,
}

/// What STS accepts as proof.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Method {
    /// A request that is signed with the credentials found before.
    #[default]
    Signature,
    /// The token in this file, read each time.
    WebIdentity(PathBuf),
}

/// Provides the credentials of a role.
#[derive(Debug)]
pub(in crate::aws) struct AssumedRole {
    sts: Client,
    role: Role,
}

impl AssumedRole {
    /// With the credentials, the region and the HTTP client of `base`.
    pub(in crate::aws) fn new(base: &SdkConfig, settings: &Settings, role: Role) -> Self {
        let mut config = config::Builder::from(base).interceptor(WithoutEnvironment::new(&settings.environment));
        if let Some(url) = &settings.endpoints.sts {
            config = config.endpoint_url(url);
        }
        Self { sts: Client::from_conf(config.build()), role }
    }

    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let role = &self.role;
        let session_name = role.session_name.clone().unwrap_or_else(generated_name);
        let policy_arns: Vec<_> =
            role.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
        let policy_arns = Some(policy_arns).filter(|arns| !arns.is_empty());
        match &role.method {
            Method::Signature => {
                let call = self
                    .sts
                    .assume_role()
                    .role_arn(&role.arn)
                    .role_session_name(session_name)
                    .set_duration_seconds(role.duration_s)
                    .set_policy(role.policy.clone())
                    .set_policy_arns(policy_arns)
                    .set_external_id(role.external_id.clone())
                    .set_source_identity(role.source_identity.clone())
                    .set_transitive_tag_keys(Some(role.transitive_tag_keys.clone()).filter(|keys| !keys.is_empty()))
                    .set_tags(self.tags()?);
                let answer = call.customize().send().await.map_err(rejected)?;
                credentials(answer.credentials)
            }
            Method::WebIdentity(file) => {
                let path = file.clone();
                // The file may be on a network's file system.
                let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path));
                let token = read.await.map_err(CredentialsError::provider_error)?.map_err(|error| {
                    let message = format!("the web identity token file {} cannot be read: {error}", file.display());
                    CredentialsError::provider_error(message)
                })?;
                let call = self
                    .sts
                    .assume_role_with_web_identity()
                    .role_arn(&role.arn)
                    .role_session_name(session_name)
                    .web_identity_token(token.trim_end())
                    .set_duration_seconds(role.duration_s)
                    .set_policy(role.policy.clone())
                    .set_policy_arns(policy_arns)
                    .set_provider_id(role.provider_id.clone());
                let answer = call.customize().send().await.map_err(rejected)?;
                credentials(answer.credentials)
            }
        }
    }

    fn tags(&self) -> Result<Option<Vec<Tag>>, CredentialsError> {
        let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
        let tags: Result<Vec<_>, _> = self.role.tags.iter().map(tag).collect();
        tags.map(|tags| Some(tags).filter(|tags| !tags.is_empty())).map_err(CredentialsError::invalid_configuration)
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

/// STS's code and the first line of its message, which the SDK's own text leaves out for most codes.
fn rejected<E>(error: SdkError<E, HttpResponse>) -> CredentialsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(answer) = &error else { return CredentialsError::provider_error(error) };
    let (rejection, status) = (answer.err(), answer.raw().status().as_u16());
    CredentialsError::provider_error(
        match (rejection.code(), rejection.message().and_then(|text| text.lines().next())) {
            (Some(code), Some(line)) => format!("STS: {code}: {line}"),
            (Some(code), None) => format!("STS: {code}"),
            (None, _) => format!("STS answered with status {status} and no code"),
        },
    )
}

fn credentials(answer: Option<StsCredentials>) -> Result<Credentials, CredentialsError> {
    let keys = answer.ok_or_else(|| CredentialsError::unhandled("the answer of STS contains no credentials"))?;
    let expires = SystemTime::try_from(keys.expiration).map_err(CredentialsError::unhandled)?;
    Ok(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        Some(expires),
        "AssumedRole",
    ))
}

fn generated_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("lambda-executor-{}", now.as_secs())
}
