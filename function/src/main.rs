//! The program inside AWS Lambda, a custom runtime: takes an event, runs its command, and sends the result to an SQS
//! queue. The crate's README is its manual.
//!
//! `handler` handles one invocation: `event` reads the event, `attempts` knows whether it has already run, `run` runs
//! the command within the limits of `time_plan`, `result` writes the message and `report` sends it. `once` is that for
//! one task, `batch` for several of one event. `s3`, `home`,
//! `large_argument`, `environment` and `hook` prepare what a command needs; `process_group`, `watch` and `output`
//! handle it while it runs. `preload` starts commands of Python in a process that has their modules loaded.
//! `termination` and `host` detect that this program itself must end.
//!
//! Imports between these files have no cycles.

mod attempts;
mod aws_error;
mod batch;
mod clock;
mod digest;
mod env_file;
mod environment;
mod event;
mod failure;
mod handler;
mod home;
mod hook;
mod host;
mod init_error;
mod large_argument;
mod log;
mod once;
mod output;
mod panics;
mod preload;
mod process_group;
mod regular_file;
mod report;
mod result;
mod result_file;
mod run;
#[cfg(feature = "s3")]
mod s3;
#[cfg(not(feature = "s3"))]
#[path = "without_s3.rs"]
mod s3;
#[cfg(test)]
mod scratch;
mod settings;
mod state_dir;
mod tail;
mod termination;
mod time_plan;
mod variables;
mod watch;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use log::Level;
use serde_json::value::RawValue;
use std::process::ExitCode;

/// The exit status of a program that SIGTERM ended, as a shell reports it.
const TERMINATED: u8 = 128 + 15;

fn main() -> ExitCode {
    process_group::keep_exit_statuses();
    let Some(api) = std::env::var("AWS_LAMBDA_RUNTIME_API").ok().filter(|api| !api.is_empty()) else {
        let message = settings::SettingsError::NotInLambda("AWS_LAMBDA_RUNTIME_API").to_string();
        log::write(Level::Error, &message, &[]);
        return ExitCode::FAILURE;
    };
    panics::install_hook(&api);
    panics::catch(|| run_until_the_end(&api)).unwrap_or(ExitCode::FAILURE)
}

fn run_until_the_end(api: &str) -> ExitCode {
    let termination = match termination::catch() {
        Ok(termination) => termination,
        Err(error) => return cannot_start(api, &format!("cannot wait for SIGTERM: {error}")),
    };
    // One thread: Lambda sends one event at a time, and the thread that starts a command must outlive it.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(api, &format!("cannot start the runtime: {error}")),
    };
    let status = runtime.block_on(async {
        let mut served = std::pin::pin!(serve(api));
        tokio::select! {
            status = &mut served => status,
            // Send no result: one that our own SIGTERM caused would look like the command's. Lambda sees that no answer
            // came.
            Ok(()) = termination::requested(termination) => {
                log::write(Level::Info, "SIGTERM: ending", &[]);
                process_group::end_current(handler::LAST_GRACE).await;
                ExitCode::from(TERMINATED)
            }
        }
    });
    // A thread may be blocked on a log that nothing reads; do not wait for it.
    runtime.shutdown_background();
    status
}

async fn serve(api: &str) -> ExitCode {
    let handler = match make_handler(api).await {
        Ok(handler) => handler,
        Err(message) => return cannot_start(api, &message),
    };
    let handler = &handler;
    let service = service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        handler.handle(event.payload.get(), &event.context).await
    });
    match Runtime::new(service).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::write(Level::Error, &format!("the Lambda Runtime API failed: {error}"), &[]);
            ExitCode::FAILURE
        }
    }
}

async fn make_handler(api: &str) -> Result<handler::Handler, String> {
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let settings = settings::Settings::read(variable).map_err(|error| error.to_string())?;
    let names: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    for name in settings::Settings::unknown(names.iter().map(String::as_str)) {
        log::write(Level::Warn, &format!("{name} is not a variable of this program and is ignored"), &[]);
    }
    let temporary = std::env::temp_dir();
    let cannot_write = |error| format!("cannot write below {}: {error}", temporary.display());
    let state = state_dir::StateDir::open(&temporary).map_err(cannot_write)?;
    let attempts = state.subdirectory("attempts").and_then(attempts::Attempts::open).map_err(cannot_write)?;
    // `report` retries, since retries must fit into the time that is left.
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let defaults = aws_config::defaults(BehaviorVersion::latest()).http_client(https);
    let config = defaults.retry_config(RetryConfig::disabled()).load().await;
    let dags = settings.s3.clone().map(|source| s3::Folder::new(&config, source, state.dags_folder())).transpose()?;
    let preload = (!settings.preload.is_empty()).then(|| {
        // Modules may write to HOME while they are loaded.
        home::make(&temporary);
        let mut command = std::process::Command::new("python");
        environment::Environment::of_all_tasks(dags.as_ref().map(s3::Folder::path)).apply(&mut command);
        preload::Preload::launch(&settings.preload, &command, &state.preload_folder())
    });
    let runner = run::Runner { settings, state, dags, preload };
    Ok(handler::Handler { runner, attempts, sqs: aws_sdk_sqs::Client::new(&config), api: api.to_owned() })
}

fn cannot_start(api: &str, message: &str) -> ExitCode {
    log::write(Level::Error, message, &[]);
    if let Err(error) = init_error::post(api, "LambdaExecutor.CannotStart", message) {
        log::write(Level::Error, &format!("cannot report this to Lambda at {api}: {error}"), &[]);
    }
    ExitCode::FAILURE
}
