//! The format of `airflow.cfg`, as Python's `configparser` reads it for Airflow: `=` or `:` after the name,
//! case-sensitive names, comments only as whole lines of `#` and `;`, values continued by deeper indented and empty
//! lines, and no duplicates. Errors name the line and show nothing of it: Airflow keeps passwords in this file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The section with values for options that another section lacks.
const DEFAULT: &str = "DEFAULT";
/// Further ones are only counted.
const MOST_PROBLEMS: usize = 20;

/// The sections, values not yet interpolated.
#[derive(Default)]
pub(super) struct Cfg {
    sections: HashMap<String, HashMap<String, Value>>,
}

struct Value {
    text: String,
    line: usize,
}

/// A value, and the section it was found in: the requested one or `[DEFAULT]`.
pub(super) struct Found<'a> {
    pub(super) text: &'a String,
    pub(super) line: usize,
    pub(super) section: &'a str,
}

impl Cfg {
    /// Reads the text of a file. Errors follow its path.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut reader = Reader::default();
        for (line, number) in lines(text).zip(1..) {
            if !reader.take(line, number) {
                break;
            }
        }
        reader.finish()
    }

    /// An option of a section, else of `[DEFAULT]`; `None` if the section does not exist.
    pub(super) fn find<'a>(&'a self, section: &'a str, option: &str) -> Option<Found<'a>> {
        let of = |section: &'a str| {
            let value = self.sections.get(section)?.get(option)?;
            Some(Found { text: &value.text, line: value.line, section })
        };
        self.sections.get(section)?;
        of(section).or_else(|| of(DEFAULT))
    }
}

/// Only the names of sections: their contents may be secret.
impl std::fmt::Debug for Cfg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.sections.keys()).finish()
    }
}

/// Lines as Python splits text files: ended by `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').flat_map(|piece| {
        let line = piece.strip_suffix('\n').unwrap_or(piece);
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r')
    })
}

/// White space for Python's `str.strip`.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

#[derive(Default)]
struct Reader {
    cfg: Cfg,
    section: Option<String>,
    option: Option<String>,
    indent: usize,
    problems: Vec<String>,
}

impl Reader {
    /// Takes one line; false if reading should stop.
    fn take(&mut self, line: &str, number: usize) -> bool {
        let text = line.trim_matches(is_space);
        if text.starts_with(['#', ';']) {
            return true;
        }
        if text.is_empty() {
            self.more("");
            return true;
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if indent > self.indent && self.more(text) {
            return true;
        }
        self.indent = indent;
        if let Some(name) = header(text) {
            self.begin(name, number);
            true
        } else if self.section.is_none() {
            let mark = if text.starts_with('\u{feff}') { " (the file begins with a byte order mark)" } else { "" };
            self.problem(number, &format!("stands before the first [section]{mark}"));
            false
        } else {
            self.set(text, number);
            true
        }
    }

    /// Adds a line to the current value; false if there is no value.
    fn more(&mut self, text: &str) -> bool {
        let (Some(section), Some(option)) = (&self.section, &self.option) else { return false };
        let value = self.cfg.sections.get_mut(section).and_then(|section| section.get_mut(option));
        if let Some(value) = value {
            value.text.push('\n');
            value.text.push_str(text);
        }
        true
    }

    fn begin(&mut self, name: &str, number: usize) {
        self.option = None;
        self.section = Some(name.to_owned());
        match self.cfg.sections.entry(name.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(HashMap::new());
            }
            // The only section that may appear twice.
            Entry::Occupied(_) if name == DEFAULT => {}
            Entry::Occupied(_) => self.problem(number, &format!("section [{}] appears twice", name.escape_debug())),
        }
    }

    fn set(&mut self, text: &str, number: usize) {
        let Some((name, value)) = text.split_once(['=', ':']) else {
            return self.problem(number, "is neither `name = value` nor a [section]");
        };
        let name = name.trim_end_matches(is_space);
        let Some(section) = self.section.clone().filter(|_| !name.is_empty()) else {
            return self.problem(number, "has no name before its value");
        };
        let options = self.cfg.sections.entry(section.clone()).or_default();
        match options.entry(name.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(Value { text: value.trim_start_matches(is_space).to_owned(), line: number });
                self.option = Some(name.to_owned());
            }
            Entry::Occupied(entry) => {
                let (name, first) = (name.escape_debug(), entry.get().line);
                let line = format!("`{name}` is in [{}] twice, first in line {first}", section.escape_debug());
                self.problem(number, &line);
            }
        }
    }

    fn problem(&mut self, number: usize, line: &str) {
        self.problems.push(format!(":{number}: {line}"));
    }

    fn finish(mut self) -> Result<Cfg, Vec<String>> {
        if self.problems.len() > MOST_PROBLEMS {
            let more = self.problems.len() - MOST_PROBLEMS;
            self.problems.truncate(MOST_PROBLEMS);
            self.problems.push(format!(": and {more} more of this kind"));
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        for value in self.cfg.sections.values_mut().flat_map(HashMap::values_mut) {
            // Empty lines at the end are not part of the value.
            let len = value.text.trim_end_matches(is_space).len();
            value.text.truncate(len);
        }
        Ok(self.cfg)
    }
}

