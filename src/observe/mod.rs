//! Logs and statistics.

pub mod histogram;
pub mod log;
pub mod prices;
