//! What a health check found that works today and will make trouble some day.

use super::{Core, Service, StartupCheck};
use crate::executor::ports::CallError;

impl Core {
    /// The newest check's warnings take the place of those before. Each is logged once while it lasts.
    pub(super) fn note_warnings(&mut self, warnings: Vec<String>) {
        for warning in &warnings {
            if !self.warnings.contains(warning) {
                tracing::warn!("{warning}");
            }
        }
        self.warnings = warnings;
    }

    /// The answer to a check that the host asked for. Where all is well, nothing needs to wait for the check at start,
    /// for credentials or after a failure any longer.
    pub(crate) fn checked_for_host(&mut self, took_ms: u64, answer: &Result<Vec<String>, CallError>) {
        let Ok(warnings) = answer else { return };
        self.note_warnings(warnings.clone());
        self.credentials_work(Service::Lambda, took_ms);
        let now = self.now.mono_ms;
        for poller in &mut self.pollers {
            poller.try_now(now);
        }
        // Also where that at start is still under way: whoever was told that all is well finds it so.
        self.startup = StartupCheck::Passed;
        self.tick();
    }
}
