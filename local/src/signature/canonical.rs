//! The canonical form of a request, which client and server hash.

use super::{Refusal, Request, percent_decode, percent_encode};
use http::HeaderMap;

/// `signed_headers` is the list from the `Authorization` header, `body_hash` the last line.
pub(super) fn canonical_request(
    request: &Request<'_>,
    signed_headers: &str,
    body_hash: &str,
) -> Result<String, Refusal> {
    let mut canonical = String::with_capacity(512);
    canonical.push_str(request.method);
    canonical.push('\n');
    // The path is already encoded once; every service except S3 signs it encoded twice.
    percent_encode(&mut canonical, request.path.as_bytes(), b'/');
    canonical.push('\n');
    push_query(&mut canonical, request.query);
    canonical.push('\n');
    for name in signed_headers.split(';') {
        canonical.push_str(name);
        canonical.push(':');
        push_values(&mut canonical, request.headers, name)?;
        canonical.push('\n');
    }
    canonical.push('\n');
    canonical.push_str(signed_headers);
    canonical.push('\n');
    canonical.push_str(body_hash);
    Ok(canonical)
}

/// Values of one header, trimmed, with single spaces, joined by commas.
fn push_values(canonical: &mut String, headers: &HeaderMap, name: &str) -> Result<(), Refusal> {
    let mut values = headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        return Err(Refusal::Incomplete("a signed header is missing from the request"));
    }
    while let Some(value) = values.next() {
        let value = value.to_str().map_err(|_| Refusal::Incomplete("a signed header is not ASCII"))?;
        let start = canonical.len();
        for word in value.split(' ').filter(|word| !word.is_empty()) {
            if canonical.len() > start {
                canonical.push(' ');
            }
            canonical.push_str(word);
        }
        if values.peek().is_some() {
            canonical.push(',');
        }
    }
    Ok(())
}

/// The parameters sorted by name and value, and encoded again, since clients encode differently.
fn push_query(canonical: &mut String, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (encoded(name), encoded(value))
        })
        .collect();
    parameters.sort_unstable();
    for (at, (name, value)) in parameters.iter().enumerate() {
        if at > 0 {
            canonical.push('&');
        }
        canonical.push_str(name);
        canonical.push('=');
        canonical.push_str(value);
    }
}

fn encoded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    percent_encode(&mut result, &percent_decode(text), b'-');
    result
}
