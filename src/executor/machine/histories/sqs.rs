//! The queues: messages with a visibility, receive counts and receipts, and what can go wrong with them.

use super::dice::Dice;
use crate::executor::message::{Content, Received};
use crate::executor::ports::{CallError, EntryOutcome, Fault, QueueId, Sent};
use crate::executor::task::AttemptId;
use std::sync::Arc;

/// How SQS answers at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SqsMood {
    Well,
    /// Some calls and entries fail.
    Mixed,
    /// No call succeeds; a receive that fails may have taken messages.
    Away,
    NoCredentials,
}

/// What a message really is.
#[derive(Clone, Debug)]
pub(super) enum About {
    /// The report of these submissions. `named`: it carries the attempt ids, and always those of several.
    Report {
        of: Vec<Reported>,
        named: bool,
    },
    /// Of another executor, whose ids are never ours.
    Other {
        key: Arc<str>,
    },
    Malformed,
    SuccessRecord,
}

/// What a message says of one submission.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    pub(super) key: Arc<str>,
    pub(super) attempt: AttemptId,
    /// That its batch did not run it.
    pub(super) not_run: bool,
    /// That Lambda gave up on its batch.
    pub(super) dead_batch: bool,
}

/// A message; its number is its index and its id `m<number>`.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) queue: QueueId,
    /// Where it was sent to; SQS may have moved it since.
    pub(super) sent_to: QueueId,
    pub(super) about: About,
    content: Content,
    pub(super) sent_at: u64,
    receive_count: u32,
    first_received_at: Option<u64>,
    pub(super) visible_at: u64,
    /// For how long readers have hidden it since it was sent, in ms.
    pub(super) hidden_ms: u64,
    pub(super) deleted: bool,
    /// A fault of SQS made it visible although it was hidden or deleted, or a call for it did nothing.
    pub(super) came_back: bool,
    /// An executor received it that could not take it as a whole: a member was not its own, or had ended by other means
    /// and was not acknowledged.
    pub(super) was_mixed: bool,
}

impl Stored {
    /// What it says of submissions, and whether it names them.
    pub(super) fn reports(&self) -> Option<(&[Reported], bool)> {
        match &self.about {
            About::Report { of, named } => Some((of, *named)),
            About::Other { .. } | About::Malformed | About::SuccessRecord => None,
        }
    }

    /// A reader changes when others can receive it.
    pub(super) fn hide_until(&mut self, at: u64) {
        self.hidden_ms = (self.hidden_ms + at).saturating_sub(self.visible_at);
        self.visible_at = at;
    }
}

/// All queues. The last one is for dead letters.
#[derive(Debug)]
pub(super) struct Sqs {
    pub(super) mood: SqsMood,
    pub(super) messages: Vec<Stored>,
    live: Vec<usize>,
    pub(super) last_queue: QueueId,
    /// Its Unix time at virtual time 0.
    epoch_unix_ms: i64,
    /// A message that was received more often is moved to the last queue.
    most_receives: u32,
}

impl Sqs {
    pub(super) fn new(last_queue: QueueId, dice: &mut Dice) -> Self {
        let skew_ms = dice.one_of(&[0, 0, 1_500, -1_500, 3_600_000]);
        Self {
            mood: SqsMood::Mixed,
            messages: Vec::new(),
            live: Vec::new(),
            last_queue,
            epoch_unix_ms: super::START_UNIX_MS + skew_ms,
            most_receives: dice.one_of(&[3, 10, 1_000, 1_000]),
        }
    }

    /// Puts a message into a queue; returns its number.
    pub(super) fn send(&mut self, queue: QueueId, now: u64, about: About, content: Content) -> usize {
        let number = self.messages.len();
        self.messages.push(Stored {
            queue,
            sent_to: queue,
            about,
            content,
            sent_at: now,
            receive_count: 0,
            first_received_at: None,
            visible_at: now,
            hidden_ms: 0,
            deleted: false,
            came_back: false,
            was_mixed: false,
        });
        self.live.push(number);
        number
    }

    /// When a message of the queue can be received.
    pub(super) fn first_visible(&self, queue: QueueId) -> Option<u64> {
        let of_queue = self.live.iter().map(|n| &self.messages[*n]).filter(|message| message.queue == queue);
        of_queue.map(|message| message.visible_at).min()
    }

    pub(super) fn visible(&self, queue: QueueId, now: u64) -> Vec<usize> {
        let is_visible = |n: &usize| self.messages[*n].queue == queue && self.messages[*n].visible_at <= now;
        self.live.iter().copied().filter(is_visible).collect()
    }

