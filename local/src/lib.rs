//! A Lambda and an SQS in one process, on a loopback port, for development, tests and demonstration.
//!
//! What speaks AWS's protocols to AWS speaks them to this: requests are signed, asynchronous events are retried and
//! dead-lettered, handlers are real processes under the Runtime API. It forgets everything when it ends, and it is no
//! place for production work.
//!
//! The way of an Invoke through the modules: `server` (HTTP) → `front` (faults, signature, which service) → `lambda`
//! (the operation, then the function's backlog) → `sandbox` (a handler process and its Runtime API) or
//! `lambda::builtin` (no process) → `sqs`.

mod admin;
mod clock;
mod config;
mod faults;
mod front;
mod lambda;
mod peer;
mod random;
mod refusal;
mod running;
mod sandbox;
mod secret;
mod server;
pub mod signature;
pub mod sqs;
mod stats;

pub use config::{Builtin, Handler, HandlerOutput, OPTIONS, OnFailure, OptionInfo, OptionKind, Options, OptionsError};
pub use faults::{FaultRates, Faults, Outage, OutageKind};
pub use running::{Running, StartError, start, start_with};
pub use secret::Secret;
