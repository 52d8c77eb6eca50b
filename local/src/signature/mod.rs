//! AWS Signature Version 4, header form: checks that a request was signed with the credentials of this server, so that
//! no other user of the machine can run commands through the port. Also signs, for clients in tests and benchmarks.
//!
//! The rules: "Create a signed AWS API request" in the IAM User Guide.

mod canonical;
mod date;

use crate::secret::Secret;
use canonical::canonical_request;
pub use date::amz_date;
pub(crate) use date::{civil, utc_timestamp};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

type HmacSha256 = Hmac<Sha256>;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Tolerance for a client's clock, as on AWS.
const ALLOWED_SKEW_S: i64 = 300;

/// The parts of a request that its signature covers.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST`
    pub method: &'a str,
    /// The path as in the request line, without the query.
    pub path: &'a str,
    /// The query as in the request line, without the question mark; empty if absent.
    pub query: &'a str,
    /// All headers; the `Authorization` header names the signed ones.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// Why a signature is rejected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Missing Authentication Token")]
    Missing,
    #[error("Authorization header is incomplete: {0}")]
    Incomplete(&'static str),
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    #[error("Credential should be scoped to a valid {what}, here '{expected}', not '{found}'.")]
    Scope { what: &'static str, expected: String, found: String },
    #[error("Signature expired: {signed} is not within 5 minutes of {now}.")]
    Skewed { signed: String, now: String },
    #[error("The value of x-amz-content-sha256 is not the SHA-256 of the body.")]
    BodyHash,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

/// The credentials that a request was signed with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Signer {
    /// The first pair.
    Caller,
    /// The second pair, which does not expire.
    Lasting,
}

/// The credentials and the keys derived from them.
#[derive(Debug)]
pub(crate) struct Checker {
    caller: (String, Secret),
    lasting: Option<(String, Secret)>,
    region: String,
    keys: Mutex<HashMap<(String, &'static str, Signer), HmacSha256>>,
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl Checker {
    /// Credentials are an access key's id and secret.
    pub(crate) fn new(caller: (String, Secret), lasting: Option<(String, Secret)>, region: String) -> Self {
        Self { caller, lasting, region, keys: Mutex::default() }
    }

    /// Checks one request to `service` at the time `now` (Unix seconds).
    pub(crate) fn check(&self, service: &'static str, request: &Request<'_>, now: i64) -> Result<Signer, Refusal> {
        let header = request.headers.get(http::header::AUTHORIZATION).ok_or(Refusal::Missing)?;
        let header = header.to_str().map_err(|_| Refusal::Incomplete("it is not ASCII"))?;
        let authorization = Authorization::parse(header)?;
        let amz_date = text(request.headers, "x-amz-date").ok_or(Refusal::Incomplete("there is no X-Amz-Date"))?;
        let (signer, secret) = self.signer(authorization.access_key_id).ok_or(Refusal::UnknownKey)?;
        let scope = |what, expected: &str, found: &str| {
            let wrong = || Refusal::Scope { what, expected: expected.to_owned(), found: found.to_owned() };
            if expected == found { Ok(()) } else { Err(wrong()) }
        };
        scope("region", &self.region, authorization.region)?;
        scope("service", service, authorization.service)?;
        scope("date", amz_date.get(..8).unwrap_or_default(), authorization.date)?;
        let signed = date::unix_seconds(amz_date).ok_or(Refusal::Incomplete("X-Amz-Date is not a date"))?;
        if (now - signed).abs() > ALLOWED_SKEW_S {
            return Err(Refusal::Skewed { signed: amz_date.to_owned(), now: date::amz_date(now) });
        }
        let is_signed = |name: &str| authorization.signed_headers.split(';').any(|signed| signed == name);
        // The operation must be signed; in SQS's protocol it is in X-Amz-Target.
        let all = ["host", "x-amz-date", "x-amz-target"].iter().filter(|name| request.headers.contains_key(**name));
        if !all.into_iter().all(|name| is_signed(name)) {
            return Err(Refusal::Incomplete("Host, X-Amz-Date and X-Amz-Target must be signed"));
        }
        // Only S3 accepts UNSIGNED-PAYLOAD.
        let hash = hex(&Sha256::digest(request.body));
        if text(request.headers, "x-amz-content-sha256").is_some_and(|given| given != hash) {
            return Err(Refusal::BodyHash);
        }
        let canonical = canonical_request(request, authorization.signed_headers, &hash)?;
        let to_sign = string_to_sign(amz_date, authorization.date, &self.region, service, &canonical);
        let mut mac = self.key(authorization.date, service, signer, secret);
        mac.update(to_sign.as_bytes());
        let signature = unhex(authorization.signature).ok_or(Refusal::Mismatch)?;
        mac.verify_slice(&signature).map_err(|_| Refusal::Mismatch)?;
        Ok(signer)
    }

    /// True for `Bearer` and the secret access key, as the admin paths require.
    pub(crate) fn is_bearer(&self, headers: &HeaderMap) -> bool {
        let token = text(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        let tag = |token: &str| {
            let mut mac = keyed(b"bearer");
            mac.update(token.as_bytes());
            mac
        };
        token.is_some_and(|token| tag(token).verify(&tag(self.caller.1.reveal()).finalize().into_bytes()).is_ok())
    }

    fn signer(&self, access_key_id: &str) -> Option<(Signer, &Secret)> {
        let (id, secret) = &self.caller;
        if id == access_key_id {
            return Some((Signer::Caller, secret));
        }
        let (id, secret) = self.lasting.as_ref()?;
        (id == access_key_id).then_some((Signer::Lasting, secret))
    }

    fn key(&self, date: &str, service: &'static str, signer: Signer, secret: &Secret) -> HmacSha256 {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // One day, two services and two signers; more entries are from previous days.
        if keys.len() > 8 {
            keys.clear();
        }
        keys.entry((date.to_owned(), service, signer))
            .or_insert_with(|| signing_key(secret.reveal(), date, &self.region, service))
            .clone()
    }
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Result<Self, Refusal> {
        let fields = header.strip_prefix(ALGORITHM).ok_or(Refusal::Incomplete("it is not AWS4-HMAC-SHA256"))?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => signed_headers = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => {}
            }
        }
        let credential = credential.ok_or(Refusal::Incomplete("there is no Credential"))?;
        let mut parts = credential.rsplitn(5, '/');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("aws4_request"), Some(service), Some(region), Some(date), Some(access_key_id)) => Ok(Self {
                access_key_id,
                date,
                region,
                service,
                signed_headers: signed_headers.ok_or(Refusal::Incomplete("there are no SignedHeaders"))?,
                signature: signature.ok_or(Refusal::Incomplete("there is no Signature"))?,
            }),
            _ => Err(Refusal::Incomplete("the Credential is not key/date/region/service/aws4_request")),
        }
    }
}

