//! All options together: contradictions, missing options, and the settings of each part.

use super::airflow::Airflow;
use super::concurrency;
use super::connection::AwsConnection;
use super::effective;
use super::given::Given;
use super::identity;
use super::option as o;
use super::option::{Default, Opt};
use super::queues::{self, Route};
use super::wrong::Wrong;
use super::{Config, ConfigError};
use crate::aws::{self, FunctionName};
use crate::executor::{self, QueueKind, QueueSettings, RouteSettings};
use crate::runtime::environment::Environment;
use std::time::Duration;

/// Options that `local` replaces with its own; Airflow's values of them are not read.
const OF_LOCAL: [&Opt; 10] = [
    &o::ENDPOINT_URL,
    &o::CREDENTIALS,
    &o::FUNCTION_NAME,
    &o::FUNCTION_QUALIFIER,
    &o::QUALIFIER,
    &o::QUEUE_URL,
    &o::REPLY_QUEUE_URL,
    &o::DEAD_LETTER_QUEUE_URL,
    &o::REGION_NAME,
    &o::CONN_ID,
];

/// The configuration, or everything that is wrong. Airflow's sources are read only if option `airflow` says so.
pub(crate) fn config(mut given: Given, process: Environment) -> Result<Config, ConfigError> {
    let environment = given.boolean(&o::AIRFLOW).then_some(&process);
    let team = given.text(&o::TEAM);
    let mut airflow = None;
    if let Some(environment) = environment {
        let (sources, wrong) = Airflow::open(environment, team.as_deref());
        given.wrong_source(wrong);
        take_airflow(&mut given, &sources);
        airflow = Some(sources);
    }
    if !given.unreadable {
        check_together(&mut given, airflow.as_ref());
    }
    let routes = routes(&mut given);
    let identity = identity::of(&mut given, environment);
    let config = assemble(&given, routes, identity, process.clone());
    let (wrong, later) = given.into_problems();
    match (wrong.is_empty(), later.is_empty()) {
        (true, true) => Ok(config),
        (true, false) => Err(ConfigError::Unsupported(later.join("\n"))),
        (false, _) => Err(ConfigError::Invalid([wrong, later].concat().join("\n"))),
    }
}

fn take_airflow(given: &mut Given, airflow: &Airflow<'_>) {
    let local = given.has(&o::LOCAL);
    // Two names of one option: JSON's value under either name is used before Airflow's under the other.
    let qualified = given.has(&o::FUNCTION_QUALIFIER) || given.has(&o::QUALIFIER);
    for option in o::ALL {
        let of_local = local && OF_LOCAL.iter().any(|one| one.name == option.name);
        let other_name = qualified && [&o::FUNCTION_QUALIFIER, &o::QUALIFIER].iter().any(|one| one.name == option.name);
        if !of_local && !other_name {
            given.take_airflow(option, airflow);
        }
    }
}

fn check_together(given: &mut Given, airflow: Option<&Airflow<'_>>) {
    let local = given.has(&o::LOCAL);
    for option in o::ALL {
        if !local && option.default == Default::Required && !given.has(option) {
            given.wrong(option, &missing(option, airflow));
        }
    }
    if airflow.is_none() {
        for option in [&o::CONN_ID, &o::TEAM] {
            if given.has(option) {
                given.wrong(option, "is read only with `airflow`: true (add it)");
            }
        }
    }
    if local {
        // Otherwise tasks meant for AWS would silently run locally. A region has no such effect.
        for option in OF_LOCAL {
            if given.has(option) && option.name != o::REGION_NAME.name {
                given.wrong(option, "cannot be given together with `local`, which has its own");
            }
        }
    }
    for option in [&o::QUEUE_URL, &o::REPLY_QUEUE_URL] {
        let dead_letters = given.text(&o::DEAD_LETTER_QUEUE_URL);
        if dead_letters.is_some() && given.text(option) == dead_letters {
            let why = format!("is also {} (results and dead letters need a queue each)", option.name);
            given.refuse(&o::DEAD_LETTER_QUEUE_URL, &Wrong::value(why), None);
        }
    }
    let in_name = given.text(&o::FUNCTION_NAME).and_then(|name| FunctionName::parse(&name).ok()?.qualifier);
    if let (Some(in_name), Some(beside)) = (in_name, qualifier(given))
        && in_name != beside
    {
        let why = format!("is not the `{in_name}` at the end of function_name (give one of the two)");
        given.refuse(qualifier_option(given), &Wrong::value(why), None);
    }
}

