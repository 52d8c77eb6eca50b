//! The options together: what contradicts, what is missing, and the settings of each part.

use super::credentials;
use super::given::Given;
use super::option as o;
use super::option::{Default, Opt};
use super::queues::{self, Route};
use super::{Config, ConfigError};
use crate::aws::{self, Endpoints, FunctionName, Identity};
use crate::executor::{self, QueueKind, QueueSettings, RouteSettings};
use std::time::Duration;

/// Makes the configuration, or tells everything that is wrong.
pub(crate) fn config(mut given: Given) -> Result<Config, ConfigError> {
    if !given.unreadable {
        check_together(&mut given);
    }
    let routes = routes(&mut given);
    let config = assemble(&given, routes);
    let (wrong, later) = given.into_problems();
    match (wrong.is_empty(), later.is_empty()) {
        (true, true) => Ok(config),
        (true, false) => Err(ConfigError::Unsupported(later.join("\n"))),
        (false, _) => Err(ConfigError::Invalid([wrong, later].concat().join("\n"))),
    }
}

fn check_together(given: &mut Given) {
    let local = given.has(&o::LOCAL);
    // With airflow the missing ones come from elsewhere.
    if !local && !given.has(&o::AIRFLOW) {
        for option in o::ALL {
            if option.default == Default::Required && !given.has(option) {
                let allowed = super::value::allowed(option.kind);
                given.wrong(option, &format!("required and not given (expected {allowed})"));
            }
        }
    }
    if local {
        // Or whoever adds AWS's options and leaves `local` would wonder where their tasks go.
        for option in [
            &o::ENDPOINT_URL,
            &o::CREDENTIALS,
            &o::FUNCTION_NAME,
            &o::FUNCTION_QUALIFIER,
            &o::QUALIFIER,
            &o::QUEUE_URL,
            &o::REPLY_QUEUE_URL,
            &o::DEAD_LETTER_QUEUE_URL,
        ] {
            if given.has(option) {
                given.wrong(option, "cannot be given together with local, which makes its own");
            }
        }
    }
    if let Some(Err(why)) = given.text(&o::CREDENTIALS).map(|text| credentials::read(&text)) {
        given.wrong(&o::CREDENTIALS, &why);
    }
    for option in [&o::QUEUE_URL, &o::REPLY_QUEUE_URL] {
        let dead_letters = given.text(&o::DEAD_LETTER_QUEUE_URL);
        if let Some(url) = given.text(option).filter(|url| Some(url) == dead_letters.as_ref()) {
            let line = format!("`{url}` is {} too (results and dead letters need a queue each)", option.name);
            given.wrong(&o::DEAD_LETTER_QUEUE_URL, &line);
        }
    }
    let in_name = given.text(&o::FUNCTION_NAME).and_then(|name| FunctionName::parse(&name).ok()?.qualifier);
    if let (Some(in_name), Some(beside)) = (in_name, qualifier(given))
        && in_name != beside
    {
        let line = format!("`{beside}` is not the `{in_name}` at the end of function_name (give one of the two)");
        given.wrong(qualifier_option(given), &line);
    }
}

fn identity(given: &Given) -> Identity {
    let keys = given.text(&o::CREDENTIALS).and_then(|text| credentials::read(&text).ok());
    keys.map(Identity::of_keys).unwrap_or_default()
}

/// The documented name wins over the older one.
fn qualifier_option(given: &Given) -> &'static Opt {
    if given.has(&o::FUNCTION_QUALIFIER) { &o::FUNCTION_QUALIFIER } else { &o::QUALIFIER }
}

fn qualifier(given: &Given) -> Option<String> {
    given.text(qualifier_option(given))
}

/// The route `default`, then those of option `queues`.
fn routes(given: &mut Given) -> Vec<Route> {
    let count = |option: &Opt| usize::try_from(given.integer(option)).unwrap_or(usize::MAX);
    let default = Route {
        function_name: given.text(&o::FUNCTION_NAME).unwrap_or_default(),
        function_qualifier: qualifier(given),
        limits: RouteSettings {
            name: queues::DEFAULT.into(),
            max_concurrent_invokes: count(&o::MAX_CONCURRENT_INVOKES),
            max_invokes_per_second: u32::try_from(given.integer(&o::MAX_INVOKES_PER_SECOND)).unwrap_or(u32::MAX),
            max_running_tasks: count(&o::MAX_RUNNING_TASKS),
        },
    };
    let mut routes = vec![default];
    if let Some(text) = given.text(&o::QUEUES) {
        match queues::read(&text, &routes[0], given.has(&o::LOCAL)) {
            Ok(more) => routes.extend(more),
            Err(lines) => given.wrong_within(lines),
        }
    }
    routes
}

