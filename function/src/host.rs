//! Notices that whoever runs this program is gone. Between events the Runtime API's silence tells; while a command runs
//! nobody listens to it, and a host that was killed would leave the command behind for minutes.

use std::io::ErrorKind;
use std::time::Duration;
use tokio::net::TcpStream;

const PAUSE: Duration = Duration::from_secs(1);
/// In a row. A command must not end for a single odd answer of the network.
const REFUSALS: u32 = 2;

/// Returns when nothing listens any more at the Runtime API's address `api` (`host:port`). Only a refused connection
/// says so: whatever else goes wrong may pass.
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
