//! HTTP/1.1 on a loopback port: connections, keep-alive, and outages in which no connection is accepted.

use crate::faults::{FaultPlan, OutageKind};
use crate::peer::{self, Peer};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// An answer with its complete body.
pub(crate) type Answer = http::Response<Full<Bytes>>;

/// Replaces an answer: the connection is closed without one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(crate) struct NoAnswer;

/// A service that answers requests. Clones share it.
pub(crate) trait Service: Clone + Send + 'static {
    /// Answers one request.
    fn answer(&self, request: http::Request<Incoming>) -> impl Future<Output = Result<Answer, NoAnswer>> + Send;
}

/// Pause after an error of `accept`, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Pause before another try to listen on a port that is in use.
const BIND_PAUSE: Duration = Duration::from_millis(10);

/// Serves connections, except during outages of `plan`. Dropping the future closes all connections.
pub(crate) async fn serve<S: Service>(
    first: TcpListener,
    address: SocketAddr,
    plan: Arc<FaultPlan>,
    service: S,
    accepted: impl Fn(),
) {
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    let mut changes = plan.changes();
    let mut logged = false;
    let mut refused = false;
    loop {
        let active = plan.active();
        let now = Instant::now();
        let mut next_change = active.next_change(now);
        if active.outage(now) == Some(OutageKind::Refuse) {
            // Without a listener the kernel refuses connections. Requests in flight lose theirs.
            listener = None;
            logged = false;
            connections.abort_all();
        } else if listener.is_none() {
            // After an outage, listen again on the port that clients know.
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                Err(error) => {
                    if !std::mem::replace(&mut logged, true) {
                        tracing::warn!(%error, %address, "cannot listen again after an outage; retrying");
                    }
                    let again = now + BIND_PAUSE;
                    next_change = Some(next_change.map_or(again, |change| change.min(again)));
                }
            }
        }
        tokio::select! {
            accepting = accept(listener.as_ref()) => match accepting {
                Ok(stream) => {
                    refused = false;
                    accepted();
                    connections.spawn(connection(stream, service.clone(), Some(plan.clone())));
                }
                Err(error) => {
                    // Once, until it works again: there are twenty tries a second.
                    if !std::mem::replace(&mut refused, true) {
                        tracing::warn!(%error, "cannot accept a connection; retrying");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = changes.changed() => {}
            () = wait_until(next_change) => {}
        }
    }
}

/// Serves connections of our own user. Dropping the future closes all connections.
pub(crate) async fn serve_own_user<S: Service>(listener: TcpListener, service: S) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepting = listener.accept() => match accepting {
                Ok((stream, _)) => {
                    connections.spawn(own_connection(stream, service.clone()));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A listener on any free loopback port.
pub(crate) async fn any_port() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Like `connection`, for connections of our own user only.
async fn own_connection<S: Service>(stream: TcpStream, service: S) {
    match peer::of(&stream).await {
        Ok(Peer::Own) => connection(stream, service, None).await,
        // Our function program connects each second to check that the port is open, and sends nothing.
        Ok(Peer::Gone) => {
            tracing::debug!("a connection to the Runtime API of a handler was closed before it was served")
        }
        Ok(Peer::Another) => {
            tracing::warn!("a connection to the Runtime API of a handler was refused: it is from another user");
        }
        Err(error) => {
            tracing::warn!(%error, "a connection to the Runtime API of a handler was refused: /proc/net/tcp does not \
                            show its user");
        }
    }
}

/// Serves one connection until either side closes it. `plan` limits its idle time.
async fn connection<S: Service>(stream: TcpStream, service: S, plan: Option<Arc<FaultPlan>>) {
    // Without this, an answer may wait 40 ms for the client's acknowledgement of the previous one.
    let _ = stream.set_nodelay(true);
    // Start of the idle time; `None` during a request.
    let (idle_since, idle) = watch::channel(Some(Instant::now()));
    let idle_since = Arc::new(idle_since);
    let handler = service_fn(move |request| {
        let (service, idle_since) = (service.clone(), idle_since.clone());
        async move {
            idle_since.send_replace(None);
            let mut answered = service.answer(request).await;
            if let Ok(answer) = &mut answered {
                set_header(answer, "date", &httpdate::fmt_http_date(SystemTime::now()));
            }
            idle_since.send_replace(Some(Instant::now()));
            answered
        }
    });
    // hyper's own date stops when the system's clock is set back, and clients correct their clock by it.
    let mut serving =
        pin!(http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), handler));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = idle_too_long(plan, idle) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Returns once a connection has been idle for longer than the faults allow.
async fn idle_too_long(plan: Option<Arc<FaultPlan>>, mut idle: watch::Receiver<Option<Instant>>) {
    let Some(plan) = plan else { return std::future::pending().await };
    let mut changes = plan.changes();
    loop {
        let limit = plan.active().faults.idle_close_ms.map(Duration::from_millis);
        let since = *idle.borrow_and_update();
        let end = limit.zip(since).map(|(limit, since)| since + limit);
        tokio::select! {
            () = wait_until(end), if end.is_some() => return,
            // Without a limit, requests do not need to wake this task.
            Ok(()) = idle.changed(), if limit.is_some() => {}
            _ = changes.changed() => {}
        }
    }
}

/// Reads a body of at most `limit` bytes; `None` if it is larger or does not arrive.
pub(crate) async fn read_body(body: Incoming, limit: usize) -> Option<Bytes> {
    use http_body_util::{BodyExt, Limited};
    Limited::new(body, limit).collect().await.ok().map(http_body_util::Collected::to_bytes)
}

/// An answer with a body; the caller adds the content type and other headers.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = http::Response::new(Full::new(body.into()));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        set_header(&mut answer, name, value);
    }
    answer
}

/// Adds a header, unless HTTP does not allow its value.
pub(crate) fn set_header(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        answer.headers_mut().insert(http::HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Faults;

    #[derive(Clone)]
    struct Hello;

    impl Service for Hello {
        async fn answer(&self, _: http::Request<Incoming>) -> Result<Answer, NoAnswer> {
            Ok(answer(200, &[], "hello"))
        }
    }

    /// Repeats `there` in virtual time until it returns a value.
    async fn eventually<T>(what: &str, mut there: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..10_000 {
            if let Some(it) = there().await {
                return it;
            }
            sleep(Duration::from_millis(1)).await;
        }
        panic!("{what}: not within 10 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_port_that_is_held_at_the_end_of_an_outage_is_taken_when_it_is_free() {
        let (listener, address) = any_port().await.unwrap();
        let faults = Faults::from_json(br#"{"outages": [{"for_ms": 1000, "kind": "refuse"}]}"#).unwrap();
        let plan = Arc::new(FaultPlan::new(faults));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, address, plan, Hello, || ()));
        let holder = eventually("the port is free", async || TcpListener::bind(address).await.ok()).await;
        sleep(Duration::from_secs(2)).await;
        drop(holder);
        eventually("it serves again", async || TcpStream::connect(address).await.ok()).await;
    }
}
