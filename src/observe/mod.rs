//! Logs and statistics.
