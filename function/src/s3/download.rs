//! Fetches objects, several at a time.

use super::error::{Call, SyncError};
use super::local::Local;
use super::location::Location;
use super::object::Object;
use crate::aws_error;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::task::JoinSet;

/// For small files most of the time is S3's answer, about 20 ms each.
const AT_ONCE: usize = 16;

/// Result of a round of downloads.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// All objects were fetched.
    All,
    /// This object was not fetched; another round may succeed.
    NotYet { key: String, reason: String },
}

/// Why one object was not fetched.
enum Failed {
    NotYet(String),
    ForGood(SyncError),
}

/// Fetches all of `missing` into the folder. Stops at the first failure; files that have been fetched remain.
pub(crate) async fn all(
    client: &Client,
    location: &Location,
    local: &Local,
    missing: Vec<(PathBuf, Object)>,
) -> Result<Fetched, SyncError> {
    let mut waiting = missing.into_iter();
    // Dropping it aborts the downloads in flight.
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((path, object)) = waiting.next()
        {
            let (client, location, full_path) = (client.clone(), location.clone(), local.path().join(&path));
            under_way.spawn(async move {
                let file = fetch(&client, &location, &object, &full_path).await;
                (path, object, file)
            });
        }
        let Some(done) = under_way.join_next().await else { return Ok(Fetched::All) };
        let disk = |path: &Path, error| SyncError::Disk { path: path.to_owned(), error };
        let (path, object, file) = done.map_err(|error| disk(local.path(), error.into()))?;
        match file {
            Ok(file) => {
                let full_path = local.path().join(&path);
                local.fetched_is(path, &object, &file).map_err(|error| disk(&full_path, error))?;
            }
            Err(Failed::NotYet(reason)) => return Ok(Fetched::NotYet { key: object.key, reason }),
            Err(Failed::ForGood(error)) => return Err(error),
        }
    }
}

async fn fetch(client: &Client, location: &Location, object: &Object, path: &Path) -> Result<File, Failed> {
    let changed = || Failed::NotYet("it has changed since it was listed".to_owned());
    let disk = |error| Failed::ForGood(SyncError::Disk { path: path.to_owned(), error });
    let request = client.get_object().bucket(&location.bucket).key(&object.key);
    // S3 sends the object that was listed, or an error.
    let answer = request.set_if_match(object.etag.clone()).send().await;
    let mut answer = answer.map_err(|error| match error.code() {
        Some("PreconditionFailed" | "NoSuchKey") => changed(),
        _ => Failed::ForGood(SyncError::refused(location, Call::Get(&object.key), &error)),
    })?;
    let mut file = create(path).map_err(disk)?;
    let mut size = 0;
    while let Some(chunk) = answer.body.next().await {
        // The SDK retries only a request that has no answer yet.
        let chunk = chunk.map_err(|error| Failed::NotYet(aws_error::chain(&error)))?;
        file.write_all(&chunk).map_err(disk)?;
        size += chunk.len() as u64;
    }
    if size == object.size { Ok(file) } else { Err(changed()) }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    File::create(path)
}
