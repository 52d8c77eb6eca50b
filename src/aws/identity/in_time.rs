//! Credentials in time: a provider may ask files, programs, a metadata service and STS, and must not hang a call.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// As long as the SDK waits by itself; ended here so that it is told apart from a call that got no answer.
pub(in crate::aws) const LOAD_LIMIT: Duration = Duration::from_secs(5);

/// A provider that gives up after [`LOAD_LIMIT`], and whose errors tell where the credentials were to come from.
#[derive(Debug)]
pub(in crate::aws) struct InTime {
    provider: SharedCredentialsProvider,
    origin: String,
}

impl InTime {
    /// `origin` is for messages: "the AWS default chain".
    pub(in crate::aws) fn new(provider: SharedCredentialsProvider, origin: String) -> Self {
        Self { provider, origin }
    }

    fn told(&self, error: CredentialsError) -> CredentialsError {
        // Nothing more to say than the limit, which would be lost.
        if matches!(error, CredentialsError::ProviderTimedOut(_)) {
            return error;
        }
        let (not_loaded, invalid) = (
            matches!(error, CredentialsError::CredentialsNotLoaded(_)),
            matches!(error, CredentialsError::InvalidConfiguration(_)),
        );
        let told = Origin { origin: self.origin.clone(), error };
        match (not_loaded, invalid) {
            (true, _) => CredentialsError::not_loaded(told),
            (_, true) => CredentialsError::invalid_configuration(told),
            _ => CredentialsError::provider_error(told),
        }
    }
}

impl ProvideCredentials for InTime {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match tokio::time::timeout(LOAD_LIMIT, self.provider.provide_credentials()).await {
                Ok(result) => result.map_err(|error| self.told(error)),
                Err(_) => Err(CredentialsError::provider_timed_out(LOAD_LIMIT)),
            }
        })
    }

    // The SDK asks for these where loading was cut off: expired ones that the provider would still vouch for.
    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}

/// An error of credentials that knows where they were to come from.
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
    async fn a_provider_that_hangs_is_told_apart() {
        let provider = InTime::new(SharedCredentialsProvider::new(Hanging), "a rock".into());
        let error = provider.provide_credentials().await.unwrap_err();
        assert!(matches!(error, CredentialsError::ProviderTimedOut(_)), "{error:?}");
    }

    #[tokio::test]
    async fn errors_keep_their_kind_and_learn_their_origin() {
        let provider = InTime::new(SharedCredentialsProvider::new(None), "a rock".into());
        let error = provider.provide_credentials().await.unwrap_err();
        assert!(matches!(error, CredentialsError::CredentialsNotLoaded(_)), "{error:?}");
        let origin = error.source().unwrap().downcast_ref::<Origin>().unwrap();
        assert_eq!(origin.origin, "a rock");
        assert_eq!(origin.source().unwrap().to_string(), "the file is empty");
    }
}
