//! Invoke, and the calls of SQS that are made for each task, without the SDK: its calls cost several times as much.
//! The SDK still decides where to send what ([`head`]), with which credentials, and makes all other calls.
//!
//! | file | |
//! |---|---|
//! | `invoke.rs`, `sqs.rs` | the calls |
//! | `head.rs` | the part of a request that is the same in each call, made by the SDK |
//! | `sign.rs` | signatures |
//! | `answer.rs` | the fields of answers that are used |

mod answer;
mod head;
mod invoke;
mod sign;
mod sqs;

pub(super) use invoke::Kind;
pub(super) use sqs::Operation;

use super::http::{Answer, Connections, Delivery, Endpoint, Failure, Http};
use super::identity::{Cached, Loaded};
use super::{Limit, errors};
use crate::executor::ports::{CallError, Fault};
use answer::ErrorAnswer;
use bytes::Bytes;
use head::{Capture, Head};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use invoke::InvokeHeads;
use sign::Signer;
use sqs::QueueHeads;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Sends calls. Belongs to one set of clients: it ends with their credentials.
#[derive(Debug)]
pub(super) struct Direct {
    credentials: Cached,
    /// For callers that come within a second after it: many may be waiting.
    last_failure: Mutex<Option<(Instant, CallError)>>,
    to_lambda: Connections,
    to_sqs: Connections,
    connect_timeout: Duration,
    signers: Mutex<Vec<Arc<Signer>>>,
    invokes: Vec<InvokeHeads>,
    queues: Vec<QueueHeads>,
}

/// A call that is prepared but for its payload and signature.
#[derive(Debug)]
pub(super) struct Prepared {
    head: Head,
    signer: Arc<Signer>,
    endpoint: Arc<Endpoint>,
}

const FAILURE_HOLDS: Duration = Duration::from_secs(1);

impl Direct {
    /// `functions` and `queue_urls` are those of the settings. Nothing is connected yet.
    pub(super) fn new(
        credentials: Cached,
        http: &Http,
        connect_timeout: Duration,
        functions: usize,
        queue_urls: &[String],
    ) -> Self {
        Self {
            credentials,
            last_failure: Mutex::default(),
            to_lambda: http.connections(),
            to_sqs: http.connections(),
            connect_timeout,
            signers: Mutex::default(),
            invokes: std::iter::repeat_with(InvokeHeads::default).take(functions).collect(),
            queues: queue_urls.iter().map(|url| QueueHeads::new(url)).collect(),
        }
    }

    /// The head of a captured call. `None` where the SDK's request has a form that is not known here, or where it makes
    /// none at all: then the SDK makes this call, and reports what is wrong.
    fn prepare(&self, connections: &Connections, capture: &Capture) -> Option<Arc<Prepared>> {
        let prepared = capture.head().and_then(|head| {
            let endpoint = connections.to(&head.origin.url)?;
            Ok(Arc::new(Prepared { signer: self.signer(&head), endpoint, head }))
        });
        prepared.map_err(|why| tracing::warn!("the SDK sends this call, as its request cannot be prepared: {why}")).ok()
    }

    fn signer(&self, head: &Head) -> Arc<Signer> {
        let mut signers = lock(&self.signers);
        if let Some(signer) = signers.iter().find(|signer| signer.is_for(&head.region, &head.service)) {
            return Arc::clone(signer);
        }
        let signer = Arc::new(Signer::new(head.region.clone(), head.service.clone()));
        signers.push(Arc::clone(&signer));
        signer
    }

    async fn credentials(&self) -> Result<Arc<Loaded>, CallError> {
        if let Some(loaded) = self.credentials.usable() {
            return Ok(loaded);
        }
        if let Some((at, error)) = &*lock(&self.last_failure)
            && at.elapsed() < FAILURE_HOLDS
        {
            return Err(error.clone());
        }
        let found = self.credentials.get().await.map_err(|error| errors::no_credentials(&error));
        // A provider that is still running may have a result for the next caller.
        if let Err(error) = &found
            && error.code != errors::CREDENTIALS_TIMED_OUT
        {
            *lock(&self.last_failure) = Some((Instant::now(), error.clone()));
        }
        found
    }

    /// Makes a call. An answer with a status of an error is an error. `what` names the function or queue for people.
    async fn call(
        &self,
        prepared: &Prepared,
        payload: Bytes,
        limit: Limit,
        what: &(impl Fn() -> String + Sync),
    ) -> Result<Answer, CallError> {
        let delivery = Delivery::default();
        let call = async {
            let credentials = self.credentials().await?;
            let signed = prepared.head.sign(&prepared.signer, &credentials, payload).map_err(|error| {
                errors::call_error(Fault::Identity, "CredentialsFailed", format!("the credentials: {error}"))
            })?;
            let make = |is_forwarded| signed.request(is_forwarded);
            let (sent, began) = (SystemTime::now(), Instant::now());
            let answer = prepared.endpoint.send(&make, Some(self.connect_timeout), &delivery).await;
            let headers = match &answer {
                Ok(answer) => Some(&answer.headers),
                Err(Failure::Unreadable(_, headers, _)) => Some(&**headers),
                Err(_) => None,
            };
            if let Some(headers) = headers {
                let date = headers.get(header::DATE).map(HeaderValue::as_bytes);
                prepared.signer.learn_time(date, headers.contains_key(header::AGE), sent, began.elapsed());
            }
            match answer {
                Ok(answer) if answer.status.is_success() => Ok(answer),
                Ok(answer) => Err(rejected(&what(), &prepared.head.service, &answer)),
                Err(failure) => Err(failed(&what(), failure)),
            }
        };
        limit.within(what, call, || delivery.sent()).await?
    }
}

/// An answer with a status of an error.
fn rejected(what: &str, service: &str, answer: &Answer) -> CallError {
    let error = ErrorAnswer::read(service, &answer.headers, &answer.body);
    let (code, message) = (error.code.as_deref(), error.message.as_deref());
    let mut failure = errors::answered(what, code, message, answer.status.as_u16(), |name| text(&answer.headers, name));
    if let Some(reason) = error.reason.filter(|_| failure.code == "TooManyRequestsException") {
        failure.message = format!("{} ({reason})", failure.message);
    }
    failure
}

/// No answer, or half of one.
fn failed(what: &str, failure: Failure) -> CallError {
    match failure {
        Failure::NotConnected(error) => errors::not_connected(what, error.timed_out, &error.to_string()),
        Failure::Lost(why) => errors::connection_lost(what, &why),
        Failure::Unreadable(status, headers, why) => unreadable(what, status, &headers, &why),
    }
}

/// An answer that is cut short, or is not what the service sends.
fn unreadable(what: &str, status: StatusCode, headers: &HeaderMap, why: &str) -> CallError {
    errors::unreadable_answer(what, status.as_u16(), why, |name| text(headers, name))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// AWS's id of a request.
fn request_id(headers: &HeaderMap) -> &str {
    text(headers, "x-amzn-requestid").or_else(|| text(headers, "x-amz-request-id")).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
