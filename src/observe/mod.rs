//! Logs and statistics.

pub mod log;
