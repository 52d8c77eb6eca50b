//! Injected faults of messages: loss, duplication, delay.

use crate::random::Random;

/// Fault rates of standard queues, by default 0. FIFO queues have no faults.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MessageFaults {
    /// Probability (0 to 1) that a message is delivered twice, under one message id.
    pub duplicate: f64,
    /// Probability that a message is accepted and never delivered.
    pub lose: f64,
    /// Probability that a message becomes visible `delay_ms` later than it should.
    pub delay: f64,
    /// The additional delay, ms.
    pub delay_ms: u64,
    /// The same seed with the same order of messages gives the same faults.
    pub seed: u64,
}

/// The faults of one message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fate {
    /// Number of copies; 0 means that the message is lost.
    pub(super) copies: usize,
    pub(super) delay_ms: u64,
}

/// Draws the faults of messages.
#[derive(Debug)]
pub(super) struct Fates {
    faults: MessageFaults,
    random: Random,
}

impl Fates {
    pub(super) fn new(faults: MessageFaults) -> Self {
        Self { random: Random::seeded(faults.seed), faults }
    }

    /// The faults of the next message.
    pub(super) fn draw(&self) -> Fate {
        let MessageFaults { duplicate, lose, delay, delay_ms, .. } = self.faults;
        let copies = if self.random.chance(lose) { 0 } else { 1 + usize::from(self.random.chance(duplicate)) };
        Fate { copies, delay_ms: if self.random.chance(delay) { delay_ms } else { 0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_faults_nothing_happens_to_messages() {
        let fates = Fates::new(MessageFaults::default());
        assert!((0..100).all(|_| fates.draw() == Fate { copies: 1, delay_ms: 0 }));
    }

    #[test]
    fn a_seed_repeats_its_faults() {
        let faults = MessageFaults { duplicate: 0.3, lose: 0.3, delay: 0.3, delay_ms: 9, seed: 5 };
        let draw = || {
            let fates = Fates::new(faults);
            (0..200).map(|_| fates.draw()).collect::<Vec<_>>()
        };
        let drawn = draw();
        assert_eq!(drawn, draw());
        for copies in 0..3 {
            assert!(drawn.iter().any(|fate| fate.copies == copies));
        }
        assert!(drawn.iter().any(|fate| fate.delay_ms == 9) && drawn.iter().any(|fate| fate.delay_ms == 0));
    }
}
