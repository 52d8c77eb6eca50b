//! Why a value is not accepted, without the value: whether and how that is shown depends on where it was written.

/// Characters of a wrong value that its error repeats.
const SHOWN_CHARS: usize = 80;

/// Why a value is not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wrong {
    /// Words that follow the value, as in "`x` is a name". Empty if saying what is allowed is enough.
    pub(crate) why: String,
    /// True: the words stand alone, since the value may hold a secret or shows nothing.
    pub(crate) hidden: bool,
}

impl Wrong {
    /// Shown after the value.
    pub(crate) fn value(why: impl Into<String>) -> Self {
        Self { why: why.into(), hidden: false }
    }

    /// Shown without the value.
    pub(crate) fn hidden(why: impl Into<String>) -> Self {
        Self { why: why.into(), hidden: true }
    }

    /// The same, of a value after variables and references in it were replaced.
    pub(crate) fn of_expanded(self) -> Self {
        let joint = if self.why.is_empty() { "" } else { ": " };
        Self { why: format!("once expanded{joint}{}", self.why), ..self }
    }

    /// Without words: saying what is allowed is enough.
    pub(crate) fn unexpected() -> Self {
        Self::value("")
    }
}

/// A text as errors repeat it: shortened, in one line.
pub(crate) fn shown(text: &str) -> String {
    let cut = text.char_indices().nth(SHOWN_CHARS).map(|(end, _)| end);
    let mut shown = String::new();
    for letter in text[..cut.unwrap_or(text.len())].chars() {
        if letter.is_control() {
            shown.extend(letter.escape_debug());
        } else {
            shown.push(letter);
        }
    }
    if cut.is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn shown_text_is_short_and_one_line() {
        assert_eq!(shown("a\nb\t\u{1b}[31m\"é"), "a\\nb\\t\\u{1b}[31m\"é");
        assert_eq!(shown(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shown(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
