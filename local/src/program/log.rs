//! Log records on standard error, one line each: warnings and errors, or the level that RUST_LOG names.

use std::fmt::Write as _;
use std::io::Write as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Prints records of this package up to a level.
#[derive(Debug)]
pub(crate) struct Log {
    level: Level,
}

impl Log {
    /// The level comes from RUST_LOG: error, warn, info, debug or trace.
    pub(crate) fn from_environment() -> Self {
        let level = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok());
        Self { level: level.unwrap_or(Level::WARN) }
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level && metadata.target().starts_with("lambda_executor")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        // Standard error may be closed; there is no other place to report that.
        let _ = writeln!(std::io::stderr().lock(), "{}: {}{}", event.metadata().level(), line.message, line.fields);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Spans are never enabled.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
