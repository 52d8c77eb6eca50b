//! What an operator sees of a handle while it runs: its log.

pub mod log;
