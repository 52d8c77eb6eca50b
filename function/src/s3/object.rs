//! One object of S3.

/// An object as S3 lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Object {
    pub(crate) key: String,
    /// With its quotes, as S3 sends and expects it. An object without one is fetched each time.
    pub(crate) etag: Option<String>,
    pub(crate) size: u64,
}
