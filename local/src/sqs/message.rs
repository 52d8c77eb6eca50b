//! A message as sent: checked, then immutable. The queue holds its state.

use super::attribute::{AttributeValue, MessageAttribute};
use super::digest::Digest;
use super::errors::{ErrorKind, SqsError};

/// A message and a batch of them may have this many bytes, attributes included.
pub(super) const MAX_BYTES: usize = 1_048_576;

const MAX_ATTRIBUTES: usize = 10;
const MAX_NAME: usize = 256;

/// A checked message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) body_digest: Digest,
    /// Sorted by name, as their checksum needs them.
    pub(super) attributes: Vec<MessageAttribute>,
    pub(super) attributes_digest: Option<Digest>,
    /// Message group: a tenant in a standard queue, the unit of order in a FIFO queue.
    pub(super) group: Option<std::sync::Arc<str>>,
    /// FIFO queues only.
    pub(super) deduplication_id: Option<String>,
    /// System attribute `AWSTraceHeader`.
    pub(super) trace_header: Option<String>,
}

impl Message {
    pub(super) fn new(id: String, body: String, mut attributes: Vec<MessageAttribute>) -> Self {
        attributes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self {
            id,
            body_digest: Digest::of_text(&body),
            body,
            attributes_digest: Digest::of_attributes(attributes.iter()),
            attributes,
            group: None,
            deduplication_id: None,
            trace_header: None,
        }
    }
}

/// Bytes that count towards the limits.
pub(super) fn size(body: &str, attributes: &[MessageAttribute]) -> usize {
    body.len() + attributes.iter().map(MessageAttribute::size).sum::<usize>()
}

/// Rejects characters that SQS rejects in a body or a text attribute: control characters except tab, line feed and
/// carriage return, and the two non-characters U+FFFE and U+FFFF.
pub(super) fn check_characters(text: &str) -> Result<(), SqsError> {
    let bytes = text.as_bytes();
    let control = bytes.iter().any(|&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
    // Both are EF BF BE/BF in UTF-8; the byte EF is rare, so this is one pass of a fast search.
    let non_character =
        || bytes.windows(3).any(|three| three[0] == 0xef && three[1] == 0xbf && matches!(three[2], 0xbe | 0xbf));
    if control || (!text.is_ascii() && non_character()) {
        return Err(SqsError::new(
            ErrorKind::InvalidMessageContents,
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD \
             | #x10000 to #x10FFFF",
        ));
    }
    Ok(())
}

/// Checks names, types and values of a message's attributes.
pub(super) fn check_attributes(attributes: &[MessageAttribute]) -> Result<(), SqsError> {
    if attributes.len() > MAX_ATTRIBUTES {
        let n = attributes.len();
        return Err(SqsError::parameter(format!(
            "Number of message attributes [{n}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        )));
    }
    attributes.iter().try_for_each(check_attribute)
}

fn check_attribute(attribute: &MessageAttribute) -> Result<(), SqsError> {
    let MessageAttribute { name, data_type, value } = attribute;
    check_name(name)?;
    if data_type.is_empty() {
        return Err(SqsError::parameter(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        )));
    }
    let family = data_type.split('.').next().unwrap_or_default();
    let fits = match (family, value) {
        ("String" | "Number", AttributeValue::Text(text)) => !text.is_empty(),
        ("Binary", AttributeValue::Binary(bytes)) => !bytes.is_empty(),
        ("String" | "Number" | "Binary", _) => false,
        _ => {
            return Err(SqsError::parameter(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                 prefixes is Binary, Number, and String."
            )));
        }
    };
    if !fits {
        return Err(SqsError::parameter(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{data_type}'."
        )));
    }
    if data_type.len() > MAX_NAME {
        return Err(SqsError::parameter(format!(
            "The type of message attribute '{name}' must not be longer than {MAX_NAME} bytes."
        )));
    }
    if let AttributeValue::Text(text) = value {
        if family == "Number" && text.trim().parse::<f64>().is_err() {
            return Err(SqsError::parameter(format!(
                "Can't cast the value of message (user) attribute '{name}' to a number."
            )));
        }
        check_characters(text)?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), SqsError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(SqsError::parameter(format!(
            "The message attribute name '{name}' must have 1 to {MAX_NAME} characters."
        )));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
        return Err(SqsError::parameter(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), \
             hyphen (-), and period (.) characters."
        )));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(SqsError::parameter(format!(
            "The message attribute name '{name}' is invalid. Attribute name can not start or end with a period, nor \
             have successive periods."
        )));
    }
    let reserved = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if reserved("AWS.") || reserved("Amazon.") {
        return Err(SqsError::parameter(format!(
            "The message attribute name '{name}' starts with a prefix that is reserved for AWS."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_non_characters_are_refused() {
        for good in ["plain", "tab\tline\nreturn\r", "é", "\u{fffd}", "\u{10000}", "\u{e000}", "\u{7f}"] {
            assert!(check_characters(good).is_ok(), "{good:?}");
        }
        for bad in ["\0", "a\u{1}", "\u{1f}", "x\u{fffe}", "\u{ffff}"] {
            let error = check_characters(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidMessageContents, "{bad:?}");
        }
    }

    #[test]
    fn attributes_are_checked_one_by_one() {
        let good = [
            MessageAttribute::string("a.b-c_D1", "x"),
            MessageAttribute::number("n", "-1.5e3"),
            MessageAttribute { data_type: "Number.int".into(), ..MessageAttribute::number("i", "1") },
        ];
        assert_eq!(check_attributes(&good), Ok(()));
        let bad = [
            MessageAttribute::string("", "x"),
            MessageAttribute::string("a b", "x"),
            MessageAttribute::string(".a", "x"),
            MessageAttribute::string("a..b", "x"),
            MessageAttribute::string("aws.x", "x"),
            MessageAttribute::string("AMAZON.x", "x"),
            MessageAttribute::string("n".repeat(257), "x"),
            MessageAttribute::string("a", ""),
            MessageAttribute::string("a", "\u{1}"),
            MessageAttribute::number("n", "five"),
            MessageAttribute { data_type: String::new(), ..MessageAttribute::string("a", "x") },
            MessageAttribute { data_type: "Text".into(), ..MessageAttribute::string("a", "x") },
            MessageAttribute { data_type: "Binary".into(), ..MessageAttribute::string("a", "x") },
        ];
        for attribute in bad {
            assert!(check_attributes(std::slice::from_ref(&attribute)).is_err(), "{attribute:?}");
        }
    }

    #[test]
    fn ten_attributes_are_the_most() {
        let many: Vec<_> = (0..11).map(|n| MessageAttribute::string(format!("a{n}"), "x")).collect();
        assert!(check_attributes(&many[..10]).is_ok());
        assert!(check_attributes(&many).is_err());
    }

    #[test]
    fn size_counts_names_types_and_values() {
        assert_eq!(size("body", &[MessageAttribute::string("ab", "xyz")]), 4 + 2 + 6 + 3);
    }
}
