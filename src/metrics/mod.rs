//! What the statistics are computed with: latencies, and the price of calls. Imports nothing else of this crate.

pub mod histogram;
pub mod prices;
