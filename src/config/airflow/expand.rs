//! Replaces `$NAME`, `${NAME}` and a leading `~` in Airflow's values, repeatedly until nothing changes, as Airflow
//! does; but with a limit, where Airflow would not end.

use crate::runtime::environment::Environment;
use crate::runtime::home::of as home_of;

/// After so many rounds, variables refer to each other in a circle.
const MOST_ROUNDS: usize = 100;
/// Longest value: circular ones may grow with each round.
const MOST_BYTES: usize = 1 << 17;

/// The text with everything replaced. The error follows the text, and shows nothing of a replacement.
pub(crate) fn expand(text: &str, environment: &Environment) -> Result<String, String> {
    let mut text = text.to_owned();
    for _ in 0..MOST_ROUNDS {
        let expanded = home(variables(&text, environment)?, environment)?;
        if expanded == text {
            return Ok(text);
        }
        if expanded.len() > MOST_BYTES {
            break;
        }
        text = expanded;
    }
    Err("has variables that refer to each other without end".into())
}

/// One pass from left to right, which does not look into replacements. Unknown names remain.
fn variables(text: &str, environment: &Environment) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        let (name, end) = match after.strip_prefix('{').map(|inner| inner.split_once('}')) {
            Some(Some((name, end))) => (name, end),
            Some(None) => ("", after),
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        match environment.get(name) {
            // A `$` without a name remains.
            Ok(Some(value)) if !name.is_empty() => {
                done.push_str(value);
                rest = end;
            }
            Ok(_) => {
                done.push('$');
                rest = after;
            }
            Err(problem) => return Err(format!("refers to the variable {}, which {problem}", name.escape_debug())),
        }
        if done.len() > MOST_BYTES {
            return Err("has variables that make it too long".into());
        }
    }
    done.push_str(rest);
    Ok(done)
}

/// Replaces a leading `~` or `~user` with the home folder, if there is one.
fn home(text: String, environment: &Environment) -> Result<String, String> {
    let Some(after) = text.strip_prefix('~') else { return Ok(text) };
    let (user, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    let folder = match (user, environment.get("HOME")) {
        ("", Ok(Some(folder))) => Some(folder.to_owned()),
        ("", Ok(None)) => home_of(None),
        ("", Err(problem)) => return Err(format!("refers to the home folder, but HOME {problem}")),
        (user, _) => home_of(Some(user)),
    };
    let Some(folder) = folder else { return Ok(text) };
    let folder = folder.trim_end_matches('/');
    Ok(if folder.is_empty() && path.is_empty() { "/".to_owned() } else { format!("{folder}{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        expand(text, &Environment::of(variables.iter().copied()))
    }

    #[test]
    fn variables_are_replaced() {
        let variables = [("A", "1"), ("AB", "2"), ("NESTED", "$A-${AB}"), ("EMPTY", ""), ("Ä", "no")];
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("$A", "1"),
            ("$AB$A", "21"),
            ("${A}B", "1B"),
            ("x${EMPTY}y", "xy"),
            ("$NESTED", "1-2"),
            ("$NONE ${NONE}", "$NONE ${NONE}"),
            ("100$", "100$"),
            ("$$A", "$1"),
            ("${A", "${A"),
            ("${}", "${}"),
            ("$Ä", "$Ä"),
            ("$A-é-$A", "1-é-1"),
        ] {
            assert_eq!(expanded(text, &variables).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_leading_tilde_is_the_home_folder() {
        let home = [("HOME", "/home/me/"), ("T", "~")];
        for (text, expected) in [
            ("~", "/home/me"),
            ("~/x", "/home/me/x"),
            ("a~", "a~"),
            ("~no such user/x", "~no such user/x"),
            ("$T/x", "/home/me/x"),
        ] {
            assert_eq!(expanded(text, &home).unwrap(), expected, "{text}");
        }
        assert_eq!(expanded("~", &[("HOME", "/")]).unwrap(), "/");
        assert_eq!(expanded("~/x", &[("HOME", "")]).unwrap(), "/x");
    }

    #[test]
    fn the_home_folder_of_a_user_is_the_systems() {
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let superuser = users.lines().find_map(|line| line.strip_prefix("root:")).unwrap();
        let home = superuser.split(':').nth(4).unwrap();
        assert_eq!(expanded("~root/x", &[("HOME", "/elsewhere")]).unwrap(), format!("{home}/x"));
        let own = home_of(None).unwrap();
        assert_eq!(expanded("~/x", &[]).unwrap(), format!("{}/x", own.trim_end_matches('/')));
    }

    #[test]
    fn circles_end() {
        for variables in [[("A", "$B"), ("B", "$A")], [("A", "x$A"), ("B", "")], [("A", "$A$A"), ("B", "")]] {
            let error = expanded("$A", &variables).unwrap_err();
            assert!(error.starts_with("has variables that "), "{error}");
        }
        // Not a circle: it does not change.
        assert_eq!(expanded("$A", &[("A", "$A")]).unwrap(), "$A");
    }

    #[test]
    fn variables_that_are_not_text_are_errors() {
        use std::os::unix::ffi::OsStringExt;
        let value = std::ffi::OsString::from_vec(vec![0xff]);
        let environment = Environment::of([(std::ffi::OsString::from("A"), value)]);
        assert_eq!(expand("$A", &environment).unwrap_err(), "refers to the variable A, which is not UTF-8");
    }
}
