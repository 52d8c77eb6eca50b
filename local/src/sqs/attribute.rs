//! Attributes of messages, as sent.

use bytes::Bytes;

/// One attribute of a message, as sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageAttribute {
    /// Up to 256 letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// `String`, `Number` or `Binary`, optionally with a custom label: `Number.int`.
    pub data_type: String,
    /// The value, never empty.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AttributeValue {
    /// Value of the types `String` and `Number`.
    Text(String),
    /// Value of the type `Binary`.
    Binary(Bytes),
}

impl MessageAttribute {
    /// An attribute of type `String`.
    pub fn string(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), data_type: "String".into(), value: AttributeValue::Text(value.into()) }
    }

    /// An attribute of type `Number`; the value is its decimal text.
    pub fn number(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), data_type: "Number".into(), value: AttributeValue::Text(value.into()) }
    }

    /// Bytes that count towards the limits.
    pub(super) fn size(&self) -> usize {
        let value = match &self.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Binary(bytes) => bytes.len(),
        };
        self.name.len() + self.data_type.len() + value
    }
}
