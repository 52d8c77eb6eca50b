//! The members of a JSON object, each decoded only when it is asked for, so that an unknown member can be anything. Text
//! with lone surrogates (Python writes them for bytes that are not UTF-8) is still text.

use crate::executor::message::Attempt;
use crate::executor::task::AttemptId;
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

/// An object's members, as written. Of a name that comes twice the last counts.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(HashMap<Text, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The error says what the text is instead, or where it stops being JSON.
    pub(super) fn read(json: &'a str) -> Result<Self, String> {
        let value: &RawValue = serde_json::from_str(json).map_err(|e| format!("not JSON: {e}"))?;
        Self::of(value).ok_or_else(|| "not a JSON object".into())
    }

    fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok().map(Self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// A member of that type.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// An object within.
    pub(super) fn part(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?)
    }

    /// The objects of a list; `None` where it is no list. What is no object in it is empty.
    pub(super) fn list(&self, name: &str) -> Option<Vec<Self>> {
        let members: Vec<&'a RawValue> = serde_json::from_str(self.raw(name)?.get()).ok()?;
        Some(members.into_iter().map(|member| Self::of(member).unwrap_or_default()).collect())
    }

    /// Text, empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.get::<Text>(name).map_or_else(String::new, |text| text.0)
    }

    /// A whole number, 0 where there is none.
    pub(super) fn integer(&self, name: &str) -> i64 {
        self.get(name).unwrap_or(0)
    }

    /// A Unix time in ms; 0 (not known) after the year 9999, where the date types of some languages overflow.
    pub(super) fn unix_ms(&self, name: &str) -> i64 {
        const END_OF_9999: i64 = 253_402_300_799_999;
        let time = self.integer(name);
        if (0..=END_OF_9999).contains(&time) { time } else { 0 }
    }

    pub(super) fn task_key(&self) -> Result<String, String> {
        match self.get::<Text>("task_key") {
            Some(key) => Ok(key.0),
            None => Err(format!("`task_key` is {}, not a string", self.kind("task_key"))),
        }
    }

    pub(super) fn attempt(&self) -> Attempt {
        match self.raw("attempt_id") {
            None => Attempt::Absent,
            Some(raw) if raw.get() == "null" => Attempt::Absent,
            Some(_) => AttemptId::parse(&self.text("attempt_id")).map_or(Attempt::Foreign, Attempt::Id),
        }
    }

    /// A member as it was written.
    pub(super) fn written(&self, name: &str) -> Option<&'a str> {
        self.raw(name).map(RawValue::get)
    }

    /// What a member is, for messages.
    pub(super) fn kind(&self, name: &str) -> &'static str {
        match self.raw(name).map(|raw| raw.get().as_bytes().first()) {
            None => "missing",
            Some(Some(b'n')) => "null",
            Some(Some(b't' | b'f')) => "a boolean",
            Some(Some(b'"')) => "a string",
            Some(Some(b'[')) => "a list",
            Some(Some(b'{')) => "an object",
            Some(_) => "a number",
        }
    }
}

/// A string; what is no character becomes U+FFFD.
#[derive(Debug, Default, Eq, Hash, PartialEq)]
struct Text(String);

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, since only then does serde_json let lone surrogates pass.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.into()))
    }
}
