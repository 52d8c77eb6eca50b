//! The paths for tests and benchmarks, guarded by `Authorization: Bearer SECRET_ACCESS_KEY`:
//! `GET /_local/stats` returns the counters, `POST /_local/faults` replaces the faults by those in its body.

use crate::faults::{FaultPlan, Faults};
use crate::server::{Answer, answer};
use crate::signature::Checker;
use crate::sqs::Sqs;
use crate::stats::Stats;
use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

/// State that these paths return and change.
pub(super) struct Admin<'a> {
    pub(super) checker: &'a Checker,
    pub(super) faults: &'a FaultPlan,
    pub(super) sqs: &'a Sqs,
    pub(super) stats: &'a Stats,
}

impl Admin<'_> {
    /// Answers one request under `/_local/`.
    pub(super) fn answer(&self, parts: &Parts, body: &[u8]) -> Answer {
        if !self.checker.is_bearer(&parts.headers) {
            return say(403, &json!({"message": "expected the header Authorization: Bearer SECRET_ACCESS_KEY"}));
        }
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/_local/stats") => say(200, &self.stats.json()),
            (&Method::POST, "/_local/faults") => match Faults::from_json(body) {
                Ok(faults) => {
                    self.sqs.set_message_faults(faults.messages);
                    self.faults.replace(faults);
                    say(200, &json!({}))
                }
                Err(error) => say(400, &json!({"message": error.to_string()})),
            },
            _ => say(404, &json!({"message": "the paths are GET /_local/stats and POST /_local/faults"})),
        }
    }
}

fn say(status: u16, body: &Value) -> Answer {
    answer(status, &[JSON], body.to_string())
}
