//! Dags from S3 (variable `S3_URI`): before each command a folder is synchronised with the objects below a prefix.
//!
//! `listing` lists the objects, `paths` maps each key to a path, `local` removes files that do not belong and reports
//! those that are missing, `download` fetches them. The folder stays between invocations of one sandbox, so usually
//! only the listing is requested.

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

/// An object may change between listing and download, for example during a deployment, or its transfer may break off.
/// Then the objects are listed again, this often at most.
const ROUNDS: u32 = 5;
/// Before the second round; doubled before each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// From a request to the first byte of its answer, which takes S3 a fraction of a second. The SDK's protection against
/// stalled streams ends a transfer that stops later.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The folder and where it is filled from.
#[derive(Debug)]
pub(crate) struct Folder {
    client: Client,
    source: Source,
    local: Arc<Local>,
}

impl Folder {
    /// A folder at `path`, which no other process may use. Fails only in a build without the feature `s3`.
    pub(crate) fn new(config: &SdkConfig, source: Source, path: PathBuf) -> Result<Self, String> {
        let config = aws_sdk_s3::config::Builder::from(config)
            .retry_config(RetryConfig::standard())
            .timeout_config(TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build())
            .build();
        Ok(Self { client: Client::from_conf(config), source, local: Arc::new(Local::new(path)) })
    }

    /// Constant for the life of this program.
    pub(crate) fn path(&self) -> &Path {
        self.local.path()
    }

    /// Makes the folder equal to S3 and returns its path. After an error the folder may be incomplete; the next call
    /// fixes it.
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
                    let fields = [
                        ("from", location.to_string().into()),
                        ("files", files.into()),
                        ("downloaded", downloads.into()),
                        ("downloaded_bytes", bytes.into()),
                        ("removed", swept.removed.into()),
                        ("ms", u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).into()),
                    ];
                    log::write(Level::Info, "Dags are up to date", &fields);
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

    /// Removes files that do not belong into the folder, and returns those that are missing. Runs on another thread:
    /// commands may have left any number of files there, and time limits must be kept meanwhile.
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
