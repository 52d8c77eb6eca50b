//! Threads, signals, fork, descriptors: what a library in the process of a host has to be careful about.
//!
//! - [`threads`]: the runtime of a handle
//! - [`signals`]: our threads take none of the host's signals
//! - [`fork`]: distinguishes a process from its forked children
//! - [`eventfd`], [`waits`]: what the host waits on
//! - `file_identity`, [`low_descriptors`]: descriptors that the host has closed
//! - [`open_files`]: how many the process may have
//! - [`address_space`]: whether it may use more addresses
//! - [`clock`]: the time of the system
//! - [`child`]: runs a command and reads its output
//! - [`environment`]: the variables of the process, read once
//! - [`panics`]: a panic becomes a message, not output
//! - [`stderr`]: standard error without the standard library's lock
//! - [`home`]: home folders of users
//! - [`library_path`]: where the shared library was loaded from

pub mod address_space;
pub mod child;
pub mod clock;
pub mod environment;
pub mod eventfd;
mod file_identity;
pub mod fork;
pub mod home;
pub mod library_path;
pub mod low_descriptors;
pub mod open_files;
pub mod panics;
pub mod signals;
pub mod stderr;
pub mod threads;
pub mod waits;
