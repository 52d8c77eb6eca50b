//! What `tracing` hands us, as records.

use super::{Record, Shared};
use crate::runtime::clock;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
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
        let Some(level) = level(self.shared.level.load(Ordering::Relaxed)) else { return false };
        let ours = metadata.target().starts_with("lambda_executor");
        metadata.is_event() && *metadata.level() <= if ours { level } else { level.min(Level::WARN) }
    }
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
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked again when the level changes.
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(level(self.shared.level.load(Ordering::Relaxed)).map_or(LevelFilter::OFF, LevelFilter::from_level))
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        if !self.wants(metadata) {
            return;
        }
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
