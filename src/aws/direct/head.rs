//! The head of a request, prepared once. The SDK makes it, so that its address, path and headers are what the SDK's own
//! call would have: endpoint rules, FIPS and dual-stack hosts, partitions, configured endpoints and the user agent are
//! all its work. The call is stopped when it is signed, before the network.

use super::sign::{Canonical, DATE, Signature, Signer, TOKEN};
use crate::aws::http::{Origin, Request};
use crate::aws::identity::Loaded;
use aws_credential_types::Credentials;
use aws_sdk_lambda::config::{ConfigBag, Intercept, RuntimeComponents, interceptors};
use aws_sdk_lambda::error::BoxError;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Uri};
use http_body_util::Full;
use std::sync::{Arc, Mutex, PoisonError};

/// Headers that differ from call to call.
const OF_ONE_CALL: [&str; 6] =
    ["amz-sdk-invocation-id", "amz-sdk-request", "authorization", "content-length", DATE, TOKEN];

/// A request without its payload and its signature.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) origin: Origin,
    /// The whole address, as a proxy for plain HTTP wants it.
    absolute: Uri,
    /// The path and query, as a server wants it.
    path: Uri,
    headers: HeaderMap,
    canonical: Canonical,
    pub(super) region: String,
    pub(super) service: String,
}

impl Head {
    /// Of a request that the SDK has signed. Signs it once more as a check: the two signatures must be the same.
    fn new(seen: &Seen) -> Result<Self, String> {
        let absolute = seen.uri.parse::<Uri>().map_err(|error| format!("the address {}: {error}", seen.uri))?;
        if seen.method != Method::POST.as_str() {
            return Err(format!("the method {}", seen.method));
        }
        let origin = Origin::of(&absolute)?;
        let path = absolute.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let (region, service, signed) = seen.scope()?;
        if signed.contains(&"x-amz-content-sha256") {
            return Err("a signed header with the payload's hash".into());
        }
        let value = |name: &str| match name {
            "host" => Some(origin.host.clone()),
            _ => seen.header(name).map(str::to_owned),
        };
        let canonical = |names: &[&str]| {
            let header = |name: &&str| Some(((*name).to_owned(), value(name)?));
            let headers: Option<Vec<_>> = names.iter().map(header).collect();
            let headers = headers.ok_or("a signed header that the request does not have")?;
            Ok::<_, String>(Canonical::new(path.path(), path.query().unwrap_or_default(), headers))
        };
        seen.check(
            &canonical(&signed.iter().copied().filter(|name| *name != DATE).collect::<Vec<_>>())?,
            region,
            service,
        )?;

        let kept: Vec<&str> = signed.iter().copied().filter(|name| !OF_ONE_CALL.contains(name)).collect();
        let mut headers = HeaderMap::new();
        let put = |headers: &mut HeaderMap, name: &str, value: &str| {
            let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
            headers.append(name, HeaderValue::try_from(value).map_err(|error| error.to_string())?);
            Ok::<_, String>(())
        };
        put(&mut headers, HOST.as_str(), &origin.host)?;
        // Room for the headers of a call, so that the map need not grow for each.
        for name in [CONTENT_LENGTH.as_str(), AUTHORIZATION.as_str(), DATE, TOKEN] {
            put(&mut headers, name, "")?;
        }
        for (name, value) in &seen.headers {
            if !OF_ONE_CALL.contains(&name.as_str()) && *name != "host" {
                put(&mut headers, name, value)?;
            }
        }
        Ok(Self {
            path: Uri::from(path.clone()),
            canonical: canonical(&kept)?,
            origin,
            headers,
            region: region.to_owned(),
            service: service.to_owned(),
            absolute,
        })
    }

