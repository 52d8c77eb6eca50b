//! The SDK's calls on our connections, with its limits: an [`HttpClient`] for its clients.

use super::connection::{Answer, Request};
use super::connections::Connections;
use super::delivery::Delivery;
use super::origin::Origin;
use super::transfer::{Endpoint, Failure};
use crate::executor::ports::Sent;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
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
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The request was handed to a connection, and no answer came: AWS may have taken it.
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
        SharedHttpConnector::new(WithLimits {
            connections: Arc::clone(&self.connections),
            notes: self.notes,
            connect: settings.connect_timeout(),
            whole: settings.read_timeout(),
        })
    }

    /// For the user agent.
    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

/// The client with the limits of one call.
#[derive(Debug)]
struct WithLimits {
    connections: Arc<Connections>,
    notes: Notes,
    /// For a new connection.
    connect: Option<Duration>,
    /// From the call to the end of the answer. The SDK calls it the read timeout.
    whole: Option<Duration>,
}

impl HttpConnector for WithLimits {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let delivery = match self.notes {
            Notes::Delivery => Delivery::current().unwrap_or_default(),
            Notes::Nothing => Arc::default(),
        };
        if let Some(capture) = request.extension::<CaptureSmithyConnection>() {
            let delivery = Arc::clone(&delivery);
            capture.set_connection_retriever(move || metadata(&delivery));
        }
        let (connections, connect, whole) = (Arc::clone(&self.connections), self.connect, self.whole);
        HttpConnectorFuture::new(async move {
            let answer = async {
                let outgoing = Outgoing::read(request).await?;
                let endpoint =
                    connections.to(&outgoing.origin.url).map_err(|error| ConnectorError::user(error.into()))?;
                outgoing.send(&endpoint, connect, &delivery).await
            };
            let Some(limit) = whole else { return answer.await };
            tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
                let message = format!("no answer within {} ms", limit.as_millis());
                Err(ConnectorError::timeout(match delivery.sent() {
                    Sent::Maybe => ConnectionLost(message).into(),
                    _ => message.into(),
                }))
            })
        })
    }
}

/// The SDK asks for it after a failure that passes, to have the connection closed. It does not read `proxied`.
fn metadata(delivery: &Delivery) -> Option<ConnectionMetadata> {
    let progress = delivery.progress()?;
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(move || progress.use_no_more()).build())
}

/// A request of the SDK. It may be sent twice.
struct Outgoing {
    origin: Origin,
    absolute: Uri,
    path: Uri,
    method: http::Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Outgoing {
    /// Reads the body to its end: the SDK watches over its progress.
    async fn read(request: HttpRequest) -> Result<Self, ConnectorError> {
        let (head, body) = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
        let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
        let origin = Origin::of(&head.uri).map_err(|error| ConnectorError::user(error.into()))?;
        let mut headers = head.headers;
        if !headers.contains_key(HOST) {
            let host = HeaderValue::try_from(&origin.host).map_err(|error| ConnectorError::user(error.into()))?;
            headers.insert(HOST, host);
        }
        let path = head.uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
        Ok(Self { origin, path, absolute: head.uri, method: head.method, headers, body })
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
            Err(Failure::NotConnected(error)) => Err(match error.timed_out {
                true => ConnectorError::timeout(error.to_string().into()),
                false => ConnectorError::io(error.to_string().into()),
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

    fn client(connect: Option<Duration>, whole: Option<Duration>) -> WithLimits {
        let connections = Arc::new(Http::without_roots().connections());
        WithLimits { connections, notes: Notes::Nothing, connect, whole }
    }

    fn request(method: &str, url: &str, body: SdkBody) -> HttpRequest {
        let mut request = HttpRequest::new(body);
        request.set_method(method).unwrap();
        request.set_uri(url).unwrap();
        request
    }

    fn get(url: &str) -> HttpRequest {
        request("GET", url, SdkBody::empty())
    }

    const SHORT: Option<Duration> = Some(Duration::from_millis(50));

    #[tokio::test]
    async fn only_a_request_with_a_body_has_a_length() {
        let server = Server::start(Some(BUSY)).await;
        // Not in memory: it has to be read.
        let text = SdkBody::from_body_1_x(Full::new(Bytes::from_static(b"text")));
        for (method, body, length) in [
            ("GET", SdkBody::empty(), ""),
            // The metadata service of EC2 is asked for a token with it.
            ("PUT", SdkBody::empty(), ""),
            ("POST", text, "content-length: 4\r\n"),
        ] {
            let answer = client(None, None).call(request(method, &server.url, body)).await.unwrap();
            assert_eq!(answer.status().as_u16(), 503);
            let host = server.url.split('/').nth(2).unwrap();
            let head = server.seen.lock().unwrap().pop().unwrap().1;
            assert_eq!(head, format!("{method} /a?b=c HTTP/1.1\r\nhost: {host}\r\n{length}\r\n"));
        }
    }

    #[tokio::test]
    async fn no_answer_within_the_sdks_limit_is_a_timeout_of_a_request_that_was_sent() {
        let server = Server::start(None).await;
        let error = client(None, SHORT).call(get(&server.url)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert!(error.into_source().downcast_ref::<ConnectionLost>().is_some());
        assert_eq!(server.connections(), [0]);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_end_within_the_sdks_limit_is_a_timeout() {
        let server = Server::start(Some("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart")).await;
        let error = client(None, SHORT).call(get(&server.url)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    }

    /// The SDK's providers decide by it whether they try again.
    #[tokio::test]
    async fn failures_have_the_kinds_that_the_sdk_knows() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = client(None, None).call(get(&format!("http://{free}/"))).await.unwrap_err();
        assert!(error.is_io(), "{error:?}");
        for address in ["/a", "http://h:99999/"] {
            let error = client(None, None).call(get(address)).await.unwrap_err();
            assert!(error.is_user(), "{address}: {error:?}");
        }
        // TLS is never answered.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", silent.local_addr().unwrap());
        let error = client(SHORT, None).call(get(&url)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        let server = url.trim_end_matches('/');
        assert_eq!(error.into_source().to_string(), format!("no connection within 50 ms (connecting to {server})"));
    }

    #[tokio::test]
    async fn a_connection_that_the_sdk_gives_up_is_not_used_again() {
        let server = Server::start(Some(BUSY)).await;
        let client = client(None, None);
        client.call(get(&server.url)).await.unwrap();
        let capture = CaptureSmithyConnection::new();
        let mut request = get(&server.url);
        request.add_extension(capture.clone());
        client.call(request).await.unwrap();
        capture.get().expect("it was sent on a connection").poison();
        client.call(get(&server.url)).await.unwrap();
        assert_eq!(server.connections(), [0, 0, 1]);
    }
}
