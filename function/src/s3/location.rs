//! A place in S3, as `S3_URI` names it.

use std::fmt;

/// The variable that sets [`Source::max_bytes`].
pub(crate) const MAX_BYTES_VARIABLE: &str = "LAMBDA_EXECUTOR_S3_MAX_BYTES";

/// Objects below a prefix of a bucket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Location {
    pub(crate) bucket: String,
    /// Without a slash at its end; empty for the whole bucket.
    pub(crate) prefix: String,
}

/// The source of the Dags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Source {
    pub(crate) location: Location,
    /// Limit of their size on disk.
    pub(crate) max_bytes: u64,
}

impl Location {
    /// Reads `s3://bucket/prefix`; `None` if `uri` has another form.
    pub(crate) fn read(uri: &str) -> Option<Self> {
        let (bucket, prefix) = uri.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        // Looser than today's rules for names: old buckets have capitals, underscores and more characters.
        let usable = (3..=255).contains(&bucket.len())
            && bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        usable.then(|| Self { bucket: bucket.to_owned(), prefix: prefix.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_whole_with_or_without_a_slash() {
        for (uri, bucket, prefix) in [
            ("s3://my-bucket", "my-bucket", ""),
            ("s3://my-bucket/", "my-bucket", ""),
            ("s3://my-bucket/dags", "my-bucket", "dags"),
            ("s3://my-bucket/a/dags/", "my-bucket", "a/dags"),
            ("s3://My_old.bucket/d ä/", "My_old.bucket", "d ä"),
        ] {
            let location = Location { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(Location::read(uri), Some(location), "{uri}");
        }
    }

    #[test]
    fn other_uris_are_refused() {
        for uri in [
            "my-bucket/dags",
            "s3:/my-bucket",
            "s3://",
            "s3:///dags",
            "https://my-bucket.s3.amazonaws.com/dags",
            "s3://a b/c",
        ] {
            assert_eq!(Location::read(uri), None, "{uri}");
        }
    }
}
