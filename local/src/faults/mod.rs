//! Fault injection: latency, throttling, errors, connections that are closed or never answered, outages, expired
//! credentials, functions that are not active, and messages that are duplicated, delayed or lost. Options set the
//! faults; `POST /_local/faults` replaces them at run time.

mod plan;

pub(crate) use plan::{Active, Fate, FaultPlan};

use crate::function_state::FunctionState;
use crate::reader::{OptionsError, Reader};
use crate::sqs::MessageFaults;
use serde_json::Value;
use std::ops::Range;
use std::time::Duration;

/// The longest time that can be configured: a day.
const LONGEST_MS: u64 = 86_400_000;

/// All faults to inject; by default none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Faults of Lambda's requests.
    pub lambda: FaultRates,
    /// Faults of SQS's requests.
    pub sqs: FaultRates,
    /// Periods in which no request is served; times count from when these faults were set.
    pub outages: Vec<Outage>,
    /// States of functions for a period; times count from when these faults were set.
    pub lambda_states: Vec<StateSpan>,
    /// After this time, ms, requests fail with `ExpiredTokenException` unless signed with the lasting credentials.
    pub expire_credentials_after_ms: Option<u64>,
    /// A connection without a request for this time, ms, is closed, as load balancers do.
    pub idle_close_ms: Option<u64>,
    /// Faults of messages in queues.
    pub messages: MessageFaults,
    /// Seed of the random draws; random if absent.
    pub seed: Option<u64>,
}

/// Faults of the requests of one service. Rates are probabilities from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaultRates {
    /// Wait before each request is handled, ms.
    pub latency_ms: u64,
    /// 429 TooManyRequestsException for Lambda, RequestThrottled for SQS.
    pub throttle: f64,
    /// 500 ServiceException for Lambda, InternalError for SQS.
    pub error: f64,
    /// The connection is closed without an answer, in half of the cases after the request took effect.
    pub drop: f64,
    /// Like `drop`, but the connection stays open, so that the client waits until its own time limit.
    pub hang: f64,
}

/// A period in which no request is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outage {
    /// Start, ms after the faults were set.
    pub after_ms: u64,
    /// Duration, ms.
    pub for_ms: u64,
    /// Effect on clients.
    pub kind: OutageKind,
}

/// Effect of an outage on clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OutageKind {
    /// Open connections are closed, new connections are refused.
    Refuse,
    /// Every request gets 503.
    Error,
}

/// A period in which functions are in this state. It overrides `LAMBDA_EXECUTOR_LOCAL_STATE`.
#[derive(Clone, Debug, PartialEq)]
pub struct StateSpan {
    /// Start, ms after the faults were set.
    pub after_ms: u64,
    /// Duration, ms.
    pub for_ms: u64,
    /// The state. As on AWS, the first Invoke of an `Inactive` function fails and makes it `Pending`.
    pub state: FunctionState,
    /// Name of the function; all functions if absent.
    pub function: Option<String>,
}

impl Faults {
    /// Reads faults from JSON, the body of `POST /_local/faults`.
    pub fn from_json(json: &[u8]) -> Result<Self, OptionsError> {
        let value: Value = serde_json::from_slice(json).map_err(|error| OptionsError::not_json(&error))?;
        let mut reader = Reader::new("faults", value);
        let faults = Self::read(&mut reader);
        OptionsError::check(reader).map(|()| faults)
    }

    pub(crate) fn read(reader: &mut Reader) -> Self {
        let both = FaultRates::read(reader, FaultRates::default());
        Self {
            lambda: reader.object("lambda", |inner| FaultRates::read(inner, both)).unwrap_or(both),
            sqs: reader.object("sqs", |inner| FaultRates::read(inner, both)).unwrap_or(both),
            outages: reader.list("outages", "objects with after_ms, for_ms and kind", Outage::read),
            lambda_states: reader.list(
                "lambda_states",
                "objects with after_ms, for_ms, state and function",
                StateSpan::read,
            ),
            expire_credentials_after_ms: optional(reader, "expire_credentials_after_ms", 0..=LONGEST_MS),
            idle_close_ms: optional(reader, "idle_close_ms", 1..=LONGEST_MS),
            messages: reader.object("messages", read_messages).unwrap_or_default(),
            seed: optional(reader, "seed", 0..=u64::MAX - 1),
        }
    }
}

