//! Attributes of a queue that may lose, delay or repeat messages, as warnings: until then all works. Attributes:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>

use crate::executor::QueueKind;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use std::collections::HashMap;
use std::time::Duration;

/// The longest message that our function sends: it shortens the output to fit.
const RESULT_BYTES: u64 = 262_144;
/// What Lambda adds to the event in a dead letter: names and values of three attributes, of which up to 1 KB is the
/// error's text; or the record of an on-failure destination around it.
const DEAD_LETTER_EXTRA_BYTES: u64 = 2_048;
/// SQS's limit.
const MOST_BYTES: u64 = 1_048_576;

/// What the queues are used for.
#[derive(Clone, Debug, Default)]
pub struct QueueNeeds {
    /// What is expected in each queue, in their order.
    pub kinds: Vec<QueueKind>,
    /// Longest event of a task, in bytes.
    pub max_payload_bytes: u64,
    /// A task is LOST after this long without a message.
    pub result_timeout: Duration,
}

/// What SQS reports about a queue; `None` is not reported.
#[derive(Debug, Default)]
pub(super) struct Found {
    url: String,
    arn: Option<String>,
    max_bytes: Option<u64>,
    retention: Option<Duration>,
    visibility: Option<Duration>,
    delay: Option<Duration>,
    redrive_to: Option<String>,
}

impl Found {
    pub(super) fn new(url: &str, attributes: &HashMap<Name, String>) -> Self {
        let number = |name| attributes.get(&name).and_then(|text| text.parse::<u64>().ok());
        let seconds = |name| number(name).map(Duration::from_secs);
        let redrive = attributes.get(&Name::RedrivePolicy);
        let redrive = redrive.and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
        Self {
            url: url.to_owned(),
            arn: attributes.get(&Name::QueueArn).cloned(),
            max_bytes: number(Name::MaximumMessageSize),
            retention: seconds(Name::MessageRetentionPeriod),
            visibility: seconds(Name::VisibilityTimeout),
            delay: seconds(Name::DelaySeconds),
            redrive_to: redrive.and_then(|policy| policy.get("deadLetterTargetArn")?.as_str().map(str::to_owned)),
        }
    }
}

/// One sentence for each problem, queue by queue.
pub(super) fn of(queues: &[Found], needs: &QueueNeeds) -> Vec<String> {
    let mut warnings = Vec::new();
    for (queue, kind) in queues.iter().zip(&needs.kinds) {
        let url = &queue.url;
        let problems = [
            fifo(queue, *kind),
            size(queue, *kind, needs),
            retention(queue, needs),
            visibility(queue, needs),
            delay(queue),
        ];
        let all = problems.into_iter().chain([redrive(queue, *kind, queues, &needs.kinds)]);
        warnings.extend(all.flatten().map(|problem| format!("queue {url}: {problem}")));
    }
    warnings
}

/// Lambda sends no message group id, which a FIFO queue requires:
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
fn fifo(queue: &Found, kind: QueueKind) -> Option<String> {
    if !queue.url.ends_with(".fifo") {
        return None;
    }
    match kind {
        QueueKind::Results => {
            tracing::info!("queue {}: a FIFO queue works for results; a standard queue is cheaper and faster", queue.url);
            None
        }
        QueueKind::DeadLetters => Some(
            "it is a FIFO queue, to which Lambda cannot send dead letters: a task whose event Lambda gives up is LOST; use a standard queue"
                .into(),
        ),
    }
}

