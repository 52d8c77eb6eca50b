//! Signature version 4 for requests whose head is known in advance. What does not change from call to call is prepared:
//! the canonical request up to the date is hashed once, and the key is derived once a day.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use super::lock;
use crate::aws::identity::Loaded;
use ring::{digest, hmac};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const DATE: &str = "x-amz-date";
pub(super) const TOKEN: &str = "x-amz-security-token";

/// The parts of a canonical request around its date, its session token and the hash of its payload.
#[derive(Clone)]
pub(super) struct Canonical {
    /// The hash of everything in front of the date.
    before_date: digest::Context,
    between_date_and_token: String,
    after_token: String,
    /// Names of the signed headers, without and with that of the token.
    signed: String,
    signed_with_token: String,
}

impl Canonical {
    /// Of a POST. `path` and `query` are as in the request line; `headers` have names in lower case, and contain
    /// neither date nor token.
    pub(super) fn new(path: &str, query: &str, mut headers: Vec<(String, String)>) -> Self {
        headers.sort();
        let lines = |from: &str, to: &str| -> String {
            let within =
                headers.iter().filter(|(name, _)| name.as_str() >= from && (to.is_empty() || name.as_str() < to));
            within.map(|(name, value)| format!("{name}:{}\n", trimmed(value))).collect()
        };
        let names = |more: &[&str]| {
            let mut names: Vec<&str> =
                headers.iter().map(|(name, _)| name.as_str()).chain(more.iter().copied()).collect();
            names.sort_unstable();
            names.join(";")
        };
        let mut before_date = digest::Context::new(&digest::SHA256);
        // Both services want the path encoded once more than in the request line.
        let path = if path.is_empty() { "/".to_owned() } else { path.replace('%', "%25") };
        before_date.update(format!("POST\n{path}\n{}\n{}{DATE}:", sorted(query), lines("", DATE)).as_bytes());
        Self {
            before_date,
            between_date_and_token: lines(DATE, TOKEN),
            after_token: lines(TOKEN, ""),
            signed: names(&[DATE]),
            signed_with_token: names(&[DATE, TOKEN]),
        }
    }

    fn signed(&self, has_token: bool) -> &str {
        if has_token { &self.signed_with_token } else { &self.signed }
    }

    fn hash(&self, date: &str, token: Option<&str>, payload: &[u8]) -> digest::Digest {
        let mut context = self.before_date.clone();
        context.update(date.as_bytes());
        context.update(b"\n");
        context.update(self.between_date_and_token.as_bytes());
        if let Some(token) = token {
            for part in [TOKEN, ":", token, "\n"] {
                context.update(part.as_bytes());
            }
        }
        context.update(self.after_token.as_bytes());
        context.update(b"\n");
        context.update(self.signed(token.is_some()).as_bytes());
        context.update(b"\n");
        context.update(&Hex::of(digest::digest(&digest::SHA256, payload).as_ref()).0);
        context.finish()
    }
}

impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canonical").field("signed", &self.signed).finish_non_exhaustive()
    }
}

/// Header values are signed without spaces around them, and with one space in place of several.
fn trimmed(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sorted(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// A service in a region, which is what a key is derived for. Shared by all calls to it, so that each knows what others
/// have learnt of AWS's time.
#[derive(Debug)]
pub(super) struct Signer {
    region: String,
    service: String,
    /// What is the same for all calls of a day.
    day: Mutex<Option<Arc<Day>>>,
    clock: Mutex<Clock>,
}

struct Day {
    credentials: Arc<Loaded>,
    /// `20261130/eu-west-1/lambda/aws4_request`
    scope: String,
    key: hmac::Key,
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Day").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// How far AWS's clock is ahead of ours, in ms, and the `Date` from which that is known.
#[derive(Debug, Default)]
struct Clock {
    ahead_ms: i64,
    date: Vec<u8>,
}

/// What a signature adds to a request.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) date: Date,
    pub(super) authorization: String,
}

impl Signer {
    pub(super) fn new(region: String, service: String) -> Self {
        Self { region, service, day: Mutex::default(), clock: Mutex::default() }
    }

    pub(super) fn is_for(&self, region: &str, service: &str) -> bool {
        self.region == region && self.service == service
    }

    /// Signs at AWS's time, as far as it is known.
    pub(super) fn sign(&self, canonical: &Canonical, credentials: &Arc<Loaded>, payload: &[u8]) -> Signature {
        let now = SystemTime::now();
        let ahead_ms = lock(&self.clock).ahead_ms;
        let skew = Duration::from_millis(ahead_ms.unsigned_abs());
        let shifted = if ahead_ms >= 0 { now.checked_add(skew) } else { now.checked_sub(skew) };
        let date = Date::of(shifted.unwrap_or(now));
        Signature { authorization: self.sign_at(canonical, credentials, payload, date.as_str()), date }
    }

    /// The header `authorization`. `date` is of the form `20261130T110000Z`.
    pub(super) fn sign_at(
        &self,
        canonical: &Canonical,
        credentials: &Arc<Loaded>,
        payload: &[u8],
        date: &str,
    ) -> String {
        let day = self.day(credentials, date.split_once('T').map_or(date, |(day, _)| day));
        let token = credentials.session_token();
        let hash = Hex::of(canonical.hash(date, token, payload).as_ref());
        let mut text = hmac::Context::with_key(&day.key);
        for part in ["AWS4-HMAC-SHA256\n", date, "\n", &day.scope, "\n", hash.as_str()] {
            text.update(part.as_bytes());
        }
        // One allocation, without room to spare.
        [
            "AWS4-HMAC-SHA256 Credential=",
            credentials.access_key_id(),
            "/",
            &day.scope,
            ", SignedHeaders=",
            canonical.signed(token.is_some()),
            ", Signature=",
            Hex::of(text.sign().as_ref()).as_str(),
        ]
        .concat()
    }

    fn day(&self, credentials: &Arc<Loaded>, date: &str) -> Arc<Day> {
        let mut current = lock(&self.day);
        match &*current {
            Some(day) if Arc::ptr_eq(&day.credentials, credentials) && day.scope.starts_with(date) => Arc::clone(day),
            _ => {
                let day = Arc::new(Day {
                    credentials: Arc::clone(credentials),
                    scope: format!("{date}/{}/{}/aws4_request", self.region, self.service),
                    key: key(credentials.secret_access_key(), date, &self.region, &self.service),
                });
                *current = Some(Arc::clone(&day));
                day
            }
        }
    }

    /// Learns AWS's time from the `Date` of an answer. An answer of a cache has the time of another request.
    pub(super) fn learn_time(&self, date: Option<&[u8]>, from_cache: bool, sent: SystemTime, took: Duration) {
        let Some(date) = date.filter(|_| !from_cache && took <= TRUSTED) else { return };
        let mut clock = lock(&self.clock);
        // One answer a second is enough.
        if clock.date == date {
            return;
        }
        let Some(aws) = std::str::from_utf8(date).ok().and_then(http_date) else { return };
        let ours = sent + took / 2;
        let ms = |difference: Duration| i64::try_from(difference.as_millis()).unwrap_or(i64::MAX);
        clock.ahead_ms = match aws.duration_since(ours) {
            Ok(ahead) => ms(ahead),
            Err(behind) => -ms(behind.duration()),
        };
        clock.date.clear();
        clock.date.extend_from_slice(date);
    }
}

/// The time of an answer that took longer is not that of the request. The SDK's limit.
const TRUSTED: Duration = Duration::from_secs(15 * 60);

fn http_date(text: &str) -> Option<SystemTime> {
    use aws_smithy_types::{DateTime, date_time::Format};
    SystemTime::try_from(DateTime::from_str(text, Format::HttpDate).ok()?).ok()
}

fn key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [date, region, service, "aws4_request"] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
    }
    key
}

