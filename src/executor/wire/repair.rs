//! Results that are almost JSON. Handlers that paste output into a text by hand write raw control characters and escapes
//! that JSON does not know; the outcome of the task is in the message all the same.

/// The text with raw control characters in strings escaped, and each backslash that starts no escape doubled. `None` if
/// there was nothing to repair.
pub(super) fn strings(text: &str) -> Option<String> {
    let mut repaired = String::with_capacity(text.len() + 16);
    let mut in_string = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let tail = &rest[character.len_utf8()..];
        match character {
            '"' => {
                in_string = !in_string;
                repaired.push('"');
            }
            '\\' if in_string => {
                let escape = escape_length(tail);
                if escape == 0 {
                    repaired.push_str("\\\\");
                } else {
                    repaired.push('\\');
                    repaired.push_str(&tail[..escape]);
                }
                rest = &tail[escape..];
                continue;
            }
            '\0'..='\u{1f}' if in_string => repaired.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => repaired.push(character),
        }
        rest = tail;
    }
    (repaired != text).then_some(repaired)
}

/// Length of the escape that follows a backslash; 0 if none does.
fn escape_length(tail: &str) -> usize {
    match tail.as_bytes() {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
        [b'u', a, b, c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => 5,
        _ => 0,
    }
}

/// The text of the first member of that name, where it is a string without escapes. For text that is not JSON.
pub(super) fn find_text<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("\"{name}\""))?;
    let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.split_once('"').map(|(found, _)| found).filter(|found| !found.contains('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correct_json_needs_no_repair() {
        assert_eq!(strings(r#"{"a": "\u00e4\n\\ \"", "b": 1}"#), None);
        assert_eq!(strings("{\n\t\"a\": 1}"), None, "white space between tokens is not in a string");
    }

    #[test]
    fn only_what_json_forbids_is_changed() {
        assert_eq!(strings("{\"a\": \"x\ny\"}").as_deref(), Some(r#"{"a": "x\u000ay"}"#));
        assert_eq!(strings(r#"{"a": "\x \u12"}"#).as_deref(), Some(r#"{"a": "\\x \\u12"}"#));
        assert_eq!(strings("\"\\").as_deref(), Some("\"\\\\"));
    }

    #[test]
    fn a_member_is_found_in_text_that_is_cut_off() {
        assert_eq!(find_text(r#"{"attempt_id" : "abc", "x": "#, "attempt_id"), Some("abc"));
        assert_eq!(find_text(r#"{"attempt_id": 7}"#, "attempt_id"), None);
        assert_eq!(find_text(r#"{"attempt_id": "ab"#, "attempt_id"), None);
    }
}
