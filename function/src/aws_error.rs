//! An error of the AWS SDK in one line.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::fmt::Debug;

/// Code and message if AWS answered, otherwise the failure of the connection.
pub(crate) fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    let service = error.as_service_error().and_then(|service| Some((service.code()?, service.message())));
    match service {
        Some((code, message)) => format!("{code}: {}", message.unwrap_or("no further message")),
        None => chain(error),
    }
}

/// An error with its causes. Some errors repeat the text of their cause; such a text is added only once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut description = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !description.contains(&text) {
            description = format!("{description}: {text}");
        }
        cause = error.source();
    }
    description
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Caused {
        text: &'static str,
        source: Option<Box<Caused>>,
    }

    #[test]
    fn each_cause_is_there_once() {
        let caused = |text, source: Option<Caused>| Caused { text, source: source.map(Box::new) };
        let inner = caused("timed out", None);
        let error = caused("dispatch failure", Some(caused("timed out after 10 s: timed out", Some(inner))));
        assert_eq!(chain(&error), "dispatch failure: timed out after 10 s: timed out");
    }
}
