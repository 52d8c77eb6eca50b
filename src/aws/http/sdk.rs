//! The SDK's calls on our connections, with its limits: an [`HttpClient`] for its clients.

use super::connect::NotConnected;
use super::connection::{Answer, Request};
use super::connections::Connections;
use super::delivery::Delivery;
use super::transfer::{Endpoint, Failure};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::{Body, Frame};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The request was handed to a connection, which failed before an answer came: AWS may have taken it.
#[derive(Debug)]
pub(in crate::aws) struct ConnectionLost(String);

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ConnectionLost {}

/// Where the progress of a request is noted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notes {
    /// In the [`Delivery`] of the call that runs now.
    Delivery,
    /// Nowhere: while a call waits for its credentials, it is not sent itself.
    Nothing,
}

/// The HTTP client of one of the SDK's clients.
#[derive(Debug)]
pub(super) struct Client {
    connections: Arc<Connections>,
    notes: Notes,
}

impl Client {
    pub(super) fn new(connections: Connections, notes: Notes) -> Self {
        Self { connections: Arc::new(connections), notes }
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Limited {
            connections: Arc::clone(&self.connections),
            notes: self.notes,
            connect: settings.connect_timeout(),
            read: settings.read_timeout(),
        })
    }
}

/// The client with the limits of one call.
#[derive(Debug)]
struct Limited {
    connections: Arc<Connections>,
    notes: Notes,
    connect: Option<Duration>,
    read: Option<Duration>,
}

impl HttpConnector for Limited {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let delivery = match self.notes {
            Notes::Delivery => Delivery::current().unwrap_or_default(),
            Notes::Nothing => Arc::default(),
        };
        if let Some(capture) = request.extension::<CaptureSmithyConnection>() {
            let delivery = Arc::clone(&delivery);
            capture.set_connection_retriever(move || metadata(&delivery));
        }
        let prepared = Prepared::new(request).and_then(|prepared| {
            let endpoint = self.connections.to(&prepared.origin);
            Ok((prepared, endpoint.map_err(|error| ConnectorError::user(error.into()))?))
        });
        let (connect, read) = (self.connect, self.read);
        HttpConnectorFuture::new(async move {
            let (prepared, endpoint) = prepared?;
            let answer = prepared.send(&endpoint, connect, &delivery);
            let Some(limit) = read else { return answer.await };
            tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
                let message = format!("no answer within {} ms", limit.as_millis());
                Err(ConnectorError::timeout(message.into()))
            })
        })
    }
}

/// The SDK asks for it after a failure that passes, to have the connection closed.
fn metadata(delivery: &Delivery) -> Option<ConnectionMetadata> {
    let progress = delivery.progress()?;
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(move || progress.use_no_more()).build())
}

/// A request of the SDK, as often as it is sent.
struct Prepared {
    /// As [`Connections`] wants it.
    origin: String,
    absolute: Uri,
    path: Uri,
    method: http::Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Prepared {
    fn new(request: HttpRequest) -> Result<Self, ConnectorError> {
        let wrong = |error: BoxError| ConnectorError::user(error);
        let (head, body) = request.try_into_http1x().map_err(|error| wrong(error.into()))?.into_parts();
        let body = body.bytes().ok_or_else(|| wrong("the body is a stream".into()))?;
        let body = Bytes::copy_from_slice(body);
        let (Some(scheme), Some(authority)) = (head.uri.scheme_str(), head.uri.authority()) else {
            return Err(wrong(format!("the address {} has no scheme or no host", head.uri).into()));
        };
        let host = match (scheme, authority.port_u16()) {
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => authority.host().to_owned(),
            (_, Some(port)) => format!("{}:{port}", authority.host()),
        };
        let mut headers = head.headers;
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::try_from(&host).map_err(|error| wrong(error.into()))?);
        }
        let path = head.uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
        Ok(Self { origin: format!("{scheme}://{host}"), path, absolute: head.uri, method: head.method, headers, body })
    }

    fn request(&self, is_forwarded: bool) -> Request {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = if is_forwarded { self.absolute.clone() } else { self.path.clone() };
        *request.headers_mut() = self.headers.clone();
        request
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        connect: Option<Duration>,
        delivery: &Delivery,
    ) -> Result<HttpResponse, ConnectorError> {
        match endpoint.send(&|is_forwarded| self.request(is_forwarded), connect, delivery).await {
            Ok(Answer { status, headers, body }) => response(status, headers, SdkBody::from(body)),
            Err(Failure::Unreadable(status, headers, why)) => {
                response(status, *headers, SdkBody::from_body_1_x(Unreadable(Some(why))))
            }
            Err(Failure::Lost(why)) => Err(ConnectorError::io(ConnectionLost(why).into())),
            Err(Failure::NotConnected(error)) => Err(match &error {
                NotConnected::TimedOut(_) => ConnectorError::timeout(error.to_string().into()),
                NotConnected::Failed(_) => ConnectorError::io(error.to_string().into()),
            }
            .never_connected()),
        }
    }
}

