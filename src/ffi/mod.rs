//! The C ABI, and nothing else: each export turns pointers into Rust values ([`strings`], [`task`]), calls one method,
//! and turns the result into a status ([`failure`]), all inside one panic guard ([`guard`]).
//!
//! `build.rs` makes `include/lambda_executor.h` of the files named there, so the comments on exports and on what is
//! `pub` here are written for C programmers.
//!
//! - [`handle`]: the executor as the host holds it: create, close, free
//! - [`queue`], [`task_state`]: tasks in, and questions about them
//! - [`sync`], [`batch`], [`drain`], [`wakeup`]: events out, and waiting
//! - [`wiring`], [`local_aws`]: the parts, put together
//! - [`health`], [`credentials`], [`stats`], [`logging`]: looking after it
//! - [`status`], [`types`], [`error`], [`names`], [`version`], [`schema`]: the vocabulary

#![allow(unsafe_code)]
// C names, and safety conditions that are told in the header's words.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]
#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

pub mod batch;
pub mod credentials;
pub mod drain;
pub mod error;
pub mod handle;
pub mod health;
pub mod logging;
pub mod names;
pub mod queue;
pub mod schema;
pub mod stats;
pub mod status;
pub mod sync;
pub mod task_state;
pub mod types;
pub mod version;
pub mod wakeup;

mod failure;
mod guard;
mod local_aws;
mod out;
mod strings;
mod task;
mod wiring;

#[cfg(feature = "panic-injection")]
pub mod panic_injection;

#[cfg(test)]
mod tests;
