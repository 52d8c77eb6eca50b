//! Reads a file that another program has written. It may be of any kind and size.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Content of the file, or why it was not read.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Content {
    Absent,
    Whole(Vec<u8>),
    /// More bytes than wanted: this many.
    TooLong(u64),
    /// A directory, a pipe, a device.
    NotAFile,
}

/// Reads at most `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Content> {
    // Without O_NONBLOCK opening a named pipe would block for ever.
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::Absent),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Content::NotAFile);
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    Ok(if length > most { Content::TooLong(metadata.len().max(length)) } else { Content::Whole(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn every_kind_of_file_is_recognised_at_once() {
        let directory = Scratch::new("regular_file");
        let path = directory.join("file");
        assert_eq!(read(&path, 3).unwrap(), Content::Absent);
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(read(&path, 3).unwrap(), Content::Whole(b"abc".to_vec()));
        assert_eq!(read(&path, 2).unwrap(), Content::TooLong(3));
        assert_eq!(read(&directory, 3).unwrap(), Content::NotAFile);
        let pipe = directory.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read(&pipe, 3).unwrap(), Content::NotAFile);
    }
}
