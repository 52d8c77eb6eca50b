//! One behaviour a test, in virtual time. The random histories check that no promise is ever broken; these tests check
//! what exactly happens. Names that begin with `s` or `c` and a number are those of reported faults.

mod adopting;
mod batches;
mod blame;
mod cost;
mod credentials;
mod crowds;
mod deleting;
mod durability;
mod ending;
mod full_load;
mod health;
mod invoking;
mod level;
mod messages;
mod outages;
mod poison;
mod receiving;
mod routes;
mod silence;
mod stage;
mod statistics;

use super::{Action, Probe};
use crate::executor::event::Event;
use crate::executor::ports::{Accepted, CallError, EntryOutcome, InvokeRequest, Message, Now, QueueId, RouteId};
use crate::executor::settings::Settings;
use crate::executor::task::{AdoptSpec, AttemptId, Reason, Refusal, TaskSpec, TaskState};
use stage::*;
