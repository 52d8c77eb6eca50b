//! Detects that the host of this program has ended. Between events the connection to the Runtime API shows it. While a
//! command runs, nothing uses that connection, and the command could run on for minutes after its host was killed.

use std::io::ErrorKind;
use std::time::Duration;
use tokio::net::TcpStream;

const PAUSE: Duration = Duration::from_secs(1);
/// Refused connections in a row. A single network failure must not end a command.
const REFUSALS: u32 = 2;

/// Returns when nothing listens any more at the Runtime API's address `api` (`host:port`). Only refused connections
/// count; other failures may be temporary.
pub(crate) async fn gone(api: &str) {
    let mut refusals = 0;
    while refusals < REFUSALS {
        tokio::time::sleep(PAUSE).await;
        match TcpStream::connect(api).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => refusals += 1,
            _ => refusals = 0,
        }
    }
}
