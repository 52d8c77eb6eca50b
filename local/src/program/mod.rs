//! The program around the library: arguments, what it prints, and its end.

pub(crate) mod announcement;
pub(crate) mod arguments;
pub(crate) mod ending;
pub(crate) mod log;
