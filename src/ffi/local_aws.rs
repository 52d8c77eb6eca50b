//! Option `local`: a Lambda and an SQS inside this process replace AWS.

use super::failure::Failure;
use crate::aws::{Endpoints, Identity, Keys};
use crate::config::Config;
use crate::observe::log::Log;
use crate::runtime::{library_path, threads};
use lambda_executor_local::{Options, Running, StartError, start_with};

/// Starts the local AWS and fills in the options that depend on it. Real endpoints and credentials are not read.
pub(super) fn start_local(options: &str, config: &mut Config, log: &Log) -> Result<Running, Failure> {
    let mut options = Options::from_json(options).map_err(|error| Failure::InvalidConfig(format!("local: {error}")))?;
    // The program that runs commands is installed with the library.
    options.library_dir = library_path::folder();
    threads::check_room(options.threads())
        .map_err(Failure::io("starting the threads of the local AWS (option local)"))?;
    let running = start_with(options, Box::new(log.thread_starter())).map_err(not_started)?;

    config.aws.endpoints = Endpoints::all(running.endpoint_url());
    config.aws.region = Some(running.region().into());
    config.aws.isolated = true;
    config.aws.identity = Identity::of_keys(Keys {
        access_key_id: running.access_key_id().into(),
        secret_access_key: running.secret_access_key().into(),
        session_token: None,
    });
    for function in &mut config.aws.functions {
        fill_in(&mut function.name, running.function_name());
    }
    fill_in(&mut config.executor.reply_to, running.queue_url());
    if let [results, .., dead_letters] = config.aws.queue_urls.as_mut_slice() {
        fill_in(results, running.queue_url());
        fill_in(dead_letters, running.dead_letter_queue_url());
    }
    Ok(running)
}

fn not_started(error: StartError) -> Failure {
    match error {
        StartError::Handler(_) => Failure::InvalidConfig(format!("local: {error}")),
        StartError::Random(_) | StartError::Threads(_) | StartError::Port { .. } | StartError::Queue { .. } => {
            Failure::Io { what: "starting the local AWS (option local)", source: std::io::Error::other(error) }
        }
    }
}

fn fill_in(option: &mut String, value: &str) {
    if option.is_empty() {
        *option = value.into();
    }
}
