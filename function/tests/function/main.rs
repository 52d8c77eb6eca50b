//! The function as Lambda sees it: the real program, driven through the Runtime API, reporting to an SQS of the test's.

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