    /// Hands out up to ten visible messages, from anywhere in the queue. A long poll finds at least one.
    pub(super) fn take(&mut self, queue: QueueId, now: u64, visibility_s: u32, dice: &mut Dice) -> Vec<usize> {
        let mut numbers = self.visible(queue, now);
        if let Some(first) = dice.index(numbers.len()) {
            numbers.rotate_left(first);
        }
        numbers.truncate(if self.mood == SqsMood::Well { 10 } else { dice.one_of(&[1, 3, 10, 10]) });
        for number in &numbers {
            let message = &mut self.messages[*number];
            message.receive_count += 1;
            message.first_received_at.get_or_insert(now);
            message.visible_at = now;
            message.hide_until(now + u64::from(visibility_s) * 1_000);
        }
        let last = self.last_queue;
        numbers.retain(|number| {
            let message = &mut self.messages[*number];
            let moves = message.receive_count > self.most_receives && message.queue != last;
            if moves {
                (message.queue, message.visible_at, message.receive_count) = (last, now, 1);
            }
            !moves
        });
        numbers
    }

    /// A message as its reader gets it.
    pub(super) fn received(&self, number: usize) -> Received {
        let message = &self.messages[number];
        let unix = |at: u64| self.epoch_unix_ms + at as i64;
        // SQS is many machines, whose clocks differ a little.
        let spread = (number % 4) as i64;
        Received {
            message_id: format!("m{number}").into(),
            receipt: format!("{number}.{}", message.receive_count).into(),
            receive_count: message.receive_count,
            sent_at_ms: unix(message.sent_at) + spread,
            first_received_at_ms: message.first_received_at.map_or(0, unix),
            bytes: 100 + number,
            content: message.content.clone(),
        }
    }

    /// The message that a receipt was given for, and whether it is its newest.
    pub(super) fn of_receipt(&self, receipt: &str) -> (usize, bool) {
        let (number, count) = receipt.split_once('.').expect("a receipt of ours");
        let number = number.parse().expect("a receipt of ours");
        let message: &Stored = &self.messages[number];
        (number, message.receive_count.to_string() == count)
    }

    /// The answer to a batch call, entry by entry.
    pub(super) fn batch(
        &mut self,
        receipts: &[String],
        dice: &mut Dice,
        mut carry_out: impl FnMut(&mut Stored, usize),
    ) -> Result<Vec<EntryOutcome>, CallError> {
        let failure = self.failure(dice);
        let lost = failure.as_ref().is_some_and(|failure| failure.sent == Sent::Maybe);
        let mut outcomes = Vec::new();
        for (index, receipt) in receipts.iter().enumerate() {
            let (number, newest) = self.of_receipt(receipt);
            let roll = if self.mood == SqsMood::Well { 0 } else { dice.below(100) };
            let fails = if failure.is_some() { !(lost && roll < 50) } else { roll >= 90 };
            outcomes.push(match roll {
                _ if !fails => {
                    let message = &mut self.messages[number];
                    if newest {
                        carry_out(message, index);
                    } else {
                        // An older receipt may do nothing.
                        message.came_back = true;
                    }
                    EntryOutcome::Done
                }
                90..95 => EntryOutcome::Retry { code: "InternalError".into() },
                _ => {
                    self.messages[number].came_back = true;
                    EntryOutcome::Gone { code: "ReceiptHandleIsInvalid".into() }
                }
            });
        }
        let messages = &self.messages;
        self.live.retain(|number| !messages[*number].deleted);
        failure.map_or(Ok(outcomes), Err)
    }

    /// A fault of SQS makes a message visible at once, even one that was deleted.
    pub(super) fn bring_back(&mut self, now: u64, dice: &mut Dice) {
        let Some(number) = dice.index(self.messages.len()) else { return };
        let message = &mut self.messages[number];
        if message.deleted && !dice.percent(30) {
            return;
        }
        if std::mem::take(&mut message.deleted) {
            self.live.push(number);
        }
        message.came_back = true;
        message.visible_at = message.visible_at.min(now);
    }

    /// Why a call fails now, if it does.
    pub(super) fn failure(&self, dice: &mut Dice) -> Option<CallError> {
        let fault = match self.mood {
            SqsMood::Well => return None,
            SqsMood::Mixed if dice.percent(93) => return None,
            SqsMood::Mixed if dice.percent(10) => Fault::Route,
            SqsMood::Mixed | SqsMood::Away => Fault::Service,
            SqsMood::NoCredentials => Fault::Identity,
        };
        let sent = if fault == Fault::Service && dice.percent(50) { Sent::Maybe } else { Sent::No };
        Some(super::failure(fault, sent))
    }
}
