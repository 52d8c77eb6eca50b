//! A Lambda and an SQS in one process, on a loopback port, for development, tests and demonstration.
//!
//! Any AWS client works with it: requests are signed, asynchronous events are retried and dead-lettered, handlers are
//! real processes under the Runtime API. It keeps everything in memory, loses it at exit, and is not for production.
//!
//! An Invoke passes these modules: `server` (HTTP) → `front` (faults, signature, choice of the service) → `lambda` (the
//! operation, then the function's backlog) → `sandbox` (a handler process and its Runtime API) or
//! `lambda::builtin` (no process) → `sqs`. Each module uses only modules further down in this list: `running`, `front`,
//! `lambda`, `sandbox`, `config`, `server`, `faults`, `sqs`, and small ones such as `job`, `signature` and `clock`.

mod clock;
mod config;
mod faults;
mod front;
mod function_state;
mod job;
mod lambda;
mod peer;
mod random;
mod reader;
mod running;
mod sandbox;
mod secret;
mod server;
pub mod signature;
pub mod sqs;
mod stats;

pub use config::{Builtin, Handler, HandlerOutput, OPTIONS, OnFailure, OptionInfo, OptionKind, Options};
pub use faults::{FaultRates, Faults, Outage, OutageKind, StateSpan};
pub use function_state::FunctionState;
pub use reader::OptionsError;
pub use running::{OnThreadStart, Running, StartError, start, start_with};
pub use secret::Secret;
