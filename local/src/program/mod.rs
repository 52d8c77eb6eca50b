//! The program around the library: arguments, output, log and end.

pub(crate) mod announcement;
pub(crate) mod arguments;
pub(crate) mod ending;
pub(crate) mod log;
