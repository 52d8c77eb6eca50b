//! How one function behaves, and the surroundings that all functions share.

use super::name::Place;
use crate::config::Builtin;
use crate::faults::FaultPlan;
use crate::function_state::FunctionState;
use crate::sandbox::Host;
use crate::sqs::Sqs;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Runs at a time of the built-in handler, which costs next to nothing: Lambda's own limit for a region.
const BUILTIN_CONCURRENCY: usize = 1000;
/// Handler processes at a time. Kept, because finding out reads files.
static PROCESS_CONCURRENCY: LazyLock<usize> =
    LazyLock::new(|| 2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

/// What all functions share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) sqs: Sqs,
    pub(crate) faults: Arc<FaultPlan>,
    /// What sandboxes share, too.
    pub(crate) host: Arc<Host>,
    /// Where results go when the event names no queue.
    pub(crate) queue_url: String,
}

/// How one function behaves. Never changed, only replaced.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) runner: Runner,
    pub(crate) timeout_ms: u64,
    pub(crate) memory_mb: u64,
    pub(crate) env: BTreeMap<String, String>,
    /// The member `Handler` of its description; handlers find it in `_HANDLER`.
    pub(crate) handler_name: String,
    pub(crate) role: String,
    pub(crate) description: String,
    /// Without the faults.
    pub(crate) state: FunctionState,
    /// Runs at a time where the owner has asked for a number.
    pub(crate) reserved_concurrency: Option<usize>,
    pub(crate) retry_base_ms: u64,
    /// ARN of a queue.
    pub(crate) dead_letter_queue: Option<String>,
    /// Of qualifiers without a configuration of their own.
    pub(crate) default_event_config: EventConfig,
    /// By qualifier.
    pub(crate) event_configs: BTreeMap<String, EventConfig>,
}

impl Settings {
    /// Runs at a time.
    pub(crate) fn concurrency(&self) -> usize {
        self.reserved_concurrency.unwrap_or_else(|| match &self.runner {
            Runner::Builtin(_) => BUILTIN_CONCURRENCY,
            Runner::Command(_) => *PROCESS_CONCURRENCY,
        })
    }

    /// What holds for events sent to a qualifier.
    pub(crate) fn event_config(&self, qualifier: &str) -> &EventConfig {
        self.event_configs.get(qualifier).unwrap_or(&self.default_event_config)
    }

    /// False when a process that was started with `other` would not be what these settings ask for.
    pub(crate) fn suits_processes_of(&self, other: &Self) -> bool {
        (&self.runner, &self.env, &self.handler_name, self.memory_mb)
            == (&other.runner, &other.env, &other.handler_name, other.memory_mb)
    }
}

/// What becomes of asynchronous events of one qualifier after a failure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EventConfig {
    pub(crate) maximum_retry_attempts: u32,
    pub(crate) maximum_event_age_ms: u64,
    /// ARN of a queue for the records of failed events.
    pub(crate) on_failure: Option<String>,
}

/// AWS's own, also for what a request does not mention when it replaces a configuration.
impl Default for EventConfig {
    fn default() -> Self {
        Self { maximum_retry_attempts: 2, maximum_event_age_ms: 21_600_000, on_failure: None }
    }
}

/// What runs a function's events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Runner {
    Builtin(Builtin),
    /// A program, found, and its arguments.
    Command(Vec<String>),
}
