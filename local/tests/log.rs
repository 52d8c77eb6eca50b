//! Log records of the local AWS's own threads reach the log of the process that started it.

mod support;

use serde_json::json;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use support::{Client, eventually, local};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps warnings as text.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<String>>);

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Text(&mut self.0.lock().unwrap()));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn warnings_reach_the_log_of_the_caller() {
    let warnings = Warnings::default();
    let folder = std::env::temp_dir().join(format!("lambda-executor-local-log-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let options = json!({"handler": "/bin/true", "working_directory": folder, "maximum_retry_attempts": 0});
    let running = tracing::subscriber::with_default(warnings.clone(), || local(options));
    std::fs::remove_dir(&folder).unwrap();
    Client::of(&running).invoke("Event", &json!({}));
    eventually("a warning", || warnings.0.lock().unwrap().contains("cannot start a handler"));
}
