//! Bodies of requests and answers in JSON.

use super::error::ApiError;
use crate::server::{Answer, answer};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::content(&error))
}

pub(super) fn say(status: u16, body: &Value) -> Answer {
    answer(status, &[("content-type", "application/json")], body.to_string())
}
