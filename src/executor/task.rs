//! A task as the host hands it in, and the states and reasons it can end with.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Where a task is in its life. The numbers are part of the C ABI and never reused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
#[repr(u8)]
pub enum TaskState {
    /// Accepted, waiting for a slot or backing off.
    Queued = 1,
    /// An Invoke is under way.
    Submitting = 2,
    /// Lambda has accepted the event.
    Running = 3,
    /// Return code 0.
    Succeeded = 4,
    /// Any other outcome that is known.
    Failed = 5,
    /// Cancelled by the host, or handed back by a drain.
    Cancelled = 6,
    /// Neither result nor dead letter arrived before the deadline.
    Lost = 7,
}

impl TaskState {
    /// True for the states that a task never leaves.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Lost)
    }

    /// The name used in JSON and by `lambda_executor_task_state_name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitting => "submitting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// Why a task ended the way it did. The numbers are part of the C ABI and never reused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The command ended by itself; see the return code.
    Exit = 1,
    /// The command was ended by a signal.
    Signal = 2,
    /// The command ran over its time limit.
    Timeout = 3,
    /// The task waited longer than its `max_wait_ms` to be submitted.
    Expired = 4,
    /// Lambda gave up on the event.
    DeadLetter = 5,
    /// Invoke failed for good, or its answers were lost and nothing was heard of the task.
    InvokeFailed = 6,
    /// Nothing was heard of the task before its deadline.
    Lost = 7,
    /// Cancelled before it was submitted.
    NeverInvoked = 8,
    /// Cancelled after it was submitted.
    Abandoned = 9,
    /// The function could not prepare the command.
    SetupFailed = 10,
    /// The function refused the event.
    BadEvent = 11,
    /// The function may not report to the queue that the event named.
    ReplyToRefused = 12,
    /// A result of this task arrived whose return code cannot be read.
    BadResult = 13,
    /// The command succeeded, but its result file could not be sent: too large, or not readable.
    ValueTooLarge = 14,
}

impl Reason {
    /// Every reason, in the order of its numbers.
    pub const ALL: [Self; 14] = [
        Self::Exit,
        Self::Signal,
        Self::Timeout,
        Self::Expired,
        Self::DeadLetter,
        Self::InvokeFailed,
        Self::Lost,
        Self::NeverInvoked,
        Self::Abandoned,
        Self::SetupFailed,
        Self::BadEvent,
        Self::ReplyToRefused,
        Self::BadResult,
        Self::ValueTooLarge,
    ];

    /// The name on the wire and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::Expired => "expired",
            Self::DeadLetter => "dead_letter",
            Self::InvokeFailed => "invoke_failed",
            Self::Lost => "lost",
            Self::NeverInvoked => "never_invoked",
            Self::Abandoned => "abandoned",
            Self::SetupFailed => "setup_failed",
            Self::BadEvent => "bad_event",
            Self::ReplyToRefused => "reply_to_refused",
            Self::BadResult => "bad_result",
            Self::ValueTooLarge => "value_too_large",
        }
    }

    /// The reason of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Identifies one submission of a task: the same in all its Invoke tries, another when the key is queued again. A UUID;
/// its upper half is never 0, so that an `Option` of it needs no more room.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct AttemptId {
    upper: NonZeroU64,
    lower: u64,
}

impl AttemptId {
    /// Makes a version 4 UUID of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bytes);
        let version = (bits & !(0xf << 76)) | (0x4 << 76);
        let bits = (version & !(0x3 << 62)) | (0x2 << 62);
        Self { upper: NonZeroU64::new((bits >> 64) as u64).unwrap_or(NonZeroU64::MIN), lower: bits as u64 }
    }

    /// The 32 digits without hyphens.
    pub fn hex(self) -> String {
        format!("{:016x}{:016x}", self.upper, self.lower)
    }

    /// Reads what [`Self::hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let well_formed = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| well_formed)?;
        Some(Self { upper: NonZeroU64::new((bits >> 64) as u64)?, lower: bits as u64 })
    }

    /// Reads the hyphenated form of a UUID whose upper half is not 0.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; UUID_LEN] = text.as_bytes().try_into().ok()?;
        let mut bits = 0_u128;
        for (at, &byte) in bytes.iter().enumerate() {
            match HYPHENS.contains(&at) {
                true if byte == b'-' => {}
                true => return None,
                false => bits = bits << 4 | u128::from(char::from(byte).to_digit(16)?),
            }
        }
        Some(Self { upper: NonZeroU64::new((bits >> 64) as u64)?, lower: bits as u64 })
    }

    /// The hyphenated form, which [`Self::parse`] reads.
    pub fn text(self) -> UuidText {
        let mut bits = u128::from(self.upper.get()) << 64 | u128::from(self.lower);
        let mut text = [b'-'; UUID_LEN];
        for (_, digit) in text.iter_mut().enumerate().filter(|(at, _)| !HYPHENS.contains(at)) {
            bits = bits.rotate_left(4);
            *digit = b"0123456789abcdef"[(bits & 0xf) as usize];
        }
        UuidText(text)
    }
}

