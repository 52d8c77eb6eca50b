//! What goes wrong on purpose: latency, throttling, errors, dropped connections, outages, stale credentials, and
//! messages that come twice, late or never. Set by options, changed while running over `POST /_local/faults`.

use crate::config::{OptionsError, Reader};
use crate::random::Random;
use crate::sqs::MessageFaults;
use serde_json::Value;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The longest latency and outage that can be asked for: a day.
const LONGEST_MS: u64 = 86_400_000;

/// Everything that goes wrong on purpose. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// For Lambda's requests.
    pub lambda: FaultRates,
    /// For SQS's requests.
    pub sqs: FaultRates,
    /// Times in which nothing is served, counted from when these faults were set.
    pub outages: Vec<Outage>,
    /// After so many ms every request that is not signed with the lasting credentials gets `ExpiredTokenException`.
    pub expire_credentials_after_ms: Option<u64>,
    /// For messages in queues.
    pub messages: MessageFaults,
    /// Seed of the dice; the kernel's choice where absent.
    pub seed: Option<u64>,
}

/// What goes wrong with the requests of one service. Rates are probabilities from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaultRates {
    /// Waited before each request is handled, ms.
    pub latency_ms: u64,
    /// 429 TooManyRequestsException for Invoke, RequestThrottled for SQS.
    pub throttle: f64,
    /// 500 ServiceException for Lambda, InternalError for SQS.
    pub error: f64,
    /// The connection is closed without an answer: half of the time before, half after the request took effect.
    pub drop: f64,
}

/// A time in which nothing is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outage {
    /// Starts so many ms after the faults were set.
    pub after_ms: u64,
    /// Lasts so many ms.
    pub for_ms: u64,
    /// What clients see.
    pub kind: OutageKind,
}

/// What clients see during an outage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OutageKind {
    /// Open connections are closed, new ones refused.
    Refuse,
    /// Every request gets 503.
    Error,
}

impl Faults {
    /// Reads faults from JSON, as `POST /_local/faults` gets them.
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
            outages: read_outages(reader),
            expire_credentials_after_ms: match reader.number("expire_credentials_after_ms", 0..=LONGEST_MS, u64::MAX) {
                u64::MAX => None,
                after => Some(after),
            },
            messages: reader.object("messages", read_messages).unwrap_or_default(),
            seed: match reader.number("seed", 0..=u64::MAX - 1, u64::MAX) {
                u64::MAX => None,
                seed => Some(seed),
            },
        }
    }
}

impl FaultRates {
    fn read(reader: &mut Reader, default: Self) -> Self {
        Self {
            latency_ms: reader.number("latency_ms", 0..=LONGEST_MS, default.latency_ms),
            throttle: reader.rate("throttle", default.throttle),
            error: reader.rate("error", default.error),
            drop: reader.rate("drop", default.drop),
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

fn read_outages(reader: &mut Reader) -> Vec<Outage> {
    let Some(value) = reader.take("outages") else { return Vec::new() };
    let Value::Array(list) = value else {
        reader.refuse("outages", &value, "a list of objects with after_ms, for_ms and kind");
        return Vec::new();
    };
    let mut outages = Vec::new();
    for value in list {
        let outage = reader.nested("outages[]", value, |inner| Outage {
            after_ms: inner.number("after_ms", 0..=LONGEST_MS, 0),
            for_ms: inner.number("for_ms", 1..=LONGEST_MS, 1000),
            kind: inner.choice(
                "kind",
                &[("refuse", OutageKind::Refuse), ("error", OutageKind::Error)],
                OutageKind::Refuse,
            ),
        });
        outages.push(outage);
    }
    outages
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Serve,
    Throttle,
    Error,
    /// 503: the service is down.
    Unavailable,
    DropBefore,
    DropAfter,
}

/// The faults in force, and since when.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) faults: Faults,
    since: Instant,
    dice: Random,
}

impl Active {
    fn new(faults: Faults) -> Self {
        let dice = match faults.seed {
            Some(seed) => Random::seeded(seed),
            None => Random::from_kernel().unwrap_or_else(|_| Random::seeded(0)),
        };
        Self { faults, since: Instant::now(), dice }
    }

    /// Throws the dice for one request.
    pub(crate) fn fate(&self, rates: &FaultRates) -> Fate {
        // Asked first, because most servers have no outages and no clock need be read for them.
        if !self.faults.outages.is_empty() && self.outage(Instant::now()).is_some() {
            return Fate::Unavailable;
        }
        if self.dice.chance(rates.drop) {
            return if self.dice.chance(0.5) { Fate::DropBefore } else { Fate::DropAfter };
        }
        if self.dice.chance(rates.throttle) {
            return Fate::Throttle;
        }
        if self.dice.chance(rates.error) { Fate::Error } else { Fate::Serve }
    }

    /// The outage at this time, if there is one.
    pub(crate) fn outage(&self, now: Instant) -> Option<OutageKind> {
        let at = now.duration_since(self.since);
        self.faults.outages.iter().find(|outage| outage.span().contains(&at)).map(|outage| outage.kind)
    }

    /// When the next outage starts or ends.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let at = now.duration_since(self.since);
        let edges = self.faults.outages.iter().flat_map(|outage| [outage.span().start, outage.span().end]);
        edges.filter(|edge| *edge > at).min().map(|edge| self.since + edge)
    }

    pub(crate) fn credentials_expired(&self) -> bool {
        let after = self.faults.expire_credentials_after_ms;
        after.is_some_and(|after| self.since.elapsed() >= Duration::from_millis(after))
    }
}

impl Outage {
    fn span(&self) -> std::ops::Range<Duration> {
        let start = Duration::from_millis(self.after_ms);
        start..start + Duration::from_millis(self.for_ms)
    }
}

/// Where requests find the faults in force, and the admin's request replaces them.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    active: RwLock<Arc<Active>>,
    changes: watch::Sender<()>,
}

