//! A proxy that opens tunnels, and notes the heads of the requests for them.

use rustls::ServerConfig;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// The proxy; its tunnels end with the test's runtime.
pub(super) struct FakeProxy {
    pub(super) address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl FakeProxy {
    /// Answers each request with `status`; after 200 the tunnel leads to where the request asks for.
    pub(super) async fn start(status: u16) -> Self {
        Self::start_with(None, status).await
    }

    /// The same over TLS.
    pub(super) async fn start_tls(config: Arc<ServerConfig>, status: u16) -> Self {
        Self::start_with(Some(tokio_rustls::TlsAcceptor::from(config)), status).await
    }

    async fn start_with(tls: Option<tokio_rustls::TlsAcceptor>, status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, log) = (tls.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, status, log).await,
                        Some(tls) => serve(tls.accept(stream).await.unwrap(), status, log).await,
                    }
                });
            }
        });
        Self { address, heads }
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(mut client: impl AsyncRead + AsyncWrite + Unpin, status: u16, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    heads.lock().unwrap().push(head);
    // The client may have closed the connection.
    let _ = client.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes()).await;
    if status == 200
        && let Ok(mut server) = TcpStream::connect(target).await
    {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
