//! Which parts a handle is made of, and how they are put together.

use super::drain::EndWait;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::health::Checks;
use super::local_aws;
use crate::aws::{Aws, Environment, first_use};
use crate::config::{self, Config};
use crate::executor::Executor;
use crate::executor::ports::Readiness;
use crate::observe::log::Log;
use crate::runtime::clock::SystemClock;
use crate::runtime::waits::Waits;
use crate::runtime::{fork, panics, signals, threads};
use std::sync::Arc;

/// Reads the options and starts everything; nothing is asked of AWS before this returns.
pub(super) fn start(config: Option<&str>) -> Result<lambda_executor_t, Failure> {
    panics::quieten();
    let born = fork::Birth::now().map_err(Failure::io("asking to be told of forks"))?;
    let mut config = config::from_json(config).map_err(|error| match (config, Failure::from(error)) {
        // Whoever passes a variable that is not set has never heard of Airflow.
        (None, Failure::InvalidConfig(what)) => {
            Failure::InvalidConfig(format!("config_json is NULL, which asks for Airflow's configuration:\n{what}"))
        }
        (_, failure) => failure,
    })?;

    // Threads that start from here on never take a signal. Before the lock below: a handler of the host that forks must not
    // run while this thread holds it.
    let _quiet = signals::AllBlocked::on_this_thread();
    // Read once, here: threads of ours must not read what the host may change later.
    config.aws.environment = Environment::of_process();
    // Made here: a child that is forked from this thread keeps it, while other threads do not survive a fork.
    fork::between_forks(|| first_use(&config.aws)).map_err(Failure::io("preparing to call AWS"))?;

    let waits = Arc::new(Waits::new().map_err(Failure::io("making descriptors to wait on"))?);
    let log = Log::start(config.log).map_err(Failure::io("starting the log's thread"))?;
    log.on_this_thread(|| tell_options(&config));
    let local = match config.local.take() {
        Some(options) => Some(log.on_this_thread(|| local_aws::start_local(&options, &mut config))?),
        None => None,
    };
    let runtime =
        threads::start(config.worker_threads, log.dispatch()).map_err(Failure::io("starting the worker threads"))?;

    let Config { executor: settings, aws, auto_ack, shutdown_grace, end_wait_timeout, .. } = config;
    let readiness: Arc<dyn Readiness> = waits.clone();
    let aws = Arc::new(Aws::new(aws));
    let executor = log.on_this_thread(|| {
        Executor::start(settings, Arc::clone(&aws), SystemClock::new(), readiness, runtime.handle())
    });
    let health = Checks::default();
    Ok(lambda_executor_t {
        executor: Arc::new(executor),
        aws,
        waits,
        log,
        health,
        runtime,
        local,
        auto_ack,
        shutdown_grace,
        end_wait: EndWait::new(end_wait_timeout),
        born,
    })
}

/// For whoever wonders where a value came from.
fn tell_options(config: &Config) {
    for option in config.options.iter().filter(|option| option.is_given()) {
        tracing::debug!("{} is {}, from {}", option.name, option.value, option.source);
    }
}
