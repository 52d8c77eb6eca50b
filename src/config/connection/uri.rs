//! A connection as a URI: `aws://login:password@host:port/schema?key=value`, split as Python's `urlsplit` and
//! `parse_qsl` do.

use super::{Connection, extra_of};
use serde_json::{Map, Value};

const FORM: &str = "expected aws://login:password@/?key=value, or JSON";
/// For errors that unescaped letters cause.
const ESCAPES: &str = "in a login or password / is written %2F, @ %40, : %3A, ? %3F and # %23";

pub(super) fn parse(text: &str) -> Result<Connection, String> {
    let (kind, rest) = text.split_once("://").ok_or_else(|| format!("neither JSON nor a URI ({FORM})"))?;
    let mut letters = kind.chars();
    let is_kind = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
    if !is_kind {
        return Err(format!("neither JSON nor a URI ({FORM})"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("there is white space in it ({FORM})"));
    }
    if rest.contains('#') {
        return Err(format!("there is an unescaped # in it ({ESCAPES})"));
    }
    let (protocol, rest) = protocol(rest);
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (authority, path) = place.find('/').map_or((place, ""), |at| place.split_at(at));
    let (user, server) = authority.rsplit_once('@').map_or((None, authority), |(user, server)| (Some(user), server));
    let (login, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        Some((login, password)) => (given(login), given(password)),
        None => (None, None),
    };
    let (host, port) = server_of(server)?;
    Ok(Connection {
        conn_type: Some(kind.to_lowercase().replace('-', "_")),
        login,
        password,
        host: host.map(|host| protocol.map_or(host.clone(), |protocol| format!("{protocol}://{host}"))),
        schema: path.strip_prefix('/').and_then(given),
        port,
        extra: query.map(extra).transpose()?.unwrap_or_default(),
        ..Connection::default()
    })
}

/// `aws://https://login@host`: a host with its protocol.
fn protocol(rest: &str) -> (Option<&str>, &str) {
    match rest.split_once("://") {
        Some((protocol, rest)) if !protocol.contains(['/', '?', '@', ':']) => (Some(protocol), rest),
        _ => (None, rest),
    }
}

fn given(part: &str) -> Option<String> {
    Some(decoded(part)).filter(|text| !text.is_empty())
}

fn server_of(server: &str) -> Result<(Option<String>, Option<u16>), String> {
    let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => server.split_once(':').unwrap_or((server, "")),
    };
    let port = match port {
        "" => None,
        // Without the text: it is part of the password if that has an unescaped /.
        digits => Some(digits.parse().map_err(|_| format!("its port is not a number up to 65535 ({ESCAPES})"))?),
    };
    Ok((given(&host.to_lowercase()), port))
}

fn extra(query: &str) -> Result<Map<String, Value>, String> {
    const WHOLE: &str = "__extra__";
    let mut fields = Map::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        fields.insert(decoded(&name.replace('+', " ")), Value::String(decoded(&value.replace('+', " "))));
    }
    if let Some(Value::String(whole)) = fields.get(WHOLE) {
        return extra_of(whole, WHOLE);
    }
    for value in fields.values_mut() {
        // What is not JSON remains text.
        if let Some(read) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
            *value = read;
        }
    }
    Ok(fields)
}

/// Percent signs that start no escape remain; bytes that are not UTF-8 become U+FFFD.
fn decoded(text: &str) -> String {
    let hex =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high << 4 | low);
                at += 3;
            }
            _ => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}
