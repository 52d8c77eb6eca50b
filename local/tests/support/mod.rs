//! A small signed client of the local AWS, on plain sockets, and waits with a deadline.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses its part")]

use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_executor_local::signature::{Identity, Request, amz_date, sign};
use lambda_executor_local::{Options, Running, start};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longest wait for a condition.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Starts a local AWS with these options.
pub fn local(options: Value) -> Running {
    start(Options::from_json(&options.to_string()).unwrap()).unwrap()
}

/// A local AWS with the built-in handler, and its client.
pub fn builtin() -> (Running, Client) {
    let running = local(json!({"handler": "builtin"}));
    let client = Client::of(&running);
    (running, client)
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Status and error code.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.header("x-amzn-errortype"))
    }
}

/// A client with valid credentials. Tests change its fields to make them invalid.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub function_name: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    pub clock_skew_s: i64,
}

impl Client {
    pub fn of(running: &Running) -> Self {
        Self {
            address: running.endpoint_url().strip_prefix("http://").unwrap().to_owned(),
            region: running.region().to_owned(),
            access_key_id: running.access_key_id().to_owned(),
            secret_access_key: running.secret_access_key().to_owned(),
            function_name: running.function_name().to_owned(),
            queue_url: running.queue_url().to_owned(),
            dead_letter_queue_url: running.dead_letter_queue_url().to_owned(),
            clock_skew_s: 0,
        }
    }

    /// A client of the program, from its ready file.
    pub fn of_ready_file(ready: &Value) -> Self {
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self {
            address: text("endpoint_url").strip_prefix("http://").unwrap().to_owned(),
            region: text("region"),
            access_key_id: text("access_key_id"),
            secret_access_key: text("secret_access_key"),
            function_name: text("function_name"),
            queue_url: text("queue_url"),
            dead_letter_queue_url: text("dead_letter_queue_url"),
            clock_skew_s: 0,
        }
    }

    /// The bytes of a signed request. `uri` is path and query.
    pub fn signed(&self, service: &str, method: &str, uri: &str, extra: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let mut headers = HeaderMap::new();
        let date = amz_date(now + self.clock_skew_s);
        for (name, value) in [("host", self.address.as_str()), ("x-amz-date", &date)].iter().chain(extra) {
            headers.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let identity = Identity {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            region: &self.region,
            service,
        };
        let request = Request { method, path, query, headers: &headers, body };
        let authorization = sign(&identity, &request).unwrap();
        headers.insert("authorization", authorization.parse().unwrap());
        plain(method, uri, &headers, body)
    }

    /// Sends one request on a new connection; `Err` if it is closed without an answer.
    pub fn send(&self, request: &[u8]) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.write_all(request)?;
        read_answer(&mut BufReader::new(stream))
    }

    /// Sends one request on a connection that stays open, and does not wait for the answer.
    pub fn begin(&self, request: &[u8]) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request).unwrap();
        BufReader::new(stream)
    }

    pub fn lambda(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send(&self.signed("lambda", method, uri, headers, body)).unwrap()
    }

    pub fn invoke(&self, kind: &str, event: &Value) -> Answer {
        self.invoke_of(&self.function_name, kind, event)
    }

    pub fn invoke_of(&self, function: &str, kind: &str, event: &Value) -> Answer {
        let uri = format!("/2015-03-31/functions/{function}/invocations");
        self.lambda("POST", &uri, &[("x-amz-invocation-type", kind)], event.to_string().as_bytes())
    }

    pub fn sqs_request(&self, operation: &str, body: &Value) -> Vec<u8> {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.0")];
        self.signed("sqs", "POST", "/", &headers, body.to_string().as_bytes())
    }

    pub fn sqs(&self, operation: &str, body: &Value) -> Answer {
        self.send(&self.sqs_request(operation, body)).unwrap()
    }

    /// Waits for a message, and deletes it.
    pub fn receive(&self, queue_url: &str) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let asked = json!({
                "QueueUrl": queue_url,
                "WaitTimeSeconds": 5,
                "MessageAttributeNames": ["All"],
            });
            let answer = self.sqs("ReceiveMessage", &asked).json();
            if let Some(message) = answer["Messages"].get(0) {
                self.sqs("DeleteMessage", &json!({"QueueUrl": queue_url, "ReceiptHandle": message["ReceiptHandle"]}));
                return message.clone();
            }
            assert!(Instant::now() < deadline, "no message in {queue_url}");
        }
    }

    /// Waits for a message in the results queue, and reads its body.
    pub fn result(&self) -> Value {
        serde_json::from_str(self.receive(&self.queue_url)["Body"].as_str().unwrap()).unwrap()
    }

    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("host", self.address.parse().unwrap());
        headers.insert("authorization", format!("Bearer {}", self.secret_access_key).parse().unwrap());
        self.send(&plain(method, path, &headers, body.to_string().as_bytes())).unwrap()
    }

    pub fn stats(&self) -> Value {
        self.admin("GET", "/_local/stats", &Value::Null).json()
    }

    /// Like `set_faults`, for faults that may close the connection before the answer.
    pub fn set_faults_and_lose_connection(&self, faults: &Value) {
        let mut headers = HeaderMap::new();
        headers.insert("host", self.address.parse().unwrap());
        headers.insert("authorization", format!("Bearer {}", self.secret_access_key).parse().unwrap());
        let _ = self.send(&plain("POST", "/_local/faults", &headers, faults.to_string().as_bytes()));
    }

    pub fn set_faults(&self, faults: &Value) {
        let answer = self.admin("POST", "/_local/faults", faults);
        assert_eq!(answer.status, 200, "{}", answer.json());
    }
}

/// The program, started and serving. Dropping it kills it.
pub struct Program {
    child: Child,
    pub client: Client,
}

impl Program {
    pub fn start(arguments: &[&str]) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("lambda-executor-local-{}-{}", std::process::id(), STARTED.fetch_add(1, Relaxed));
        let ready = std::env::temp_dir().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lambda-executor-local"));
        command.args(arguments).arg("--ready-file").arg(&ready).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        eventually("the program serves", || ready.exists());
        let content = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
        std::fs::remove_file(&ready).unwrap();
        Self { child, client: Client::of_ready_file(&content) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal, such as `-TERM`.
pub fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Waits until `condition` holds.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        std::thread::yield_now();
    }
}

fn plain(method: &str, uri: &str, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {uri} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        request.extend_from_slice(name.as_str().as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(body);
    request
}

/// Reads one answer, which must have a length.
pub fn read_answer(reader: &mut impl BufRead) -> std::io::Result<Answer> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Answer { status, headers, body })
}
