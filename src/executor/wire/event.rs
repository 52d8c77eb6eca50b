//! The event that the function receives.

use super::overrides::Overrides;
use crate::executor::ports::RouteId;
use crate::executor::settings::Settings;
use crate::executor::task::{AttemptId, Command, Refusal, TaskSpec, UuidText};
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// A task that is ready to be accepted: checked against the settings, its event serialised.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The host's name for it.
    pub key: Arc<str>,
    /// The host's number for it.
    pub tag: u64,
    /// Which function.
    pub route: RouteId,
    /// Identifies the submission.
    pub attempt: AttemptId,
    /// True if the host chose `attempt`: results of an earlier process may carry it.
    pub attempt_is_hosts: bool,
    /// The event.
    pub payload: Arc<[u8]>,
    /// Version or alias for this task alone.
    pub qualifier: Option<Arc<str>>,
    /// Give up waiting to be submitted after this many ms; 0 never does.
    pub max_wait_ms: u64,
    /// LOST after this many ms without a result; 0 is the route's.
    pub result_timeout_ms: u64,
}

/// Checks what does not depend on other tasks, and serialises the event. `fresh` is used where the host gave no id.
pub fn prepare(spec: TaskSpec, fresh: AttemptId, settings: &Settings) -> Result<Prepared, Refusal> {
    let route = settings.route_named(&spec.key, &spec.queue)?;
    let overrides = if settings.allow_task_overrides {
        Overrides::read(spec.executor_config.as_deref())
            .map_err(|what| Refusal::BadOverride { key: spec.key.as_ref().into(), what })?
    } else {
        Overrides::default()
    };
    let attempt = spec.attempt.unwrap_or(fresh);
    let timeout_ms = overrides.timeout_ms.unwrap_or(spec.timeout_ms);
    let payload = serialise(&spec, timeout_ms, attempt, settings)?;
    Ok(Prepared {
        key: spec.key,
        tag: spec.tag,
        route,
        attempt,
        attempt_is_hosts: spec.attempt.is_some(),
        payload,
        qualifier: overrides.qualifier,
        max_wait_ms: spec.max_wait_ms,
        result_timeout_ms: spec.result_timeout_ms,
    })
}

fn serialise(spec: &TaskSpec, timeout_ms: u64, attempt: AttemptId, settings: &Settings) -> Result<Arc<[u8]>, Refusal> {
    let event = FunctionEvent {
        task_key: &spec.key,
        command: match &spec.command {
            Command::Argv(argv) => CommandField::Argv(argv),
            Command::Json(json) => CommandField::Json(json),
        },
        executor_config: spec.executor_config.as_deref().map_or(ConfigField::Empty {}, ConfigField::Given),
        attempt_id: attempt.text(),
        reply_to: &settings.reply_to,
        timeout_ms: (timeout_ms > 0).then_some(timeout_ms),
    };
    let mut payload = Vec::with_capacity(likely_size(spec, settings));
    if serde_json::to_writer(&mut payload, &event).is_err() {
        // Strings, numbers and JSON that has been checked cannot fail to serialise; Lambda would refuse an empty event.
        payload.clear();
    }
    if payload.len() > settings.max_payload_bytes {
        return Err(Refusal::PayloadTooLarge {
            key: spec.key.as_ref().into(),
            size: payload.len(),
            limit: settings.max_payload_bytes,
        });
    }
    Ok(payload.into())
}

/// At least the size of the event, unless characters are escaped.
fn likely_size(spec: &TaskSpec, settings: &Settings) -> usize {
    /// Names, punctuation, the attempt id and a number.
    const AROUND: usize = 180;
    let command = match &spec.command {
        Command::Argv(argv) => argv.iter().map(|word| word.len() + 3).sum(),
        Command::Json(json) => json.get().len(),
    };
    let config = spec.executor_config.as_ref().map_or(0, |config| config.get().len());
    AROUND + spec.key.len() + command + config + settings.reply_to.len()
}

/// Airflow's three fields, then ours.
#[derive(Serialize)]
struct FunctionEvent<'a> {
    task_key: &'a str,
    command: CommandField<'a>,
    executor_config: ConfigField<'a>,
    attempt_id: UuidText,
    reply_to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CommandField<'a> {
    Argv(&'a [String]),
    Json(&'a RawValue),
}

/// Always an object.
#[derive(Serialize)]
#[serde(untagged)]
enum ConfigField<'a> {
    Given(&'a RawValue),
    Empty {},
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> TaskSpec {
        TaskSpec {
            key: "k".into(),
            tag: 1,
            command: Command::Argv(vec!["true".into()]),
            executor_config: None,
            queue: String::new(),
            timeout_ms: 5,
            max_wait_ms: 0,
            result_timeout_ms: 0,
            attempt: None,
        }
    }

    #[test]
    fn the_event_has_airflows_fields_and_ours() {
        let id = AttemptId::from_random([7; 16]);
        let prepared = prepare(spec(), id, &Settings::default()).unwrap();
        let event: serde_json::Value = serde_json::from_slice(&prepared.payload).unwrap();
        assert_eq!(
            event,
            serde_json::json!({"task_key": "k", "command": ["true"], "executor_config": {}, "attempt_id": id.to_string(),
                "reply_to": Settings::default().reply_to, "timeout_ms": 5})
        );
    }

    #[test]
    fn an_attempt_id_of_the_hosts_is_kept() {
        let own = AttemptId::from_random([1; 16]);
        let prepared =
            prepare(TaskSpec { attempt: Some(own), ..spec() }, AttemptId::from_random([2; 16]), &Settings::default());
        assert!(prepared.is_ok_and(|prepared| prepared.attempt == own && prepared.attempt_is_hosts));
    }

    #[test]
    fn an_event_over_the_limit_is_refused_with_both_sizes() {
        let settings = Settings { max_payload_bytes: 10, ..Settings::default() };
        let refused = prepare(spec(), AttemptId::from_random([2; 16]), &settings).unwrap_err();
        assert!(matches!(refused, Refusal::PayloadTooLarge { limit: 10, size: 11.., .. }), "{refused}");
    }
}
