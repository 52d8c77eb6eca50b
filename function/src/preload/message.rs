//! Messages between this program and the fork server: 4 bytes of length, then the content.

use super::descriptors;
use super::module_command::ModuleCommand;
use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// An answer is a line of text.
const MAX_ANSWER_BYTES: u32 = 1024 * 1024;

/// A command as the server reads it. No field can contain NUL.
pub(super) fn encode(command: &ModuleCommand, folder: &Path) -> Vec<u8> {
    let count = command.arguments.len().to_string();
    let executable = command.executable.as_os_str();
    let mut content = Vec::new();
    let head = [folder.as_os_str(), &command.program, executable, &command.module, OsStr::new(&count)];
    for field in head.into_iter().chain(command.arguments.iter().map(AsRef::as_ref)) {
        content.extend_from_slice(field.as_bytes());
        content.push(0);
    }
    for (name, value) in &command.environment {
        content.extend_from_slice(name.as_bytes());
        content.push(b'=');
        content.extend_from_slice(value.as_bytes());
        content.push(0);
    }
    content
}

/// Sends `content` with `fds`.
pub(super) async fn send(stream: &mut UnixStream, content: &[u8], fds: [BorrowedFd<'_>; 3]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?.to_be_bytes();
    let sent = stream.async_io(Interest::WRITABLE, || descriptors::send(&*stream, &length, fds)).await?;
    stream.write_all(&length[sent..]).await?;
    stream.write_all(content).await
}

/// Receives a line. An error of kind `UnexpectedEof` means that the server has ended.
pub(super) async fn receive(stream: &mut UnixStream) -> io::Result<String> {
    let length = stream.read_u32().await?;
    if length > MAX_ANSWER_BYTES {
        return Err(io::Error::other(format!("an answer of {length} bytes")));
    }
    let mut content = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact(&mut content).await?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}
