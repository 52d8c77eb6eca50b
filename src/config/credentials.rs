//! Credentials as the host gives them: option `credentials`, and `lambda_executor_set_credentials`.

use super::json;
use crate::aws::Keys;

const ALLOWED: &str = "access_key_id, secret_access_key, session_token";

/// Reads a JSON object with `access_key_id`, `secret_access_key` and optionally `session_token`.
///
/// # Errors
///
/// What is wrong, without anything of a value: values are secrets.
pub fn read(text: &str) -> Result<Keys, String> {
    let members = json::read(text).map_err(|line| format!("the text {line}"))?;
    let (mut id, mut secret, mut token) = (None, None, None);
    for member in members {
        let (name, field) = match member.name.as_str() {
            "access_key_id" => ("access_key_id", &mut id),
            "secret_access_key" => ("secret_access_key", &mut secret),
            "session_token" => ("session_token", &mut token),
            // Without the name: where a key was written in its place, it is a secret.
            _ => return Err(format!("there is an unknown name (expected {ALLOWED})")),
        };
        if field.is_some() {
            return Err(format!("{name} is given twice"));
        }
        *field = match serde_json::from_str::<Option<String>>(member.text.get()) {
            Ok(Some(value)) if value.is_empty() => return Err(format!("{name} is empty")),
            // It becomes part of an HTTP header.
            Ok(Some(value)) if !value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return Err(format!("{name} has white space or letters outside ASCII in it"));
            }
            Ok(value) => value,
            Err(_) => return Err(format!("{name} is not text")),
        };
    }
    let required = |value: Option<String>, name: &str| value.ok_or_else(|| format!("{name} is missing"));
    Ok(Keys {
        access_key_id: required(id, "access_key_id")?,
        secret_access_key: required(secret, "secret_access_key")?,
        session_token: token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_and_without_token_are_read() {
        let keys = read(r#"{"access_key_id": "AKID", "secret_access_key": "s/+=", "session_token": "t"}"#).unwrap();
        assert_eq!((&*keys.access_key_id, &*keys.secret_access_key), ("AKID", "s/+="));
        assert_eq!(keys.session_token.as_deref(), Some("t"));
        let keys = read(r#"{"access_key_id": "AKID", "secret_access_key": "s", "session_token": null}"#).unwrap();
        assert_eq!(keys.session_token, None);
    }

    #[test]
    fn errors_contain_no_secret() {
        for (text, why) in [
            ("", "the text is empty (expected a JSON object)"),
            (r#"{"access_key_id": "hush"}"#, "secret_access_key is missing"),
            (r#"{"secret_access_key": "hush"}"#, "access_key_id is missing"),
            (r#"{"access_key_id": "hush", "secret_access_key": null}"#, "secret_access_key is missing"),
            (r#"{"access_key_id": ""}"#, "access_key_id is empty"),
            (r#"{"access_key_id": "hush hush"}"#, "access_key_id has white space or letters outside ASCII in it"),
            (r#"{"session_token": ["hush"]}"#, "session_token is not text"),
            (r#"{"session_token": "hush", "session_token": "hush"}"#, "session_token is given twice"),
            (r#"{"hush": 1}"#, "there is an unknown name (expected access_key_id, secret_access_key, session_token)"),
        ] {
            assert_eq!(read(text).unwrap_err(), why, "{text}");
        }
        for text in ["hush", r#""hush""#, r#"["hush"]"#, r#"{"access_key_id": "hush"#] {
            let error = read(text).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
