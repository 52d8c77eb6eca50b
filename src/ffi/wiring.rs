//! Builds a handle from its parts.

use super::drain::EndWait;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::health::Checks;
use super::local_aws;
use crate::aws::{Aws, first_use};
use crate::config::{self, Config};
use crate::executor::ports::Readiness;
use crate::executor::{Executor, Runtimes};
use crate::observe::log::Log;
use crate::runtime::clock::SystemClock;
use crate::runtime::environment::Environment;
use crate::runtime::stderr::Stderr;
use crate::runtime::waits::Waits;
use crate::runtime::{address_space, fork, low_descriptors, panics, signals, threads};
use std::sync::{Arc, Mutex, Weak};

/// For the calls to the queues.
const QUEUE_THREADS: usize = 1;

/// Reads the options and starts everything. No call to AWS is awaited.
pub(super) fn start(config: Option<&str>) -> Result<Arc<lambda_executor_t>, Failure> {
    let born = fork::ForkGeneration::now().map_err(Failure::io("registering fork handlers"))?;
    fork::with_fork_lock(panics::install_hook);
    address_space::check_room().map_err(Failure::io("reserving memory"))?;
    // Read once, here: threads of ours must not read what the host may change later.
    let mut config =
        config::read(config, Environment::of_process()).map_err(|error| match (config, Failure::from(error)) {
            // Often a variable that is not set, in a host that does not use Airflow.
            (None, Failure::InvalidConfig(what)) => {
                Failure::InvalidConfig(format!("config_json is NULL, which asks for Airflow's configuration:\n{what}"))
            }
            (_, failure) => failure,
        })?;

    // Threads that start from here on never take a signal. Before the lock below: a handler of the host that forks must not
    // run while this thread holds it.
    let _quiet = signals::AllBlocked::on_this_thread();
    // The SDK's globals are made here: a child that is forked from this thread keeps them; other threads do not survive.
    fork::with_fork_lock(|| first_use(&config.aws)).map_err(Failure::io("preparing to call AWS"))?;

    // As the host has left it: before /dev/null is opened in its place.
    let stderr = Stderr::now();
    low_descriptors::occupy().map_err(Failure::io("opening /dev/null as descriptor 0, 1 or 2"))?;
    let waits = Arc::new(Waits::new().map_err(Failure::io("making descriptors to wait on"))?);
    let log = Log::start(config.log, stderr).map_err(Failure::io("starting the log's thread"))?;
    log.on_this_thread(|| log_options(&config));
    let local = match config.local.take() {
        Some(options) => Some(log.on_this_thread(|| local_aws::start_local(&options, &mut config, &log))?),
        None => None,
    };
    threads::check_room(threads::started_with(config.worker_threads) + threads::started_with(QUEUE_THREADS))
        .map_err(Failure::io("starting the worker threads"))?;
    let runtime = threads::start("", config.worker_threads, log.thread_starter())
        .map_err(Failure::io("starting the worker threads"))?;
    let queue_runtime = threads::start("sqs", QUEUE_THREADS, log.thread_starter())
        .map_err(Failure::io("starting the thread for the queues"))?;

    let Config { executor: settings, aws, shutdown_grace, end_wait_timeout, .. } = config;
    let readiness: Arc<dyn Readiness> = waits.clone();
    let aws = Arc::new(Aws::new(aws));
    let executor = log.on_this_thread(|| {
        let runtimes = Runtimes { calls: runtime.handle(), queues: queue_runtime.handle() };
        Executor::start(settings, Arc::clone(&aws), SystemClock::new(), readiness, runtimes)
    });
    Ok(Arc::new_cyclic(|this| lambda_executor_t {
        executor,
        aws,
        waits,
        log,
        health: Checks::default(),
        runtimes: Mutex::new(Some([runtime, queue_runtime])),
        local: Mutex::new(local),
        shutdown_grace,
        end_wait: EndWait::new(end_wait_timeout),
        born,
        this: Weak::clone(this),
    }))
}

/// For an operator who asks where a value came from.
fn log_options(config: &Config) {
    for option in config.options.iter().filter(|option| option.is_given()) {
        tracing::debug!("{} is {}, from {}", option.name, option.value, option.source);
    }
}
