//! Runs a scheduler's tasks on AWS Lambda and reports what became of each, over SQS: a shared library with a C ABI.
//!
//! - [`ffi`]: the C ABI, wires the rest together
//! - [`config`]: options, their sources, and what is wrong with them
//! - [`executor`]: a task's life as a state machine without I/O, and its driver
//! - [`aws`]: Lambda and SQS through the AWS SDK
//! - [`observe`]: logs and statistics
//! - [`runtime`]: threads, signals, fork, descriptors

pub mod aws;
pub mod config;
pub mod executor;
pub mod ffi;
pub mod metrics;
pub mod observe;
pub mod runtime;
