//! An error of the AWS SDK in one line.

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
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
        None => DisplayErrorContext(error).to_string(),
    }
}
