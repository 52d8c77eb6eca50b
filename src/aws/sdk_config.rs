//! The SDK's configuration: from the settings, from the snapshot of the environment, and from AWS's shared files.
//!
//! The SDK's own loader reads the environment of the process, from a thread of ours and at a time when the host may change
//! it. So region, endpoints, keys and proxies are looked up here. What is left to the SDK, which reads the process's
//! environment whenever it looks up credentials or a region:
//!
//! - credentials of a profile, of a web identity, of ECS and of EC2: where keys are neither configured nor in the
//!   environment (`AWS_ACCESS_KEY_ID`)
//! - the region of the EC2 instance: where neither the configuration, the environment nor the profile names one

use super::http::Http;
use super::identity::{LOAD_LIMIT, WithTimeout, of_profile};
use super::{Identity, Settings};
use crate::runtime::environment::Environment;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileSet;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::EnvConfigValue;
use aws_sdk_lambda::config::{IdentityCache, StalledStreamProtectionConfig, retry::RetryConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::borrow::Cow;

/// The environment and the shared files. A value of the environment wins.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    env: Env,
    /// Empty where the files cannot be read. The SDK reports why, when it looks for credentials there.
    profiles: ProfileSet,
}

impl Shared {
    async fn read(environment: &Environment, profile: Option<&str>) -> Self {
        let env = environment.for_sdk();
        let name = profile.map(|name| Cow::Owned(name.to_owned()));
        let profiles = aws_config::profile::load(&Fs::real(), &env, &Default::default(), name).await;
        Self { env, profiles: profiles.unwrap_or_default() }
    }

    fn value(&self, variable: &str, key: &str) -> Option<String> {
        let value = EnvConfigValue::new().env(variable).profile(key);
        value.load(&self.env, Some(&self.profiles)).map(|(value, _)| value.into_owned())
    }

    fn is_true(&self, variable: &str, key: &str) -> bool {
        self.value(variable, key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn region(&self) -> Option<String> {
        let set = |text: String| Some(text).filter(|text| !text.is_empty());
        let variable = |name| self.env.get(name).ok().and_then(set);
        let profile = || self.profiles.get("region").map(str::to_owned).and_then(set);
        variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).or_else(profile)
    }

    fn ignores_endpoints(&self) -> bool {
        self.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")
    }
}

/// For endpoints of one service, such as `AWS_ENDPOINT_URL_LAMBDA`.
impl LoadServiceConfig for Shared {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if self.ignores_endpoints() {
            return None;
        }
        let value = EnvConfigValue::new().env(key.env()).profile(key.profile()).service_id(key.service_id());
        value.load(&self.env, Some(&self.profiles)).map(|(value, _)| value.into_owned())
    }
}

/// Everything but the role.
pub(super) async fn load(settings: &Settings, identity: &Identity, http: &Http) -> SdkConfig {
    let http_client = http.for_credentials();
    let mut builder = SdkConfig::builder()
        .behavior_version(behavior())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(settings))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client.clone());
    if settings.isolated {
        builder.set_region(settings.region.clone().map(Region::new));
        let keys = identity.keys.as_ref().map(Credentials::from);
        builder.set_credentials_provider(keys.map(SharedCredentialsProvider::new));
        return builder.build();
    }
    let shared = Shared::read(&settings.environment, identity.profile.as_deref()).await;
    builder.set_region(region(settings, &shared, http_client).await);
    builder.set_use_fips(Some(shared.is_true("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")));
    builder.set_use_dual_stack(Some(shared.is_true("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")));
    if !shared.ignores_endpoints() {
        builder.set_endpoint_url(shared.value("AWS_ENDPOINT_URL", "endpoint_url"));
    }
    let base = builder.service_config(shared.clone()).build();
    let provider = match &identity.keys {
        Some(keys) => SharedCredentialsProvider::new(Credentials::from(keys)),
        None => {
            let found = credentials(&base, &shared, settings, identity).await;
            SharedCredentialsProvider::new(WithTimeout::new(found, identity.origin()))
        }
    };
    base.into_builder()
        .credentials_provider(provider)
        .identity_cache(IdentityCache::lazy().load_timeout(LOAD_LIMIT * 2).build())
        .build()
}

async fn region(settings: &Settings, shared: &Shared, http_client: SharedHttpClient) -> Option<Region> {
    if let Some(region) = settings.region.clone().or_else(|| shared.region()) {
        return Some(Region::new(region));
    }
    if shared.env.get("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let surroundings = ProviderConfig::without_region().with_http_client(http_client);
    let provider = ImdsRegionProvider::builder().configure(&surroundings).build();
    // By the trait, whose future is boxed: see `aws/mod.rs`.
    ProvideRegion::region(&provider).await
}

/// Keys of the environment, unless a profile is configured: then its credentials are wanted. Otherwise what the profile
/// names, and what the SDK finds.
async fn credentials(
    base: &SdkConfig,
    shared: &Shared,
    settings: &Settings,
    identity: &Identity,
) -> SharedCredentialsProvider {
    let profile = identity.profile.as_deref();
    if profile.is_none()
        && let Some(keys) = settings.environment.keys()
    {
        return SharedCredentialsProvider::new(keys);
    }
    if let Some(found) = of_profile(base, &shared.profiles, settings, profile) {
        return found;
    }
    let mut surroundings = ProviderConfig::without_region().with_region(base.region().cloned());
    if let Some(client) = base.http_client() {
        surroundings = surroundings.with_http_client(client);
    }
    let chain = DefaultCredentialsChain::builder().configure(surroundings).region(base.region().cloned());
    SharedCredentialsProvider::new(chain.build().await)
}

/// The SDK's defaults as of this version: a newer SDK must not change how we behave.
pub(super) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The SDK limits only the time to connect. Whole calls are limited where they are made, long polls by their own length,
/// and the executor decides about further attempts.
fn timeouts(settings: &Settings) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(settings.connect_timeout).build()
}
