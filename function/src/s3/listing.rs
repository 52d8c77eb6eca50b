//! Lists the objects below the prefix.

use super::error::{Call, SyncError};
use super::location::Source;
use super::object::Object;
use super::paths::{Wanted, file_and_directory, path_of};
use aws_sdk_s3::Client;
use aws_sdk_s3::types;

/// Block size of the usual file systems: a file uses whole blocks.
const BLOCK_BYTES: u64 = 4096;

/// Lists the objects of `source` by the path where each belongs.
pub(crate) async fn list(client: &Client, source: &Source) -> Result<Wanted, SyncError> {
    let prefix = &source.location.prefix;
    // With a slash at its end, so that `dags` does not match `dags-old/`.
    let below = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let mut wanted = Wanted::new();
    let mut bytes = 0_u64;
    let mut pages = client.list_objects_v2().bucket(&source.location.bucket).prefix(below).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| SyncError::refused(&source.location, Call::List, &error))?;
        for object in page.contents.unwrap_or_default() {
            add(&mut wanted, &mut bytes, object, source)?;
        }
    }
    if wanted.is_empty() && !prefix.is_empty() {
        // The prefix may be the key of an object. S3 lists that key first of all keys that begin with it.
        let request = client.list_objects_v2().bucket(&source.location.bucket).prefix(prefix).max_keys(1);
        let page = request.send().await.map_err(|error| SyncError::refused(&source.location, Call::List, &error))?;
        for object in page.contents.unwrap_or_default().into_iter().filter(|object| object.key() == Some(prefix)) {
            add(&mut wanted, &mut bytes, object, source)?;
        }
    }
    if wanted.is_empty() {
        return Err(SyncError::Nothing { location: source.location.clone() });
    }
    match file_and_directory(&wanted) {
        None => Ok(wanted),
        Some(path) => Err(SyncError::BadKey {
            location: source.location.clone(),
            key: path.display().to_string(),
            problem: "it would have to be a file and a directory".to_owned(),
        }),
    }
}

fn add(wanted: &mut Wanted, bytes: &mut u64, object: types::Object, source: &Source) -> Result<(), SyncError> {
    let key = object.key.unwrap_or_default();
    let path = path_of(&key, &source.location).map_err(|problem| SyncError::BadKey {
        location: source.location.clone(),
        key: key.clone(),
        problem,
    })?;
    let Some(path) = path else { return Ok(()) };
    let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    // Count blocks on disk: many small files fill it like one large file.
    *bytes = bytes.saturating_add(size.div_ceil(BLOCK_BYTES).max(1).saturating_mul(BLOCK_BYTES));
    if *bytes > source.max_bytes {
        return Err(SyncError::TooLarge { location: source.location.clone(), max_bytes: source.max_bytes });
    }
    wanted.insert(path, Object { key, etag: object.e_tag, size });
    Ok(())
}