    /// A call of this head with a payload.
    pub(super) fn sign(
        &self,
        signer: &Signer,
        credentials: &Arc<Loaded>,
        payload: Bytes,
    ) -> Result<Signed<'_>, InvalidHeaderValue> {
        let Signature { date, authorization } = signer.sign(&self.canonical, credentials, &payload);
        Ok(Signed {
            head: self,
            date: HeaderValue::from_str(date.as_str())?,
            authorization: HeaderValue::try_from(authorization)?,
            token: credentials.session_token().map(HeaderValue::try_from).transpose()?,
            payload,
        })
    }
}

/// One call.
pub(super) struct Signed<'a> {
    head: &'a Head,
    date: HeaderValue,
    authorization: HeaderValue,
    token: Option<HeaderValue>,
    payload: Bytes,
}

impl Signed<'_> {
    /// The request. A proxy that forwards it needs the whole address.
    pub(super) fn request(&self, is_forwarded: bool) -> Request {
        let mut request = Request::new(Full::new(self.payload.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = if is_forwarded { self.head.absolute.clone() } else { self.head.path.clone() };
        let mut headers = self.head.headers.clone();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.payload.len()));
        headers.insert(HeaderName::from_static(DATE), self.date.clone());
        headers.insert(AUTHORIZATION, self.authorization.clone());
        match &self.token {
            Some(token) => headers.insert(HeaderName::from_static(TOKEN), token.clone()),
            None => headers.remove(TOKEN),
        };
        *request.headers_mut() = headers;
        request
    }
}

/// Keeps the request of a call, and ends the call when it is signed and not yet sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture(Arc<Mutex<Option<Seen>>>);

impl Capture {
    /// What the captured call signs with: a call that is not sent needs no credentials.
    pub(super) fn credentials() -> Credentials {
        Credentials::new("none", SECRET, None, None, "none")
    }

    /// The head of the captured request; an error says why this request cannot be prepared.
    pub(super) fn head(&self) -> Result<Head, String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Head::new(&seen.ok_or("the SDK makes no request")?)
    }
}

const SECRET: &str = "none";

impl Intercept for Capture {
    fn name(&self) -> &'static str {
        "Capture"
    }

    fn read_before_transmit(
        &self,
        context: &interceptors::BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let header = |(name, value): (&str, &str)| (name.to_ascii_lowercase(), value.to_owned());
        let seen = Seen {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: request.headers().iter().map(header).collect(),
            body: request.body().bytes().ok_or("a body that is a stream")?.to_vec(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Err("stopped before the network".into())
    }
}

/// A request as the SDK has signed it.
#[derive(Debug)]
struct Seen {
    method: String,
    uri: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn authorization(&self, name: &str) -> Result<&str, String> {
        let header = self.header("authorization").and_then(|header| header.strip_prefix("AWS4-HMAC-SHA256 "));
        let header = header.ok_or("another signature than version 4")?;
        let mut parts = header.split(", ").filter_map(|part| part.split_once('='));
        parts.find(|(given, _)| *given == name).map(|(_, value)| value).ok_or_else(|| format!("no {name}"))
    }

    /// Region, service, and the names of the signed headers.
    fn scope(&self) -> Result<(&str, &str, Vec<&str>), String> {
        match self.authorization("Credential")?.split('/').collect::<Vec<_>>().as_slice() {
            [_, _, region, service, "aws4_request"] => {
                Ok((region, service, self.authorization("SignedHeaders")?.split(';').collect()))
            }
            _ => Err("another form of Credential".into()),
        }
    }

    /// Whether our signature of the same headers is the SDK's.
    fn check(&self, canonical: &Canonical, region: &str, service: &str) -> Result<(), String> {
        let date = self.header(DATE).ok_or("no date")?;
        let signer = Signer::new(region.to_owned(), service.to_owned());
        let credentials = Arc::new(Loaded::new(Capture::credentials()));
        let ours = signer.sign_at(canonical, &credentials, &self.body, date);
        match self.header("authorization") == Some(&ours) {
            true => Ok(()),
            false => Err("another signature than ours".into()),
        }
    }
}