fn response(status: StatusCode, headers: HeaderMap, body: SdkBody) -> Result<HttpResponse, ConnectorError> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The body of an answer that cannot be read to its end: an error, so that the SDK still reports the answer's status.
struct Unreadable(Option<String>);

impl Body for Unreadable {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.0.take().map(|why| Err(why.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::http::Http;
    use std::sync::Mutex;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that answers every request with `answer`, or never.
    struct Server {
        url: String,
        /// Number of the connection of each request, and the request's head.
        seen: Arc<Mutex<Vec<(usize, String)>>>,
    }

    impl Server {
        async fn start(answer: Option<&'static str>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/a?b=c", listener.local_addr().unwrap());
            let seen = Arc::<Mutex<Vec<_>>>::default();
            let log = Arc::clone(&seen);
            tokio::spawn(async move {
                for number in 0.. {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let log = Arc::clone(&log);
                    tokio::spawn(async move {
                        let mut head = Vec::new();
                        while let Ok(byte) = stream.read_u8().await {
                            head.push(byte);
                            if head.ends_with(b"\r\n\r\n") {
                                log.lock()
                                    .unwrap()
                                    .push((number, String::from_utf8(std::mem::take(&mut head)).unwrap()));
                                let Some(answer) = answer else { continue };
                                stream.write_all(answer.as_bytes()).await.unwrap();
                            }
                        }
                    });
                }
            });
            Self { url, seen }
        }

        fn connections(&self) -> Vec<usize> {
            self.seen.lock().unwrap().iter().map(|(number, _)| *number).collect()
        }
    }

    const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

    fn client(read: Option<Duration>) -> Limited {
        let connections = Arc::new(Http::without_roots().connections());
        Limited { connections, notes: Notes::Nothing, connect: None, read }
    }

    fn get(url: &str) -> HttpRequest {
        HttpRequest::get(url).unwrap()
    }

    #[tokio::test]
    async fn a_request_without_a_body_has_no_length() {
        let server = Server::start(Some(BUSY)).await;
        let answer = client(None).call(get(&server.url)).await.unwrap();
        assert_eq!(answer.status().as_u16(), 503);
        let host = server.url.split('/').nth(2).unwrap();
        assert_eq!(server.seen.lock().unwrap()[0].1, format!("GET /a?b=c HTTP/1.1\r\nhost: {host}\r\n\r\n"));
    }

    #[tokio::test]
    async fn no_answer_within_the_sdks_limit_is_a_timeout() {
        let server = Server::start(None).await;
        let error = client(Some(Duration::from_millis(50))).call(get(&server.url)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(server.connections(), [0]);
    }

    #[tokio::test]
    async fn a_connection_that_the_sdk_gives_up_is_not_used_again() {
        let server = Server::start(Some(BUSY)).await;
        let client = client(None);
        client.call(get(&server.url)).await.unwrap();
        let capture = CaptureSmithyConnection::new();
        let mut request = get(&server.url);
        request.add_extension(capture.clone());
        client.call(request).await.unwrap();
        capture.get().expect("it was sent on a connection").poison();
        client.call(get(&server.url)).await.unwrap();
        assert_eq!(server.connections(), [0, 0, 1]);
    }

    #[tokio::test]
    async fn an_address_without_a_host_is_the_callers_mistake() {
        let error = client(None).call(get("/a")).await.unwrap_err();
        assert!(error.is_user(), "{error:?}");
    }
}
