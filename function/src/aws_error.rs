//! An error of the AWS SDK in one line.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::fmt::Debug;

/// Code and message where AWS answered, else what went wrong on the way.
pub(crate) fn tell<E, R>(error: &SdkError<E, R>) -> String
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

/// An error with its causes, each once: some repeat what is below them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
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
    fn causes_are_told_once() {
        let caused = |text, source: Option<Caused>| Caused { text, source: source.map(Box::new) };
        let inner = caused("timed out", None);
        let error = caused("dispatch failure", Some(caused("timed out after 10 s: timed out", Some(inner))));
        assert_eq!(chain(&error), "dispatch failure: timed out after 10 s: timed out");
    }
}
