//! A small HTTP server that treats connections as a test asks for.

use rustls::ServerConfig;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A request as it was received.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Counts connections from 0.
    pub(super) connection: usize,
    /// Method and path.
    pub(super) line: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Status, headers and body; the connection stays.
    Reply(u16, Vec<(&'static str, String)>, String),
    /// The same after this many ms.
    Late(u64, u16, String),
    /// The same, then the connection is closed; [`FakeServer::closed`] returns when the client has noticed.
    ReplyAndClose(u16, String),
    /// The head of an answer with this status and a part of its body, then the connection is closed.
    Cut(u16),
    /// These bytes; the connection stays.
    Raw(&'static str),
    /// These bytes, then the connection is closed.
    RawAndClose(&'static str),
    /// The first bytes, then the second ones again and again, until the client closes the connection.
    Endless(&'static str, &'static str),
    /// The connection is closed.
    Drop,
    /// The same after this many ms.
    DropLate(u64),
    /// No answer ever.
    Hang,
}

/// The server; its connections end with the test's runtime.
pub(super) struct FakeServer {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    closed: Arc<Semaphore>,
}

impl FakeServer {
    /// Answers request number n (from 0) with `answer(n, request)`.
    pub(super) async fn start(answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer).await
    }

    /// The same over TLS.
    pub(super) async fn start_tls(
        config: Arc<ServerConfig>,
        answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(tokio_rustls::TlsAcceptor::from(config)), answer).await
    }

    async fn start_with(
        tls: Option<tokio_rustls::TlsAcceptor>,
        answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let log = Arc::clone(&seen);
        let closed = Arc::new(Semaphore::new(0));
        let client_knows = Arc::clone(&closed);
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                stream.set_nodelay(true).unwrap();
                let (log, client_knows, answer) = (Arc::clone(&log), Arc::clone(&client_knows), Arc::clone(&answer));
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, connection, log, client_knows, answer).await,
                        Some(tls) => {
                            // A client that does not trust the certificate ends the handshake.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream, connection, log, client_knows, answer).await;
                        }
                    }
                });
            }
        });
        Self { url, seen, closed }
    }

    /// Returns when the client has noticed one more connection that was closed after a reply.
    pub(super) async fn closed(&self) {
        self.closed.acquire().await.unwrap().forget();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
    client_knows: Arc<Semaphore>,
    answer: Arc<impl Fn(usize, &Seen) -> Answer>,
) {
    while let Some(request) = read_request(&mut stream, connection).await {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        match answer(number, &request) {
            Answer::Reply(status, headers, body) => write_reply(&mut stream, status, &headers, &body).await,
            Answer::Late(ms, status, body) => {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                write_reply(&mut stream, status, &[], &body).await;
            }
            Answer::ReplyAndClose(status, body) => {
                write_reply(&mut stream, status, &[], &body).await;
                let _ = stream.shutdown().await;
                // The client's own end of the connection follows when it has noticed ours.
                assert!(read_request(&mut stream, connection).await.is_none(), "sent into a closed connection");
                client_knows.add_permits(1);
                return;
            }
            Answer::Cut(status) => {
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\n\r\nthe first part");
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Answer::Raw(text) => _ = stream.write_all(text.as_bytes()).await,
            Answer::RawAndClose(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Answer::Endless(first, again) => {
                let mut written = stream.write_all(first.as_bytes()).await;
                let many = again.repeat(1_000);
                while written.is_ok() {
                    written = stream.write_all(many.as_bytes()).await;
                }
                return;
            }
            Answer::Drop => return,
            Answer::DropLate(ms) => {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                return;
            }
            Answer::Hang => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin), connection: usize) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    while bytes.len() < head_end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[head_end..head_end + length].to_vec()).unwrap();
    Some(Seen { connection, line, headers, body })
}

async fn write_reply(stream: &mut (impl AsyncWrite + Unpin), status: u16, headers: &[(&str, String)], body: &str) {
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{more}\r\n{body}");
    // The client may have closed the connection.
    let _ = stream.write_all(text.as_bytes()).await;
}
