//! Which parts a handle is made of, and how they are put together.

use super::failure::Failure;
use super::handle::lambda_executor_t;

/// Reads the options and starts everything; nothing is asked of AWS before this returns.
pub(super) fn start(_config: Option<&str>) -> Result<lambda_executor_t, Failure> {
    Err(Failure::Unsupported("the parts of the executor are not put together yet".into()))
}
