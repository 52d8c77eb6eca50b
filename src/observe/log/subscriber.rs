//! What `tracing` hands us, as records.

use super::{Record, Shared};
use crate::runtime::clock;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, span};

/// Makes records of events; spans are not recorded.
pub(super) struct Subscriber {
    shared: Arc<Shared>,
}

impl Subscriber {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let level = level(self.shared.level.load(Ordering::Relaxed));
        metadata.is_event() && level.is_some_and(|level| *metadata.level() <= loudest(metadata).min(level))
    }
}

/// The most that is ever heard of a module. What others warn of (the SDK of credentials, with whole HTTP answers) we tell
/// ourselves, in one line.
fn loudest(metadata: &Metadata<'_>) -> Level {
    if metadata.target().starts_with("lambda_executor") { Level::TRACE } else { Level::ERROR }
}

/// A level as a number: 0 for none, then the more the louder.
pub(super) fn number(level: Option<Level>) -> u8 {
    match level {
        None => 0,
        Some(Level::ERROR) => 1,
        Some(Level::WARN) => 2,
        Some(Level::INFO) => 3,
        Some(Level::DEBUG) => 4,
        Some(Level::TRACE) => 5,
    }
}

fn level(number: u8) -> Option<Level> {
    match number {
        0 => None,
        1 => Some(Level::ERROR),
        2 => Some(Level::WARN),
        3 => Some(Level::INFO),
        4 => Some(Level::DEBUG),
        _ => Some(Level::TRACE),
    }
}

impl tracing::Subscriber for Subscriber {
    /// `tracing` keeps the answers of all handles together, and brings them up to date in a way that can lose one of
    /// two changes at the same time. So what it may keep is only what never changes.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() && *metadata.level() <= loudest(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.wants(metadata)
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        self.shared.take(Record {
            level: *metadata.level(),
            time_ms: clock::unix_ms(),
            target: metadata.target().into(),
            message: text.message + &text.fields,
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message, and after it the fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == '"') {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        } else {
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
