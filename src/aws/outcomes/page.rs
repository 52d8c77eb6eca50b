//! `docs/errors.md`, made from the table.

use super::*;
use crate::aws::errors::classify;
use crate::executor::ports::FailureClass;
use std::fs;
use std::path::Path;

const PAGE: &str = "docs/errors.md";

/// What the library does, by class.
const BEHAVIOUR: &[(Sort, &str, &str)] = &[
    (
        Throttled,
        "slow down",
        "Uses no attempt. The route pauses (50 ms, doubling to 10 s, and at least `Retry-After`), has half as many Invokes \
         under way at once, and finds back to `max_concurrent_invokes` one by one.",
    ),
    (
        Transient,
        "may pass",
        "Uses an attempt; the task waits 0.75 to 1.0 times `min(4^n, 120)` s after its failed attempt n and FAILS \
         (`invoke_failed`) after `max_invoke_attempts`. But with a status of 5xx, no answer or no connection, while \
         nothing on the route has succeeded for 10 s, Lambda is away: no attempt is used, the route's tasks wait, one call \
         at a time probes (every 0.5 to 30 s), and a task FAILS only after `max_outage_ms`.",
    ),
    (
        Permanent,
        "will not pass",
        "The task FAILS at once (`invoke_failed`), with AWS's message; health is `degraded` until Lambda takes an event.",
    ),
    (
        Credentials,
        "who we are",
        "Uses no attempt. Health is `no_credentials`, all tasks wait, and one call at a time tries again, 4 s to 2 min \
         apart, with credentials looked up anew; at once after `lambda_executor_set_credentials`.",
    ),
];

fn page() -> String {
    let mut page = String::from(
        "<!-- Made from the table in src/aws/outcomes.rs: change it there, then run\n\
         UPDATE=1 cargo test --workspace outcomes -->\n\n\
         # Errors of AWS, and what the library does\n\n\
         Sorted by AWS's code and never by the status of HTTP, since Lambda answers 502 to what heals by itself and to\n\
         what never will.\n\n\
         | class | what happens to a task whose Invoke is answered so |\n|---|---|\n",
    );
    for (_, name, does) in BEHAVIOUR {
        page += &format!("| {name} | {does} |\n");
    }
    page += "\nWhere SQS answers so to a receive, no class ends a task: the queue is tried again after 0.5 s, doubling to \
             30 s, health is\n`degraded` (or `no_credentials`) with the reason, and no task becomes LOST while a queue cannot \
             be read. Deletes and changes of\nvisibility are tried again in the same way; what SQS refuses for good \
             (`ReceiptHandleIsInvalid`, `MessageNotInflight`) is dropped,\nand the message known when it comes back.\n\n\
             A code that is in no table goes by its status: 429 slow down; 408 may pass; other 4xx will not pass; 5xx, and \
             answers that\ncannot be read, may pass. No connection and no answer in time may pass, too. No credentials at \
             all are `who we are`.\n\n\
             Sources: the errors of [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors), \
             the\n[common errors](https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html), the errors of SQS's\n\
             [ReceiveMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html) \
             and\n[DeleteMessageBatch](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html).\n";
    for (from, title) in [(Lambda, "Of Lambda"), (Sqs, "Of SQS"), (Both, "Of either")] {
        page += &format!("\n## {title}\n\n| code | class | meaning |\n|---|---|---|\n");
        for known in TABLE.iter().filter(|known| known.from == from) {
            let name = BEHAVIOUR.iter().find(|(sort, ..)| *sort == known.sort).unwrap().1;
            page += &format!("| `{}` | {name} | {} |\n", known.code, known.about);
        }
    }
    page
}

#[test]
fn the_page_of_outcomes_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let same = fs::read_to_string(&path).unwrap_or_default() == page();
    assert!(same, "{PAGE} is out of date: run `UPDATE=1 cargo test --workspace outcomes`");
}

#[test]
fn each_outcome_has_a_sentence_and_its_class() {
    for known in TABLE {
        assert!(known.about.ends_with('.') && !known.about.contains('|'), "{}", known.code);
        let class = match known.sort {
            Throttled => FailureClass::Throttled,
            Transient => FailureClass::Transient { no_service: false },
            Permanent => FailureClass::Permanent,
            Credentials => FailureClass::Credentials,
        };
        assert_eq!(classify(known.code, 400), class, "{}", known.code);
    }
}
