//! Whether AWS accepts our credentials, and what waits until it does.

use super::Service;
use crate::executor::machine::backoff::{Jitter, contract_ms};

/// Our credentials are rejected: one call at a time finds out whether that is over.
#[derive(Debug)]
pub(in crate::executor::machine) struct Trouble {
    pub(in crate::executor::machine) rejected_by: Service,
    pub(in crate::executor::machine) since_ms: u64,
    pub(in crate::executor::machine) next_probe_ms: u64,
    pub(in crate::executor::machine) reason: String,
    failures: u32,
}

/// What is known of our credentials.
#[derive(Debug, Default)]
pub(super) struct Identity {
    trouble: Option<Trouble>,
    /// When the host last replaced them.
    replaced_ms: u64,
}

impl Identity {
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// True if a call that began then was made with credentials that have been replaced since.
    pub(super) fn is_outdated(&self, began_ms: u64) -> bool {
        began_ms < self.replaced_ms
    }

    /// A call was rejected because of our credentials. `took_ms`: how long it took.
    pub(super) fn rejected(&mut self, service: Service, now_ms: u64, took_ms: u64, text: &str, jitter: &mut Jitter) {
        if self.is_outdated(now_ms.saturating_sub(took_ms)) {
            return;
        }
        if self.trouble.as_ref().is_some_and(|trouble| trouble.next_probe_ms > now_ms) {
            return;
        }
        let (since_ms, failures) = self.trouble.as_ref().map_or((now_ms, 0), |t| (t.since_ms, t.failures));
        let failures = failures + 1;
        let wait_ms = jitter.spread(contract_ms(failures));
        if failures.is_power_of_two() {
            let name = service.name();
            tracing::error!(failures, next_try_ms = wait_ms, "{name} rejects our credentials, tasks wait: {text}");
        }
        let next_probe_ms = now_ms + wait_ms;
        self.trouble = Some(Trouble { rejected_by: service, since_ms, next_probe_ms, reason: text.into(), failures });
    }

    /// A call was accepted. Lambda's answer counts for both services; that of SQS only for SQS, or tasks would be sent to
    /// a Lambda that rejects us. The answer to a call from before the trouble, such as a long poll, says nothing.
    pub(super) fn accepted(&mut self, service: Service, now_ms: u64, took_ms: u64) {
        let began_ms = now_ms.saturating_sub(took_ms);
        let over = self.trouble.as_ref().is_some_and(|trouble| {
            began_ms >= trouble.since_ms && (service == Service::Lambda || trouble.rejected_by == Service::Sqs)
        });
        if over {
            self.trouble = None;
            tracing::warn!("our credentials are accepted again");
        }
    }

    /// The host has replaced them: these have never been rejected.
    pub(super) fn replaced(&mut self, now_ms: u64) {
        self.replaced_ms = now_ms;
        if let Some(trouble) = &mut self.trouble {
            trouble.since_ms = now_ms;
            trouble.failures = 0;
            trouble.next_probe_ms = now_ms;
        }
    }
}