/// The name in `[name]`, up to the last bracket; what follows is ignored, as in Python.
fn header(text: &str) -> Option<&str> {
    let name = &text.strip_prefix('[')?[..text.rfind(']')?.checked_sub(1)?];
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, section: &str, option: &str) -> Option<String> {
        Cfg::parse(text).unwrap().find(section, option).map(|found| found.text.clone())
    }

    fn problems(text: &str) -> Vec<String> {
        Cfg::parse(text).err().unwrap()
    }

    #[test]
    fn options_are_read_in_all_forms() {
        for (text, expected) in [
            ("[s]\nx=1", "1"),
            ("[s]\nx : 1", "1"),
            ("[s]\r\nx = 1\r\n", "1"),
            ("[s]\rx = 1\r", "1"),
            ("[s]\n  x   =   1  ", "1"),
            ("[s]\nx = a=b:c", "a=b:c"),
            ("[s]\nx = \x1c1\u{3000}\x1f", "1"),
            ("[s]\nx =", ""),
            ("[s]\nx = 1 # no comment\n", "1 # no comment"),
            ("# a\n; b\n\n[s] # ignored\n   # c\nx = 1\n", "1"),
            ("[s]\nx = a\n  b\n\n    c\n\n\n[t]\ny = 1", "a\nb\n\nc"),
            ("[s]\nx = a\n  # comment\n  b", "a\nb"),
            ("[s]\nx =\n  a\n", "\na"),
            ("[s]\nx = a\n  [t]\n  y = 1", "a\n[t]\ny = 1"),
            ("[s]\n  x = a\n  y = b\n", "a"),
            ("[s]\nx = 1\nX = 2\n", "1"),
        ] {
            assert_eq!(value(text, "s", "x").as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn defaults_are_used_in_existing_sections() {
        let text = "[DEFAULT]\nx = 1\n[s]\ny = 2\n[DEFAULT]\nz = 3\n";
        assert_eq!(value(text, "s", "x").as_deref(), Some("1"));
        assert_eq!(value(text, "s", "z").as_deref(), Some("3"));
        assert_eq!(value(text, "t", "x"), None);
        let cfg = Cfg::parse(text).unwrap();
        assert_eq!((cfg.find("s", "x").unwrap().section, cfg.find("s", "x").unwrap().line), ("DEFAULT", 2));
    }

    #[test]
    fn names_have_brackets_and_case() {
        assert_eq!(value("[a]b]\nx = 1", "a]b", "x").as_deref(), Some("1"));
        assert_eq!(value("[ s ]\nx = 1", " s ", "x").as_deref(), Some("1"));
        assert_eq!(value("[S]\nx = 1", "s", "x"), None);
        assert_eq!(value("[s]\nX = 1", "s", "x"), None);
        assert_eq!(value("[t=s]\nx = 1", "t=s", "x").as_deref(), Some("1"));
    }

    #[test]
    fn errors_name_the_line_without_its_text() {
        assert_eq!(
            problems("[s]\nx = 1\nsecret\n= secret\nx = secret\n[s]\n[]\n"),
            [
                ":3: is neither `name = value` nor a [section]",
                ":4: has no name before its value",
                ":5: `x` is in [s] twice, first in line 2",
                ":6: section [s] appears twice",
                ":7: is neither `name = value` nor a [section]",
            ]
        );
        assert_eq!(problems("\nx = secret\n[s]"), [":2: stands before the first [section]"]);
        assert!(problems("\u{feff}[s]\nx = 1")[0].contains("byte order mark"));
        let many = problems(&format!("[s]\n{}", "x\n".repeat(50)));
        assert_eq!((many.len(), many[20].as_str()), (21, ": and 30 more of this kind"));
    }

    #[test]
    fn debugging_shows_names_of_sections_only() {
        assert_eq!(format!("{:?}", Cfg::parse("[s]\nx = secret").unwrap()), r#"{"s"}"#);
    }
}