const UUID_LEN: usize = 36;
/// Where the hyphens stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// A UUID as text, without an allocation: the id of each task is written several times.
#[derive(Clone, Copy, Debug)]
pub struct UuidText([u8; UUID_LEN]);

impl UuidText {
    /// The text.
    pub fn as_str(&self) -> &str {
        // It consists of digits and hyphens.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for UuidText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl std::fmt::Display for AttemptId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// What to run.
#[derive(Clone, Debug)]
pub enum Command {
    /// A program and its arguments.
    Argv(Vec<String>),
    /// JSON that has been checked to be a list of strings or one string, passed on as it was written.
    Json(Box<RawValue>),
}

/// One task, as accepted from the host: checked, and owned by us.
#[derive(Clone, Debug)]
pub struct TaskSpec {
    /// The host's name for the task: UTF-8, 1 byte to 8 KiB, unique among unfinished tasks.
    pub key: Arc<str>,
    /// The host's own number, handed back in every event.
    pub tag: u64,
    /// What to run.
    pub command: Command,
    /// Checked to be a JSON object; `None` is `{}`.
    pub executor_config: Option<Box<RawValue>>,
    /// Name of the route; empty is the default.
    pub queue: String,
    /// Time limit of the command in ms; 0 leaves it to the function.
    pub timeout_ms: u64,
    /// Give up waiting to be submitted after this many ms; 0 never does.
    pub max_wait_ms: u64,
    /// LOST after this many ms without a result; 0 is the route's (option result_timeout_ms).
    pub result_timeout_ms: u64,
    /// Which submission of the key it is, where the host decides; `None`: the executor makes one.
    pub attempt: Option<AttemptId>,
}

/// One task of an earlier process, to be tracked as running.
#[derive(Clone, Debug)]
pub struct AdoptSpec {
    /// The key it was queued with.
    pub key: Arc<str>,
    /// Handed back in its events.
    pub tag: u64,
    /// Name of the route; empty is the default.
    pub queue: String,
    /// LOST after this many ms without a result, from now on; 0 is the route's (option result_timeout_ms).
    pub result_timeout_ms: u64,
    /// Which submission of the key it is; `None`: any, and messages match by the key alone.
    pub attempt: Option<AttemptId>,
}

/// Why a task was not accepted.
#[derive(Debug, thiserror::Error, Eq, PartialEq)]
pub enum Refusal {
    /// The key belongs to a task whose final event has not been handed out.
    #[error("key `{key}` belongs to a task that has not finished, or whose final event has not been handed out")]
    Duplicate {
        /// The key.
        key: String,
    },
    /// As many tasks wait as the configuration allows.
    #[error("{limit} tasks are waiting, which is the limit (option max_queued_tasks)")]
    QueueFull {
        /// The configured limit.
        limit: usize,
    },
    /// Draining, closed or shut down.
    #[error("the executor accepts no more tasks: it is draining or closed")]
    Closed,
    /// The event would not fit into an Invoke.
    #[error("task `{key}`: its event has {size} bytes, more than {limit} (option max_payload_bytes)")]
    PayloadTooLarge {
        /// The key.
        key: String,
        /// Size of the event in bytes.
        size: usize,
        /// The configured limit.
        limit: usize,
    },
    /// The task names a queue that is not configured.
    #[error("task `{key}`: queue `{queue}` is not configured (known: {known})")]
    UnknownQueue {
        /// The key.
        key: String,
        /// The name asked for.
        queue: String,
        /// The names that are known.
        known: String,
    },
    /// The task's `executor_config` asks for something that cannot be.
    #[error("task `{key}`: executor_config: {what}")]
    BadOverride {
        /// The key.
        key: String,
        /// Which member it is, what it is, and what is allowed.
        what: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempt_ids_are_version_4_uuids_and_read_back() {
        let id = AttemptId::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(AttemptId::parse(&id.to_string()), Some(id));
        let small = AttemptId { upper: NonZeroU64::MIN, lower: 1 };
        assert_eq!([id, small].map(|id| AttemptId::from_hex(&id.hex())), [Some(id), Some(small)]);
        let mixed = "01234567-89ab-4cde-8f01-23456789abcd";
        let parsed = AttemptId::parse(mixed).unwrap();
        assert_eq!((parsed.to_string(), parsed.hex()), (mixed.into(), mixed.replace('-', "")));
        assert_eq!(AttemptId::parse(&mixed.to_uppercase()), Some(parsed));
        for wrong in [
            "",
            "x",
            "ffffffff-ffff-4fff-bfff-fffffffffffg",
            "ffffffffffff-4fff-bfff-ffffffffffffff",
            "ffffffff-ffff-4fff-bfff-ffffffffffff0",
            "+fffffff-ffff-4fff-bfff-ffffffffffff",
            "ffffffff_ffff-4fff-bfff-ffffffffffff",
            "ffffffff-ffff-4fff-bfff-ffffffffff\u{e9}",
            "fffffff\u{ff11}-ffff-4fff-bfff-ffffffffffff",
            "00000000-0000-0000-8fff-ffffffffffff",
        ] {
            assert_eq!(AttemptId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reasons_have_the_numbers_and_names_of_the_abi() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index + 1);
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
        }
    }
}
