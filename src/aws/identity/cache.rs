//! Credentials, kept until shortly before they expire. Shared by all calls, whichever way they are sent.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::task::JoinHandle;

/// Credentials are not used for a call that could reach AWS after they have expired. The SDK's value.
const RESERVE: Duration = Duration::from_secs(10);
/// From so long before that on, new ones are looked for while calls go on with the present ones.
const EARLY: Duration = Duration::from_secs(50);
/// An early search that fails is repeated after this time.
const SEARCH_AGAIN: Duration = Duration::from_secs(5);
/// Credentials that do not expire are looked up again after this time, in case they were replaced. The SDK's value.
const UNLIMITED: Duration = Duration::from_secs(15 * 60);

/// Credentials, and until when they are used.
#[derive(Debug)]
pub(in crate::aws) struct Loaded {
    credentials: Credentials,
    usable_until: SystemTime,
    may_renew_early: bool,
}

impl Loaded {
    pub(in crate::aws) fn new(credentials: Credentials) -> Self {
        let expiry = credentials.expiry();
        let usable_until = match expiry {
            Some(expiry) => expiry.checked_sub(RESERVE).unwrap_or(expiry),
            None => SystemTime::now() + UNLIMITED,
        };
        Self { credentials, usable_until, may_renew_early: expiry.is_some() }
    }
}

impl Deref for Loaded {
    type Target = Credentials;

    fn deref(&self) -> &Credentials {
        &self.credentials
    }
}

/// A provider that asks another one when it has to.
#[derive(Clone, Debug)]
pub(in crate::aws) struct Cached(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    provider: SharedCredentialsProvider,
    current: Mutex<Current>,
    /// The search that is under way. It goes on when its caller stops waiting, and the next caller gets its result.
    searching: tokio::sync::Mutex<Option<JoinHandle<provider::Result>>>,
}

#[derive(Debug, Default)]
struct Current {
    loaded: Option<Arc<Loaded>>,
    last_early_search: Option<Instant>,
}

impl Cached {
    pub(in crate::aws) fn new(provider: SharedCredentialsProvider) -> Self {
        Self(Arc::new(Inner { provider, current: Mutex::default(), searching: tokio::sync::Mutex::default() }))
    }

    pub(in crate::aws) async fn get(&self) -> Result<Arc<Loaded>, CredentialsError> {
        if let Some(loaded) = self.usable() {
            return Ok(loaded);
        }
        self.search().await
    }

    /// The present credentials, if they can still be used. Starts an early search when it is time.
    pub(in crate::aws) fn usable(&self) -> Option<Arc<Loaded>> {
        let now = SystemTime::now();
        let mut current = self.current();
        let loaded = current.loaded.as_ref().filter(|loaded| now < loaded.usable_until).cloned()?;
        if loaded.may_renew_early
            && now + EARLY >= loaded.usable_until
            && current.last_early_search.is_none_or(|at| at.elapsed() >= SEARCH_AGAIN)
        {
            current.last_early_search = Some(Instant::now());
            let this = self.clone();
            tokio::spawn(async move {
                if let Err(error) = this.replace(&loaded).await {
                    tracing::debug!("credentials could not be renewed before they expire: {error}");
                }
            });
            return current.loaded.clone();
        }
        Some(loaded)
    }

    async fn search(&self) -> Result<Arc<Loaded>, CredentialsError> {
        let mut searching = self.0.searching.lock().await;
        // Another caller may have found some meanwhile.
        match self.usable() {
            Some(loaded) => Ok(loaded),
            None => self.load(&mut searching).await,
        }
    }

    async fn replace(&self, old: &Arc<Loaded>) -> Result<(), CredentialsError> {
        let mut searching = self.0.searching.lock().await;
        if self.current().loaded.as_ref().is_some_and(|loaded| Arc::ptr_eq(loaded, old)) {
            self.load(&mut searching).await?;
        }
        Ok(())
    }

