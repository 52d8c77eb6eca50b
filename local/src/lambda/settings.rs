//! The settings of one function, and the environment that all functions share.

use super::name::Place;
use crate::config::Builtin;
use crate::faults::FaultPlan;
use crate::function_state::FunctionState;
use crate::sandbox::Host;
use crate::sqs::Sqs;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Concurrent runs of the built-in handler, which needs few resources: Lambda's limit for a region.
const BUILTIN_CONCURRENCY: usize = 1000;
/// Concurrent handler processes. Cached, because the number of processors is read from files.
static PROCESS_CONCURRENCY: LazyLock<usize> =
    LazyLock::new(|| 2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

/// State that all functions share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) sqs: Sqs,
    pub(crate) faults: Arc<FaultPlan>,
    /// The part that sandboxes need.
    pub(crate) host: Arc<Host>,
    /// Default queue for results, if the event names none.
    pub(crate) queue_url: String,
}

/// The settings of one function. Immutable; a change replaces them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) runner: Runner,
    pub(crate) timeout_ms: u64,
    pub(crate) memory_mb: u64,
    pub(crate) env: BTreeMap<String, String>,
    /// `Handler` in its description; handlers find it in `_HANDLER`.
    pub(crate) handler_name: String,
    pub(crate) role: String,
    pub(crate) description: String,
    /// The state without faults.
    pub(crate) state: FunctionState,
    /// Reserved concurrency, if set.
    pub(crate) reserved_concurrency: Option<usize>,
    pub(crate) retry_base_ms: u64,
    /// ARN of a queue.
    pub(crate) dead_letter_queue: Option<String>,
    /// The configuration of qualifiers without their own.
    pub(crate) default_event_config: EventConfig,
    /// By qualifier.
    pub(crate) event_configs: BTreeMap<String, EventConfig>,
}

impl Settings {
    /// Concurrent runs.
    pub(crate) fn concurrency(&self) -> usize {
        self.reserved_concurrency.unwrap_or_else(|| match &self.runner {
            Runner::Builtin(_) => BUILTIN_CONCURRENCY,
            Runner::Command(_) => *PROCESS_CONCURRENCY,
        })
    }

    /// The configuration for events sent to a qualifier.
    pub(crate) fn event_config(&self, qualifier: &str) -> &EventConfig {
        self.event_configs.get(qualifier).unwrap_or(&self.default_event_config)
    }

    /// True if a process that was started with `other` fits these settings.
    pub(crate) fn suits_processes_of(&self, other: &Self) -> bool {
        (&self.runner, &self.env, &self.handler_name, self.memory_mb)
            == (&other.runner, &other.env, &other.handler_name, other.memory_mb)
    }
}

/// Event-invoke configuration of one qualifier: handling of asynchronous events after a failure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EventConfig {
    pub(crate) maximum_retry_attempts: u32,
    pub(crate) maximum_event_age_ms: u64,
    /// ARN of a queue for the records of failed events.
    pub(crate) on_failure: Option<String>,
}

/// The defaults of AWS. A request that replaces a configuration resets unnamed values to them.
impl Default for EventConfig {
    fn default() -> Self {
        Self { maximum_retry_attempts: 2, maximum_event_age_ms: 21_600_000, on_failure: None }
    }
}

/// The handler of a function's events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Runner {
    Builtin(Builtin),
    /// Absolute path of a program, and its arguments.
    Command(Vec<String>),
}
