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

/// An answer: headers and a body that is there as a whole.
pub(crate) type Answer = http::Response<Full<Bytes>>;

/// Instead of an answer: the connection is to be closed without one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(crate) struct NoAnswer;

/// What answers requests. Clones are the same service.
pub(crate) trait Service: Clone + Send + 'static {
    /// Answers one request.
    fn answer(&self, request: http::Request<Incoming>) -> impl Future<Output = Result<Answer, NoAnswer>> + Send;
}

/// How long to wait after an error of `accept`, such as too many open files, which only time can cure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long to wait for a port that another process holds for a moment.
const BIND_PAUSE: Duration = Duration::from_millis(10);

/// Serves connections, but for the outages of `plan`, until the future is dropped, which closes them all.
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
    loop {
        let active = plan.active();
        let now = Instant::now();
        let mut next_change = active.next_change(now);
        if active.outage(now) == Some(OutageKind::Refuse) {
            // Without a listener the kernel refuses. Requests under way lose their connection.
            listener = None;
            logged = false;
            connections.abort_all();
        } else if listener.is_none() {
            // Again, after an outage, on the port that clients know.
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                Err(error) => {
                    if !std::mem::replace(&mut logged, true) {
                        tracing::warn!(%error, %address, "cannot listen again after an outage; trying again");
                    }
                    let again = now + BIND_PAUSE;
                    next_change = Some(next_change.map_or(again, |change| change.min(again)));
                }
            }
        }
        tokio::select! {
            accepting = accept(listener.as_ref()) => match accepting {
                Ok(stream) => {
                    accepted();
                    connections.spawn(connection(stream, service.clone(), Some(plan.clone())));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection; trying again");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = changes.changed() => {}
            () = wait_until(next_change) => {}
        }
    }
}

/// Serves connections of our own user until the future is dropped, which closes them all.
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

/// As `connection`, if it is our own user's.
async fn own_connection<S: Service>(stream: TcpStream, service: S) {
    match peer::of(&stream).await {
        Ok(Peer::Own) => connection(stream, service, None).await,
        // Our function connects each second to see whether the port is open, and sends nothing.
        Ok(Peer::Gone) => {
            tracing::debug!("a connection to the Runtime API of a handler was closed before it was served")
        }
        Ok(Peer::Another) => {
            tracing::warn!("a connection to the Runtime API of a handler is refused: it is another user's");
        }
        Err(error) => {
            tracing::warn!(%error, "a connection to the Runtime API of a handler is refused: /proc/net/tcp does not \
                            show whose it is");
        }
    }
}

/// Serves one connection until either side closes it. `plan` says how long it may be idle.
async fn connection<S: Service>(stream: TcpStream, service: S, plan: Option<Arc<FaultPlan>>) {
    // An answer that waits for the client's acknowledgement of the one before takes 40 ms.
    let _ = stream.set_nodelay(true);
    // Since when it has been idle; `None` during a request.
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
    // hyper's own date stands still after the system's clock was set back, and clients correct their clock by it.
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
            // Without a limit, requests need not wake this task.
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

/// An answer with a body; content type and more are the caller's.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = http::Response::new(Full::new(body.into()));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        set_header(&mut answer, name, value);
    }
    answer
}

/// Adds a header; one that HTTP does not allow is left out.
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

    /// Repeats until there is something, while the virtual time goes by.
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
