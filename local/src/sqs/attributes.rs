//! A queue's attributes: defaults, allowed values and text form.

use super::errors::SqsError;
use super::redrive::RedrivePolicy;
use std::sync::Arc;

/// Longest visibility of a message, in seconds.
pub(super) const MAX_VISIBILITY_S: u32 = 43_200;
/// Longest delay, in seconds.
pub(super) const MAX_DELAY_S: u32 = 900;
/// Longest wait of a receive, in seconds.
pub(super) const MAX_WAIT_S: u32 = 20;

/// Every attribute that can be requested, in the order of `All`.
const NAMES: [&str; 21] = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
];

/// True if queues have an attribute of this name.
pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The attributes that a user sets. Times are in seconds, as in the API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct QueueAttributes {
    pub(super) fifo: bool,
    pub(super) visibility_timeout: u32,
    pub(super) maximum_message_size: u32,
    pub(super) retention_period: u32,
    pub(super) delay: u32,
    pub(super) wait_time: u32,
    pub(super) redrive: Option<Arc<RedrivePolicy>>,
    pub(super) content_based_deduplication: bool,
    /// `DeduplicationScope` is `messageGroup`.
    pub(super) deduplicate_by_group: bool,
    /// `FifoThroughputLimit` is `perMessageGroupId`. Stored and returned without effect.
    limit_by_group: bool,
    /// Stored and returned without effect, like all below.
    policy: Option<String>,
    redrive_allow_policy: Option<String>,
    kms_master_key_id: Option<String>,
    kms_reuse_period: u32,
    managed_sse: bool,
}

/// Attributes that the queue itself computes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed<'a> {
    pub(super) arn: &'a str,
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
    pub(super) created_ms: u64,
    pub(super) modified_ms: u64,
}

