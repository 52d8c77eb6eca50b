//! The file in which a command may leave a value for the host.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// 240 KB in base64, so that a result stays within [`crate::result::MAX_RESULT_BYTES`].
pub(crate) const MAX_VALUE_BYTES: u64 = 180_000;

/// Reads the value; `None` when nothing was written. The error is for the operator.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    // Without O_NONBLOCK a named pipe in its place would hold us for ever.
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("the result file cannot be read: {error}; no value is sent")),
    };
    let metadata = file.metadata().map_err(|error| format!("the result file cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("the result file is not a regular file; no value is sent".to_owned());
    }
    let mut value = Vec::new();
    file.take(MAX_VALUE_BYTES + 1)
        .read_to_end(&mut value)
        .map_err(|error| format!("the result file cannot be read: {error}; no value is sent"))?;
    if value.len() as u64 > MAX_VALUE_BYTES {
        let size = metadata.len().max(value.len() as u64);
        return Err(format!(
            "the result file has {size} bytes, more than the {MAX_VALUE_BYTES} that a result can carry; no value is sent"
        ));
    }
    Ok(Some(value).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempts::tests::scratch;

    #[test]
    fn what_was_written_is_the_value() {
        let directory = scratch("result_file");
        let path = directory.join("result");
        assert_eq!(read(&path), Ok(None));
        std::fs::write(&path, b"").unwrap();
        assert_eq!(read(&path), Ok(None));
        std::fs::write(&path, b"\xffvalue").unwrap();
        assert_eq!(read(&path), Ok(Some(b"\xffvalue".to_vec())));
        std::fs::write(&path, vec![0; 180_001]).unwrap();
        assert!(read(&path).unwrap_err().contains("180001 bytes"));
        assert!(read(&directory).unwrap_err().contains("not a regular file"));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
