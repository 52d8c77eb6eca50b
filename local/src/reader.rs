//! Reads options from a JSON object and collects all problems: the option, the value found, and the allowed values.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Invalid options: every problem with the option, the value found and the allowed values.
#[derive(Debug, thiserror::Error)]
#[error("{}", problems.join("; "))]
pub struct OptionsError {
    problems: Vec<String>,
}

impl OptionsError {
    /// One sentence for each problem, at least one.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        Self { problems: vec![format!("not JSON: {error}")] }
    }

    pub(crate) fn check(reader: Reader) -> Result<(), Self> {
        let problems = reader.finish();
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}

/// Takes the options out of one object. Options that remain at the end are unknown.
#[derive(Debug)]
pub(crate) struct Reader {
    path: String,
    fields: Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<String>,
}

impl Reader {
    /// Starts on `value`, which must be an object. `path` is its name in messages, empty for the outermost object.
    pub(crate) fn new(path: &str, value: Value) -> Self {
        let mut reader = Self { path: path.to_owned(), fields: Map::new(), known: Vec::new(), problems: Vec::new() };
        match value {
            Value::Object(fields) => reader.fields = fields,
            other => {
                let name = if path.is_empty() { "the options" } else { path };
                reader.problems.push(format!("{name}: expected an object, found {}", shown(&other)));
            }
        }
        reader
    }

    /// The value of an option, `None` if absent or null.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    /// Reads the object of that name with `read`, and adds its problems to ours.
    pub(crate) fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Reader) -> T) -> Option<T> {
        let value = self.take(name)?;
        Some(self.nested(name, value, read))
    }

    /// Reads an object that the caller has taken out, for example from a list.
    pub(crate) fn nested<T>(&mut self, name: &str, value: Value, read: impl FnOnce(&mut Reader) -> T) -> T {
        let mut inner = Reader::new(&self.full(name), value);
        let result = read(&mut inner);
        self.problems.extend(inner.finish());
        result
    }

    /// Reads each object of the list of that name with `read`. `items` describes the elements in messages.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        items: &str,
        mut read: impl FnMut(&mut Reader) -> T,
    ) -> Vec<T> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let Value::Array(list) = value else {
            self.refuse(name, &value, &format!("a list of {items}"));
            return Vec::new();
        };
        let item = format!("{name}[]");
        list.into_iter().map(|value| self.nested(&item, value, &mut read)).collect()
    }

    pub(crate) fn number(&mut self, name: &'static str, allowed: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(value) = self.take(name) else { return default };
        match value.as_u64().filter(|number| allowed.contains(number)) {
            Some(number) => number,
            None => {
                let what = format!("a whole number from {} to {}", allowed.start(), allowed.end());
                self.refuse(name, &value, &what);
                default
            }
        }
    }

    /// A probability.
    pub(crate) fn rate(&mut self, name: &'static str, default: f64) -> f64 {
        let Some(value) = self.take(name) else { return default };
        match value.as_f64().filter(|rate| (0.0..=1.0).contains(rate)) {
            Some(rate) => rate,
            None => {
                self.refuse(name, &value, "a number from 0 to 1");
                default
            }
        }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if !text.is_empty() => Some(text),
            other => {
                self.refuse(name, &other, "a string that is not empty");
                None
            }
        }
    }

    /// One of `choices`, by name.
    pub(crate) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)], default: T) -> T {
        let Some(value) = self.take(name) else { return default };
        let found = value.as_str().and_then(|text| choices.iter().find(|(choice, _)| *choice == text));
        match found {
            Some((_, choice)) => *choice,
            None => {
                let names: Vec<_> = choices.iter().map(|(choice, _)| format!("\"{choice}\"")).collect();
                self.refuse(name, &value, &names.join(" or "));
                default
            }
        }
    }

    /// An object of strings.
    pub(crate) fn text_map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        let Some(value) = self.take(name) else { return BTreeMap::new() };
        let texts = value.as_object().and_then(|object| {
            object.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        });
        texts.unwrap_or_else(|| {
            self.refuse(name, &value, "an object whose values are strings");
            BTreeMap::new()
        })
    }

    /// Records that option `name` does not allow `value`.
    pub(crate) fn refuse(&mut self, name: &str, value: &Value, allowed: &str) {
        self.problems.push(format!("{}: expected {allowed}, found {}", self.full(name), shown(value)));
    }

    /// Every problem found, unknown options included.
    pub(crate) fn finish(mut self) -> Vec<String> {
        for name in self.fields.keys() {
            let full = self.full(name);
            self.problems.push(format!("{full}: no such option; allowed are {}", self.known.join(", ")));
        }
        self.problems
    }

    fn full(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// A value as a message shows it, shortened.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_has_name_value_and_what_is_allowed() {
        let mut reader = Reader::new(
            "",
            json!({"port": 70_000, "rate": "x", "kind": 5, "nmae": 1, "inner": {"wait_ms": -1}, "env": {"A": 1}}),
        );
        assert_eq!(reader.number("port", 0..=65_535, 7), 7);
        assert_eq!(reader.rate("rate", 0.5), 0.5);
        assert_eq!(reader.choice("kind", &[("a", 1), ("b", 2)], 2), 2);
        assert_eq!(reader.object("inner", |inner| inner.number("wait_ms", 0..=10, 3)), Some(3));
        assert!(reader.text_map("env").is_empty());
        assert_eq!(
            reader.finish(),
            [
                "port: expected a whole number from 0 to 65535, found 70000",
                "rate: expected a number from 0 to 1, found \"x\"",
                "kind: expected \"a\" or \"b\", found 5",
                "inner.wait_ms: expected a whole number from 0 to 10, found -1",
                "env: expected an object whose values are strings, found {\"A\":1}",
                "nmae: no such option; allowed are port, rate, kind, inner, env",
            ]
        );
    }

    #[test]
    fn null_and_absent_are_the_default() {
        let mut reader = Reader::new("", json!({"port": null}));
        assert_eq!(reader.number("port", 1..=2, 2), 2);
        assert_eq!(reader.text("name"), None);
        assert!(reader.finish().is_empty());
    }

    #[test]
    fn other_values_than_objects_are_refused() {
        assert_eq!(Reader::new("faults", json!([1])).finish(), ["faults: expected an object, found [1]"]);
    }
}
