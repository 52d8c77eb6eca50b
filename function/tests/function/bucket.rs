//! A fake S3 for one test: one bucket, two operations, and their failures.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A fault that the bucket injects into one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// An error of AWS: HTTP status and code.
    Fail(u16, &'static str),
    /// No answer at all.
    Hang,
    /// An answer that ends before it is whole.
    BreakOff,
}

#[derive(Default)]
struct Content {
    /// A counter, so that each content has a different ETag.
    objects: BTreeMap<String, (u32, Vec<u8>)>,
    versions: u32,
    page_size: usize,
    requests: Vec<String>,
    /// Faults for the next requests whose name begins with the text.
    faults: Vec<(&'static str, Fault)>,
    /// Objects to put after the next listing has been answered.
    after_listing: Vec<(String, Vec<u8>)>,
    /// Fetches wait until this many are in flight.
    gathering: usize,
    under_way: usize,
    most_under_way: usize,
}

impl Content {
    fn put(&mut self, key: &str, content: &[u8]) {
        self.versions += 1;
        self.objects.insert(key.to_owned(), (self.versions, content.to_owned()));
    }
}

/// The bucket `bucket`, with its own server.
pub(crate) struct Bucket {
    content: Arc<Mutex<Content>>,
    pub(crate) endpoint_url: String,
    server: Option<tokio::runtime::Runtime>,
}

impl Bucket {
    pub(crate) fn start(objects: &[(&str, &[u8])]) -> Self {
        let content = Arc::new(Mutex::new(Content { page_size: 1_000, ..Content::default() }));
        objects.iter().for_each(|(key, bytes)| content.lock().unwrap().put(key, bytes));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint_url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/bucket/", get(list))
            .route("/bucket", get(list))
            .route("/bucket/{*key}", get(fetch))
            .with_state(Arc::clone(&content));
        let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        server.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await });
        Self { content, endpoint_url, server: Some(server) }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    pub(crate) fn put(&self, key: &str, content: &[u8]) {
        self.content().put(key, content);
    }

    pub(crate) fn delete(&self, key: &str) {
        assert!(self.content().objects.remove(key).is_some());
    }

    pub(crate) fn put_after_listing(&self, key: &str, content: &[u8]) {
        self.content().after_listing.push((key.to_owned(), content.to_owned()));
    }

    pub(crate) fn page_size(&self, size: usize) {
        self.content().page_size = size;
    }

    /// The next requests that begin with `request` fail, one fault each.
    pub(crate) fn faults(&self, request: &'static str, faults: &[Fault]) {
        self.content().faults.extend(faults.iter().map(|&fault| (request, fault)));
    }

    /// Answers no fetch before `count` are in flight.
    pub(crate) fn gather(&self, count: usize) {
        self.content().gathering = count;
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.content().most_under_way
    }

    /// Requests since the last call: `LIST prefix` and `GET key`, in order of their names.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut self.content().requests);
        requests.sort();
        requests
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown_background();
        }
    }
}

type Shared = State<Arc<Mutex<Content>>>;

/// Records the request and returns its fault, if any.
fn enter(content: &Mutex<Content>, request: String) -> Option<Fault> {
    let mut content = content.lock().unwrap();
    let fault = content.faults.iter().position(|(beginning, _)| request.starts_with(beginning));
    let fault = fault.map(|index| content.faults.remove(index).1);
    content.requests.push(request);
    fault
}

async fn fail(fault: Fault) -> Response {
    match fault {
        Fault::Hang => std::future::pending().await,
        Fault::BreakOff => {
            use futures_util::{StreamExt, stream};
            // Fail only after the beginning was sent; otherwise the request would count as unanswered.
            let broken = stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::other("fault injected by the test"))
            });
            Body::from_stream(stream::iter([Ok("part")]).chain(broken)).into_response()
        }
        Fault::Fail(status, code) => (
            StatusCode::from_u16(status).unwrap(),
            format!("<Error><Code>{code}</Code><Message>fault injected by the test</Message></Error>"),
        )
            .into_response(),
    }
}

async fn list(State(content): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let prefix = query.get("prefix").map_or("", String::as_str);
    if let Some(fault) = enter(&content, format!("LIST {prefix}")) {
        return fail(fault).await;
    }
    let mut content = content.lock().unwrap();
    let after = query.get("continuation-token").map_or("", String::as_str);
    let size = query.get("max-keys").map_or(content.page_size, |size| size.parse().unwrap());
    let all: Vec<_> =
        content.objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after).collect();
    let page = &all[..all.len().min(size)];
    let mut xml = "<ListBucketResult>".to_owned();
    for (key, (version, bytes)) in page {
        let key = key.replace('&', "&amp;").replace('<', "&lt;");
        let size = bytes.len();
        write!(xml, "<Contents><Key>{key}</Key><ETag>&quot;v{version}&quot;</ETag><Size>{size}</Size></Contents>")
            .unwrap();
    }
    let more = page.len() < all.len();
    write!(xml, "<IsTruncated>{more}</IsTruncated>").unwrap();
    if let Some((last, _)) = page.last().filter(|_| more) {
        write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").unwrap();
    }
    xml.push_str("</ListBucketResult>");
    for (key, bytes) in std::mem::take(&mut content.after_listing) {
        content.put(&key, &bytes);
    }
    xml.into_response()
}

/// A fetch in flight.
struct UnderWay<'a>(&'a Mutex<Content>);

impl<'a> UnderWay<'a> {
    fn enter(shared: &'a Mutex<Content>) -> Self {
        let mut content = shared.lock().unwrap();
        content.under_way += 1;
        content.most_under_way = content.most_under_way.max(content.under_way);
        Self(shared)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().under_way -= 1;
    }
}

async fn fetch(State(content): Shared, Path(key): Path<String>, headers: HeaderMap) -> Response {
    if let Some(fault) = enter(&content, format!("GET {key}")) {
        return fail(fault).await;
    }
    let under_way = UnderWay::enter(&content);
    loop {
        {
            let content = content.lock().unwrap();
            if content.most_under_way >= content.gathering {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(under_way);
    let content = content.lock().unwrap();
    let error = |status, code: &str| (status, format!("<Error><Code>{code}</Code></Error>")).into_response();
    let Some((version, bytes)) = content.objects.get(&key) else { return error(StatusCode::NOT_FOUND, "NoSuchKey") };
    let etag = format!("\"v{version}\"");
    if headers.get("if-match").is_some_and(|wanted| wanted != etag.as_str()) {
        return error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
    }
    ([("etag", etag)], bytes.clone()).into_response()
}
