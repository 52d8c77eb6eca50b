//! The event of several tasks: `{"task_key": "lambda-executor-batch:<attempt ids>", "batch_parallel": 1, "batch": [event,
//! event]}`. Each member is the event of a task that is sent alone, byte for byte. Without `command` nothing can be run
//! by a function that does not understand it; what such a function reports of the `task_key` names all members.

use crate::executor::task::AttemptId;
use std::sync::Arc;

/// What a key of a batch begins with.
const KEY: &str = "lambda-executor-batch:";
const BEFORE_PARALLEL: &str = r#"","batch_parallel":"#;
const BEFORE_EVENTS: &str = r#","batch":["#;
const END: &str = "]}";
const BEFORE_KEY: &str = r#"{"task_key":""#;
/// Hexadecimal digits of an attempt id, and a comma in the key and in the list.
const BYTES_A_MEMBER: usize = 32 + 2;
/// All that comes once, with a number of three digits.
const BYTES_ONCE: usize = BEFORE_KEY.len() + KEY.len() + BEFORE_PARALLEL.len() + 3 + BEFORE_EVENTS.len() + END.len();

/// The events that one invocation carries, two or more.
#[derive(Clone, Debug)]
pub struct Batch {
    /// At most so many of them run at the same time.
    pub parallel: u32,
    /// Each with the attempt id that it names.
    pub events: Vec<(AttemptId, Arc<[u8]>)>,
}

/// How large the event of a batch becomes.
#[derive(Clone, Copy, Debug, Default)]
pub struct BatchSize {
    count: usize,
    bytes: usize,
}

impl BatchSize {
    /// Number of members.
    pub fn count(self) -> usize {
        self.count
    }

    /// Length in bytes at most, with one more event.
    pub fn with(self, event_bytes: usize) -> usize {
        BYTES_ONCE + self.bytes + event_bytes + BYTES_A_MEMBER
    }

    /// One more event.
    pub fn add(&mut self, event_bytes: usize) {
        self.count += 1;
        self.bytes += event_bytes + BYTES_A_MEMBER;
    }
}

impl Batch {
    /// The event that is sent.
    pub fn event(&self) -> Arc<[u8]> {
        let mut size = BatchSize::default();
        self.events.iter().for_each(|(_, event)| size.add(event.len()));
        let mut text = Vec::with_capacity(size.with(0));
        let key: Vec<String> = self.events.iter().map(|(attempt, _)| attempt.hex()).collect();
        let parallel = self.parallel.to_string();
        for part in [BEFORE_KEY, KEY, &key.join(","), BEFORE_PARALLEL, &parallel, BEFORE_EVENTS] {
            text.extend_from_slice(part.as_bytes());
        }
        for (place, (_, event)) in self.events.iter().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(event);
        }
        text.extend_from_slice(END.as_bytes());
        text.into()
    }
}

/// The members that a key of a batch names; `None` for any other key.
pub(super) fn members_of_key(key: &str) -> Option<Vec<AttemptId>> {
    key.strip_prefix(KEY)?.split(',').map(AttemptId::from_hex).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(count: u8) -> Batch {
        let event = |n: u8| (AttemptId::from_random([n; 16]), format!(r#"{{"task_key":"{n}"}}"#).into_bytes().into());
        Batch { parallel: 3, events: (1..=count).map(event).collect() }
    }

    #[test]
    fn the_event_has_no_command_and_names_its_members_in_the_key() {
        let batch = batch(2);
        let event: serde_json::Value = serde_json::from_slice(&batch.event()).unwrap();
        let members = event["batch"].as_array().unwrap();
        assert_eq!(
            members.iter().map(|member| member["task_key"].as_str()).collect::<Vec<_>>(),
            [Some("1"), Some("2")]
        );
        assert_eq!((&event["batch_parallel"], event.get("command"), event.get("attempt_id")), (&3.into(), None, None));
        let ids: Vec<AttemptId> = batch.events.iter().map(|(id, _)| *id).collect();
        assert_eq!(members_of_key(event["task_key"].as_str().unwrap()), Some(ids));
    }

    #[test]
    fn keys_of_hosts_name_no_members() {
        for key in ["", "k", "lambda-executor-batch", "lambda-executor-batch:", "lambda-executor-batch:1,2"] {
            assert_eq!(members_of_key(key), None, "{key}");
        }
    }

    #[test]
    fn an_event_is_never_longer_than_its_size_says() {
        for (count, parallel) in [(2, 1), (2, 100), (200, 7)] {
            let batch = Batch { parallel, ..batch(count) };
            let mut size = BatchSize::default();
            let mut last = 0;
            for (_, event) in &batch.events {
                last = size.with(event.len());
                size.add(event.len());
            }
            let bytes = batch.event().len();
            assert!((last - 5..=last).contains(&bytes), "{bytes} of {last}");
        }
    }
}