/// The error of a required option that was not given.
fn missing(option: &Opt, airflow: Option<&Airflow<'_>>) -> String {
    let allowed = super::value::allowed(option.kind);
    match airflow {
        None => format!("required and not given (expected {allowed})"),
        Some(airflow) => format!(
            "required and not given: neither as {} nor in section [{}] of {} (expected {allowed})",
            airflow.variable(option.name),
            airflow.section(),
            airflow.path()
        ),
    }
}

/// `qualifier` counts only without `function_qualifier`.
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
            result_timeout_ms: given.integer(&o::RESULT_TIMEOUT_MS),
            batch_size: count(&o::BATCH_SIZE),
            batch_wait_ms: given.integer(&o::BATCH_WAIT_MS),
            batch_parallel: u32::try_from(given.integer(&o::BATCH_PARALLEL)).unwrap_or(u32::MAX),
            batch_bytes: count(&o::MAX_PAYLOAD_BYTES),
            batch_resubmit: given.boolean(&o::BATCH_RESUBMIT),
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

fn assemble(given: &Given, mut routes: Vec<Route>, identity: AwsConnection, environment: Environment) -> Config {
    let count = |option: &Opt| usize::try_from(given.integer(option)).unwrap_or(usize::MAX);
    let number = |option: &Opt| u32::try_from(given.integer(option)).unwrap_or(u32::MAX);
    let duration = |option: &Opt| Duration::from_millis(given.integer(option));
    let text = |option: &Opt| given.text(option).unwrap_or_default();

    let (queues, queue_urls, reply_to) = received_from(given);
    let queue_needs = aws::QueueNeeds {
        kinds: queues.iter().map(|queue| queue.kind).collect(),
        max_payload_bytes: given.integer(&o::MAX_PAYLOAD_BYTES),
        result_timeout: longest_result_timeout(&routes),
    };
    let local = given.text(&o::LOCAL);
    let max_invokes_in_flight = concurrency::resolve(&mut routes, local.is_some());
    // The local AWS accepts any region, but requests cannot be signed without one.
    let region = identity.region.or_else(|| local.is_some().then(|| "us-east-1".to_owned()));
    Config {
        executor: executor::Settings {
            routes: routes.iter().map(|route| route.limits.clone()).collect(),
            max_invokes_in_flight,
            queues,
            reply_to,
            route_by_queue: given.has(&o::QUEUES),
            allow_task_overrides: given.boolean(&o::ALLOW_TASK_OVERRIDES),
            max_invoke_attempts: number(&o::MAX_INVOKE_ATTEMPTS),
            max_queued_tasks: count(&o::MAX_QUEUED_TASKS),
            max_payload_bytes: count(&o::MAX_PAYLOAD_BYTES),
            max_unacked_results: count(&o::MAX_UNACKED_RESULTS),
            keep_finished: count(&o::KEEP_FINISHED),
            max_outage_ms: given.integer(&o::MAX_OUTAGE_MS),
            max_unmatched_delay_s: number(&o::MAX_UNMATCHED_DELAY_S),
            running_events: given.boolean(&o::RUNNING_EVENTS),
            check_health_on_startup: given.boolean(&o::CHECK_HEALTH_ON_STARTUP),
            seed: seed(),
        },
        aws: aws::Settings {
            functions: routes
                .into_iter()
                .map(|route| aws::Function {
                    name: route.function_name,
                    qualifier: route.function_qualifier,
                    gets_batches: route.limits.batch_size > 1,
                })
                .collect(),
            queue_urls,
            queue_needs,
            region,
            endpoints: identity.endpoints,
            identity: identity.identity,
            isolated: false,
            environment,
            ca_bundle: identity.ca_bundle,
            transport: transport(&text(&o::TRANSPORT)),
            connect_timeout: identity.connect_timeout.unwrap_or_default(),
            invoke_timeout: identity.read_timeout.unwrap_or_default(),
        },
        worker_threads: count(&o::WORKER_THREADS),
        shutdown_grace: duration(&o::SHUTDOWN_GRACE_MS),
        end_wait_timeout: Some(Duration::from_secs(given.integer(&o::END_WAIT_TIMEOUT))).filter(|wait| !wait.is_zero()),
        log: text(&o::LOG).parse().ok(),
        local,
        options: effective::of(given),
    }
}

/// How long a result may matter: messages must not expire before.
fn longest_result_timeout(routes: &[Route]) -> Duration {
    Duration::from_millis(routes.iter().map(|route| route.limits.result_timeout_ms).max().unwrap_or_default())
}

/// The queues that are received from, results first; their URLs in the same order; and the queue named to the function.
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

fn transport(word: &str) -> aws::Transport {
    if word == "sdk" { aws::Transport::Sdk } else { aws::Transport::Direct }
}

/// Seed of the jitter. Need not be unpredictable: without random numbers from the kernel, the time is used.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
    })
}