/// The credentials of the signer, and the scope of the signature.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// Access key id.
    pub access_key_id: &'a str,
    /// Secret access key.
    pub secret_access_key: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// `lambda` or `sqs`.
    pub service: &'a str,
}

/// The value of the `Authorization` header for a request that has a `Host` and an `X-Amz-Date` header, over these and
/// all others it has. `None` if `X-Amz-Date` is missing or a header is not ASCII.
pub fn sign(identity: &Identity<'_>, request: &Request<'_>) -> Option<String> {
    let amz_date = text(request.headers, "x-amz-date")?;
    let date = amz_date.get(..8)?;
    let mut names: Vec<&str> = request.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let signed_headers = names.join(";");
    let hash = hex(&Sha256::digest(request.body));
    let canonical = canonical_request(request, &signed_headers, &hash).ok()?;
    let Identity { access_key_id, secret_access_key, region, service } = identity;
    let mut mac = signing_key(secret_access_key, date, region, service);
    mac.update(string_to_sign(amz_date, date, region, service, &canonical).as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    Some(format!(
        "{ALGORITHM} Credential={access_key_id}/{date}/{region}/{service}/aws4_request, \
         SignedHeaders={signed_headers}, Signature={signature}"
    ))
}

fn string_to_sign(amz_date: &str, date: &str, region: &str, service: &str, canonical: &str) -> String {
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    format!("{ALGORITHM}\n{amz_date}\n{date}/{region}/{service}/aws4_request\n{hash}")
}

fn signing_key(secret_access_key: &str, date: &str, region: &str, service: &str) -> HmacSha256 {
    let mut key = keyed(format!("AWS4{secret_access_key}").as_bytes());
    for part in [date, region, service, "aws4_request"] {
        key.update(part.as_bytes());
        key = keyed(&key.finalize().into_bytes());
    }
    key
}

fn keyed(key: &[u8]) -> HmacSha256 {
    // HMAC accepts keys of any length, so no error occurs. An empty key would match no signature.
    HmacSha256::new_from_slice(key).unwrap_or_else(|_| HmacSha256::new(&Default::default()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Appends `text` percent-encoded, leaving what `keep` allows besides the unreserved characters.
fn percent_encode(into: &mut String, text: &[u8], keep: u8) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || byte == keep {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// Undoes percent-encoding; invalid sequences remain unchanged.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests;