/// `20261130T110000Z`
#[derive(Debug)]
pub(super) struct Date([u8; 16]);

impl Date {
    fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Howard Hinnant's civil_from_days, for dates after 1970: eras of 400 years that begin on March 1st.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let mut text = *b"yyyymmddThhmmssZ";
        for (place, number) in [
            (0..4, year),
            (4..6, month),
            (6..8, day),
            (9..11, rest / 3_600),
            (11..13, rest / 60 % 60),
            (13..15, rest % 60),
        ] {
            let mut left = number;
            for digit in text[place].iter_mut().rev() {
                *digit = b'0' + (left % 10) as u8;
                left /= 10;
            }
        }
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

/// A SHA-256 as text.
struct Hex([u8; 64]);

impl Hex {
    fn of(hash: &[u8]) -> Self {
        let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
        let mut text = [b'0'; 64];
        for (two, byte) in text.chunks_exact_mut(2).zip(hash) {
            two.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Self(text)
    }

    fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

fn ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use aws_smithy_types::{DateTime, date_time::Format};

    #[test]
    fn dates_are_those_of_the_calendar() {
        let mut seconds = 0_u64;
        while seconds < 8_000_000_000 {
            let expected = DateTime::from_secs(i64::try_from(seconds).unwrap()).fmt(Format::DateTime).unwrap();
            let expected: String = expected.chars().filter(|char| !['-', ':'].contains(char)).collect();
            assert_eq!(Date::of(UNIX_EPOCH + Duration::from_secs(seconds)).as_str(), expected);
            seconds += 40_009;
        }
    }

    #[test]
    fn the_time_of_aws_is_learnt_once_from_each_date() {
        let signer = Signer::new("eu-west-1".into(), "lambda".into());
        let ahead = |signer: &Signer| lock(&signer.clock).ahead_ms;
        let date = b"Fri, 31 Dec 1999 23:59:59 GMT";
        let aws = UNIX_EPOCH + Duration::from_secs(946_684_799);
        let took = Duration::from_secs(2);
        signer.learn_time(Some(date), false, aws - Duration::from_secs(601), took);
        assert_eq!(ahead(&signer), 600_000);
        // The same second of AWS's.
        signer.learn_time(Some(date), false, aws, took);
        assert_eq!(ahead(&signer), 600_000);
        let later = b"Sat, 01 Jan 2000 00:00:00 GMT";
        for (date, from_cache, took) in [
            (None, false, took),
            (Some(later.as_slice()), true, took),
            (Some(later), false, TRUSTED + took),
            (Some(b"yesterday".as_slice()), false, took),
        ] {
            signer.learn_time(date, from_cache, aws, took);
            assert_eq!(ahead(&signer), 600_000);
        }
        signer.learn_time(Some(later), false, aws + Duration::from_secs(60), took);
        assert_eq!(ahead(&signer), -60_000);
    }

    #[test]
    fn other_credentials_and_another_day_have_another_key() {
        let signer = Signer::new("eu-west-1".into(), "lambda".into());
        let canonical = Canonical::new("/", "", vec![("host".into(), "h".into())]);
        let keys = |id: &str| Arc::new(Loaded::new(Credentials::new(id, id, None, None, "test")));
        let (one, two) = (keys("one"), keys("two"));
        let sign = |keys: &Arc<Loaded>, date: &str| signer.sign_at(&canonical, keys, b"", date);
        let first = sign(&one, "20261130T110000Z");
        assert_ne!(first, sign(&two, "20261130T110000Z"));
        assert_ne!(first, sign(&one, "20261201T110000Z"));
        assert_eq!(first, sign(&one, "20261130T110000Z"));
    }
}
