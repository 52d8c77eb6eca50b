//! Dags from S3 (variable `S3_URI`): a folder that is made to hold what lies below a prefix, before each command.
//!
//! `listing` asks what there is, `paths` says where each object belongs, `local` removes what does not belong and tells
//! what is missing, `download` fetches that. Between invocations in one sandbox the folder stays, so most often only the
//! listing is asked for.

mod download;
mod error;
mod listing;
mod local;
mod location;
mod paths;

pub(crate) use error::SyncError;
pub(crate) use location::{Location, Source};

use crate::log::{self, Level};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use local::Local;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Objects may change between listing and download, for example while somebody deploys: then the listing is asked for
/// again, this often at most.
const ROUNDS: u32 = 5;
/// From S3's answer to its next byte. S3 answers in a fraction of a second.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// One object as S3 lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Object {
    key: String,
    /// With its quotes, as S3 gives it and wants it back. An object without one is fetched each time.
    etag: Option<String>,
    size: u64,
}

/// The folder and where it is filled from.
#[derive(Debug)]
pub(crate) struct Folder {
    client: Client,
    source: Source,
    local: Local,
}

impl Folder {
    /// A folder at `path`, which must be this process's alone.
    pub(crate) fn new(config: &SdkConfig, source: Source, path: PathBuf) -> Self {
        let config = aws_sdk_s3::config::Builder::from(config)
            .retry_config(RetryConfig::standard())
            .timeout_config(TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build())
            .build();
        Self { client: Client::from_conf(config), source, local: Local::new(path) }
    }

    /// Makes the folder equal to S3 and returns its path. On an error it may be anything in between, which the next call
    /// mends.
    pub(crate) async fn sync(&self, until: Instant) -> Result<&Path, SyncError> {
        let location = &self.source.location;
        let done = tokio::time::timeout_at(until.into(), self.sync_in_rounds()).await;
        done.unwrap_or_else(|_| Err(SyncError::TimeUp { location: location.clone() }))
    }

    async fn sync_in_rounds(&self) -> Result<&Path, SyncError> {
        let location = &self.source.location;
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let wanted = listing::list(&self.client, &self.source).await?;
            let swept = self
                .local
                .keep_only(&wanted)
                .map_err(|error| SyncError::Disk { path: self.local.path().to_owned(), error })?;
            let missing: Vec<_> = wanted
                .iter()
                .filter(|(path, _)| !swept.current.contains(*path))
                .map(|(p, o)| (p.clone(), o.clone()))
                .collect();
            let bytes: u64 = missing.iter().map(|(_, object)| object.size).sum();
            let downloads = missing.len();
            match download::all(&self.client, location, &self.local, missing).await {
                Ok(()) => {
                    let told = [
                        ("from", location.to_string().into()),
                        ("files", wanted.len().into()),
                        ("downloaded", downloads.into()),
                        ("downloaded_bytes", bytes.into()),
                        ("removed", swept.removed.into()),
                        ("ms", u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).into()),
                    ];
                    log::write(Level::Info, "Dags are up to date", &told);
                    return Ok(self.local.path());
                }
                Err(SyncError::Changed { key }) => {
                    let message = format!("`{key}` in S3 has changed since it was listed: listing again");
                    log::write(Level::Info, &message, &[]);
                }
                Err(error) => return Err(error),
            }
        }
        Err(SyncError::KeepsChanging { location: location.clone() })
    }
}
