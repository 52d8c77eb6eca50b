//! Threads, signals, fork, descriptors: what a guest in somebody else's process has to be careful about.
//!
//! - [`threads`]: the runtime of a handle, its threads named and quiet
//! - [`signals`]: our threads take none of the host's signals
//! - [`fork`]: telling the parent from the child
//! - [`eventfd`], [`waits`]: what the host waits on
//! - [`clock`]: the time of the system
//! - [`child`]: running a command and reading what it writes
//! - [`panics`]: a panic becomes a story to tell, not output
//! - [`home`]: home folders of users
//! - [`library_path`]: where the shared library was loaded from

pub mod child;
pub mod clock;
pub mod eventfd;
pub mod fork;
pub mod home;
pub mod library_path;
pub mod panics;
pub mod signals;
pub mod threads;
pub mod waits;
