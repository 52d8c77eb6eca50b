//! The members of a JSON object, each decoded only when it is asked for, so that an unknown member can be anything. Text
//! with lone surrogates (Python writes them for bytes that are not UTF-8) is still text.

use crate::executor::message::Attempt;
use crate::executor::task::AttemptId;
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An object's members, as written. Of a name that comes twice the last counts. Results have a dozen, which are found
/// faster one by one than by a hash.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The error says what the text is instead, or where it stops being JSON.
    pub(super) fn read(json: &'a str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|_| match serde_json::from_str::<&RawValue>(json) {
            Ok(_) => "not a JSON object".into(),
            Err(error) => format!("not JSON: {error}"),
        })
    }

    fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, value)| *value)
    }

    /// A member of that type; see [`Self::text`] for text.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// An object within.
    pub(super) fn part(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?)
    }

    /// The objects of a list, read one after another; `None` where it is no list. What is no object in it is empty.
    pub(super) fn list(&self, name: &str) -> Option<impl Iterator<Item = Self> + use<'a>> {
        let members: Vec<&'a RawValue> = serde_json::from_str(self.raw(name)?.get()).ok()?;
        Some(members.into_iter().map(|member| Self::of(member).unwrap_or_default()))
    }

    /// Text, empty where there is none.
    pub(super) fn text(&self, name: &str) -> Cow<'a, str> {
        self.given_text(name).unwrap_or_default()
    }

    fn given_text(&self, name: &str) -> Option<Cow<'a, str>> {
        serde_json::from_str::<Text<'a>>(self.raw(name)?.get()).ok().map(|text| text.0)
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

    pub(super) fn task_key(&self) -> Result<Cow<'a, str>, String> {
        self.given_text("task_key").ok_or_else(|| format!("`task_key` is {}, not a string", self.kind("task_key")))
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

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Members of a result.
const LIKELY: usize = 16;

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Fields<'de>, M::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = members.next_entry::<Text<'de>, &RawValue>()? {
            if fields.is_empty() {
                fields.reserve(LIKELY);
            }
            fields.push((name.0, value));
        }
        Ok(Fields(fields))
    }
}

/// A string; what is no character becomes U+FFFD.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, since only then does serde_json let lone surrogates pass.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
        Ok(Text(String::from_utf8_lossy(bytes)))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
        Ok(Text(String::from_utf8_lossy(bytes).into_owned().into()))
    }
}
