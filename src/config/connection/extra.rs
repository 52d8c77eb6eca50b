//! The fields of `extra`. Errors are collected, so that all are reported at once.

use serde_json::{Map, Value};

/// A JSON object with the path to it, such as `extra.config_kwargs`.
pub(super) struct Fields<'a> {
    path: String,
    fields: Option<&'a Map<String, Value>>,
}

/// What is wrong so far, each line with the path of a field.
#[derive(Default)]
pub(super) struct Wrong(pub(super) Vec<String>);

impl Wrong {
    pub(super) fn add(&mut self, path: &str, why: &str) {
        self.0.push(format!("{path}: {why}"));
    }
}

impl<'a> Fields<'a> {
    pub(super) fn new(path: &str, fields: &'a Map<String, Value>) -> Self {
        Self { path: path.into(), fields: Some(fields) }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// The value of a field that is given and not null.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.fields?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.is_some_and(|fields| fields.contains_key(name))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.fields.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// Text that is not empty. Numbers are read as text: an id of digits in a URI's query is a number.
    pub(super) fn text(&self, name: &str, wrong: &mut Wrong) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                wrong.add(&self.path(name), "expected text");
                None
            }
        }
    }

    /// An object; without fields if there is none.
    pub(super) fn object(&self, name: &str, wrong: &mut Wrong) -> Fields<'a> {
        let fields = match self.value(name) {
            Some(Value::Object(fields)) => Some(fields),
            None => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(_) => {
                wrong.add(&self.path(name), "expected an object");
                None
            }
        };
        Fields { path: self.path(name), fields }
    }

    /// A list, each of its members read by `item`.
    pub(super) fn list<T>(
        &self,
        name: &str,
        expected: &str,
        wrong: &mut Wrong,
        item: impl Fn(&Value) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let items = value.as_array().and_then(|items| items.iter().map(item).collect::<Option<Vec<_>>>());
        items.unwrap_or_else(|| {
            wrong.add(&self.path(name), &format!("expected a list of {expected}"));
            Vec::new()
        })
    }
}