fn size(queue: &Found, kind: QueueKind, needs: &QueueNeeds) -> Option<String> {
    let most = queue.max_bytes?;
    let takes = format!("takes messages of up to {most} bytes (MaximumMessageSize)");
    match kind {
        QueueKind::Results if most < RESULT_BYTES => Some(format!(
            "{takes}, but a result may have {RESULT_BYTES}: a longer one is never sent, and its task fails when the dead letter arrives; set it to {RESULT_BYTES} or more"
        )),
        QueueKind::DeadLetters => {
            let needed = (needs.max_payload_bytes + DEAD_LETTER_EXTRA_BYTES).min(MOST_BYTES);
            let fitting = most.saturating_sub(DEAD_LETTER_EXTRA_BYTES);
            (most < needed).then(|| format!(
                "{takes}, but a dead letter may have {needed} (max_payload_bytes, and the reason): Lambda drops a longer one, and its task is LOST; set it to {needed} or more, or max_payload_bytes to {fitting} or less"
            ))
        }
        QueueKind::Results => None,
    }
}

fn retention(queue: &Found, needs: &QueueNeeds) -> Option<String> {
    let kept = queue.retention.filter(|kept| *kept < needs.result_timeout)?.as_secs();
    let limit = needs.result_timeout.as_secs();
    Some(format!(
        "keeps messages for {kept} s (MessageRetentionPeriod), less than result_timeout_ms ({limit} s): a message that arrives between two runs of the host may be gone before it is read, and its task is LOST; set it to {limit} or more"
    ))
}

/// We set a visibility in each call. The queue's own is used by others that share it.
fn visibility(queue: &Found, needs: &QueueNeeds) -> Option<String> {
    let hidden = queue.visibility?;
    if hidden.is_zero() {
        return Some(
            "its VisibilityTimeout is 0: another reader that sets none of its own, such as Airflow's executor, receives a message again while it still processes it; 30 s is usual"
                .into(),
        );
    }
    let (hidden_s, limit) = (hidden.as_secs(), needs.result_timeout.as_secs());
    (hidden > needs.result_timeout).then(|| format!(
        "its VisibilityTimeout is {hidden_s} s, more than result_timeout_ms ({limit} s): a result that another reader receives and does not release stays hidden until its task is LOST; 30 s is usual"
    ))
}

fn delay(queue: &Found) -> Option<String> {
    let delay = queue.delay.filter(|delay| !delay.is_zero())?.as_secs();
    Some(format!("its DelaySeconds is {delay}: each message is received that much later; set it to 0"))
}

