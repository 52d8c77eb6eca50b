//! The SDK's clients, made on the first call: the default chain may ask the network for a region, and creating an
//! executor must not wait for that.

use super::direct::Direct;
use super::http::Http;
use super::identity::{AssumedRole, Cached, LOAD_LIMIT, Method, WithTimeout};
use super::quiet::WithoutEnvironment;
use super::{FunctionName, Identity, Settings, Transport, errors, region, sdk_config};
use crate::executor::ports::{CallError, Fault};
use aws_config::{AppName, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::config::{IdentityCache, Intercept, retry::RetryConfig};
use aws_sdk_lambda::{Client as LambdaClient, config as lambda};
use aws_sdk_sqs::{Client as SqsClient, config as sqs};
use aws_sdk_sso::{Client as SsoClient, config as sso};
use aws_sdk_ssooidc::{Client as OidcClient, config as oidc};
use aws_sdk_sts::{Client as StsClient, config as sts};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A client for each function and each queue, in the order of the settings.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) lambda: Vec<LambdaClient>,
    pub(super) sqs: Vec<SqsClient>,
    /// Sends the calls of each task; `None` where the SDK does.
    pub(super) direct: Option<Direct>,
    /// Region of each function, for messages.
    pub(super) function_regions: Vec<String>,
}

/// Makes [`Clients`] when they are first needed, and again after credentials were rejected or replaced.
#[derive(Debug)]
pub(super) struct ClientCache {
    current: Mutex<Current>,
    /// Held while clients are made, so that one caller makes them and the others wait.
    making: tokio::sync::Mutex<Making>,
}

#[derive(Debug)]
struct Current {
    identity: Arc<Identity>,
    clients: Option<Arc<Clients>>,
}

#[derive(Debug, Default)]
struct Making {
    /// Goes on when the caller stops waiting; the next caller gets its result.
    running: Option<Running>,
    last_failure: Option<Failed>,
}

#[derive(Debug)]
struct Running {
    identity: Arc<Identity>,
    made: JoinHandle<Result<Clients, CallError>>,
}

/// A failed attempt to make clients.
#[derive(Debug)]
struct Failed {
    identity: Arc<Identity>,
    at: Instant,
    error: CallError,
}

/// Callers within this time after a failure get the same error: many may be waiting, and each attempt may take seconds.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);

impl ClientCache {
    pub(super) fn new(identity: Identity) -> Self {
        let current = Current { identity: Arc::new(identity), clients: None };
        Self { current: Mutex::new(current), making: tokio::sync::Mutex::default() }
    }

    /// The clients of the current identity. A caller may stop waiting at any time.
    pub(super) async fn get(&self, settings: &Arc<Settings>) -> Result<Arc<Clients>, CallError> {
        if let Some(clients) = self.lock().clients.clone() {
            return Ok(clients);
        }
        let mut making = self.making.lock().await;
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
            if let Some(failed) = making.last_failure.as_ref().filter(fresh) {
                tracing::trace!(ago_ms = failed.at.elapsed().as_millis(), "making clients failed a moment ago");
                return Err(failed.error.clone());
            }
            let made = making.make(settings, &identity).await;
            let mut current = self.lock();
            // The credentials were replaced meanwhile: what was made with the old ones is useless.
            if !Arc::ptr_eq(&identity, &current.identity) {
                continue;
            }
            return match made {
                Ok(clients) => {
                    making.last_failure = None;
                    Ok(Arc::clone(current.clients.insert(Arc::new(clients))))
                }
                Err(error) => {
                    making.last_failure = Some(Failed { identity, at: Instant::now(), error: error.clone() });
                    Err(error)
                }
            };
        }
    }

    /// After credentials were rejected: the next call makes new clients, unless that cannot find other credentials, or
    /// the rejected clients are no longer in use.
    pub(super) fn drop_rejected(&self, rejected: &Arc<Clients>) {
        let mut current = self.lock();
        if current.identity.may_renew() && current.clients.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, rejected)) {
            current.clients = None;
        }
    }

    /// The next call makes clients of this identity.
    pub(super) fn set_identity(&self, identity: Identity) {
        *self.lock() = Current { identity: Arc::new(identity), clients: None };
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making {
    async fn make(&mut self, settings: &Arc<Settings>, identity: &Arc<Identity>) -> Result<Clients, CallError> {
        let current = self.running.take().filter(|running| Arc::ptr_eq(&running.identity, identity));
        let running =
            self.running.insert(current.unwrap_or_else(|| Running::start(Arc::clone(settings), Arc::clone(identity))));
        let made = (&mut running.made).await;
        self.running = None;
        made.unwrap_or_else(|ended| match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                Err(errors::call_error(Fault::Service, "ShuttingDown", "the executor's threads have ended".into()))
            }
        })
    }
}

impl Running {
    fn start(settings: Arc<Settings>, identity: Arc<Identity>) -> Self {
        let of = Arc::clone(&identity);
        let made = if settings.isolated && settings.ca_bundle.is_none() {
            tokio::spawn(async move { make(&settings, &of).await })
        } else {
            // The SDK reads files without leaving the thread: one that hangs must not be a worker.
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || runtime.block_on(make(&settings, &of)))
        };
        Self { identity, made }
    }
}

