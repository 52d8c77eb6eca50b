//! The SDK's clients, made on the first call: the default chain may ask the network for a region, and creating an
//! executor must not.

use super::identity::{AssumedRole, InTime, LOAD_LIMIT, Method, of_profile};
use super::{FunctionName, Identity, Settings, errors, region, tls};
use crate::executor::ports::{CallError, Fault};
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::config::{
    IdentityCache, Intercept, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_sdk_lambda::{Client as LambdaClient, config as lambda};
use aws_sdk_sqs::{Client as SqsClient, config as sqs};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A client for each function and each queue, in the order of the settings.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) lambda: Vec<LambdaClient>,
    pub(super) sqs: Vec<SqsClient>,
    /// Region of each function, for messages.
    pub(super) function_regions: Vec<String>,
}

/// Makes [`Clients`] when they are first needed, and again after credentials were refused or replaced.
#[derive(Debug)]
pub(super) struct Lazy {
    current: Mutex<Current>,
    /// Held while clients are made, so that one caller makes them and the others wait; keeps the last failure.
    making: tokio::sync::Mutex<Option<Failed>>,
}

#[derive(Debug)]
struct Current {
    identity: Arc<Identity>,
    clients: Option<Arc<Clients>>,
}

/// An attempt to make clients, of whom and when.
#[derive(Debug)]
struct Failed {
    identity: Arc<Identity>,
    at: Instant,
    error: CallError,
}

/// Callers that come so soon after a failure get the same one: many wait in line, and each try may take seconds.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);

impl Lazy {
    pub(super) fn new(identity: Identity) -> Self {
        let current = Current { identity: Arc::new(identity), clients: None };
        Self { current: Mutex::new(current), making: tokio::sync::Mutex::new(None) }
    }

    pub(super) async fn get(&self, settings: &Settings) -> Result<Arc<Clients>, CallError> {
        if let Some(clients) = self.lock().clients.clone() {
            return Ok(clients);
        }
        let mut last_failure = self.making.lock().await;
        loop {
            let identity = {
                let current = self.lock();
                if let Some(clients) = current.clients.clone() {
                    return Ok(clients);
                }
                Arc::clone(&current.identity)
            };
            let fresh =
                |failed: &&Failed| Arc::ptr_eq(&failed.identity, &identity) && failed.at.elapsed() < FAILURE_HOLDS;
            if let Some(failed) = last_failure.as_ref().filter(fresh) {
                tracing::trace!(ago_ms = failed.at.elapsed().as_millis(), "clients could not be made a moment ago");
                return Err(failed.error.clone());
            }
            let made = make(settings, &identity).await;
            let mut current = self.lock();
            // New credentials came meanwhile: what was made with the old ones is of no use.
            if !Arc::ptr_eq(&identity, &current.identity) {
                continue;
            }
            return match made {
                Ok(clients) => {
                    *last_failure = None;
                    Ok(Arc::clone(current.clients.insert(Arc::new(clients))))
                }
                Err(error) => {
                    *last_failure = Some(Failed { identity, at: Instant::now(), error: error.clone() });
                    Err(error)
                }
            };
        }
    }

