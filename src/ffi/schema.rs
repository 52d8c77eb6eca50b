//! The options, as JSON Schema.

use super::guard;
use crate::config;
use once_cell::sync::OnceCell;
use std::ffi::{CString, c_char};

/// Returns the JSON Schema of the configuration that lambda_executor_create reads: every option
/// with its type, default, range and a description. NUL-terminated UTF-8, static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_config_schema() -> *const c_char {
    static SCHEMA: OnceCell<CString> = OnceCell::new();
    guard::plain(c"{}".as_ptr(), || {
        SCHEMA.get_or_init(|| CString::new(config::schema_json()).unwrap_or_default()).as_ptr()
    })
}
