//! Replaces `s3` in a build without the cargo feature `s3`, as for `make demo`: a configured `S3_URI` is an error.

#[path = "s3/location.rs"]
mod location;

pub(crate) use location::{Location, MAX_BYTES_VARIABLE, Source};

use aws_config::SdkConfig;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// This build has no Dags from S3, so no value exists.
#[derive(Debug)]
pub(crate) enum Folder {}

impl Folder {
    pub(crate) fn new(_: &SdkConfig, source: Source, _: PathBuf) -> Result<Self, String> {
        let Source { location, max_bytes: _ } = source;
        Err(format!("S3_URI is {location}, but this program was built without S3 (cargo feature `s3`)"))
    }

    pub(crate) fn path(&self) -> &Path {
        match *self {}
    }

    pub(crate) async fn sync(&self, _: Instant) -> Result<&Path, String> {
        match *self {}
    }
}