    /// After credentials were refused: the next call makes new clients, unless that cannot find others, or has happened
    /// already.
    pub(super) fn forget(&self, refused: &Arc<Clients>) {
        let mut current = self.lock();
        if current.identity.may_renew() && current.clients.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, refused)) {
            current.clients = None;
        }
    }

    /// The next call makes clients of this identity.
    pub(super) fn become_another(&self, identity: Identity) {
        *self.lock() = Current { identity: Arc::new(identity), clients: None };
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn make(settings: &Settings, identity: &Identity) -> Result<Clients, CallError> {
    let base = base(settings, identity).await?;
    let own_regions = Regions::of(settings);
    let fallback = base.region().map(Region::to_string).or_else(|| own_regions.any());
    let base = with_role(base, settings, identity, fallback.as_deref());
    let mut by_region: HashMap<String, (LambdaClient, SqsClient)> = HashMap::new();
    let mut client = |own: Option<String>| {
        let region = own.or_else(|| fallback.clone()).ok_or_else(no_region)?;
        let clients = by_region.entry(region.clone()).or_insert_with(|| regional(&base, settings, &region)).clone();
        Ok::<_, CallError>((region, clients))
    };
    let mut all = Clients { lambda: Vec::new(), sqs: Vec::new(), function_regions: Vec::new() };
    for own in own_regions.functions {
        let (region, (lambda, _)) = client(own)?;
        all.lambda.push(lambda);
        all.function_regions.push(region);
    }
    for own in own_regions.queues {
        let (_, (_, sqs)) = client(own)?;
        all.sqs.push(sqs);
    }
    Ok(all)
}

/// The region that each function's ARN and each queue's URL names: nothing can be reached from another one, so it wins
/// over the configured region.
struct Regions {
    functions: Vec<Option<String>>,
    queues: Vec<Option<String>>,
}

impl Regions {
    fn of(settings: &Settings) -> Self {
        let of_function = |name: &str| FunctionName::parse(name).ok().and_then(|function| function.region);
        Self {
            functions: settings.functions.iter().map(|function| of_function(&function.name)).collect(),
            queues: settings.queue_urls.iter().map(|url| region::of_queue_url(url)).collect(),
        }
    }

    /// For a function named without a region where nothing else names one.
    fn any(&self) -> Option<String> {
        self.queues.iter().chain(&self.functions).flatten().next().cloned()
    }
}

fn no_region() -> CallError {
    // Not permanent: a metadata service that does not answer now may do so later, and no task should fail of it.
    errors::own(
        Fault::Identity,
        "NoRegion",
        "region_name: not set, and neither AWS_REGION nor the profile names one".into(),
    )
}

/// Everything but the role.
async fn base(settings: &Settings, identity: &Identity) -> Result<SdkConfig, CallError> {
    let http_client = tls::http_client(settings)?;
    if settings.isolated {
        return Ok(isolated(settings, identity, http_client));
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(settings))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(client) = http_client {
        loader = loader.http_client(client);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &identity.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(keys) = &identity.keys {
        loader = loader.credentials_provider(Credentials::from(keys));
    }
    let loaded = loader.load().await;
    if identity.keys.is_some() {
        return Ok(loaded);
    }
    let found = of_profile(&loaded, settings.endpoints.sts.as_deref(), identity.profile.as_deref()).await;
    Ok(match found.or_else(|| loaded.credentials_provider()) {
        Some(provider) => in_time(loaded, provider, identity.origin()),
        None => loaded,
    })
}

/// Clients of nobody, each of whose calls ends where `stop` says.
pub(super) fn without_network(stop: impl Intercept + Clone + 'static) -> (LambdaClient, SqsClient) {
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .region(Region::new("us-east-1"))
        .http_client(tls::trusting_nobody())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("none", "none", None, None, "none")))
        .build();
    let lambda = lambda::Builder::from(&base).interceptor(stop.clone()).build();
    let sqs = sqs::Builder::from(&base).interceptor(stop).build();
    (LambdaClient::from_conf(lambda), SqsClient::from_conf(sqs))
}

/// By hand, so that neither environment nor files are read.
fn isolated(settings: &Settings, identity: &Identity, http_client: Option<SharedHttpClient>) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(settings))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .region(settings.region.clone().map(Region::new));
    builder.set_http_client(http_client);
    if let Some(keys) = &identity.keys {
        builder.set_credentials_provider(Some(SharedCredentialsProvider::new(Credentials::from(keys))));
    }
    builder.build()
}

fn in_time(config: SdkConfig, provider: SharedCredentialsProvider, origin: String) -> SdkConfig {
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(InTime::new(provider, origin)))
        .identity_cache(IdentityCache::lazy().load_timeout(LOAD_LIMIT * 2).build())
        .build()
}

/// Puts the role on top, if there is one. STS is asked in the configured region, else where function and queues are.
fn with_role(base: SdkConfig, settings: &Settings, identity: &Identity, region: Option<&str>) -> SdkConfig {
    let Some(role) = &identity.role else { return base };
    let asking = base.clone().into_builder().region(region.map(|region| Region::new(region.to_owned()))).build();
    let origin = match &role.method {
        Method::Signature => format!("role `{}`, assumed with {}", role.arn, identity.origin()),
        Method::WebIdentity(_) => format!("role `{}`, assumed with a web identity token", role.arn),
    };
    let provider = AssumedRole::new(&asking, settings.endpoints.sts.as_deref(), role.clone());
    in_time(base, SharedCredentialsProvider::new(provider), origin)
}

/// One attempt and no time limits of the SDK's but the connection's: what comes next is the executor's to say, and
/// whole calls are timed where they are made, long polls by their own length.
fn timeouts(settings: &Settings) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(settings.connect_timeout).build()
}

fn regional(base: &SdkConfig, settings: &Settings, region: &str) -> (LambdaClient, SqsClient) {
    let mut lambda = lambda::Builder::from(base).region(Region::new(region.to_owned()));
    let mut sqs = sqs::Builder::from(base).region(Region::new(region.to_owned()));
    // Said to the service: there it wins over AWS_ENDPOINT_URL_LAMBDA and AWS_ENDPOINT_URL_SQS.
    if let Some(url) = &settings.endpoints.lambda {
        lambda = lambda.endpoint_url(url);
    }
    if let Some(url) = &settings.endpoints.sqs {
        sqs = sqs.endpoint_url(url);
    }
    if let Ok(name) = AppName::new("lambda-executor") {
        lambda = lambda.app_name(name.clone());
        sqs = sqs.app_name(name);
    }
    (LambdaClient::from_conf(lambda.build()), SqsClient::from_conf(sqs.build()))
}
