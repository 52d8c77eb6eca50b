//! A time limit for providers of credentials, which may wait for files, programs, a metadata service and STS.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The SDK's own limit. It is applied here so that its end can be distinguished from a call without an answer.
pub(in crate::aws) const LOAD_LIMIT: Duration = Duration::from_secs(5);

/// A provider that gives up after [`LOAD_LIMIT`], and whose errors name the origin of the credentials.
#[derive(Debug)]
pub(in crate::aws) struct WithTimeout {
    provider: SharedCredentialsProvider,
    origin: String,
}

impl WithTimeout {
    /// `origin` is for messages: "the AWS default chain".
    pub(in crate::aws) fn new(provider: SharedCredentialsProvider, origin: String) -> Self {
        Self { provider, origin }
    }

    fn with_origin(&self, error: CredentialsError) -> CredentialsError {
        // Keep timeouts as they are: wrapping would lose the duration.
        if matches!(error, CredentialsError::ProviderTimedOut(_)) {
            return error;
        }
        let (not_loaded, invalid) = (
            matches!(error, CredentialsError::CredentialsNotLoaded(_)),
            matches!(error, CredentialsError::InvalidConfiguration(_)),
        );
        let error = Origin { origin: self.origin.clone(), error };
        match (not_loaded, invalid) {
            (true, _) => CredentialsError::not_loaded(error),
            (_, true) => CredentialsError::invalid_configuration(error),
            _ => CredentialsError::provider_error(error),
        }
    }
}

impl ProvideCredentials for WithTimeout {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match tokio::time::timeout(LOAD_LIMIT, self.provider.provide_credentials()).await {
                Ok(result) => result.map_err(|error| self.with_origin(error)),
                Err(_) => Err(CredentialsError::provider_timed_out(LOAD_LIMIT)),
            }
        })
    }

    // The SDK calls this when loading was cut off: the provider may still vouch for credentials that have expired.
    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}

/// An error of credentials with their origin.
#[derive(Debug)]
pub(in crate::aws) struct Origin {
    pub(in crate::aws) origin: String,
    error: CredentialsError,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Origin {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Hanging;

    impl ProvideCredentials for Hanging {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(std::future::pending())
        }
    }

    #[derive(Debug)]
    struct None;

    impl ProvideCredentials for None {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("the file is empty")))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_hangs_times_out() {
        let provider = WithTimeout::new(SharedCredentialsProvider::new(Hanging), "a file".into());
        let error = provider.provide_credentials().await.unwrap_err();
        assert!(matches!(error, CredentialsError::ProviderTimedOut(_)), "{error:?}");
    }

    #[tokio::test]
    async fn errors_keep_their_kind_and_name_the_origin() {
        let provider = WithTimeout::new(SharedCredentialsProvider::new(None), "a file".into());
        let error = provider.provide_credentials().await.unwrap_err();
        assert!(matches!(error, CredentialsError::CredentialsNotLoaded(_)), "{error:?}");
        let origin = error.source().unwrap().downcast_ref::<Origin>().unwrap();
        assert_eq!(origin.origin, "a file");
        assert_eq!(origin.source().unwrap().to_string(), "the file is empty");
    }
}
