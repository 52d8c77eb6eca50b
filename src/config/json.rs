//! JSON as the source of options: what was written under each name, in order. Names that come twice are told, since
//! only one of the two values could win and the reader cannot see which.

use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One member of the object, as written.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) text: Box<RawValue>,
}

/// The members of the object in `text`, or one line that says why there is none.
pub(crate) fn read(text: &str) -> Result<Vec<Member>, String> {
    if text.trim_ascii().is_empty() {
        return Err("the configuration is empty (expected a JSON object)".into());
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.deserialize_any(Members).and_then(|members| parser.end().map(|()| members)).map_err(|error| {
        match error.classify() {
            serde_json::error::Category::Data => error.to_string(),
            _ => format!("the configuration is not JSON: {error}"),
        }
    })
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object of options")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        while let Some((name, text)) = map.next_entry::<String, Box<RawValue>>()? {
            members.push(Member { name, text });
        }
        Ok(members)
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(not_an_object("a string"))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(not_an_object("a number"))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(not_an_object("a number"))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(not_an_object("a number"))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(not_an_object("true or false"))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(not_an_object("null"))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(A::Error::custom("the configuration is a list (expected a JSON object)"))
    }
}

fn not_an_object<E: serde::de::Error>(what: &str) -> E {
    E::custom(format_args!("the configuration is {what} (expected a JSON object)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_and_as_written() {
        let members = read(r#" {"b": {"x" : 1}, "a": 3.0, "b": null} "#).unwrap();
        let seen: Vec<_> = members.iter().map(|m| (m.name.as_str(), m.text.get())).collect();
        assert_eq!(seen, [("b", r#"{"x" : 1}"#), ("a", "3.0"), ("b", "null")]);
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (text, expected) in [
            ("", "the configuration is empty (expected a JSON object)"),
            (" \n", "the configuration is empty (expected a JSON object)"),
            ("5", "the configuration is a number (expected a JSON object)"),
            ("-5", "the configuration is a number (expected a JSON object)"),
            ("5.5", "the configuration is a number (expected a JSON object)"),
            ("\"a\"", "the configuration is a string (expected a JSON object)"),
            ("null", "the configuration is null (expected a JSON object)"),
            ("true", "the configuration is true or false (expected a JSON object)"),
            ("[1]", "the configuration is a list (expected a JSON object)"),
        ] {
            let error = read(text).err().unwrap();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn bad_json_is_told_with_its_place() {
        for (text, place) in [
            ("{\n  \"a\": 1,\n}", "line 3 column 1"),
            ("{\"a\": tru}", "line 1 column"),
            ("{} {}", "line 1 column 4"),
            ("{\"a\": 1", "line 1 column 7"),
        ] {
            let error = read(text).err().unwrap();
            assert!(error.starts_with("the configuration is not JSON: "), "{error}");
            assert!(error.contains(place), "{text}: {error}");
        }
    }
}
