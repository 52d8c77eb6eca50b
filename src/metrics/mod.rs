//! Figures: how times are distributed, and what AWS charges. Uses nothing else of the crate.

pub mod histogram;
pub mod prices;
