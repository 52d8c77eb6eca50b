//! Logs and statistics.

pub mod histogram;
pub mod log;
