//! `docs/errors.md`, from the table of error codes.

use lambda_executor::aws::{ERROR_CODES, Service, fault_of_status};
use lambda_executor::executor::ports::Fault;

/// The library's reaction to each kind of fault.
const FAULTS: &[(Fault, &str, &str)] = &[
    (
        Fault::Event,
        "the event",
        "This task is FAILED at once (`invoke_failed`), with AWS's message. Other tasks and the health of the route are \
         not affected.",
    ),
    (
        Fault::Route,
        "the route",
        "Every other event for this function would fail the same way. Submission to the route stops, its tasks wait and \
         use no attempt, and health is `degraded` with the reason. One call at a time probes; after the first success all \
         tasks are submitted. A task that has waited for `max_outage_ms` is FAILED (`invoke_failed`).",
    ),
    (
        Fault::Service,
        "the service",
        "The event is sent again after 0.5 s, and no attempt is used. A failure that follows an earlier one of the same \
         task uses an attempt if calls of other tasks succeeded between the two and after them; the next try comes 4 s to \
         2 min later. After `max_invoke_attempts` the task is FAILED (`invoke_failed`). With `max_invoke_attempts` 1 two \
         such failures (two answers with status 5xx, for example) are enough. A lost answer (below) always uses an \
         attempt; a task with one that has used up its attempts waits for a result, as a running task does, and is then \
         FAILED with a message that it may have run. After 8 failures in a row without a success between them the \
         service is considered unavailable: the route is treated as in the row above, and the attempts of those failures \
         are not counted.",
    ),
    (
        Fault::Account,
        "the account",
        "No attempt is used. The route pauses (50 ms, doubling to 10 s, and at least `Retry-After`), runs half as many \
         Invokes at once, returns to nine tenths of the former number within seconds, and tries more after pauses of up \
         to 8 s.",
    ),
    (
        Fault::Identity,
        "the credentials",
        "No attempt is used. Health is `no_credentials`, all tasks wait, and one call at a time tries again, 4 s to 2 min \
         apart, with credentials that are looked up again; at once after `lambda_executor_set_credentials`.",
    ),
];

const HEAD: &str = "\
<!-- Generated from the table in src/aws/error_codes.rs. Change it there, then run
UPDATE=1 cargo test --workspace --test generated_docs -->

# Errors of AWS, and what the library does

What happens to a task whose Invoke fails depends on whose fault the failure is. AWS's error code decides that, and not the
HTTP status: Lambda answers 502 to faults that pass and to faults that do not.

| fault of | what happens to the task |
|---|---|
";

const RULES: &str = "
## Codes that are not in the tables

| failure | fault of |
|---|---|
";

const REST: &str = "| no connection, no answer in time, an answer that cannot be read | the service |
| no credentials | the credentials |

A task may ask for a function version or alias of its own. If that qualifier does not exist or may not be invoked
(`ResourceNotFoundException`, `AccessDeniedException`, `InvalidParameterValueException`, `ValidationException`), the fault is
the event's: only this task fails.

## Whether Lambda may have received the event

| failure | Lambda may have received it |
|---|---|
| an answer with an error code of AWS or a status of 4xx or 5xx | no |
| connection refused, unknown host name, TLS handshake failed, not connected in time | no |
| 502 or 504 without an error code of AWS: a gateway lost the answer | yes |
| an answer that cannot be read, or with an unexpected status that is not an error | yes |
| the connection ended, or the time limit was reached, after the request was handed to the connection | yes |

A connection that was used before and ends within a second of a request, without an answer, was closed by the peer while it
was idle. The request is sent again at once on a new connection, and no attempt is used. This happens once for each call, also
for calls of SQS.

## SQS

The same classification applies to calls of SQS, but none of them ends a task. After a failed receive the queue is tried again
after 0.5 s, doubling to 30 s, health is `degraded` (or `no_credentials`) with the reason, and no task becomes LOST while a
queue cannot be read. Deletes and changes of visibility are retried in the same way. What SQS refuses for good
(`ReceiptHandleIsInvalid`, `MessageNotInflight`) is dropped; if the message returns, it is recognised.

## Sources

The errors of [Invoke](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors), the
[common errors](https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html), the errors of SQS's
[ReceiveMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html) and
[DeleteMessageBatch](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html).
";

fn name(fault: Fault) -> &'static str {
    FAULTS.iter().find(|(of, ..)| *of == fault).map(|(_, name, _)| *name).unwrap()
}

fn page() -> String {
    let mut page = String::from(HEAD);
    for (_, name, does) in FAULTS {
        page += &format!("| {name} | {does} |\n");
    }
    page += RULES;
    for (status, text) in [(429, "429"), (413, "413"), (408, "408"), (400, "other 4xx"), (500, "5xx")] {
        page += &format!("| status {text} | {} |\n", name(fault_of_status(status)));
    }
    page += REST;
    for (service, title) in
        [(Service::Lambda, "Codes of Lambda"), (Service::Sqs, "Codes of SQS"), (Service::Either, "Codes of both")]
    {
        page += &format!("\n## {title}\n\n| code | fault of | meaning |\n|---|---|---|\n");
        for row in ERROR_CODES.iter().filter(|row| row.service == service) {
            page += &format!("| `{}` | {} | {} |\n", row.code, name(row.fault), row.meaning);
        }
    }
    page
}

#[test]
fn the_page_of_errors_matches_the_table() {
    super::page::expect_committed("docs/errors.md", &page());
}
