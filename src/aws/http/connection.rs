//! One connection, and the exchange of a request for its answer. The connection is driven by the task of the call, so
//! that a call wakes no other task; while it is idle, nothing drives it.

use super::connect::Io;
use super::watched::{Progress, Watched};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// The largest answer that is read. Ten messages of 1 MiB are up to three times as large in JSON.
const LARGEST_ANSWER: usize = 64 << 20;

type Body = Full<Bytes>;
pub(in crate::aws) type Request = http::Request<Body>;

/// A connection that carries one request at a time.
pub(super) struct Connection {
    sender: http1::SendRequest<Body>,
    driver: http1::Connection<TokioIo<Watched>, Body>,
    /// The driver has returned, and must not be polled again.
    ended: bool,
    progress: Arc<Progress>,
    idle_since: Instant,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(in crate::aws) struct Answer {
    pub(in crate::aws) status: StatusCode,
    pub(in crate::aws) headers: HeaderMap,
    pub(in crate::aws) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// Not a byte of the request was written, or the connection ended before a byte of an answer was read.
    BeforeAnswer(String),
    /// The connection ended in the head of the answer, or what came is not HTTP.
    InHead(String),
    /// The answer began, and cannot be read to its end.
    InBody(StatusCode, Box<HeaderMap>, String),
}

impl Connection {
    /// In a box, since it is handed on several times for each request.
    pub(super) async fn new(io: Box<dyn Io>) -> Result<Box<Self>, String> {
        let progress = Arc::new(Progress::default());
        let io = TokioIo::new(Watched::new(io, Arc::clone(&progress)));
        let (sender, driver) = http1::handshake(io).await.map_err(|error| cause(&error))?;
        Ok(Box::new(Self { sender, driver, ended: false, progress, idle_since: Instant::now() }))
    }

    /// How far the present request has come.
    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Sends a request and reads its answer. Without an answer the connection cannot be used again.
    pub(super) async fn exchange(&mut self, request: Request) -> Result<Answer, Failed> {
        self.progress.begin();
        let response = {
            let mut response = pin!(self.sender.try_send_request(request));
            let (driver, ended) = (&mut self.driver, &mut self.ended);
            poll_fn(|cx| {
                let failure = drive(driver, ended, cx);
                match response.as_mut().poll(cx) {
                    Poll::Ready(answer) => Poll::Ready(answer.map_err(|refused| cause(refused.error()))),
                    Poll::Pending if *ended => Poll::Ready(Err(failure.unwrap_or_else(|| "connection closed".into()))),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        };
        let response = match response {
            Ok(response) => response,
            Err(why) if self.progress.has_read() => return Err(Failed::InHead(why)),
            Err(why) => return Err(Failed::BeforeAnswer(why)),
        };
        let (head, body) = response.into_parts();
        match self.read(body).await {
            Ok(body) => Ok(Answer { status: head.status, headers: head.headers, body }),
            Err(why) => Err(Failed::InBody(head.status, Box::new(head.headers), why)),
        }
    }

    async fn read(&mut self, mut body: hyper::body::Incoming) -> Result<Bytes, String> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        loop {
            let (driver, ended) = (&mut self.driver, &mut self.ended);
            let frame = {
                let mut frame = pin!(body.frame());
                poll_fn(|cx| {
                    drive(driver, ended, cx);
                    frame.as_mut().poll(cx)
                })
                .await
            };
            let Some(frame) = frame else { break };
            // Trailers are not used.
            let Ok(data) = frame.map_err(|error| cause(&error))?.into_data() else { continue };
            if first.len() + all.len() + data.len() > LARGEST_ANSWER {
                return Err(format!("it is larger than {LARGEST_ANSWER} bytes"));
            }
            match (first.is_empty(), all.is_empty()) {
                (true, true) => first = data,
                (false, _) => {
                    all.reserve(first.len() + data.len());
                    all.extend_from_slice(&std::mem::take(&mut first));
                    all.extend_from_slice(&data);
                }
                (true, false) => all.extend_from_slice(&data),
            }
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    /// Whether it can carry another request. Notices an end of the connection that was received while it was idle.
    pub(super) fn is_usable(&mut self) -> bool {
        if !self.ended {
            drive(&mut self.driver, &mut self.ended, &mut Context::from_waker(Waker::noop()));
        }
        !self.ended && self.sender.is_ready() && !self.progress.is_used_up()
    }

    pub(super) fn becomes_idle(&mut self) {
        self.idle_since = Instant::now();
    }

    pub(super) fn idle(&self) -> Duration {
        self.idle_since.elapsed()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Lets the connection read and write. Returns why it has ended, if it ended with an error.
fn drive(
    driver: &mut http1::Connection<TokioIo<Watched>, Body>,
    ended: &mut bool,
    cx: &mut Context<'_>,
) -> Option<String> {
    if *ended {
        return None;
    }
    match Pin::new(driver).poll(cx) {
        Poll::Pending => None,
        Poll::Ready(end) => {
            *ended = true;
            end.err().map(|error| cause(&error))
        }
    }
}

/// The innermost cause is the useful one.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string()
}
