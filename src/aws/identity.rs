//! Credentials in time: the default chain may ask files, a metadata service and STS, and must not hang a call.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::time::Duration;

/// As long as the SDK waits by itself; ended here so that it is told apart from a call that got no answer.
pub(super) const LOAD_LIMIT: Duration = Duration::from_secs(5);

/// A provider that gives up after [`LOAD_LIMIT`] and says that it was the credentials that took too long.
#[derive(Debug)]
pub(super) struct InTime(pub(super) SharedCredentialsProvider);

impl ProvideCredentials for InTime {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match tokio::time::timeout(LOAD_LIMIT, self.0.provide_credentials()).await {
                Ok(result) => result,
                Err(_) => Err(CredentialsError::provider_timed_out(LOAD_LIMIT)),
            }
        })
    }

    // The SDK asks for these where loading was cut off: expired ones that the provider would still vouch for.
    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.fallback_on_interrupt()
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

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_hangs_is_told_apart() {
        let provider = InTime(SharedCredentialsProvider::new(Hanging));
        let error = provider.provide_credentials().await.unwrap_err();
        assert!(matches!(error, CredentialsError::ProviderTimedOut(_)), "{error:?}");
    }
}
