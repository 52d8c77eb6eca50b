//! Measures requests a second of the local AWS on one core, and CPU time of its thread for each request. The clients
//! send requests that were signed in advance, so that they use little CPU.
//!
//! Run `cargo bench -p lambda-executor-local`, with `--profile dev` for the build that the tests use.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "../tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use support::{Client, local, read_answer};

const CONNECTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(2);

fn main() {
    let running = local(json!({"handler": "builtin", "worker_threads": 1}));
    let client = Client::of(&running);
    let event = json!({"task_key": "k", "command": ["x".repeat(600)], "executor_config": {}, "attempt_id": "a"});
    let uri = format!("/2015-03-31/functions/{}/invocations", client.function_name);
    let headers = [("x-amz-invocation-type", "Event"), ("content-type", "application/json")];
    let invoke = client.signed("lambda", "POST", &uri, &headers, event.to_string().as_bytes());
    let queue = |operation: &str, rest: Value| {
        let mut body = json!({"QueueUrl": client.queue_url});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        client.sqs_request(operation, &body)
    };
    let message = "m".repeat(300);
    let entries: Vec<Value> = (0..10).map(|id| json!({"Id": id.to_string(), "MessageBody": message})).collect();
    let stopped = Client { access_key_id: "AKIAOTHER".into(), ..client.clone() };
    println!("{:34} {:>10} {:>12} {:>18}", "", "requests/s", "CPU us each", "requests/s a core");
    measure("refused signature", &client, &stopped.sqs_request("ListQueues", &json!({})), 403);
    measure("GetQueueAttributes", &client, &queue("GetQueueAttributes", json!({"AttributeNames": ["All"]})), 200);
    measure("Invoke, built-in handler", &client, &invoke, 202);
    measure("SendMessage", &client, &queue("SendMessage", json!({"MessageBody": message})), 200);
    measure("SendMessageBatch of 10", &client, &queue("SendMessageBatch", json!({"Entries": entries})), 200);
    measure(
        "ReceiveMessage of 10",
        &client,
        &queue("ReceiveMessage", json!({"MaxNumberOfMessages": 10, "VisibilityTimeout": 0})),
        200,
    );
    running.stop(Duration::ZERO);
}

fn measure(name: &str, client: &Client, request: &[u8], status: u16) {
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let cpu = server_cpu();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(&client.address).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while !done.load(Relaxed) {
                    stream.write_all(request).unwrap();
                    assert_eq!(read_answer(&mut reader).unwrap().status, status);
                    count.fetch_add(1, Relaxed);
                }
            });
        }
        std::thread::sleep(TIME);
        done.store(true, Relaxed);
    });
    let (requests, elapsed) = (count.into_inner() as f64, start.elapsed().as_secs_f64());
    let each = (server_cpu() - cpu).as_secs_f64() / requests;
    println!("{name:34} {:>10.0} {:>12.1} {:>18.0}", requests / elapsed, each * 1e6, 1.0 / each);
}

/// CPU time that the threads of the local AWS have used.
fn server_cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|thread| thread.unwrap().path());
    let servers = threads
        .filter(|thread| std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.starts_with("lmbx-local")));
    let nanoseconds = servers.map(|thread| {
        let times = std::fs::read_to_string(thread.join("schedstat")).unwrap();
        times.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap()
    });
    Duration::from_nanos(nanoseconds.sum())
}