    async fn load(
        &self,
        searching: &mut Option<JoinHandle<provider::Result>>,
    ) -> Result<Arc<Loaded>, CredentialsError> {
        let provider = self.0.provider.clone();
        let found =
            searching.get_or_insert_with(|| tokio::spawn(async move { provider.provide_credentials().await })).await;
        *searching = None;
        let found = match found.map_err(CredentialsError::unhandled)? {
            // The provider may still vouch for credentials that have expired.
            Err(CredentialsError::ProviderTimedOut(error)) => {
                self.0.provider.fallback_on_interrupt().ok_or(CredentialsError::ProviderTimedOut(error))?
            }
            found => found?,
        };
        let loaded = Arc::new(Loaded::new(found));
        self.current().loaded = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProvideCredentials for Cached {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { Ok(self.get().await?.credentials.clone()) })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.provider.fallback_on_interrupt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Answers number n with the key `n`, valid for so long.
    #[derive(Debug)]
    struct Numbered {
        asked: AtomicUsize,
        valid: Option<Duration>,
        fails_from: usize,
    }

    fn numbered(valid: Option<u64>, fails_from: usize) -> (Arc<Numbered>, Cached) {
        let valid = valid.map(Duration::from_secs);
        let numbered = Arc::new(Numbered { asked: AtomicUsize::new(0), valid, fails_from });
        (Arc::clone(&numbered), Cached::new(SharedCredentialsProvider::new(Provider(numbered))))
    }

    #[derive(Debug)]
    struct Provider(Arc<Numbered>);

    impl ProvideCredentials for Provider {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let Numbered { asked, valid, fails_from } = &*self.0;
            let number = asked.fetch_add(1, Ordering::Relaxed);
            let expires = valid.map(|valid| SystemTime::now() + valid);
            future::ProvideCredentials::new(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                match number < *fails_from {
                    true => Ok(Credentials::new(number.to_string(), "s", None, expires, "test")),
                    false => Err(CredentialsError::provider_error("the service is gone")),
                }
            })
        }
    }

    #[tokio::test]
    async fn many_callers_cause_one_search() {
        for valid in [None, Some(3_600)] {
            let (numbered, cached) = numbered(valid, usize::MAX);
            let calls: Vec<_> = (0..20)
                .map(|_| {
                    let cached = cached.clone();
                    tokio::spawn(async move { cached.get().await.unwrap().access_key_id().to_owned() })
                })
                .collect();
            for call in calls {
                assert_eq!(call.await.unwrap(), "0");
            }
            assert_eq!(numbered.asked.load(Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn credentials_are_renewed_early_while_the_present_ones_are_used() {
        let (_, cached) = numbered(Some(30), usize::MAX);
        for number in ["0", "0"] {
            assert_eq!(cached.get().await.unwrap().access_key_id(), number);
        }
        while cached.current().loaded.as_ref().unwrap().access_key_id() == "0" {
            tokio::task::yield_now().await;
        }
        assert_eq!(cached.get().await.unwrap().access_key_id(), "1");
    }

    #[tokio::test]
    async fn an_early_search_that_fails_harms_no_call_and_is_not_repeated_at_once() {
        let (numbered, cached) = numbered(Some(30), 1);
        cached.get().await.unwrap();
        cached.get().await.unwrap();
        while numbered.asked.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        // Returns when that search is over.
        drop(cached.0.searching.lock().await);
        for _ in 0..5 {
            assert_eq!(cached.get().await.unwrap().access_key_id(), "0");
        }
        assert_eq!(numbered.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn credentials_that_are_about_to_expire_are_replaced_first() {
        let (_, cached) = numbered(Some(5), usize::MAX);
        for number in ["0", "1"] {
            assert_eq!(cached.get().await.unwrap().access_key_id(), number);
        }
    }

    #[tokio::test]
    async fn a_caller_that_stops_waiting_does_not_end_the_search() {
        let (numbered, cached) = numbered(None, usize::MAX);
        assert!(tokio::time::timeout(Duration::from_millis(1), cached.get()).await.is_err());
        assert_eq!(cached.get().await.unwrap().access_key_id(), "0");
        assert_eq!(numbered.asked.load(Ordering::Relaxed), 1);
    }
}
