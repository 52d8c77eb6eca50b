//! The function as Lambda runs it: the real program, with a Runtime API and an SQS that the test serves.

mod batches;
mod bucket;
mod commands;
mod dags;
mod delivery;
mod ending;
mod events;
mod hooks;
mod preload;
mod preload_conformance;
mod preload_fallback;
mod seen_before;
mod start;
mod support;
mod time_limits;
