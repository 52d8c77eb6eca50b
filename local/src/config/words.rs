//! Splits a command line into words the way a shell does, without a shell: quotes and backslashes, nothing else.

/// Splits `line`. The error says what is wrong with it.
pub(crate) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => loop {
                // Set here, so that '' is a word too.
                let word = word.get_or_insert_default();
                match characters.next() {
                    Some('\'') => break,
                    Some(inside) => word.push(inside),
                    None => return Err("a single quote is not closed"),
                }
            },
            '"' => loop {
                let word = word.get_or_insert_default();
                match characters.next() {
                    Some('"') => break,
                    // Between double quotes a backslash protects only what would be special there.
                    Some('\\') => match characters.next() {
                        Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                        Some(other) => word.extend(['\\', other]),
                        None => return Err("a double quote is not closed"),
                    },
                    Some(inside) => word.push(inside),
                    None => return Err("a double quote is not closed"),
                }
            },
            '\\' => match characters.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("it ends with a backslash"),
            },
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    if words.is_empty() {
        return Err("it is empty");
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        for (line, words) in [
            ("python3 -m awslambdaric app.handler", &["python3", "-m", "awslambdaric", "app.handler"][..]),
            ("  a\tb\n c ", &["a", "b", "c"]),
            (r#"'it is' "a \"word\"" un'quo'ted"#, &["it is", "a \"word\"", "unquoted"]),
            (r#"a '' "" b"#, &["a", "", "", "b"]),
            (r#"a\ b "\n$HOME""#, &["a b", "\\n$HOME"]),
        ] {
            assert_eq!(split(line).as_deref(), Ok(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()[..]));
        }
    }

    #[test]
    fn unfinished_lines_are_refused() {
        assert_eq!(split("a 'b"), Err("a single quote is not closed"));
        assert_eq!(split("a \"b\\"), Err("a double quote is not closed"));
        assert_eq!(split("a \\"), Err("it ends with a backslash"));
        assert_eq!(split("  "), Err("it is empty"));
    }
}
