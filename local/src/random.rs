//! Random numbers without a lock: SplitMix64 over one atomic counter. Good for ids and faults; secrets come from the
//! kernel.

use std::sync::atomic::{AtomicU64, Ordering};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A source of random numbers that many threads may use at once.
#[derive(Debug)]
pub(crate) struct Random(AtomicU64);

impl Random {
    /// The same seed gives the same numbers, if only one thread uses it.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Seeded by the kernel.
    pub(crate) fn from_kernel() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        Ok(Self::seeded(u64::from_ne_bytes(bytes)))
    }

    pub(crate) fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with this probability (0 to 1).
    pub(crate) fn chance(&self, probability: f64) -> bool {
        // 53 bits are what a double holds exactly.
        probability > 0.0 && ((self.next() >> 11) as f64) < probability * (1u64 << 53) as f64
    }

    /// A version 4 UUID in its hyphenated form.
    pub(crate) fn uuid(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let high = (self.next() & !0xf000) | 0x4000;
        let low = (self.next() & !(0b11 << 62)) | (0b10 << 62);
        let bits = (u128::from(high) << 64) | u128::from(low);
        // Without `format!`: every request has a UUID, and formatting would be the largest part of the answer's cost.
        let mut text = String::with_capacity(36);
        for nibble in 0..32 {
            if matches!(nibble, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            let digit = (bits >> (124 - 4 * nibble)) & 0xf;
            text.push(char::from(DIGITS[digit as usize]));
        }
        text
    }

    /// 32 hexadecimal digits, as in the names of log streams.
    pub(crate) fn hex32(&self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

/// A secret of this length, from the kernel's random numbers. Its characters need no escaping.
pub(crate) fn secret(characters: usize) -> Result<String, getrandom::Error> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = vec![0; characters];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_four_and_differ() {
        let random = Random::seeded(1);
        let one = random.uuid();
        assert_eq!(one.len(), 36);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
        assert!([8, 13, 18, 23].iter().all(|&at| one.as_bytes()[at] == b'-'), "{one}");
        assert_ne!(one, random.uuid());
    }

    #[test]
    fn chances_have_their_frequency() {
        let random = Random::seeded(7);
        let hits = (0..10_000).filter(|_| random.chance(0.25)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!(!(0..1000).any(|_| random.chance(0.0)));
        assert!((0..1000).all(|_| random.chance(1.0)));
    }
}
