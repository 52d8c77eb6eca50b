//! Booleans and numbers in the spellings that Airflow accepts.

use super::cfg::is_space;

/// `t`, `true`, `1`, `f`, `false`, `0` in any case; what follows a `#` is a comment.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let word = text.split('#').next().unwrap_or_default().trim_matches(is_space);
    match word.to_ascii_lowercase().as_str() {
        "t" | "true" | "1" => Some(true),
        "f" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// What Python's `int` accepts (`3`, `+3`, `03`, `1_000`), or its `float` if the number is whole (`3.0`, `3e2`).
/// Numbers beyond `u64` become its greatest value; negative numbers are `None`.
pub(crate) fn integer(text: &str) -> Option<u64> {
    let text = text.trim_matches(is_space);
    let digit = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let letters = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'_' | b'+' | b'-' | b'.' | b'e' | b'E');
    let well_placed = |(at, _)| digit(usize::checked_sub(at, 1)) && digit(Some(at + 1));
    if !text.bytes().all(letters) || !text.match_indices('_').all(well_placed) {
        return None;
    }
    let number: f64 = text.replace('_', "").parse().ok()?;
    // Exact up to 2^53, far beyond the range of every option; `as` saturates.
    (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_have_six_spellings() {
        for (text, expected) in [
            ("True", Some(true)),
            (" t ", Some(true)),
            ("1", Some(true)),
            ("FALSE", Some(false)),
            ("f", Some(false)),
            ("0 # never", Some(false)),
            ("yes", None),
            ("on", None),
            ("01", None),
            ("1.0", None),
            ("", None),
            ("# true", None),
        ] {
            assert_eq!(boolean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        for (text, expected) in [
            ("3", 3),
            (" 3\n", 3),
            ("+3", 3),
            ("007", 7),
            ("1_000", 1_000),
            ("3.0", 3),
            ("3.", 3),
            ("1e3", 1_000),
            ("1_0.0", 10),
            ("-0", 0),
            ("99999999999999999999999", u64::MAX),
        ] {
            assert_eq!(integer(text), Some(expected), "{text:?}");
        }
        for text in [
            "", " ", "3.5", "-1", "abc", "3 4", "_3", "3_", "1__0", "1_.0", "1e1_", "inf", "nan", "0x10", "3s", "--3",
            ".",
        ] {
            assert_eq!(integer(text), None, "{text:?}");
        }
        // Infinite as a floating point number, which is an error in Python too.
        assert_eq!(integer("1e400"), None);
    }
}
