//! JSON in and out: the event for the function, and the messages in the queues. All of it runs outside of the executor's
//! lock, so that a large message or a long command delays no other call.

mod batch;
mod event;
mod fields;
mod overrides;
mod read;
mod repair;

pub use batch::{Batch, BatchSize};
pub use event::{Prepared, prepare};
pub use read::read;