impl FaultPlan {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { active: RwLock::new(Arc::new(Active::new(faults))), changes: watch::channel(()).0 }
    }

    pub(crate) fn active(&self) -> Arc<Active> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other faults in force; their times start now.
    pub(crate) fn replace(&self, faults: Faults) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Active::new(faults));
        self.changes.send_replace(());
    }

    /// Tells of every `replace`.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        Faults::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn one_service_can_have_faults_of_its_own() {
        let faults = faults(r#"{"latency_ms": 20, "sqs": {"latency_ms": 5, "throttle": 0.5}}"#);
        assert_eq!(faults.lambda, FaultRates { latency_ms: 20, ..FaultRates::default() });
        assert_eq!(faults.sqs, FaultRates { latency_ms: 5, throttle: 0.5, ..FaultRates::default() });
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = Faults::from_json(br#"{"throttle": 2, "outages": [{"kind": "x"}]}"#).unwrap_err().to_string();
        assert!(error.contains("faults.throttle: expected a number from 0 to 1, found 2"), "{error}");
        assert!(error.contains("faults.outages[].kind: expected \"refuse\" or \"error\", found \"x\""), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn outages_come_and_go_by_the_clock() {
        let active = Active::new(faults(r#"{"outages": [{"after_ms": 100, "for_ms": 50, "kind": "error"}]}"#));
        assert_eq!(active.fate(&active.faults.lambda), Fate::Serve);
        let start = active.next_change(Instant::now()).unwrap();
        tokio::time::sleep_until(start).await;
        assert_eq!(active.outage(Instant::now()), Some(OutageKind::Error));
        assert_eq!(active.fate(&active.faults.lambda), Fate::Unavailable);
        tokio::time::sleep_until(active.next_change(Instant::now()).unwrap()).await;
        assert_eq!(active.outage(Instant::now()), None);
        assert_eq!(active.next_change(Instant::now()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_expire_by_the_clock() {
        let active = Active::new(faults(r#"{"expire_credentials_after_ms": 10}"#));
        assert!(!active.credentials_expired());
        tokio::time::advance(Duration::from_millis(10)).await;
        assert!(active.credentials_expired());
    }

    #[tokio::test]
    async fn the_same_seed_throws_the_same_dice() {
        let throws = || {
            let active = Active::new(faults(r#"{"seed": 3, "drop": 0.3, "throttle": 0.3, "error": 0.3}"#));
            (0..100).map(|_| active.fate(&active.faults.sqs)).collect::<Vec<_>>()
        };
        let fates = throws();
        assert_eq!(fates, throws());
        for fate in [Fate::Serve, Fate::Throttle, Fate::Error, Fate::DropBefore, Fate::DropAfter] {
            assert!(fates.contains(&fate), "{fate:?}");
        }
    }
}
