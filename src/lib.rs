//! Runs a scheduler's tasks on AWS Lambda and reports the result of each, over SQS: a shared library with a C ABI.
//!
//! Each module imports only from those above it in this list:
//!
//! - [`metrics`]: histograms and prices of calls; imports nothing
//! - [`executor`]: the life of a task as a state machine without I/O, its driver, and its ports to the outside
//! - [`runtime`]: threads, signals, fork, descriptors and clocks of a guest in the process of a host; implements ports
//! - [`observe`]: the log of a handle
//! - [`aws`]: Lambda and SQS through the AWS SDK; implements ports
//! - [`config`]: options, their sources and their errors; makes the settings of `executor` and `aws`
//! - [`ffi`]: the C ABI, which puts the parts together

pub mod aws;
pub mod config;
pub mod executor;
pub mod ffi;
pub mod metrics;
pub mod observe;
pub mod runtime;
