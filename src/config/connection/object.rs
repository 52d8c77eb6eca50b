//! A connection as a JSON object.

use super::{Connection, extra_of};
use serde_json::{Map, Value};

const ALLOWED: &str = "conn_type, login, password, host, schema, port, description, extra";

pub(super) fn parse(text: &str) -> Result<Connection, String> {
    let mut fields: Map<String, Value> = serde_json::from_str(text)
        // Only the place: the text holds secrets.
        .map_err(|error| format!("not JSON (line {}, column {})", error.line(), error.column()))?;
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(format!("{name}: expected text")),
    };
    let connection = Connection {
        conn_type: text("conn_type")?.map(|kind| kind.replace('-', "_")),
        login: text("login")?,
        password: text("password")?,
        host: text("host")?,
        schema: text("schema")?,
        port: text("port")?
            .map(|port| port.trim().parse::<u16>())
            .transpose()
            .map_err(|_| "port: expected a number from 0 to 65535")?
            .filter(|port| *port > 0),
        ..Connection::default()
    };
    text("description")?;
    let extra = match fields.remove("extra") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(Value::String(text)) => extra_of(&text, "extra")?,
        Some(_) => return Err("extra: expected an object, or text that holds one".into()),
    };
    match fields.keys().next() {
        // As in Airflow.
        Some(name) => Err(format!("unknown name `{}` (expected {ALLOWED})", name.escape_debug())),
        None => Ok(Connection { extra, ..connection }),
    }
}
