//! The redrive policy: how often a message is received before it moves to the dead letter queue.

use super::errors::SqsError;
use serde::Deserialize;

/// A queue's `RedrivePolicy`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RedrivePolicy {
    pub(super) target_arn: String,
    /// 1 to 1000. After this number of receives, the next attempt to receive a message moves it.
    pub(super) max_receive_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    dead_letter_target_arn: Option<String>,
    max_receive_count: Option<Count>,
}

/// AWS accepts the number with and without quotes, and templates use both.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(i64),
    Text(String),
}

impl RedrivePolicy {
    /// Reads the attribute; an empty value or object removes the policy.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, SqsError> {
        let refuse = |reason: &str| SqsError::value(text, "RedrivePolicy", reason);
        if text.trim().is_empty() {
            return Ok(None);
        }
        let raw: Raw = serde_json::from_str(text).map_err(|_| refuse("Redrive policy is not a valid JSON map."))?;
        if raw.dead_letter_target_arn.is_none() && raw.max_receive_count.is_none() {
            return Ok(None);
        }
        let target_arn = raw
            .dead_letter_target_arn
            .ok_or_else(|| refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
        let count = match raw.max_receive_count {
            Some(Count::Number(number)) => Some(number),
            Some(Count::Text(digits)) => digits.parse().ok(),
            None => return Err(refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.")),
        };
        match count.and_then(|count| u32::try_from(count).ok()) {
            Some(max_receive_count @ 1..=1000) => Ok(Some(Self { target_arn, max_receive_count })),
            _ => Err(refuse("Invalid value for maxReceiveCount: must be an integer between 1 and 1000.")),
        }
    }

    /// The attribute's text.
    pub(super) fn render(&self) -> String {
        serde_json::json!({
            "deadLetterTargetArn": self.target_arn,
            "maxReceiveCount": self.max_receive_count,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_written() {
        for count in ["3", "\"3\""] {
            let text = format!(r#"{{"deadLetterTargetArn":"arn:x","maxReceiveCount":{count}}}"#);
            let policy = RedrivePolicy::parse(&text).unwrap().unwrap();
            assert_eq!(policy, RedrivePolicy { target_arn: "arn:x".into(), max_receive_count: 3 });
            assert_eq!(policy.render(), r#"{"deadLetterTargetArn":"arn:x","maxReceiveCount":3}"#);
        }
        assert_eq!(RedrivePolicy::parse(""), Ok(None));
        assert_eq!(RedrivePolicy::parse("{}"), Ok(None));
    }

    #[test]
    fn what_is_missing_or_out_of_range_is_refused() {
        for bad in [
            "nonsense",
            "5",
            r#"{"deadLetterTargetArn":"a"}"#,
            r#"{"maxReceiveCount":1}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":0}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":1001}"#,
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":"x"}"#,
        ] {
            assert!(RedrivePolicy::parse(bad).is_err(), "{bad}");
        }
    }
}
