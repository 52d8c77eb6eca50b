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
mod object;
mod paths;

pub(crate) use error::SyncError;
pub(crate) use location::{Location, MAX_BYTES_VARIABLE, Source};

use crate::log::{self, Level};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use download::Fetched;
use local::{Local, Swept};
use object::Object;
use paths::Wanted;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An object may change between listing and download, for example while somebody deploys, or its transfer break off: then
/// the listing is asked for again, this often at most.
const ROUNDS: u32 = 5;
/// Before the second round; doubled before each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// From a request to the first byte of its answer, which takes S3 a fraction of a second. A transfer that comes to a
/// stop later is ended by the SDK's protection against stalled streams.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The folder and where it is filled from.
#[derive(Debug)]
pub(crate) struct Folder {
    client: Client,
    source: Source,
    local: Arc<Local>,
}

impl Folder {
    /// A folder at `path`, which must be this process's alone.
    pub(crate) fn new(config: &SdkConfig, source: Source, path: PathBuf) -> Self {
        let config = aws_sdk_s3::config::Builder::from(config)
            .retry_config(RetryConfig::standard())
            .timeout_config(TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build())
            .build();
        Self { client: Client::from_conf(config), source, local: Arc::new(Local::new(path)) }
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
        let (mut round, mut pause) = (1, FIRST_PAUSE);
        loop {
            let wanted = listing::list(&self.client, &self.source).await?;
            let files = wanted.len();
            let (missing, swept) = self.sweep(wanted).await?;
            let (downloads, bytes) = (missing.len(), missing.iter().map(|(_, object)| object.size).sum::<u64>());
            let (key, reason) = match download::all(&self.client, location, &self.local, missing).await? {
                Fetched::All => {
                    let told = [
                        ("from", location.to_string().into()),
                        ("files", files.into()),
                        ("downloaded", downloads.into()),
                        ("downloaded_bytes", bytes.into()),
                        ("removed", swept.removed.into()),
                        ("ms", u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).into()),
                    ];
                    log::write(Level::Info, "Dags are up to date", &told);
                    return Ok(self.local.path());
                }
                Fetched::NotYet { key, reason } => (key, reason),
            };
            if round == ROUNDS {
                return Err(SyncError::NotSettled { location: location.clone(), rounds: ROUNDS, key, reason });
            }
            let message = format!("`{key}` in S3 was not fetched, listing again: {reason}");
            log::write(Level::Warn, &message, &[("from", location.to_string().into())]);
            tokio::time::sleep(pause).await;
            (round, pause) = (round + 1, pause * 2);
        }
    }

    /// Removes what does not belong into the folder; tells what is missing. On another thread: commands may have left any
    /// number of files there, and time limits must be kept meanwhile.
    async fn sweep(&self, wanted: Wanted) -> Result<(Vec<(PathBuf, Object)>, Swept), SyncError> {
        let local = Arc::clone(&self.local);
        let swept = tokio::task::spawn_blocking(move || {
            let swept = local.keep_only(&wanted)?;
            let missing = wanted.into_iter().filter(|(path, _)| !swept.current.contains(path)).collect();
            Ok((missing, swept))
        });
        let disk = |error| SyncError::Disk { path: self.local.path().to_owned(), error };
        swept.await.map_err(|error| disk(error.into()))?.map_err(disk)
    }
}
