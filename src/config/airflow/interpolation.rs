//! `%(name)s` and `%%` in the values of `airflow.cfg`: the basic interpolation of Python's `configparser`.

/// Python's limit.
const DEEPEST: usize = 10;
/// Limits of our own: references can multiply with every level, in length, or in time only if their values are empty.
const MOST_BYTES: usize = 1 << 17;
const MOST_REFERENCES: usize = 10_000;

/// The value with its references replaced; `look_up` returns other options of the section. The error follows the value,
/// and shows nothing of a replacement.
pub(super) fn interpolate<'a>(text: &str, look_up: impl Fn(&str) -> Option<&'a String>) -> Result<String, String> {
    let mut work = Work { look_up, done: String::new(), references: 0 };
    work.add(text, 1)?;
    Ok(work.done)
}

struct Work<F> {
    look_up: F,
    done: String,
    references: usize,
}

impl<'a, F: Fn(&str) -> Option<&'a String>> Work<F> {
    fn add(&mut self, text: &str, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("refers to options that refer to others more than {DEEPEST} levels deep"));
        }
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            self.done.push_str(before);
            if self.done.len() > MOST_BYTES {
                return Err("refers to options that make it too long".into());
            }
            if let Some(after) = after.strip_prefix('%') {
                self.done.push('%');
                rest = after;
            } else if let Some(name) = after.strip_prefix('(') {
                let Some((name, after)) = name.split_once(')').filter(|(name, _)| !name.is_empty()) else {
                    return Err("has a `%(` without a name and `)s` after it".into());
                };
                rest = after.strip_prefix('s').ok_or("has a `%(name)` without the `s` at its end")?;
                self.refer(name, depth)?;
            } else {
                return Err("has a `%` with neither `%` nor `(name)s` after it (write `%%` for a percent sign)".into());
            }
        }
        self.done.push_str(rest);
        Ok(())
    }

    fn refer(&mut self, name: &str, depth: usize) -> Result<(), String> {
        self.references += 1;
        if self.references > MOST_REFERENCES {
            return Err(format!("takes more than {MOST_REFERENCES} references to other options"));
        }
        let value = (self.look_up)(name).ok_or_else(|| {
            format!("refers to `{}`, which is neither in its section nor in [DEFAULT]", name.escape_debug())
        })?;
        // As in Python, a value without a `%` is not counted as a level.
        if value.contains('%') {
            self.add(value, depth + 1)
        } else {
            self.done.push_str(value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn interpolated(text: &str, others: &[(&str, &str)]) -> Result<String, String> {
        let others: HashMap<&str, String> = others.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        interpolate(text, |name| others.get(name))
    }

    #[test]
    fn references_are_replaced() {
        let others = [("a", "1"), ("b", "%(a)s%%"), ("Case", "2"), ("with space", "3")];
        for (text, expected) in [
            ("plain", "plain"),
            ("100%%", "100%"),
            ("%%(a)s", "%(a)s"),
            ("%(a)s-%(a)s", "1-1"),
            ("%(b)s", "1%"),
            ("%(Case)s %(with space)s", "2 3"),
        ] {
            assert_eq!(interpolated(text, &others).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn invalid_references_are_errors() {
        for (text, expected) in [
            ("%", "has a `%` with neither"),
            ("100% x", "has a `%` with neither"),
            ("%()s", "has a `%(` without a name"),
            ("%(a", "has a `%(` without a name"),
            ("%(a)", "has a `%(name)` without the `s`"),
            ("%(none)s", "refers to `none`, which is neither in its section nor in [DEFAULT]"),
            ("%(A)s", "refers to `A`, which"),
        ] {
            let error = interpolated(text, &[("a", "1")]).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn references_to_empty_values_are_limited_in_number() {
        let names: Vec<String> = (0..9).map(|i| format!("n{i}")).collect();
        let many: Vec<(&str, String)> =
            names.iter().zip(1..).map(|(name, next)| (name.as_str(), format!("%(n{next})s").repeat(100))).collect();
        let mut many: Vec<(&str, &str)> = many.iter().map(|(name, text)| (*name, text.as_str())).collect();
        many.push(("n9", ""));
        assert_eq!(interpolated("%(n8)s", &many).as_deref(), Ok(""));
        assert!(interpolated("%(n0)s", &many).unwrap_err().contains("takes more than 10000 references"));
    }

    #[test]
    fn depth_and_length_are_limited() {
        let names: Vec<String> = (0..12).map(|i| format!("n{i}")).collect();
        let chain: Vec<(String, String)> =
            names.windows(2).map(|pair| (pair[0].clone(), format!("%({})s%%", pair[1]))).collect();
        let mut chain: Vec<(&str, &str)> = chain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        chain.push(("n11", "%%"));
        // As in Python, the value itself is the first level, and the tenth may still refer to another.
        assert!(interpolated("%(n3)s", &chain).is_ok());
        assert!(interpolated("%(n2)s", &chain).unwrap_err().contains("levels deep"));
        chain.retain(|(name, _)| *name != "n11");
        chain.push(("n11", "plain"));
        assert!(interpolated("%(n2)s", &chain).is_ok());
        assert!(interpolated("%(n1)s", &chain).is_err());
        assert!(interpolated("%(a)s", &[("a", "%(a)s")]).unwrap_err().contains("levels deep"));

        let twice = [("a", "%(b)s".repeat(40)), ("b", "%(c)s".repeat(400)), ("c", "%%".repeat(400))];
        let twice: Vec<(&str, &str)> = twice.iter().map(|(a, b)| (*a, b.as_str())).collect();
        assert!(interpolated("%(a)s", &twice).unwrap_err().contains("too long"));
    }
}