async fn make(settings: &Settings, identity: &Identity) -> Result<Clients, CallError> {
    let http = Http::new(settings)?;
    let base = sdk_config::load(settings, identity, &http).await;
    let own_regions = Regions::of(settings);
    let fallback = base.region().map(Region::to_string).or_else(|| own_regions.any());
    let base = with_role(base, settings, identity, fallback.as_deref());
    let (base, direct) = direct(base, settings, &http);
    let mut by_region: HashMap<String, (LambdaClient, SqsClient)> = HashMap::new();
    let mut client = |own: Option<String>| {
        let region = own.or_else(|| fallback.clone()).ok_or_else(no_region)?;
        let clients =
            by_region.entry(region.clone()).or_insert_with(|| regional(&base, settings, &http, &region)).clone();
        Ok::<_, CallError>((region, clients))
    };
    let mut all = Clients { lambda: Vec::new(), sqs: Vec::new(), direct, function_regions: Vec::new() };
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

/// Both ways of sending calls share their credentials. Without any, the SDK reports what is wrong.
fn direct(base: SdkConfig, settings: &Settings, http: &Http) -> (SdkConfig, Option<Direct>) {
    let Some(provider) = base.credentials_provider().filter(|_| settings.transport == Transport::Direct) else {
        return (base, None);
    };
    let credentials = Cached::new(provider);
    let base = base.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials.clone())).build();
    let (functions, queue_urls) = (settings.functions.len(), &settings.queue_urls);
    (base, Some(Direct::new(credentials, http, settings.connect_timeout, functions, queue_urls)))
}

/// The region in each function's ARN and each queue's URL. It wins over the configured region, from which the function or
/// queue could not be reached.
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
    // No task fails for this: a metadata service that does not answer now may answer later.
    errors::call_error(
        Fault::Identity,
        "NoRegion",
        "region_name: not set, and neither AWS_REGION nor the profile names one".into(),
    )
}

/// Clients with dummy credentials whose calls are stopped by `stop` before any I/O.
pub(super) struct DryClients {
    pub(super) lambda: LambdaClient,
    pub(super) sqs: SqsClient,
    pub(super) sts: StsClient,
    pub(super) sso: SsoClient,
    pub(super) oidc: OidcClient,
}

impl DryClients {
    pub(super) fn new(stop: impl Intercept + Clone + 'static) -> Self {
        let base = SdkConfig::builder()
            .behavior_version(sdk_config::behavior())
            .retry_config(RetryConfig::disabled())
            .region(Region::new("us-east-1"))
            .http_client(Http::without_roots().for_calls())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("none", "none", None, None, "none")))
            .build();
        Self {
            lambda: LambdaClient::from_conf(lambda::Builder::from(&base).interceptor(stop.clone()).build()),
            sqs: SqsClient::from_conf(sqs::Builder::from(&base).interceptor(stop.clone()).build()),
            sts: StsClient::from_conf(sts::Builder::from(&base).interceptor(stop.clone()).build()),
            sso: SsoClient::from_conf(sso::Builder::from(&base).interceptor(stop.clone()).build()),
            oidc: OidcClient::from_conf(oidc::Builder::from(&base).interceptor(stop).build()),
        }
    }
}

fn with_timeout(config: SdkConfig, provider: SharedCredentialsProvider, origin: String) -> SdkConfig {
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(WithTimeout::new(provider, origin)))
        .identity_cache(IdentityCache::lazy().load_timeout(LOAD_LIMIT * 2).build())
        .build()
}

/// Adds the role, if there is one. STS is called in the configured region, or else in that of the function and queues.
fn with_role(base: SdkConfig, settings: &Settings, identity: &Identity, region: Option<&str>) -> SdkConfig {
    let Some(role) = &identity.role else { return base };
    let caller = base.clone().into_builder().region(region.map(|region| Region::new(region.to_owned()))).build();
    let origin = match &role.method {
        Method::Signature => format!("role `{}`, assumed with {}", role.arn, identity.origin()),
        Method::WebIdentity(_) => format!("role `{}`, assumed with a web identity token", role.arn),
    };
    let provider = AssumedRole::new(&caller, settings, role.clone());
    with_timeout(base, SharedCredentialsProvider::new(provider), origin)
}

fn regional(base: &SdkConfig, settings: &Settings, http: &Http, region: &str) -> (LambdaClient, SqsClient) {
    let here = || Region::new(region.to_owned());
    let quiet = WithoutEnvironment::new(&settings.environment);
    let mut lambda =
        lambda::Builder::from(base).region(here()).http_client(http.for_calls()).interceptor(quiet.clone());
    let mut sqs = sqs::Builder::from(base).region(here()).http_client(http.for_calls()).interceptor(quiet);
    // Set for the service, where it wins over AWS_ENDPOINT_URL_LAMBDA and AWS_ENDPOINT_URL_SQS.
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
