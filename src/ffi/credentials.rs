//! New credentials for a running executor.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::handle::lambda_executor_t;
use super::status::*;
use super::{guard, strings};
use crate::config::credentials;
use std::ffi::c_char;

/// Sets new AWS credentials of a running executor, for hosts that store and renew them themselves.
/// Every call to AWS that starts from now on uses them, in place of those of option credentials, a
/// profile, the AWS default chain or a role. Whatever waits because the old ones were rejected is
/// tried at once. Running tasks are not affected. With option local they must be a pair that the
/// local AWS knows.
///
/// json, len: an object with access_key_id, secret_access_key and, for temporary ones,
///   session_token.
///
/// OK, ERR_INVALID_ARGUMENT (the message does not repeat the text), ERR_CLOSED, ERR_FORKED,
/// ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_set_credentials(
    ex: *mut lambda_executor_t,
    json: *const c_char,
    len: usize,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `json` is readable, `err` is NULL or writable, by the header's rules.
    unsafe {
        guard::on_handle(ex, err, |handle| {
            let text = strings::text(json, len, "json")?.unwrap_or_default();
            let keys = credentials::read(text).map_err(|why| Failure::argument(format!("credentials: {why}")))?;
            handle.aws.set_credentials(keys);
            handle.executor.credentials_changed();
            tracing::info!("the host has set new credentials");
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}
