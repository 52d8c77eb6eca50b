//! The SDK's clients, made on the first call: the default chain may ask the network for a region, and creating an
//! executor must not.

use super::identity::{InTime, LOAD_LIMIT};
use super::{FunctionName, Identity, Settings, errors, region};
use crate::executor::ports::{CallError, FailureClass};
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::config::{IdentityCache, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig};
use aws_sdk_lambda::{Client as LambdaClient, config as lambda};
use aws_sdk_sqs::{Client as SqsClient, config as sqs};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A client for each function and each queue, in the order of the settings.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) lambda: Vec<LambdaClient>,
    pub(super) sqs: Vec<SqsClient>,
    /// Region of each function, for messages.
    pub(super) function_regions: Vec<String>,
}

/// Makes [`Clients`] when they are first needed, and again after credentials were refused, so that new ones on disk
/// are found.
#[derive(Debug, Default)]
pub(super) struct Lazy {
    current: Mutex<Option<Arc<Clients>>>,
    /// Held while clients are made, so that one caller makes them and the others wait; keeps the last failure.
    making: tokio::sync::Mutex<Option<(Instant, CallError)>>,
}

/// Callers that come so soon after a failure get the same one: many wait in line, and each try may take seconds.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);

impl Lazy {
    pub(super) async fn get(&self, settings: &Settings) -> Result<Arc<Clients>, CallError> {
        if let Some(clients) = self.current() {
            return Ok(clients);
        }
        let mut last_failure = self.making.lock().await;
        if let Some(clients) = self.current() {
            return Ok(clients);
        }
        if let Some((when, error)) = last_failure.as_ref().filter(|(when, _)| when.elapsed() < FAILURE_HOLDS) {
            tracing::trace!(ago_ms = when.elapsed().as_millis(), "clients could not be made a moment ago");
            return Err(error.clone());
        }
        match make(settings).await {
            Ok(clients) => {
                let clients = Arc::new(clients);
                *last_failure = None;
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&clients));
                Ok(clients)
            }
            Err(error) => {
                *last_failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// After credentials were refused: the next call makes new clients. Does nothing if that has happened already.
    pub(super) fn forget(&self, refused: &Arc<Clients>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|clients| Arc::ptr_eq(clients, refused)) {
            *current = None;
        }
    }

    fn current(&self) -> Option<Arc<Clients>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn make(settings: &Settings) -> Result<Clients, CallError> {
    let base = match &settings.identity {
        Identity::DefaultChain => from_default_chain(settings).await,
        Identity::Static { access_key_id, secret_access_key, session_token } => {
            let keys = Credentials::new(access_key_id, secret_access_key, session_token.clone(), None, "given");
            from_given_keys(settings, keys)
        }
    };
    let own_regions = Regions::of(settings);
    let fallback = base.region().map(Region::to_string).or_else(|| own_regions.any());
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
        FailureClass::Credentials,
        "NoRegion",
        "region_name: not set, and neither AWS_REGION nor the profile names one".into(),
    )
}

async fn from_default_chain(settings: &Settings) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(settings))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let loaded = loader.load().await;
    match loaded.credentials_provider() {
        Some(chain) => loaded
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(InTime(chain)))
            .identity_cache(IdentityCache::lazy().load_timeout(LOAD_LIMIT * 2).build())
            .build(),
        None => loaded,
    }
}

/// By hand, so that neither environment nor files are read, nor a proxy taken from them: with a local server nothing
/// may go elsewhere.
fn from_given_keys(settings: &Settings, keys: Credentials) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(direct_http_client(settings))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(settings))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .region(settings.region.clone().map(Region::new));
    builder.set_endpoint_url(settings.endpoint_url.clone());
    builder.build()
}

fn direct_http_client(settings: &Settings) -> SharedHttpClient {
    use aws_smithy_http_client::{Builder, tls};
    let https = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc));
    match &settings.endpoint_url {
        // The system's certificates need not be read, which takes longer than starting the local server.
        Some(url) if url.starts_with("http://") => {
            let none = tls::TlsContext::builder().with_trust_store(tls::TrustStore::empty()).build();
            match none {
                Ok(context) => https.tls_context(context).build_https(),
                Err(_) => https.build_https(),
            }
        }
        _ => https.build_https(),
    }
}

/// One attempt and no time limits of the SDK's but the connection's: what comes next is the executor's to say, and
/// whole calls are timed where they are made, long polls by their own length.
fn timeouts(settings: &Settings) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(settings.connect_timeout).build()
}

fn regional(base: &SdkConfig, settings: &Settings, region: &str) -> (LambdaClient, SqsClient) {
    let mut lambda = lambda::Builder::from(base).region(Region::new(region.to_owned()));
    let mut sqs = sqs::Builder::from(base).region(Region::new(region.to_owned()));
    if let Some(url) = &settings.endpoint_url {
        // Said to the services too: there it wins over AWS_ENDPOINT_URL_LAMBDA and AWS_ENDPOINT_URL_SQS.
        lambda = lambda.endpoint_url(url);
        sqs = sqs.endpoint_url(url);
    }
    if let Ok(name) = AppName::new("lambda-executor") {
        lambda = lambda.app_name(name.clone());
        sqs = sqs.app_name(name);
    }
    (LambdaClient::from_conf(lambda.build()), SqsClient::from_conf(sqs.build()))
}
