//! Ten results of 1 MiB that arrive in one answer of SQS, ten times. What is measured is the lock.

use super::figures::Values;
use super::support::Handle;
use std::time::{Duration, Instant};

const ROUNDS: usize = 10;
const RESULTS: usize = 10;
/// With the other members of the result just below 1 MiB, the longest message of SQS.
const OUTPUT_BYTES: usize = 1_048_000;
const SUCCEEDED: i32 = 4;

pub(super) fn measure(_: &mut Values) {
    let output = "x".repeat(OUTPUT_BYTES);
    // Each request to SQS waits before it is handled: when the first receive is, all results are there.
    let config = format!(
        r#"{{"local": {{"handler": "builtin", "builtin": {{"output_tail": "{output}"}},
            "faults": {{"sqs": {{"latency_ms": 500}}}}}}, "running_events": false, "log": "off"}}"#
    );
    for _ in 0..ROUNDS {
        // A new executor has no receive under way that would take the first result alone.
        let ex = Handle::create(&config);
        for number in 0..RESULTS {
            assert_eq!(ex.queue(&format!("task/{number}"), r#"["true"]"#), 0);
        }
        let (mut ended, began) = (0, Instant::now());
        while ended < RESULTS {
            ex.sync(1_000, |event| {
                assert_eq!((event.state, event.output_tail.len), (SUCCEEDED, OUTPUT_BYTES));
                ended += 1;
            });
            assert!(began.elapsed() < Duration::from_secs(60), "no results for a minute: {}", ex.stats());
        }
        let calls = ex.stats()["aws_calls"]["receive"].as_u64();
        assert_eq!(calls, Some(2), "one receive of each queue brought all results");
    }
}
