//! What AWS bills for a call: one table of prices, and how much data counts as one request.
//!
//! An estimate: list prices of one region, without free tiers, volume discounts and taxes. The run time of functions
//! and the messages that they send are not included.

/// What a request of one kind costs.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// Service and kind of request.
    pub of: &'static str,
    /// US dollars for a million requests.
    pub usd_per_million: f64,
    /// How calls are counted as requests.
    pub counted: &'static str,
    /// AWS's page with the price.
    pub page: &'static str,
}

/// Region and month of the prices.
pub const AS_OF: &str = "us-east-1, 2026-06";

const LAMBDA: Price = Price {
    of: "Lambda, Invoke",
    usd_per_million: 0.20,
    counted: "each Invoke answered with 202; an event over 256 KiB counts once more for each further 64 KiB",
    page: "https://aws.amazon.com/lambda/pricing/",
};
const SQS_STANDARD: Price = Price {
    of: "SQS, standard queue",
    usd_per_million: 0.40,
    counted: "each call, empty receives and failed calls included; a receive counts once for each 64 KiB of messages",
    page: "https://aws.amazon.com/sqs/pricing/",
};
const SQS_FIFO: Price = Price {
    of: "SQS, FIFO queue",
    usd_per_million: 0.50,
    counted: "as for a standard queue",
    page: "https://aws.amazon.com/sqs/pricing/",
};

/// Every price, for the documentation.
pub const PRICES: &[Price] = &[LAMBDA, SQS_STANDARD, SQS_FIFO];

/// Bytes of an event that the price of its Invoke covers.
const EVENT_BASE: usize = 256 << 10;
/// Bytes of further data that count as one request.
const CHUNK: usize = 64 << 10;

/// Requests that AWS bills.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Billed {
    /// Of Lambda.
    pub lambda: u64,
    /// Of SQS, for standard queues.
    pub sqs_standard: u64,
    /// Of SQS, for FIFO queues.
    pub sqs_fifo: u64,
}

impl Billed {
    /// An event that Lambda accepted.
    pub fn event(&mut self, bytes: usize) {
        self.lambda += 1 + bytes.saturating_sub(EVENT_BASE).div_ceil(CHUNK) as u64;
    }

    /// A call to a queue.
    pub fn queue_call(&mut self, fifo: bool) {
        *self.sqs(fifo) += 1;
    }

    /// Messages of a receive. The call itself is counted by `queue_call`.
    pub fn received(&mut self, fifo: bool, bytes: usize) {
        *self.sqs(fifo) += bytes.div_ceil(CHUNK).saturating_sub(1) as u64;
    }

    fn sqs(&mut self, fifo: bool) -> &mut u64 {
        if fifo { &mut self.sqs_fifo } else { &mut self.sqs_standard }
    }

    /// US dollars for Lambda.
    pub fn lambda_usd(&self) -> f64 {
        usd(&[(self.lambda, LAMBDA)])
    }

    /// US dollars for SQS.
    pub fn sqs_usd(&self) -> f64 {
        usd(&[(self.sqs_standard, SQS_STANDARD), (self.sqs_fifo, SQS_FIFO)])
    }

    /// US dollars for both.
    pub fn usd(&self) -> f64 {
        usd(&[(self.lambda, LAMBDA), (self.sqs_standard, SQS_STANDARD), (self.sqs_fifo, SQS_FIFO)])
    }
}

/// Rounded to a billionth of a dollar: further digits mean nothing.
fn usd(requests: &[(u64, Price)]) -> f64 {
    let micro: f64 = requests.iter().map(|(number, price)| *number as f64 * price.usd_per_million).sum();
    (micro * 1_000.0).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_small_calls_cost_what_the_table_says() {
        let mut billed = Billed::default();
        for _ in 0..1_000_000 {
            billed.event(700);
            billed.queue_call(false);
            billed.queue_call(true);
            billed.received(true, 9_000);
        }
        assert_eq!((billed.lambda_usd(), billed.sqs_usd()), (0.2, 0.9));
    }

    #[test]
    fn much_data_counts_as_several_requests() {
        for (bytes, requests) in [(0, 1), (256 << 10, 1), ((256 << 10) + 1, 2), (320 << 10, 2), (1 << 20, 13)] {
            let mut billed = Billed::default();
            billed.event(bytes);
            assert_eq!(billed.lambda, requests, "an event of {bytes} bytes");
        }
        for (bytes, requests) in [(0, 1), (64 << 10, 1), ((64 << 10) + 1, 2), (1 << 20, 16)] {
            let mut billed = Billed::default();
            billed.queue_call(false);
            billed.received(false, bytes);
            assert_eq!(billed.sqs_standard, requests, "{bytes} bytes received");
        }
    }
}