fn redrive(queue: &Found, kind: QueueKind, queues: &[Found], kinds: &[QueueKind]) -> Option<String> {
    let target = queue.redrive_to.as_ref()?;
    // Without the ARNs of all queues the target cannot be compared.
    if queues.iter().any(|queue| queue.arn.is_none()) {
        return None;
    }
    let read_as = queues.iter().zip(kinds).find(|(other, _)| other.arn.as_ref() == Some(target)).map(|(_, kind)| kind);
    match (kind, read_as) {
        (QueueKind::Results, None) => Some(format!(
            "its RedrivePolicy moves messages to {target}, which this executor does not read: a result that was received too often is moved there, and its task is LOST; move them to dead_letter_queue_url, or remove the policy"
        )),
        (QueueKind::DeadLetters, Some(QueueKind::Results)) => Some(
            "its RedrivePolicy moves messages to a results queue, where malformed messages are deleted: dead letters of other functions are lost; remove the policy"
                .into(),
        ),
        (QueueKind::Results, Some(_)) | (QueueKind::DeadLetters, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = "arn:aws:sqs:eu-west-1:123456789012:results";
    const DEAD: &str = "arn:aws:sqs:eu-west-1:123456789012:dead";

    fn needs() -> QueueNeeds {
        QueueNeeds {
            kinds: vec![QueueKind::Results, QueueKind::DeadLetters],
            max_payload_bytes: 1_000_000,
            result_timeout: Duration::from_secs(23_400),
        }
    }

    /// Warnings about two queues with SQS's defaults, except for these attributes.
    fn warnings(results: &[(Name, &str)], dead: &[(Name, &str)]) -> Vec<String> {
        let found = |url: &str, arn: &str, other: &[(Name, &str)]| {
            let usual = [
                (Name::QueueArn, arn),
                (Name::MaximumMessageSize, "1048576"),
                (Name::MessageRetentionPeriod, "345600"),
                (Name::VisibilityTimeout, "30"),
                (Name::DelaySeconds, "0"),
            ];
            let attributes: HashMap<Name, String> =
                usual.iter().chain(other).map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
            Found::new(url, &attributes)
        };
        of(&[found("R", RESULTS, results), found("D", DEAD, dead)], &needs())
    }

    fn one(mut warnings: Vec<String>) -> String {
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings.remove(0)
    }

    fn policy(arn: &str) -> String {
        format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}"#)
    }

    #[test]
    fn the_defaults_of_sqs_cause_no_warning() {
        assert!(warnings(&[], &[]).is_empty());
        assert!(of(&[Found::default(), Found::default()], &needs()).is_empty(), "what is not reported is no problem");
    }

    #[test]
    fn a_queue_must_accept_the_longest_message() {
        use Name::MaximumMessageSize as Size;
        assert!(warnings(&[(Size, "262144")], &[(Size, "1002048")]).is_empty());
        let line = one(warnings(&[(Size, "262143")], &[]));
        assert!(line.starts_with("queue R: takes messages of up to 262143 bytes"), "{line}");
        let line = one(warnings(&[], &[(Size, "262144")]));
        assert!(
            line.starts_with(
                "queue D: takes messages of up to 262144 bytes (MaximumMessageSize), but a dead letter may have 1002048"
            ),
            "{line}"
        );
        assert!(line.ends_with("set it to 1002048 or more, or max_payload_bytes to 260096 or less"), "{line}");
    }

    #[test]
    fn messages_must_be_kept_as_long_as_tasks_are_waited_for() {
        use Name::MessageRetentionPeriod as Retention;
        assert!(warnings(&[(Retention, "23400")], &[]).is_empty());
        let line = one(warnings(&[], &[(Retention, "60")]));
        assert!(line.starts_with("queue D: keeps messages for 60 s"), "{line}");
    }

    #[test]
    fn a_visibility_of_zero_or_beyond_the_result_timeout_is_a_problem() {
        use Name::VisibilityTimeout as Visibility;
        assert!(warnings(&[(Visibility, "1")], &[(Visibility, "23400")]).is_empty());
        assert!(one(warnings(&[(Visibility, "0")], &[])).starts_with("queue R: its VisibilityTimeout is 0"));
        assert!(
            one(warnings(&[(Visibility, "43200")], &[])).contains("is 43200 s, more than result_timeout_ms (23400 s)")
        );
    }

    #[test]
    fn a_delay_is_a_problem() {
        assert!(one(warnings(&[(Name::DelaySeconds, "9")], &[])).contains("its DelaySeconds is 9"));
    }

    #[test]
    fn messages_may_only_be_moved_to_a_queue_that_reads_and_keeps_them() {
        use Name::RedrivePolicy as Policy;
        assert!(warnings(&[(Policy, &policy(DEAD))], &[]).is_empty());
        assert!(warnings(&[], &[(Policy, &policy("arn:aws:sqs:eu-west-1:123456789012:archive"))]).is_empty());
        let line = one(warnings(&[(Policy, &policy("arn:aws:sqs:eu-west-1:123456789012:other"))], &[]));
        assert!(line.contains("moves messages to arn:aws:sqs:eu-west-1:123456789012:other, which this"), "{line}");
        let line = one(warnings(&[], &[(Policy, &policy(RESULTS))]));
        assert!(line.starts_with("queue D: its RedrivePolicy moves messages to a results queue"), "{line}");
        assert!(warnings(&[(Policy, "nonsense")], &[]).is_empty());
    }

    #[test]
    fn a_fifo_queue_serves_results_but_not_dead_letters() {
        let queue = |url: &str| Found { url: url.into(), ..Found::default() };
        let warning = one(of(&[queue("R.fifo"), queue("D.fifo")], &needs()));
        assert!(warning.starts_with("queue D.fifo: it is a FIFO queue"), "{warning}");
        assert!(of(&[queue("R.fifo"), queue("D")], &needs()).is_empty());
    }
}
