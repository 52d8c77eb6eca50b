//! Whether AWS accepts who we are, and what waits until it does.

use super::backoff::contract_ms;
use super::route::Outage;
use super::{Core, Service, StartupCheck};

impl Core {
    /// Identity was refused: nothing is submitted until a probe succeeds. A refusal of credentials that have been replaced
    /// since says nothing.
    pub(super) fn credentials_failed(&mut self, service: Service, took_ms: u64, text: &str) {
        let now = self.now.mono_ms;
        self.counters.credential_failures += 1;
        if now.saturating_sub(took_ms) < self.credentials_since_ms {
            return;
        }
        if self.credentials.as_ref().is_some_and(|(_, trouble)| trouble.next_probe_ms > now) {
            return;
        }
        let (since_ms, failures) = self.credentials.as_ref().map_or((now, 0), |(_, t)| (t.since_ms, t.failures));
        let failures = failures + 1;
        let wait_ms = self.jitter.spread(contract_ms(failures));
        if failures.is_power_of_two() {
            let name = service.name();
            tracing::error!(failures, next_try_ms = wait_ms, "{name} refuses our credentials, tasks wait: {text}");
        }
        let next_probe_ms = now + wait_ms;
        self.credentials = Some((service, Outage { since_ms, failures, next_probe_ms, reason: text.into() }));
    }

    /// A call succeeded. Lambda's word counts for both; that of SQS only for SQS, or tasks would be sent to a Lambda
    /// that refuses us. The answer to a call from before the trouble, such as a long poll, says nothing.
    pub(super) fn credentials_work(&mut self, service: Service, took_ms: u64) {
        let began_ms = self.now.mono_ms.saturating_sub(took_ms);
        let over = self.credentials.as_ref().is_some_and(|(refuser, trouble)| {
            began_ms >= trouble.since_ms && (service == Service::Lambda || *refuser == Service::Sqs)
        });
        if over {
            self.credentials = None;
            tracing::warn!("our credentials are accepted again");
        }
    }

    /// The host has given new credentials: what waits because of the old ones is tried at once.
    pub(crate) fn credentials_changed(&mut self) {
        let now = self.now.mono_ms;
        self.credentials_since_ms = now;
        if let Some((_, trouble)) = &mut self.credentials {
            // The back-off starts anew as well: these have never been refused.
            trouble.since_ms = now;
            trouble.failures = 0;
            trouble.next_probe_ms = now;
        }
        if let StartupCheck::Failed { next_try_ms, credentials: true, .. } = &mut self.startup {
            *next_try_ms = now;
        }
        for poller in &mut self.pollers {
            poller.try_now(now);
        }
        self.tick();
    }
}