impl QueueAttributes {
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            fifo,
            visibility_timeout: 30,
            maximum_message_size: 1_048_576,
            retention_period: 345_600,
            delay: 0,
            wait_time: 0,
            redrive: None,
            content_based_deduplication: false,
            deduplicate_by_group: false,
            limit_by_group: false,
            policy: None,
            redrive_allow_policy: None,
            kms_master_key_id: None,
            kms_reuse_period: 300,
            managed_sse: true,
        }
    }

    /// The attributes after these changes. `creating` also allows attributes that cannot change later.
    pub(super) fn with<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, &'a str)>,
        creating: bool,
    ) -> Result<Self, SqsError> {
        let mut changed = self.clone();
        for (name, value) in changes {
            changed.set(name, value, creating)?;
        }
        if changed.limit_by_group && !changed.deduplicate_by_group {
            return Err(SqsError::attribute_value("FifoThroughputLimit"));
        }
        Ok(changed)
    }

    fn set(&mut self, name: &str, value: &str, creating: bool) -> Result<(), SqsError> {
        let number = |low: u32, high: u32| match value.parse::<u32>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(SqsError::attribute_value(name)),
        };
        let choice = |no: &str, yes: &str| match value {
            _ if value.eq_ignore_ascii_case(yes) => Ok(true),
            _ if value.eq_ignore_ascii_case(no) => Ok(false),
            _ => Err(SqsError::attribute_value(name)),
        };
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match name {
            "VisibilityTimeout" => self.visibility_timeout = number(0, MAX_VISIBILITY_S)?,
            "MaximumMessageSize" => self.maximum_message_size = number(1_024, 1_048_576)?,
            "MessageRetentionPeriod" => self.retention_period = number(60, 1_209_600)?,
            "DelaySeconds" => self.delay = number(0, MAX_DELAY_S)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_time = number(0, MAX_WAIT_S)?,
            "RedrivePolicy" => self.redrive = RedrivePolicy::parse(value)?.map(Arc::new),
            "Policy" => self.policy = text(),
            "RedriveAllowPolicy" => self.redrive_allow_policy = text(),
            "KmsMasterKeyId" => self.kms_master_key_id = text(),
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse_period = number(60, 86_400)?,
            "SqsManagedSseEnabled" => self.managed_sse = choice("false", "true")?,
            // The kind of a queue cannot change. CreateQueue accepts only `true`; standard queues omit the attribute.
            "FifoQueue" if creating && self.fifo && choice("false", "true")? => {}
            "ContentBasedDeduplication" if self.fifo => {
                self.content_based_deduplication = choice("false", "true")?;
            }
            "DeduplicationScope" if self.fifo => self.deduplicate_by_group = choice("queue", "messageGroup")?,
            "FifoThroughputLimit" if self.fifo => self.limit_by_group = choice("perQueue", "perMessageGroupId")?,
            _ => return Err(SqsError::unknown_attribute(name)),
        }
        Ok(())
    }

    /// The value of one attribute, if it has one.
    fn show(&self, name: &str, observed: &Observed<'_>) -> Option<String> {
        let seconds = |ms: u64| Some((ms / 1_000).to_string());
        let number = |number: u32| Some(number.to_string());
        let fifo = |value: String| self.fifo.then_some(value);
        match name {
            "QueueArn" => Some(observed.arn.to_owned()),
            "ApproximateNumberOfMessages" => Some(observed.visible.to_string()),
            "ApproximateNumberOfMessagesNotVisible" => Some(observed.in_flight.to_string()),
            "ApproximateNumberOfMessagesDelayed" => Some(observed.delayed.to_string()),
            "CreatedTimestamp" => seconds(observed.created_ms),
            "LastModifiedTimestamp" => seconds(observed.modified_ms),
            "VisibilityTimeout" => number(self.visibility_timeout),
            "MaximumMessageSize" => number(self.maximum_message_size),
            "MessageRetentionPeriod" => number(self.retention_period),
            "DelaySeconds" => number(self.delay),
            "ReceiveMessageWaitTimeSeconds" => number(self.wait_time),
            "Policy" => self.policy.clone(),
            "RedrivePolicy" => self.redrive.as_ref().map(|policy| policy.render()),
            "RedriveAllowPolicy" => self.redrive_allow_policy.clone(),
            "FifoQueue" => fifo("true".to_owned()),
            "ContentBasedDeduplication" => fifo(self.content_based_deduplication.to_string()),
            "DeduplicationScope" => fifo(if self.deduplicate_by_group { "messageGroup" } else { "queue" }.to_owned()),
            "FifoThroughputLimit" => {
                fifo(if self.limit_by_group { "perMessageGroupId" } else { "perQueue" }.to_owned())
            }
            "KmsMasterKeyId" => self.kms_master_key_id.clone(),
            "KmsDataKeyReusePeriodSeconds" => self.kms_master_key_id.as_ref().and(number(self.kms_reuse_period)),
            "SqsManagedSseEnabled" => Some(self.managed_sse.to_string()),
            _ => None,
        }
    }

    /// The attributes requested by name or by `All` that have a value.
    pub(super) fn select(
        &self,
        wanted: &[impl AsRef<str>],
        observed: &Observed<'_>,
    ) -> Result<Vec<(&'static str, String)>, SqsError> {
        for name in wanted {
            let name = name.as_ref();
            if name != "All" && !exists(name) {
                return Err(SqsError::unknown_attribute(name));
            }
        }
        let all = wanted.iter().any(|name| name.as_ref() == "All");
        Ok(NAMES
            .into_iter()
            .filter(|name| all || wanted.iter().any(|asked| asked.as_ref() == *name))
            .filter_map(|name| Some((name, self.show(name, observed)?)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::errors::ErrorKind;
    use super::*;

    fn observed() -> Observed<'static> {
        Observed { arn: "arn:q", visible: 1, in_flight: 2, delayed: 3, created_ms: 1_500, modified_ms: 2_999 }
    }

    #[test]
    fn numbers_have_their_ranges() {
        let plain = QueueAttributes::new(false);
        for (name, low, high) in [
            ("VisibilityTimeout", 0, 43_200),
            ("MaximumMessageSize", 1_024, 1_048_576),
            ("MessageRetentionPeriod", 60, 1_209_600),
            ("DelaySeconds", 0, 900),
            ("ReceiveMessageWaitTimeSeconds", 0, 20),
            ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
        ] {
            for good in [low, high] {
                assert!(plain.with([(name, good.to_string().as_str())], false).is_ok(), "{name} {good}");
            }
            for bad in [(low - 1).to_string(), (high + 1).to_string(), "x".into(), String::new()] {
                let error = plain.with([(name, bad.as_str())], false).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidAttributeValue, "{name} {bad}");
            }
        }
    }

    #[test]
    fn unknown_names_are_refused_and_nothing_changes() {
        let plain = QueueAttributes::new(false);
        for name in ["Foo", "QueueArn", "FifoQueue", "ContentBasedDeduplication", "ApproximateNumberOfMessages"] {
            let error = plain.with([("DelaySeconds", "5"), (name, "true")], true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidAttributeName, "{name}");
        }
        let error = plain.select(&["All", "Foo"], &observed()).unwrap_err();
        assert_eq!(error.message(), "Unknown Attribute Foo.");
    }

    #[test]
    fn fifo_attributes_belong_to_fifo_queues() {
        let fifo = QueueAttributes::new(true)
            .with([("FifoQueue", "true"), ("ContentBasedDeduplication", "true")], true)
            .unwrap();
        assert!(fifo.content_based_deduplication);
        assert!(fifo.with([("FifoQueue", "true")], false).is_err(), "cannot be set later");
        assert!(fifo.with([("FifoThroughputLimit", "perMessageGroupId")], false).is_err(), "needs the scope");
        let scoped = [("FifoThroughputLimit", "perMessageGroupId"), ("DeduplicationScope", "messageGroup")];
        assert!(fifo.with(scoped, false).unwrap().deduplicate_by_group);
        let shown = fifo.select(&["FifoQueue", "DeduplicationScope"], &observed()).unwrap();
        assert_eq!(shown, [("FifoQueue", "true".to_owned()), ("DeduplicationScope", "queue".to_owned())]);
    }

    #[test]
    fn all_returns_the_attributes_that_have_a_value() {
        let shown = QueueAttributes::new(false).select(&["All"], &observed()).unwrap();
        let value = |name| shown.iter().find(|(shown, _)| *shown == name).map(|(_, value)| value.as_str());
        assert_eq!(value("QueueArn"), Some("arn:q"));
        assert_eq!(value("ApproximateNumberOfMessagesNotVisible"), Some("2"));
        assert_eq!(value("CreatedTimestamp"), Some("1"));
        assert_eq!(value("VisibilityTimeout"), Some("30"));
        assert_eq!(value("RedrivePolicy"), None);
        assert_eq!(value("FifoQueue"), None);
        assert!(QueueAttributes::new(false).select(&[] as &[&str], &observed()).unwrap().is_empty());
    }
}
