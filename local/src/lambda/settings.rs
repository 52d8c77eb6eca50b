//! How one function behaves, and the surroundings that all functions share.

use super::name::Place;
use crate::clock::Clock;
use crate::config::Builtin;
use crate::random::Random;
use crate::sandbox::Surroundings;
use crate::sqs::Sqs;
use crate::stats::Stats;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

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
    pub(crate) stats: Arc<Stats>,
    pub(crate) random: Arc<Random>,
    pub(crate) clock: Clock,
    /// Where results go when the event names no queue.
    pub(crate) queue_url: String,
    pub(crate) surroundings: Surroundings,
    /// Between SIGTERM and SIGKILL when a function ends.
    pub(crate) grace: tokio::sync::watch::Receiver<Duration>,
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
    pub(crate) state: State,
    /// Runs at a time where the owner has asked for a number.
    pub(crate) reserved_concurrency: Option<usize>,
    pub(crate) maximum_retry_attempts: u32,
    pub(crate) maximum_event_age_ms: u64,
    pub(crate) retry_base_ms: u64,
    /// ARNs of queues.
    pub(crate) dead_letter_queue: Option<String>,
    pub(crate) on_failure: Option<String>,
}

impl Settings {
    /// Runs at a time.
    pub(crate) fn concurrency(&self) -> usize {
        self.reserved_concurrency.unwrap_or_else(|| match &self.runner {
            Runner::Builtin(_) => BUILTIN_CONCURRENCY,
            Runner::Command(_) => *PROCESS_CONCURRENCY,
        })
    }

    /// False when a process that was started with `other` would not be what these settings ask for.
    pub(crate) fn suits_processes_of(&self, other: &Self) -> bool {
        (&self.runner, &self.env, &self.handler_name, self.memory_mb)
            == (&other.runner, &other.env, &other.handler_name, other.memory_mb)
    }
}

/// What runs a function's events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Runner {
    Builtin(Builtin),
    /// A program, found, and its arguments.
    Command(Vec<String>),
}

/// As GetFunction shows it. Only an active function can be invoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Active,
    Pending,
    Inactive,
    Failed,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Pending => "Pending",
            Self::Inactive => "Inactive",
            Self::Failed => "Failed",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Pending, Self::Inactive, Self::Failed].into_iter().find(|state| state.name() == name)
    }
}
