//! Standard error of the host, written without the standard library: its lock, held while a full pipe blocks the
//! writer, would stay locked in a child forked meanwhile.

#![allow(unsafe_code)]

use super::file_identity::FileIdentity;

/// Standard error as it was when this was made. If the host closes descriptor 2, the next file or connection that it
/// opens gets that number, and must not receive log records.
#[derive(Clone, Copy, Debug)]
pub struct Stderr {
    /// `None` if it was closed.
    file: Option<FileIdentity>,
}

impl Stderr {
    /// Descriptor 2 as it is now.
    pub fn now() -> Self {
        Self { file: FileIdentity::of(libc::STDERR_FILENO) }
    }

    /// Writes `text`, in one call if the system takes it so. Errors are ignored: there is nowhere to report them.
    pub fn write(self, text: &[u8]) {
        if self.is_usable() {
            write_all(libc::STDERR_FILENO, text);
        }
    }

    /// Still the same file, or one opened for appending, as the host's own log files are.
    fn is_usable(self) -> bool {
        let Some(file) = self.file else { return false };
        FileIdentity::of(libc::STDERR_FILENO) == Some(file) || is_append_only(libc::STDERR_FILENO)
    }
}

fn is_append_only(descriptor: libc::c_int) -> bool {
    // SAFETY: reads flags only.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    flags >= 0 && flags & libc::O_APPEND != 0
}

fn write_all(descriptor: libc::c_int, mut text: &[u8]) {
    while !text.is_empty() {
        // SAFETY: the bytes are ours.
        let written = unsafe { libc::write(descriptor, text.as_ptr().cast(), text.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => text = text.get(written..).unwrap_or_default(),
            _ if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_descriptor_that_was_closed_or_is_another_file_now_is_not_written() {
        assert!(Stderr::now().is_usable());
        assert!(!Stderr { file: None }.is_usable());
        assert_eq!(FileIdentity::of(-1), None);
        let (first, second) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
        assert_ne!(FileIdentity::of(first.1.as_raw_fd()), FileIdentity::of(second.1.as_raw_fd()));
        assert_eq!(FileIdentity::of(first.1.as_raw_fd()), FileIdentity::of(first.1.try_clone().unwrap().as_raw_fd()));
    }

    #[test]
    fn files_opened_for_appending_are_recognised() {
        let path = std::env::temp_dir().join(format!("lambda-executor-stderr-{}", std::process::id()));
        let appending = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let plain = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(is_append_only(appending.as_raw_fd()));
        assert!(!is_append_only(plain.as_raw_fd()) && !is_append_only(-1));
    }

    #[test]
    fn all_of_a_text_is_written() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let text = vec![b'x'; 300_000];
        let expected = text.len();
        let thread = std::thread::spawn(move || write_all(writer.as_raw_fd(), &text));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        thread.join().unwrap();
        assert_eq!(read.len(), expected);
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        write_all(writer.as_raw_fd(), b"text");
    }
}
