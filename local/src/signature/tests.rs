//! Signatures checked against the published test suite of Signature Version 4, and every kind of invalid signature.

use super::*;
use http::HeaderValue;

const NOW: i64 = 1_440_938_160;
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn identity() -> Identity<'static> {
    Identity { access_key_id: KEY_ID, secret_access_key: SECRET, region: "us-east-1", service: "service" }
}

fn checker() -> Checker {
    Checker::new((KEY_ID.into(), Secret::new(SECRET.into())), None, "us-east-1".into())
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("example.amazonaws.com"));
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    headers
}

fn request<'a>(headers: &'a HeaderMap, query: &'a str, body: &'a [u8]) -> Request<'a> {
    Request { method: "GET", path: "/", query, headers, body }
}

fn signed(query: &str) -> HeaderMap {
    let mut headers = headers();
    let value = sign(&identity(), &request(&headers, query, b"")).unwrap();
    headers.insert("authorization", value.parse().unwrap());
    headers
}

#[test]
fn the_published_examples_have_the_published_signatures() {
    for (query, signature) in [
        ("", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ] {
        let value = sign(&identity(), &request(&headers(), query, b"")).unwrap();
        assert!(value.ends_with(signature), "{query}: {value}");
    }
}

#[test]
fn a_signed_request_passes_and_any_change_fails() {
    let headers = signed("a=1&b=2");
    let checker = checker();
    let good = request(&headers, "b=2&a=1", b"");
    assert_eq!(checker.check("service", &good, NOW + 300), Ok(Signer::Caller));
    assert_eq!(checker.check("service", &Request { method: "PUT", ..good }, NOW), Err(Refusal::Mismatch));
    assert_eq!(checker.check("service", &Request { path: "/x", ..good }, NOW), Err(Refusal::Mismatch));
    assert_eq!(checker.check("service", &Request { query: "a=1", ..good }, NOW), Err(Refusal::Mismatch));
    assert_eq!(checker.check("service", &Request { body: b"x", ..good }, NOW), Err(Refusal::Mismatch));
    let mut other_host = headers.clone();
    other_host.insert("host", HeaderValue::from_static("elsewhere"));
    assert_eq!(checker.check("service", &Request { headers: &other_host, ..good }, NOW), Err(Refusal::Mismatch));
}

#[test]
fn every_refusal_has_its_reason() {
    let checker = checker();
    let check = |headers: &HeaderMap, now| checker.check("service", &request(headers, "", b""), now);
    let good = signed("");
    assert_eq!(check(&good, NOW), Ok(Signer::Caller));
    assert_eq!(check(&headers(), NOW), Err(Refusal::Missing));
    assert!(matches!(check(&good, NOW + 301), Err(Refusal::Skewed { .. })));
    assert!(matches!(check(&good, NOW - 301), Err(Refusal::Skewed { .. })));
    let authorization = good["authorization"].to_str().unwrap().to_owned();
    let with = |from: &str, to: &str| {
        let mut headers = good.clone();
        headers.insert("authorization", authorization.replace(from, to).parse().unwrap());
        check(&headers, NOW)
    };
    assert_eq!(with("AKIDEXAMPLE", "AKIDOTHER"), Err(Refusal::UnknownKey));
    assert!(matches!(with("us-east-1", "eu-west-1"), Err(Refusal::Scope { what: "region", .. })));
    assert!(matches!(with("/service/", "/lambda/"), Err(Refusal::Scope { what: "service", .. })));
    assert!(matches!(with("20150830", "20150831"), Err(Refusal::Scope { what: "date", .. })));
    assert!(matches!(with("aws4_request", "aws4"), Err(Refusal::Incomplete(_))));
    assert!(matches!(with("host;", "host;x-none;"), Err(Refusal::Incomplete(_))));
    assert!(matches!(with("AWS4-HMAC-SHA256", "Basic"), Err(Refusal::Incomplete(_))));
    assert_eq!(with("Signature=", "Signature=zz"), Err(Refusal::Mismatch));
    let mut without_date = good.clone();
    without_date.remove("x-amz-date");
    assert!(matches!(check(&without_date, NOW), Err(Refusal::Incomplete(_))));
}

#[test]
fn headers_of_operation_and_time_must_be_signed() {
    let mut all = headers();
    all.insert("x-amz-target", HeaderValue::from_static("AmazonSQS.SendMessage"));
    for missing in ["host", "x-amz-date", "x-amz-target"] {
        let mut headers = all.clone();
        // Sign without this header: the signature is correct and the header is present.
        let names: Vec<_> =
            ["host", "x-amz-date", "x-amz-target"].into_iter().filter(|name| *name != missing).collect();
        let signed_headers = names.join(";");
        let canonical = canonical_request(&request(&headers, "", b""), &signed_headers, &hex(&Sha256::digest(b"")));
        let mut mac = signing_key(SECRET, "20150830", "us-east-1", "service");
        let to_sign = string_to_sign("20150830T123600Z", "20150830", "us-east-1", "service", &canonical.unwrap());
        mac.update(to_sign.as_bytes());
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={signed_headers}, Signature={}",
            hex(&mac.finalize().into_bytes())
        );
        headers.insert("authorization", value.parse().unwrap());
        let checked = checker().check("service", &request(&headers, "", b""), NOW);
        assert!(matches!(checked, Err(Refusal::Incomplete(_))), "{missing}: {checked:?}");
    }
}

#[test]
fn the_header_has_the_hash_of_the_body() {
    for (declared, expected) in [
        ("UNSIGNED-PAYLOAD", Err(Refusal::BodyHash)),
        ("00", Err(Refusal::BodyHash)),
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Ok(Signer::Caller)),
    ] {
        let mut headers = headers();
        headers.insert("x-amz-content-sha256", HeaderValue::from_static(declared));
        let value = sign(&identity(), &request(&headers, "", b"")).unwrap();
        headers.insert("authorization", value.parse().unwrap());
        assert_eq!(checker().check("service", &request(&headers, "", b""), NOW), expected, "{declared}");
    }
}

#[test]
fn admin_requests_need_the_secret_key() {
    let mut headers = HeaderMap::new();
    assert!(!checker().is_bearer(&headers));
    headers.insert("authorization", "Bearer nope".parse().unwrap());
    assert!(!checker().is_bearer(&headers));
    headers.insert("authorization", format!("Bearer {SECRET}").parse().unwrap());
    assert!(checker().is_bearer(&headers));
}
