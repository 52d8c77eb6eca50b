//! The user at the other end of a loopback connection. The Runtime API has no credentials, so the ports of handlers
//! accept our own user only. The kernel's socket table shows which user holds the other end.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use tokio::net::TcpStream;

/// Reads of the table: it may miss a row if other rows change while it is read.
const TRIES: usize = 3;

/// The user that holds the other end of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Peer {
    /// The user of this process.
    Own,
    /// Another user.
    Another,
    /// The other end has been closed.
    Gone,
}

/// Finds the user of the other end. Call it before anything is read.
pub(crate) async fn of(stream: &TcpStream) -> io::Result<Peer> {
    let (ours, theirs) = (v4(stream.local_addr()?)?, v4(stream.peer_addr()?)?);
    // The kernel needs some ms to print the table.
    tokio::task::spawn_blocking(move || compare(ours, theirs)).await.map_err(io::Error::other)?
}

fn compare(ours: SocketAddrV4, theirs: SocketAddrV4) -> io::Result<Peer> {
    let mut own = None;
    for _ in 0..TRIES {
        let table = std::fs::read_to_string("/proc/net/tcp")?;
        own = own.or_else(|| owner(&table, ours, theirs));
        let other = match owner(&table, theirs, ours) {
            Some(other) => Some(other),
            // Clients may use an IPv6 socket for IPv4 addresses. The table is missing if IPv6 is off.
            None => std::fs::read_to_string("/proc/net/tcp6").ok().and_then(|table| owner(&table, theirs, ours)),
        };
        if let (Some(own), Some(other)) = (own, other) {
            return Ok(if own == other { Peer::Own } else { Peer::Another });
        }
    }
    match own {
        Some(_) => Ok(Peer::Gone),
        None => Err(io::Error::new(io::ErrorKind::NotFound, "our own end is not listed")),
    }
}

fn v4(address: std::net::SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        std::net::SocketAddr::V4(address) => Ok(address),
        std::net::SocketAddr::V6(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// The user that holds the socket between these addresses. A closed socket is listed with root's user id and without
/// an inode.
fn owner(table: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        if address(fields.next()?)? != local || address(fields.next()?)? != remote {
            return None;
        }
        let user = fields.nth(4)?.parse().ok()?;
        let inode: u64 = fields.nth(1)?.parse().ok()?;
        (inode != 0).then_some(user)
    })
}

/// Reads `0100007F:1F90`: each 32 bits in this machine's byte order. Of IPv6 only mapped IPv4 addresses.
fn address(text: &str) -> Option<SocketAddrV4> {
    let (host, port) = text.split_once(':')?;
    let words: Option<Vec<[u8; 4]>> = (0..host.len())
        .step_by(8)
        .map(|at| Some(u32::from_str_radix(host.get(at..at + 8)?, 16).ok()?.to_ne_bytes()))
        .collect();
    let host = match words?[..] {
        [host] => host,
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0xff, 0xff], host] => host,
        _ => return None,
    };
    Some(SocketAddrV4::new(Ipv4Addr::from(host), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener};

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn row(local: &str, remote: &str, user: u32, inode: u32) -> String {
        format!(
            "   1: {local} {remote} 01 00000000:00000000 00:00000000 00000000 {user:5}        0 {inode} 1 0 20 4 30 10 -1\n"
        )
    }

    fn at(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    #[test]
    fn owners_are_read_from_both_tables() {
        let host = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let mapped = format!("0000000000000000{:08X}{host}", u32::from_ne_bytes([0, 0, 0xff, 0xff]));
        let table = [
            HEAD.to_owned(),
            row(&format!("{host}:1F90"), "00000000:0000", 1, 5),
            row(&format!("{host}:1F90"), &format!("{host}:C000"), 1000, 6),
            row(&format!("{host}:C001"), &format!("{host}:1F90"), 0, 0),
            row(&format!("{mapped}:C002"), &format!("{mapped}:1F90"), 1001, 7),
            row(&format!("{}:C003", "0".repeat(32)), &format!("{mapped}:1F90"), 1002, 8),
        ]
        .concat();
        assert_eq!(owner(&table, at(8080), at(0xc000)), Some(1000));
        assert_eq!(owner(&table, at(0xc000), at(8080)), None);
        assert_eq!(owner(&table, at(0xc001), at(8080)), None, "a closed socket has no owner");
        assert_eq!(owner(&table, at(0xc002), at(8080)), Some(1001));
    }

    #[tokio::test]
    async fn own_connections_are_recognised_and_closed_ones_are_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert_eq!(of(&accepted).await.unwrap(), Peer::Own);
        drop(client);
        assert_eq!(of(&accepted).await.unwrap(), Peer::Gone);
    }

    #[tokio::test]
    async fn a_client_may_use_an_ipv6_socket() {
        let Ok(both) = TcpListener::bind("[::1]:0") else { return };
        drop(both);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
        let mapped = SocketAddr::new(address.ip().to_ipv6_mapped().into(), address.port());
        let Ok(_client) = std::net::TcpStream::connect(mapped) else { return };
        let (accepted, _) = listener.accept().await.unwrap();
        assert_eq!(of(&accepted).await.unwrap(), Peer::Own);
    }
}
