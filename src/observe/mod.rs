//! Logs and statistics.

pub mod histogram;
