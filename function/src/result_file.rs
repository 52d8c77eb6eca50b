//! The file in which a command may leave a value for the host.

use crate::regular_file::{self, Content};
use std::path::Path;

/// 240 KB in base64, so that the message stays within what every results queue accepts (`MAX_RESULT_BYTES`).
pub(crate) const MAX_VALUE_BYTES: u64 = 180_000;

/// The value in a command's result file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    /// Nothing: there is no file, or it is empty.
    Nothing,
    /// This value.
    Bytes(Vec<u8>),
    /// Something that cannot be sent.
    Unsendable {
        /// Its length, if known.
        bytes: Option<u64>,
        /// Why, in one sentence for the operator.
        why: String,
    },
}

/// Reads the value.
pub(crate) fn read(path: &Path) -> Value {
    match regular_file::read(path, MAX_VALUE_BYTES) {
        Ok(Content::Absent) => Value::Nothing,
        Ok(Content::Whole(bytes)) if bytes.is_empty() => Value::Nothing,
        Ok(Content::Whole(bytes)) => Value::Bytes(bytes),
        Ok(Content::TooLong(bytes)) => Value::Unsendable {
            bytes: Some(bytes),
            why: format!(
                "the result file has {bytes} bytes, more than the {MAX_VALUE_BYTES} that a result can carry: store the \
                 value elsewhere (for example in S3) and write its name; no value is sent"
            ),
        },
        Ok(Content::NotAFile) => {
            Value::Unsendable { bytes: None, why: "the result file is not a regular file; no value is sent".to_owned() }
        }
        Err(error) => {
            Value::Unsendable { bytes: None, why: format!("the result file cannot be read: {error}; no value is sent") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn unsendable(value: Value) -> (Option<u64>, String) {
        match value {
            Value::Unsendable { bytes, why } => (bytes, why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_content_of_the_file_is_the_value() {
        let directory = Scratch::new("result_file");
        let path = directory.join("result");
        assert_eq!(read(&path), Value::Nothing);
        std::fs::write(&path, b"").unwrap();
        assert_eq!(read(&path), Value::Nothing);
        std::fs::write(&path, b"\xffvalue").unwrap();
        assert_eq!(read(&path), Value::Bytes(b"\xffvalue".to_vec()));
        std::fs::write(&path, vec![0; 180_000]).unwrap();
        assert_eq!(read(&path), Value::Bytes(vec![0; 180_000]));
    }

    #[test]
    fn an_unsendable_value_is_explained() {
        let directory = Scratch::new("result_file_unsendable");
        let path = directory.join("result");
        std::fs::write(&path, vec![0; 180_001]).unwrap();
        let (bytes, why) = unsendable(read(&path));
        assert!(bytes == Some(180_001) && why.contains("180001 bytes, more than the 180000"), "{why}");
        let (bytes, why) = unsendable(read(&directory));
        assert!(bytes.is_none() && why.contains("not a regular file"), "{why}");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&path, &path).unwrap();
        let (bytes, why) = unsendable(read(&path));
        assert!(bytes.is_none() && why.contains("cannot be read"), "{why}");
    }
}
