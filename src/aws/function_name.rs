//! The forms in which a function can be named: `name`, `name:alias`, `account:function:name`, a whole ARN, each with or
//! without a version or alias at its end.

/// The parts of a function's name. The name itself is always there, everything else only if it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FunctionName {
    /// `eu-west-1`, of an ARN.
    pub region: Option<String>,
    /// Twelve digits, of an ARN or a partial one.
    pub account: Option<String>,
    /// The name itself.
    pub name: String,
    /// Version or alias.
    pub qualifier: Option<String>,
}

impl FunctionName {
    /// Parses a name. The error completes the sentence "`x` …".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", partition, "lambda", region, account, "function", rest @ ..] => {
                if !partition.starts_with("aws") || region.is_empty() {
                    return Err("is not the ARN of a Lambda function");
                }
                (Some(*region), Some(*account), rest)
            }
            ["arn", ..] => return Err("is not the ARN of a Lambda function"),
            [account, "function", rest @ ..] => (None, Some(*account), rest),
            rest => (None, None, rest),
        };
        if account.is_some_and(|account| account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err("has an account that is not twelve digits");
        }
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return Err("is neither a name nor an ARN"),
        };
        let letters = |extra: &'static [u8]| {
            move |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || extra.contains(&byte)
        };
        if name.is_empty() || name.len() > 140 || !name.bytes().all(letters(b".")) {
            return Err("is not a function's name: that has letters, digits, - and _");
        }
        if qualifier.is_some_and(|text| text.is_empty() || text.len() > 128 || !text.bytes().all(letters(b"$"))) {
            return Err("has an invalid version or alias");
        }
        Ok(Self {
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The name as it was written, without the version or alias at its end.
    pub fn without_qualifier(text: &str) -> &str {
        let qualifier = Self::parse(text).ok().and_then(|function| function.qualifier);
        qualifier.and_then(|qualifier| text.strip_suffix(&qualifier)?.strip_suffix(':')).unwrap_or(text)
    }

    /// True if `arn`, as AWS returns it, is the function that was meant: each part that was written is the same. A name
    /// that only contains ours is another function.
    pub fn is(&self, arn: &str) -> bool {
        let Ok(other) = Self::parse(arn) else { return false };
        let same = |ours: &Option<String>, theirs: &Option<String>| ours.is_none() || ours == theirs;
        self.name == other.name && same(&self.region, &other.region) && same(&self.account, &other.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:run";

    #[test]
    fn every_form_is_parsed() {
        for (text, region, account, name, qualifier) in [
            ("run", None, None, "run", None),
            ("run:live", None, None, "run", Some("live")),
            ("run:$LATEST", None, None, "run", Some("$LATEST")),
            ("123456789012:function:run", None, Some("123456789012"), "run", None),
            ("123456789012:function:run:7", None, Some("123456789012"), "run", Some("7")),
            (ARN, Some("eu-west-1"), Some("123456789012"), "run", None),
            (
                "arn:aws-cn:lambda:cn-north-1:123456789012:function:run:live",
                Some("cn-north-1"),
                Some("123456789012"),
                "run",
                Some("live"),
            ),
        ] {
            let parsed = FunctionName::parse(text).unwrap();
            assert_eq!(parsed.region.as_deref(), region, "{text}");
            assert_eq!(parsed.account.as_deref(), account, "{text}");
            assert_eq!(parsed.name, name, "{text}");
            assert_eq!(parsed.qualifier.as_deref(), qualifier, "{text}");
        }
    }

    #[test]
    fn the_qualifier_can_be_removed() {
        for (text, without) in [("run:live", "run"), ("run", "run"), (&format!("{ARN}:live"), ARN), (ARN, ARN)] {
            assert_eq!(FunctionName::without_qualifier(text), without);
        }
    }

    #[test]
    fn what_is_not_a_name_is_rejected() {
        for text in [
            "",
            "a b",
            "https://x/y",
            "a:b:c",
            "run:",
            ":run",
            "arn:aws:sqs:eu-west-1:123456789012:q",
            "arn:aws:lambda:eu-west-1:123456789012:layer:x",
            "arn:aws:lambda:eu-west-1:1234:function:run",
            "arn:aws:lambda::123456789012:function:run",
            "1234:function:run",
        ] {
            assert!(FunctionName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_function_itself_is_the_one_that_was_meant() {
        for text in ["run", "run:live", "123456789012:function:run", ARN] {
            assert!(FunctionName::parse(text).unwrap().is(ARN), "{text}");
        }
        for text in ["ru", "runner", "123456789013:function:run", "arn:aws:lambda:eu-west-2:123456789012:function:run"]
        {
            assert!(!FunctionName::parse(text).unwrap().is(ARN), "{text}");
        }
    }
}
