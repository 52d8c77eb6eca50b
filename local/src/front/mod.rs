//! The path of every request: faults, signature, choice of the service, counters.

mod admin;
mod destination;
mod refusal;

use crate::faults::{Fate, FaultPlan};
use crate::lambda::Lambda;
use crate::random::Random;
use crate::server::{Answer, NoAnswer, Service, answer, read_body, set_header};
use crate::signature::{self, Checker, Refusal, Signer};
use crate::sqs::Sqs;
use crate::stats::Stats;
use admin::Admin;
use bytes::Bytes;
use destination::Destination;
use http::request::Parts;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// Limit of a body, above the largest valid ones: a synchronous payload of 6 MB, a fully escaped message of 1 MiB.
const MAX_BODY: usize = 8 << 20;

/// The services behind the port, with faults, signature check and counters. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Front(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    checker: Checker,
    faults: Arc<FaultPlan>,
    lambda: Lambda,
    sqs: Sqs,
    stats: Arc<Stats>,
    random: Arc<Random>,
}

/// The effect of a fault that sends no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unanswered {
    /// Closes the connection.
    Close,
    /// Leaves the connection open.
    Hang,
}

/// A connection that waits for its answer. It is dropped only if the client closes the connection first.
struct Waiting<'a>(&'a Stats);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.aborted_requests.add();
    }
}

impl Service for Front {
    async fn answer(&self, request: http::Request<Incoming>) -> Result<Answer, NoAnswer> {
        let (parts, body) = request.into_parts();
        let Some(body) = read_body(body, MAX_BODY).await else {
            return Ok(refusal::too_large());
        };
        let answered = if parts.uri.path().starts_with("/_local/") {
            Ok(self.0.admin().answer(&parts, &body))
        } else if self.0.waits(&parts) {
            self.apart(parts, body).await
        } else {
            self.0.faulty(&parts, body).await
        };
        let mut answer = match answered {
            Ok(answer) => answer,
            Err(Unanswered::Close) => return Err(NoAnswer),
            // Wait until the client closes the connection; that drops this future.
            Err(Unanswered::Hang) => std::future::pending().await,
        };
        // Invoke has already set the id of its event.
        if !answer.headers().contains_key("x-amzn-requestid") {
            set_header(&mut answer, "x-amzn-requestid", &self.0.random.uuid());
        }
        Ok(answer)
    }
}

impl Front {
    pub(crate) fn new(
        checker: Checker,
        faults: Arc<FaultPlan>,
        lambda: Lambda,
        sqs: Sqs,
        stats: Arc<Stats>,
        random: Arc<Random>,
    ) -> Self {
        Self(Arc::new(Inner { checker, faults, lambda, sqs, stats, random }))
    }

    /// Serves a request in its own task. As on AWS, a request that has arrived is carried out even if its client closes
    /// the connection. In particular, a long poll continues and takes messages that reach no client. Only an outage
    /// that refuses connections ends a poll; any other request that arrived before the outage still takes effect.
    async fn apart(&self, parts: Parts, body: Bytes) -> Result<Answer, Unanswered> {
        let inner = Arc::clone(&self.0);
        let (sender, receiver) = oneshot::channel();
        let is_poll = Destination::of(&parts) == Some(Destination::Sqs("ReceiveMessage"));
        tokio::spawn(async move {
            let answered = tokio::select! {
                biased;
                () = inner.faults.refusing(), if is_poll => Err(Unanswered::Close),
                answered = inner.faulty(&parts, body) => answered,
            };
            // The receiver is gone if the connection is closed.
            let _ = sender.send(answered);
        });
        let waiting = Waiting(&self.0.stats);
        let answered = receiver.await;
        std::mem::forget(waiting);
        answered.unwrap_or(Err(Unanswered::Close))
    }
}

impl Inner {
    fn admin(&self) -> Admin<'_> {
        Admin { checker: &self.checker, faults: &self.faults, sqs: &self.sqs, stats: &self.stats }
    }

    /// True if time may pass between the arrival of a request and its effect.
    fn waits(&self, parts: &Parts) -> bool {
        let destination = Destination::of(parts);
        destination == Some(Destination::Sqs("ReceiveMessage"))
            || destination.is_some_and(|destination| destination.rates(&self.faults.active()).latency_ms > 0)
    }

    /// Serves one request, or applies a fault to it.
    async fn faulty(&self, parts: &Parts, body: Bytes) -> Result<Answer, Unanswered> {
        let Some(destination) = Destination::of(parts) else { return Ok(refusal::unknown_request(parts)) };
        let active = self.faults.active();
        let rates = destination.rates(&active);
        // Decide on arrival: an outage that begins later does not affect a request that has arrived.
        let fate = active.fate(&rates);
        if rates.latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(rates.latency_ms)).await;
        }
        if fate != Fate::Serve {
            self.stats.faults.add();
        }
        match fate {
            Fate::DropBefore => return Err(Unanswered::Close),
            Fate::HangBefore => return Err(Unanswered::Hang),
            Fate::Unavailable => return Ok(refusal::unavailable(destination)),
            Fate::Serve | Fate::DropAfter | Fate::HangAfter | Fate::Throttle | Fate::Error => {}
        }
        match self.check_signature(destination, parts, &body) {
            Err(refused) => {
                self.stats.refused_signatures.add();
                return Ok(refusal::signature(destination, &refused));
            }
            Ok(Signer::Caller) if active.credentials_expired() => {
                self.stats.refused_signatures.add();
                return Ok(refusal::expired_token(destination));
            }
            Ok(Signer::Caller | Signer::Lasting) => {}
        }
        match fate {
            Fate::Throttle => return Ok(refusal::throttled(destination)),
            Fate::Error => return Ok(refusal::internal_error(destination)),
            _ => {}
        }
        let answer = self.serve(destination, parts, body).await;
        match fate {
            Fate::DropAfter => Err(Unanswered::Close),
            Fate::HangAfter => Err(Unanswered::Hang),
            _ => Ok(answer),
        }
    }

    async fn serve(&self, destination: Destination<'_>, parts: &Parts, body: Bytes) -> Answer {
        match destination {
            Destination::Lambda => self.lambda.answer(parts, body).await,
            Destination::Sqs(operation) => {
                self.stats.request(operation);
                let reply = self.sqs.call(operation, &body).await;
                let mut answer = answer(reply.status, &[], reply.body);
                for (name, value) in &reply.headers {
                    set_header(&mut answer, name, value);
                }
                answer
            }
        }
    }

    fn check_signature(&self, destination: Destination<'_>, parts: &Parts, body: &[u8]) -> Result<Signer, Refusal> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let request = signature::Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        self.checker.check(destination.service(), &request, i64::try_from(now).unwrap_or(i64::MAX))
    }
}
