//! JSON as the source of options: the members of an object, in order and as written. A name that is given twice appears
//! twice: the caller reports it, since only one of the two values could be used.

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// One member of the object, as written.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) text: Box<RawValue>,
}

/// The members of the object in `text`. The error follows the name of the text, as in "is empty", and
/// contains nothing of it.
pub(crate) fn read(text: &str) -> Result<Vec<Member>, String> {
    if text.trim_ascii().is_empty() {
        return Err("is empty (expected a JSON object)".into());
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.deserialize_any(Members).and_then(|members| parser.end().map(|()| members)).map_err(|error| {
        match error.classify() {
            serde_json::error::Category::Data => error.to_string(),
            _ => format!("is not JSON: {}", syntax_error(&error)),
        }
    })
}

/// What is wrong with the JSON and where, in place of `serde_json`'s terse words.
pub(crate) fn syntax_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let what = match what {
        "expected value" => "a value is expected there",
        "expected ident" => "only true, false and null are words",
        "EOF while parsing a value" | "EOF while parsing an object" | "EOF while parsing a list" => "it ends too early",
        "EOF while parsing a string" => "a string has no closing quote",
        "invalid escape" => "a string has a backslash without a valid escape after it",
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            "a string has half of a surrogate pair (\\uD800 to \\uDFFF come in twos)"
        }
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "a string has a raw control character (write it as an escape, such as \\n)"
        }
        "trailing characters" => "there is text after its end",
        "trailing comma" => "there is a comma before the closing bracket",
        "key must be a string" => "a name without quotes",
        other => other,
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
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
        Err(not_an_object("a boolean"))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(not_an_object("null"))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(not_an_object("a list"))
    }
}

fn not_an_object<E: serde::de::Error>(what: &str) -> E {
    E::custom(format_args!("is {what} (expected a JSON object)"))
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
    fn other_values_than_objects_are_named() {
        for (text, expected) in [
            ("", "is empty (expected a JSON object)"),
            (" \n", "is empty (expected a JSON object)"),
            ("5", "is a number (expected a JSON object)"),
            ("-5", "is a number (expected a JSON object)"),
            ("5.5", "is a number (expected a JSON object)"),
            ("\"a\"", "is a string (expected a JSON object)"),
            ("null", "is null (expected a JSON object)"),
            ("true", "is a boolean (expected a JSON object)"),
            ("[1]", "is a list (expected a JSON object)"),
        ] {
            let error = read(text).err().unwrap();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn bad_json_is_reported_with_its_place() {
        for (text, place) in [
            ("hello", "a value is expected there (line 1, column 1)"),
            ("{\n  \"a\": 1,\n}", "there is a comma before the closing bracket (line 3, column 1)"),
            ("{\"a\": tru}", "only true, false and null are words (line 1, column 10)"),
            ("{\"a\": \"x", "a string has no closing quote (line 1, column 8)"),
            ("{} {}", "there is text after its end (line 1, column 4)"),
            ("{\"a\": 1", "it ends too early (line 1, column 7)"),
            ("{a: 1}", "a name without quotes (line 1, column 2)"),
            (
                r#"{"\ud800": 1}"#,
                "a string has half of a surrogate pair (\\uD800 to \\uDFFF come in twos) (line 1, column 9)",
            ),
            (r#"{"\x": 1}"#, "a string has a backslash without a valid escape after it (line 1, column 4)"),
        ] {
            assert_eq!(read(text).err().unwrap(), format!("is not JSON: {place}"), "{text}");
        }
    }
}
