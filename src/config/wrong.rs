//! What is wrong with a value, apart from the value: whether it is shown, and how, depends on where it was written.

/// So much of a wrong value is repeated in its error.
const SHOWN_CHARS: usize = 80;

/// Why a value is not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wrong {
    /// In words that follow the value, as in "`x` is a name"; empty if there is no more to say than what is allowed.
    pub(crate) why: String,
    /// True: the words stand alone, since the value may hold a secret or is not worth showing.
    pub(crate) hidden: bool,
}

impl Wrong {
    /// Said after the value.
    pub(crate) fn value(why: impl Into<String>) -> Self {
        Self { why: why.into(), hidden: false }
    }

    /// Said without the value.
    pub(crate) fn hidden(why: impl Into<String>) -> Self {
        Self { why: why.into(), hidden: true }
    }

    /// The same of what came out when variables and references were put in place.
    pub(crate) fn of_expanded(self) -> Self {
        let joint = if self.why.is_empty() { "" } else { ": " };
        Self { why: format!("once expanded{joint}{}", self.why), ..self }
    }

    /// Nothing to say but what is allowed.
    pub(crate) fn unexpected() -> Self {
        Self::value("")
    }
}

/// So much of a text as errors repeat, in one line.
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
    fn what_is_shown_is_short_and_one_line() {
        assert_eq!(shown("a\nb\t\u{1b}[31m\"é"), "a\\nb\\t\\u{1b}[31m\"é");
        assert_eq!(shown(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shown(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
