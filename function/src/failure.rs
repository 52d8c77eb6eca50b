//! An invocation that fails: Lambda tries again, and at last the dead letter queue has the event and this message.

use crate::log::{self, Level};
use lambda_runtime::Diagnostic;

/// Logs the error and makes it the invocation's answer.
pub(crate) fn failed(task_key: Option<&str>, error_type: &str, message: String) -> Diagnostic {
    log::write(Level::Error, &message, &[("task_key", task_key.into()), ("error_type", error_type.into())]);
    Diagnostic { error_type: error_type.to_owned(), error_message: message }
}
