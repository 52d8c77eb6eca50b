//! The forms in which requests name a function: name, `name:qualifier`, partial ARN, ARN; with a qualifier there or in
//! the query.

use super::error::ApiError;
use crate::signature::percent_decode;

/// Region and account of this Lambda.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) account: String,
}

/// A function, and optionally one of its versions or aliases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
}

impl Place {
    /// ARN of a function, without qualifier.
    pub(crate) fn arn(&self, name: &str) -> String {
        format!("arn:aws:lambda:{}:{}:function:{name}", self.region, self.account)
    }

    /// ARN with the qualifier, if there is one.
    pub(crate) fn qualified_arn(&self, named: &Named) -> String {
        let arn = self.arn(&named.name);
        match &named.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }

    /// Reads a name from a path (decoded) and the qualifier from the query.
    pub(crate) fn parse(&self, text: &str, query_qualifier: Option<String>) -> Result<Named, ApiError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (name, qualifier) = match parts[..] {
            ["arn", _, "lambda", region, account, "function", name, ref rest @ ..] if rest.len() <= 1 => {
                if region != self.region || account != self.account {
                    return Err(ApiError::function_not_found(text));
                }
                (name, rest.first())
            }
            [account, "function", name, ref rest @ ..] if rest.len() <= 1 => {
                if account != self.account {
                    return Err(ApiError::function_not_found(text));
                }
                (name, rest.first())
            }
            [name, ref rest @ ..] if rest.len() <= 1 => (name, rest.first()),
            _ => return Err(invalid(text)),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(invalid(text));
        }
        let in_name = qualifier.map(|qualifier| (*qualifier).to_owned());
        let qualifier = match (in_name, query_qualifier) {
            (Some(one), Some(other)) if one != other => {
                return Err(ApiError::parameter(
                    "The derived qualifier from the function name does not match the specified qualifier.",
                ));
            }
            (one, other) => one.or(other),
        };
        Ok(Named { name: name.to_owned(), qualifier })
    }
}

fn invalid(text: &str) -> ApiError {
    ApiError::parameter(format!("'{text}' is neither the name nor the ARN of a function"))
}

/// The value of a query parameter, decoded.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    let parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
    let value = parameters.into_iter().find(|(key, _)| *key == name)?.1;
    String::from_utf8(percent_decode(value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, query: Option<&str>) -> Result<(String, Option<String>), ApiError> {
        let place = Place { region: "us-east-1".into(), account: "000000000000".into() };
        place.parse(text, query.map(str::to_owned)).map(|named| (named.name, named.qualifier))
    }

    #[test]
    fn all_forms_of_a_name_are_understood() {
        let plain = Ok(("f".to_owned(), None));
        let qualified = Ok(("f".to_owned(), Some("live".to_owned())));
        assert_eq!(parse("f", None), plain);
        assert_eq!(parse("000000000000:function:f", None), plain);
        assert_eq!(parse("arn:aws:lambda:us-east-1:000000000000:function:f", None), plain);
        assert_eq!(parse("f", Some("live")), qualified);
        assert_eq!(parse("f:live", None), qualified);
        assert_eq!(parse("f:live", Some("live")), qualified);
        assert_eq!(parse("arn:aws:lambda:us-east-1:000000000000:function:f:live", None), qualified);
    }

    #[test]
    fn other_regions_and_contradictions_are_refused() {
        assert!(parse("arn:aws:lambda:eu-west-1:000000000000:function:f", None).is_err());
        assert!(parse("f:live", Some("test")).is_err());
        assert!(parse("a b", None).is_err());
        assert!(parse("", None).is_err());
    }

    #[test]
    fn encoded_names_are_decoded() {
        assert_eq!(percent_decode("a%3Ab%2x%"), b"a:b%2x%");
        assert_eq!(query_value("a=1&Qualifier=%24LATEST", "Qualifier").as_deref(), Some("$LATEST"));
        assert_eq!(query_value("a=1", "Qualifier"), None);
    }
}
