//! The file in which a command may leave a value for the host.

use crate::regular_file::{self, Content};
use std::path::Path;

/// 240 KB in base64, so that a result stays within [`crate::result::MAX_RESULT_BYTES`].
pub(crate) const MAX_VALUE_BYTES: u64 = 180_000;

/// Reads the value; `None` when nothing was written. The error is for the operator.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match regular_file::read(path, MAX_VALUE_BYTES) {
        Ok(Content::Absent) => Ok(None),
        Ok(Content::Whole(value)) => Ok(Some(value).filter(|value| !value.is_empty())),
        Ok(Content::TooLong(bytes)) => Err(format!(
            "the result file has {bytes} bytes, more than the {MAX_VALUE_BYTES} that a result can carry; no value is sent"
        )),
        Ok(Content::NotAFile) => Err("the result file is not a regular file; no value is sent".to_owned()),
        Err(error) => Err(format!("the result file cannot be read: {error}; no value is sent")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_was_written_is_the_value() {
        let directory = Scratch::new("result_file");
        let path = directory.join("result");
        assert_eq!(read(&path), Ok(None));
        std::fs::write(&path, b"").unwrap();
        assert_eq!(read(&path), Ok(None));
        std::fs::write(&path, b"\xffvalue").unwrap();
        assert_eq!(read(&path), Ok(Some(b"\xffvalue".to_vec())));
        std::fs::write(&path, vec![0; 180_001]).unwrap();
        assert!(read(&path).unwrap_err().contains("180001 bytes"));
        assert!(read(&directory).unwrap_err().contains("not a regular file"));
    }
}