/// A required number.
fn optional(reader: &mut Reader, name: &'static str, allowed: std::ops::RangeInclusive<u64>) -> Option<u64> {
    match reader.number(name, allowed, u64::MAX) {
        u64::MAX => None,
        number => Some(number),
    }
}

impl FaultRates {
    fn read(reader: &mut Reader, default: Self) -> Self {
        Self {
            latency_ms: reader.number("latency_ms", 0..=LONGEST_MS, default.latency_ms),
            throttle: reader.rate("throttle", default.throttle),
            error: reader.rate("error", default.error),
            drop: reader.rate("drop", default.drop),
            hang: reader.rate("hang", default.hang),
        }
    }
}

fn read_messages(reader: &mut Reader) -> MessageFaults {
    MessageFaults {
        duplicate: reader.rate("duplicate", 0.0),
        lose: reader.rate("lose", 0.0),
        delay: reader.rate("delay", 0.0),
        delay_ms: reader.number("delay_ms", 0..=LONGEST_MS, 1000),
        seed: reader.number("seed", 0..=u64::MAX, 0),
    }
}

impl Outage {
    fn read(reader: &mut Reader) -> Self {
        Self {
            after_ms: reader.number("after_ms", 0..=LONGEST_MS, 0),
            for_ms: reader.number("for_ms", 1..=LONGEST_MS, 1000),
            kind: reader.choice(
                "kind",
                &[("refuse", OutageKind::Refuse), ("error", OutageKind::Error)],
                OutageKind::Refuse,
            ),
        }
    }

    fn span(&self) -> Range<Duration> {
        span(self.after_ms, self.for_ms)
    }
}

impl StateSpan {
    fn read(reader: &mut Reader) -> Self {
        Self {
            after_ms: reader.number("after_ms", 0..=LONGEST_MS, 0),
            for_ms: reader.number("for_ms", 1..=LONGEST_MS, 1000),
            state: reader.choice(
                "state",
                &FunctionState::ALL.map(|state| (state.name(), state)),
                FunctionState::Pending,
            ),
            function: reader.text("function"),
        }
    }

    fn span(&self) -> Range<Duration> {
        span(self.after_ms, self.for_ms)
    }

    fn is_of(&self, function: &str) -> bool {
        self.function.as_deref().is_none_or(|name| name == function)
    }
}

fn span(after_ms: u64, for_ms: u64) -> Range<Duration> {
    let start = Duration::from_millis(after_ms);
    start..start + Duration::from_millis(for_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        Faults::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn one_service_can_have_faults_of_its_own() {
        let faults = faults(r#"{"latency_ms": 20, "hang": 0.5, "sqs": {"latency_ms": 5, "throttle": 0.5, "hang": 0}}"#);
        assert_eq!(faults.lambda, FaultRates { latency_ms: 20, hang: 0.5, ..FaultRates::default() });
        assert_eq!(faults.sqs, FaultRates { latency_ms: 5, throttle: 0.5, ..FaultRates::default() });
    }

    #[test]
    fn each_problem_is_reported() {
        let json =
            br#"{"throttle": 2, "outages": [{"kind": "x"}], "lambda_states": [{"state": "x"}], "idle_close_ms": 0}"#;
        let error = Faults::from_json(json).unwrap_err().to_string();
        for problem in [
            "faults.throttle: expected a number from 0 to 1, found 2",
            "faults.outages[].kind: expected \"refuse\" or \"error\", found \"x\"",
            "faults.lambda_states[].state: expected \"Active\" or \"Pending\" or \"Inactive\" or \"Failed\", found \"x\"",
            "faults.idle_close_ms: expected a whole number from 1 to 86400000, found 0",
        ] {
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn lists_are_checked() {
        let error = Faults::from_json(br#"{"outages": {}}"#).unwrap_err().to_string();
        assert!(error.contains("faults.outages: expected a list of objects with after_ms, for_ms and kind"), "{error}");
    }
}
