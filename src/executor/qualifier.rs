//! What can name a version of a function.

/// What is accepted, for people.
pub const QUALIFIERS: &str = "a version number, an alias, or $LATEST";

/// True for a version, an alias, or `$LATEST`.
pub fn is_qualifier(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text == "$LATEST" || ((1..=128).contains(&text.len()) && text.bytes().all(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_aliases_and_the_latest_are_qualifiers() {
        for text in ["7", "live", "a-b_c", "$LATEST"] {
            assert!(is_qualifier(text), "{text}");
        }
        for text in ["", "$latest", "a b", "a:b", &"x".repeat(129)] {
            assert!(!is_qualifier(text), "{text}");
        }
    }
}
