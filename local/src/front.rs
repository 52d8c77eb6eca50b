//! The way of every request: faults, signature, which service, and the counters.

use crate::faults::{Active, Fate, FaultPlan, FaultRates};
use crate::lambda::Lambda;
use crate::random::Random;
use crate::refusal;
use crate::server::{Answer, NoAnswer, Service, answer, read_body, set_header};
use crate::signature::{self, Checker, Refusal, Signer};
use crate::sqs::Sqs;
use crate::stats::Stats;
use bytes::Bytes;
use http::request::Parts;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// More than any request may have: 6 MB of a synchronous payload, a 1 MiB message whose every byte is escaped.
const MAX_BODY: usize = 8 << 20;

/// The services behind the port, and what stands before them.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) checker: Checker,
    pub(crate) faults: Arc<FaultPlan>,
    pub(crate) lambda: Lambda,
    pub(crate) sqs: Sqs,
    pub(crate) stats: Arc<Stats>,
    pub(crate) random: Arc<Random>,
}

/// Which service a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Destination<'a> {
    Lambda,
    /// With the operation.
    Sqs(&'a str),
}

impl Destination<'_> {
    /// The service's name in signatures.
    fn service(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sqs(_) => "sqs",
        }
    }

    fn rates(self, active: &Active) -> FaultRates {
        match self {
            Self::Lambda => active.faults.lambda,
            Self::Sqs(_) => active.faults.sqs,
        }
    }
}

/// SQS names its operation in a header; all paths of Lambda's API start with the date of its version.
fn destination(parts: &Parts) -> Option<Destination<'_>> {
    if let Some(target) = parts.headers.get("x-amz-target") {
        return target.to_str().ok()?.strip_prefix("AmazonSQS.").map(Destination::Sqs);
    }
    parts.uri.path().starts_with("/20").then_some(Destination::Lambda)
}

impl Service for Arc<Front> {
    async fn answer(&self, request: http::Request<Incoming>) -> Result<Answer, NoAnswer> {
        let (parts, body) = request.into_parts();
        let Some(body) = read_body(body, MAX_BODY).await else {
            return Ok(refusal::too_large(MAX_BODY));
        };
        let mut answer = if parts.uri.path().starts_with("/_local/") {
            self.admin(&parts, &body)
        } else if let Some(destination) = destination(&parts) {
            self.faulty(destination, &parts, body).await?
        } else {
            refusal::unknown_request(&parts)
        };
        // Invoke has already said by which id its event goes.
        if !answer.headers().contains_key("x-amzn-requestid") {
            set_header(&mut answer, "x-amzn-requestid", &self.random.uuid());
        }
        Ok(answer)
    }
}

impl Front {
    /// Serves one request, or does to it what the faults say.
    async fn faulty(&self, destination: Destination<'_>, parts: &Parts, body: Bytes) -> Result<Answer, NoAnswer> {
        let active = self.faults.active();
        let rates = destination.rates(&active);
        if rates.latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(rates.latency_ms)).await;
        }
        let fate = active.fate(&rates);
        if fate != Fate::Serve {
            self.stats.faults.add();
        }
        match fate {
            Fate::DropBefore => return Err(NoAnswer),
            Fate::Unavailable => return Ok(refusal::unavailable(destination)),
            Fate::Serve | Fate::DropAfter | Fate::Throttle | Fate::Error => {}
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
        if fate == Fate::DropAfter { Err(NoAnswer) } else { Ok(answer) }
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
