//! The C ABI, and nothing else: each export turns pointers into Rust values ([`strings`], [`task`]), calls one method,
//! and turns the result into a status ([`failure`]), all inside one panic guard ([`guard`]).
//!
//! `build.rs` generates `include/lambda_executor.h` from the public files below, in the order of their sections, so
//! the comments on exports and on what is `pub` here are written for C programmers, in lines of at most 96 columns.
//! Lines that start with `//:` are copied into the header as they are.
//!
//! - [`version`], [`status`], [`strings`], [`error`]: the vocabulary
//! - [`handle`], [`schema`]: create, close and free an executor
//! - [`task`], [`queue`], [`adopt`], [`cancel`]: tasks in
//! - [`state`], [`counts`], [`wait`]: what became of a task
//! - [`event`], [`sync`], [`batch`], [`ack`]: events out
//! - [`drain`], [`wakeup`]: the end, and event loops
//! - [`health`], [`credentials`], [`stats`], [`logging`]: operation
//!
//! Not in the header: [`wiring`] and [`local_aws`] build a handle from its parts, [`command`] checks commands,
//! [`out`] fills what the caller gave room for, [`entries`] reports the results of batch calls.

#![allow(unsafe_code)]
// C names; safety conditions are stated in the header's words.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]
#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

pub mod ack;
pub mod adopt;
pub mod batch;
pub mod cancel;
pub mod counts;
pub mod credentials;
pub mod drain;
pub mod error;
pub mod event;
pub mod handle;
pub mod health;
pub mod logging;
pub mod queue;
pub mod schema;
pub mod state;
pub mod stats;
pub mod status;
pub mod strings;
pub mod sync;
pub mod task;
pub mod version;
pub mod wait;
pub mod wakeup;

mod command;
mod entries;
mod failure;
mod guard;
mod local_aws;
mod out;
mod wiring;

#[cfg(feature = "panic-injection")]
pub mod panic_injection;

#[cfg(test)]
mod tests;