fn assemble(given: &Given, routes: Vec<Route>) -> Config {
    let count = |option: &Opt| usize::try_from(given.integer(option)).unwrap_or(usize::MAX);
    let number = |option: &Opt| u32::try_from(given.integer(option)).unwrap_or(u32::MAX);
    let duration = |option: &Opt| Duration::from_millis(given.integer(option));
    let text = |option: &Opt| given.text(option).unwrap_or_default();

    let (queues, queue_urls, reply_to) = received_from(given);
    let queue_needs = aws::QueueNeeds {
        kinds: queues.iter().map(|queue| queue.kind).collect(),
        max_payload_bytes: given.integer(&o::MAX_PAYLOAD_BYTES),
        result_timeout: duration(&o::RESULT_TIMEOUT_MS),
    };
    let local = given.text(&o::LOCAL);
    // The local AWS takes any region, but a request cannot be signed without one.
    let region = given.text(&o::REGION_NAME).or_else(|| local.is_some().then(|| "us-east-1".to_owned()));
    Config {
        executor: executor::Settings {
            routes: routes.iter().map(|route| route.limits.clone()).collect(),
            queues,
            reply_to,
            route_by_queue: given.has(&o::QUEUES),
            allow_task_overrides: given.boolean(&o::ALLOW_TASK_OVERRIDES),
            max_invoke_attempts: number(&o::MAX_INVOKE_ATTEMPTS),
            max_queued_tasks: count(&o::MAX_QUEUED_TASKS),
            max_payload_bytes: count(&o::MAX_PAYLOAD_BYTES),
            max_unacked_results: count(&o::MAX_UNACKED_RESULTS),
            keep_finished: count(&o::KEEP_FINISHED),
            result_timeout_ms: given.integer(&o::RESULT_TIMEOUT_MS),
            max_outage_ms: given.integer(&o::MAX_OUTAGE_MS),
            max_stranger_delay_s: number(&o::MAX_STRANGER_DELAY_S),
            running_events: given.boolean(&o::RUNNING_EVENTS),
            check_health_on_startup: given.boolean(&o::CHECK_HEALTH_ON_STARTUP),
            seed: seed(),
        },
        aws: aws::Settings {
            functions: routes
                .into_iter()
                .map(|route| aws::Function { name: route.function_name, qualifier: route.function_qualifier })
                .collect(),
            queue_urls,
            queue_needs,
            region,
            endpoints: given.text(&o::ENDPOINT_URL).map(|url| Endpoints::all(&url)).unwrap_or_default(),
            identity: identity(given),
            isolated: false,
            ca_bundle: None,
            connect_timeout: duration(&o::CONNECT_TIMEOUT_MS),
            invoke_timeout: duration(&o::INVOKE_TIMEOUT_MS),
        },
        auto_ack: text(&o::ACK) == "auto",
        worker_threads: count(&o::WORKER_THREADS),
        shutdown_grace: duration(&o::SHUTDOWN_GRACE_MS),
        end_wait_timeout: Some(Duration::from_secs(given.integer(&o::END_WAIT_TIMEOUT))).filter(|wait| !wait.is_zero()),
        log: text(&o::LOG).parse().ok(),
        local,
    }
}

/// The queues that are received from, results first, with their URLs in the same order, and the one that the function
/// is told to report to.
fn received_from(given: &Given) -> (Vec<QueueSettings>, Vec<String>, String) {
    let url = |option: &Opt| given.text(option).unwrap_or_default();
    let results = url(&o::QUEUE_URL);
    let reply = given.text(&o::REPLY_QUEUE_URL).filter(|reply| *reply != results);
    let reply_to = reply.clone().unwrap_or_else(|| results.clone());

    let mut all = vec![("results", QueueKind::Results, results)];
    all.extend(reply.map(|reply| ("replies", QueueKind::Results, reply)));
    all.push(("dead letters", QueueKind::DeadLetters, url(&o::DEAD_LETTER_QUEUE_URL)));
    let settings =
        |name: &str, kind, url: &str| QueueSettings { name: name.into(), kind, fifo: url.ends_with(".fifo") };
    let (queues, urls) = all.into_iter().map(|(name, kind, url)| (settings(name, kind, &url), url)).unzip();
    (queues, urls, reply_to)
}

/// For the jitter, so any number will do where the kernel has no random ones.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
    })
}
