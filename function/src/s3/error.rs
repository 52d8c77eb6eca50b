//! Why the Dags cannot be fetched, each in one sentence for the operator.

use super::location::{Location, MAX_BYTES_VARIABLE};
use crate::aws_error;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::path::PathBuf;

/// The request that failed.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    List,
    Get(&'a str),
}

/// Why the folder could not be made equal to S3.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error("the Dags in {location} cannot be listed: {reason}")]
    NotListed { location: Location, reason: String },
    #[error("the Dags in {location} cannot be fetched: `{key}`: {reason}")]
    NotFetched { location: Location, key: String, reason: String },
    #[error("there is no object below {location}: set S3_URI to where the Dags are")]
    Nothing { location: Location },
    #[error(
        "the Dags in {location} take more than {max_bytes} bytes: raise {MAX_BYTES_VARIABLE}, and the function's \
         ephemeral storage with it, or name a smaller prefix in S3_URI"
    )]
    TooLarge { location: Location, max_bytes: u64 },
    #[error("the Dags in {location} cannot be kept as files: `{key}`: {problem}")]
    BadKey { location: Location, key: String, problem: String },
    #[error("the Dags cannot be written: {path}: {error}", path = path.display())]
    Disk { path: PathBuf, error: std::io::Error },
    #[error("the Dags in {location} could not all be fetched within the function's time")]
    TimeUp { location: Location },
    #[error("the Dags in {location} could not be fetched in {rounds} rounds: `{key}`: {reason}")]
    NotSettled { location: Location, rounds: u32, key: String, reason: String },
}

impl SyncError {
    /// S3 answered with an error, or not at all.
    pub(crate) fn refused<E, R>(location: &Location, call: Call<'_>, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let mut reason = aws_error::describe(error);
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        let location = location.clone();
        match (code, call) {
            (Some("AccessDenied"), Call::List) => {
                reason.push_str(" (the function's role needs s3:ListBucket on the bucket)")
            }
            (Some("AccessDenied"), Call::Get(_)) => {
                reason.push_str(" (the function's role needs s3:GetObject, and kms:Decrypt if a KMS key is used)");
            }
            (Some("PermanentRedirect" | "AuthorizationHeaderMalformed"), _) => {
                reason.push_str(" (the bucket must be in the function's region)");
            }
            (None, _) => {
                reason.push_str(" (S3 does not answer: inside a VPC the function needs a gateway endpoint for it)")
            }
            _ => {}
        }
        match call {
            Call::List => Self::NotListed { location, reason },
            Call::Get(key) => Self::NotFetched { location, key: key.to_owned(), reason },
        }
    }
}
