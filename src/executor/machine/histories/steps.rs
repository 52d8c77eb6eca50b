//! What can happen next in a history. A step is a kind and a number, so that any subset of a history is a history too:
//! that is how failures are shrunk.

use super::dice::Dice;
use super::lambda::Mood;
use super::sqs::SqsMood;
use super::world::World;
use crate::executor::DrainMode;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

/// Kinds of steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Queue,
    Cancel,
    Adopt,
    Advance,
    Take,
    Acknowledge,
    Free,
    OtherMessage,
    ComesBack,
    LambdaMood,
    SqsMood,
    HostChecks,
    Credentials,
    WallClock,
    SlowDisk,
    Crash,
    Drain,
    Close,
}

/// How often each comes.
const WEIGHTS: [(Kind, u64); 18] = [
    (Kind::Queue, 22),
    (Kind::Cancel, 3),
    (Kind::Adopt, 3),
    (Kind::Advance, 34),
    (Kind::Take, 10),
    (Kind::Acknowledge, 8),
    (Kind::Free, 3),
    (Kind::OtherMessage, 2),
    (Kind::ComesBack, 2),
    (Kind::LambdaMood, 7),
    (Kind::SqsMood, 3),
    (Kind::HostChecks, 1),
    (Kind::Credentials, 1),
    (Kind::WallClock, 1),
    (Kind::SlowDisk, 1),
    (Kind::Crash, 3),
    (Kind::Drain, 1),
    (Kind::Close, 1),
];

/// One step; `seed` decides its details.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    seed: u64,
}

/// What the world begins with, and what happens in it.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) world: u64,
    pub(super) steps: Vec<Step>,
}

/// All histories. Shrinking leaves out steps; it does not touch one, since what a number means depends on those before.
pub(super) fn histories() -> impl Strategy<Value = History> {
    let total: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let step = (0..total, any::<u64>()).prop_map(|(at, seed)| Step { kind: kind_at(at), seed }).no_shrink();
    (any::<u64>().no_shrink(), vec(step, 1..60)).prop_map(|(world, steps)| History { world, steps })
}

fn kind_at(mut at: u64) -> Kind {
    for (kind, weight) in WEIGHTS {
        if at < weight {
            return kind;
        }
        at -= weight;
    }
    unreachable!("beyond the sum of the weights")
}

impl World {
    pub(super) fn step(&mut self, step: Step) {
        self.dice = Dice(step.seed);
        let site = self.dice.below(self.sites.len() as u64) as usize;
        let at = self.sites[site].now(self.now);
        self.sites[site].machine.set_now(at);
        let is_closed = self.sites[site].host.is_closed;
        match step.kind {
            Kind::Queue => {
                for _ in 0..self.dice.one_of(&[1, 1, 1, 6]) {
                    self.host_queues(site);
                }
            }
            Kind::Cancel if !is_closed => self.host_cancels(site),
            Kind::Adopt => self.host_adopts(site),
            Kind::Advance => {
                let most = self.dice.one_of(&[20, 500, 500, 3_000, 20_000, 120_000]);
                let ms = 1 + self.dice.below(most);
                self.advance(ms);
            }
            Kind::Take => {
                let max = self.dice.one_of(&[1, 2, 5, 1_000]);
                self.host_takes(site, max);
            }
            Kind::Acknowledge => {
                let share = self.dice.one_of(&[30, 100]);
                self.host_acknowledges(site, share);
            }
            Kind::Free => self.host_frees(site),
            Kind::OtherMessage => self.other_message(),
            Kind::ComesBack => self.sqs.bring_back(self.now, &mut self.dice),
            Kind::LambdaMood => {
                use Mood::{Away, Losing, Missing, Mixed, NoCredentials, Throttling, Well};
                let route = self.dice.below(self.lambda.moods.len() as u64) as usize;
                let mood =
                    self.dice.one_of(&[Well, Well, Mixed, Mixed, Throttling, Missing, Away, Losing, NoCredentials]);
                self.lambda.moods[route] = mood;
            }
            Kind::SqsMood => {
                use SqsMood::{Away, Mixed, NoCredentials, Well};
                self.sqs.mood = self.dice.one_of(&[Well, Well, Mixed, Mixed, Away, NoCredentials]);
            }
            Kind::HostChecks => self.host_checks(site),
            Kind::Credentials => self.sites[site].machine.credentials_changed(),
            Kind::WallClock => {
                let by_ms = self.dice.one_of(&[-7_200_000, -300_000, 300_000, 7_200_000]);
                self.sites[site].jump_wall_clock(by_ms);
            }
            Kind::SlowDisk => {
                let until = self.now + self.dice.below(30_000);
                self.sites[site].store.stall(until);
            }
            Kind::Crash => self.crash(site),
            Kind::Drain if !is_closed => {
                let mode = self.dice.one_of(&[DrainMode::Finish, DrainMode::CancelQueued]);
                let host = &mut self.sites[site].host;
                host.refuses = true;
                host.cancels_queued |= mode == DrainMode::CancelQueued;
                self.sites[site].machine.drain(mode);
            }
            Kind::Close if !is_closed => self.close(site),
            Kind::Cancel | Kind::Drain | Kind::Close => {}
        }
        self.drive(site);
    }
}
