//! The program under test, with a Lambda Runtime API and an SQS that the test serves.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

/// Longer than any step takes on a busy machine. Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the fake SQS handles one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reply {
    Take,
    /// An error of AWS: HTTP status and code.
    Fail(u16, &'static str),
    /// No answer at all.
    Hang,
}

/// The function's answer to the Runtime API.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Value),
    Error(Value),
    InitError(Value),
}

impl Answer {
    pub(crate) fn is_response(&self) -> bool {
        matches!(self, Self::Response(_))
    }

    /// The error's type.
    pub(crate) fn error_type(&self) -> &str {
        match self {
            Self::Error(body) | Self::InitError(body) => body["errorType"].as_str().unwrap(),
            Self::Response(body) => panic!("a response, not an error: {body}"),
        }
    }

    /// The error's message.
    pub(crate) fn error(&self) -> &str {
        match self {
            Self::Error(body) | Self::InitError(body) => body["errorMessage"].as_str().unwrap(),
            Self::Response(body) => panic!("a response, not an error: {body}"),
        }
    }
}

struct Invocation {
    event: String,
    request_id: String,
    deadline_ms: u128,
}

struct World {
    invocations: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    answers: mpsc::UnboundedSender<Answer>,
    /// Requests that SQS accepted.
    taken: Mutex<Vec<Value>>,
    /// Arrival time of each request to SQS.
    tries: Mutex<Vec<Instant>>,
    /// Future replies; if empty, `always`, else `Take`.
    replies: Mutex<Vec<Reply>>,
    always: Mutex<Option<Reply>>,
}

/// A running function.
pub(crate) struct Function {
    child: Child,
    world: Arc<World>,
    invocations: mpsc::UnboundedSender<Invocation>,
    answers: mpsc::UnboundedReceiver<Answer>,
    directory: PathBuf,
    environment: Vec<(String, String)>,
    /// Serves Runtime API and SQS until the host is lost.
    server: Option<tokio::runtime::Runtime>,
    /// Further processes on the same directory.
    others: Vec<Child>,
    /// The next invocation's time limit.
    pub(crate) time_limit: Duration,
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_lambda-executor-function");
pub(crate) const QUEUE_URL: &str = "http://127.0.0.1:9/000000000000/results";

impl Function {
    /// Starts the function with `environment` on top of what Lambda sets. An empty value removes a variable.
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(PROGRAM), &[], environment)
    }

    /// Starts the function in a directory with these files (name and content).
    pub(crate) async fn start_among(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(PROGRAM), files, environment)
    }

    fn start_by(command: Command, files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("lambda-executor-function-{}-{number}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        for (name, content) in files {
            let file = directory.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        let (invocations, to_function) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let world = Arc::new(World {
            invocations: tokio::sync::Mutex::new(to_function),
            answers: answered,
            taken: Mutex::default(),
            tries: Mutex::default(),
            replies: Mutex::default(),
            always: Mutex::default(),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .route("/", post(sqs))
            .with_state(Arc::clone(&world));
        let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        server.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await });
        let mut all: Vec<(String, String)> = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TMPDIR", directory.display().to_string()),
            ("AWS_LAMBDA_RUNTIME_API", address.to_string()),
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", "f".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream-1".to_owned()),
            ("QUEUE_URL", QUEUE_URL.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        all.retain(|(name, _)| environment.iter().all(|(other, _)| name != other));
        all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        all.retain(|(_, value)| !value.is_empty());
        let child = spawn(command, &directory, &all);
        Self {
            child,
            world,
            invocations,
            answers,
            directory,
            environment: all,
            server: Some(server),
            others: Vec::new(),
            time_limit: Duration::from_secs(60),
        }
    }

    /// Starts the function with SIGCHLD ignored, as it inherits it from a parent that ignores it.
    pub(crate) async fn start_by_careless_parent() -> Self {
        let mut careless = Command::new("env");
        careless.args(["--ignore-signal=CHLD", PROGRAM]);
        Self::start_by(careless, &[], &[])
    }

    /// Kills the function, as Lambda does when memory runs out, and restarts it in the same directory.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(Command::new(PROGRAM), &self.directory, &self.environment);
    }

    /// Starts one more process, as `lambda-executor-local` does: each process takes an event when it is free.
    pub(crate) fn start_another(&mut self) {
        self.others.push(spawn(Command::new(PROGRAM), &self.directory, &self.environment));
    }

    /// The function's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM to the function.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The host is gone: its connections break, and nothing listens at its address any more.
    pub(crate) fn lose_host(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown_background();
        }
    }

    /// Sends an event and returns the function's answer.
    pub(crate) async fn invoke(&mut self, event: Value) -> Answer {
        self.send(event);
        self.answer().await
    }

    /// Sends an event with its own request id.
    pub(crate) fn send(&mut self, event: Value) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let request_id = format!("request-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.send_as(&event.to_string(), &request_id);
    }

    pub(crate) fn send_as(&mut self, event: &str, request_id: &str) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let invocation = Invocation {
            event: event.to_owned(),
            request_id: request_id.to_owned(),
            deadline_ms: (now + self.time_limit).as_millis(),
        };
        assert!(self.invocations.send(invocation).is_ok());
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let answer = tokio::time::timeout(PATIENCE, self.answers.recv()).await;
        answer.unwrap_or_else(|_| panic!("no answer; log:\n{}", self.log())).unwrap()
    }

    /// Runs `command` as task `k` and returns its result.
    pub(crate) async fn run(&mut self, command: Value) -> Value {
        self.result_of(json!({"task_key": "k", "command": command, "executor_config": {}})).await
    }

    /// Invokes and returns the one result that was sent.
    pub(crate) async fn result_of(&mut self, event: Value) -> Value {
        let before = self.results().len();
        let answer = self.invoke(event).await;
        assert!(answer.is_response(), "{answer:?}");
        let results = self.results();
        assert_eq!(results.len(), before + 1, "{results:?}");
        results.into_iter().next_back().unwrap()
    }

    /// Bodies of the messages that SQS accepted.
    pub(crate) fn results(&self) -> Vec<Value> {
        self.requests()
            .iter()
            .map(|request| serde_json::from_str(request["MessageBody"].as_str().unwrap()).unwrap())
            .collect()
    }

    /// SendMessage requests that SQS accepted.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.world.taken.lock().unwrap().clone()
    }

    /// Arrival times of all requests to SQS.
    pub(crate) fn tries(&self) -> Vec<Instant> {
        self.world.tries.lock().unwrap().clone()
    }

    pub(crate) fn next_replies(&self, replies: &[Reply]) {
        self.world.replies.lock().unwrap().extend(replies);
    }

    pub(crate) fn always_reply(&self, reply: Reply) {
        *self.world.always.lock().unwrap() = Some(reply);
    }

    /// Everything that the function and its commands wrote to stderr.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.directory.join("stderr")).unwrap()).into_owned()
    }

    /// Everything that commands wrote to stdout.
    pub(crate) fn stdout(&self) -> Vec<u8> {
        std::fs::read(self.directory.join("stdout")).unwrap()
    }

    /// The test's own directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Waits for the end of a function that could not start, and returns its exit status.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        let mut status = None;
        wait_for("the function to exit", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.and_then(|status| status.code())
    }
}

fn spawn(mut command: Command, directory: &std::path::Path, environment: &[(String, String)]) -> Child {
    let log =
        |name| Stdio::from(std::fs::OpenOptions::new().create(true).append(true).open(directory.join(name)).unwrap());
    command
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(log("stdout"))
        .stderr(log("stderr"))
        .spawn()
        .unwrap()
}

impl Drop for Function {
    fn drop(&mut self) {
        for child in std::iter::once(&mut self.child).chain(&mut self.others) {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.lose_host();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Waits until `condition` holds.
pub(crate) async fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the process has ended; its new parent may not have reaped it yet.
pub(crate) async fn wait_for_end_of(pid: &str) {
    wait_for(&format!("process {pid} to end"), || {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    })
    .await;
}

async fn next(State(world): State<Arc<World>>) -> Response {
    let Some(invocation) = world.invocations.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", invocation.request_id)
        .header("Lambda-Runtime-Deadline-Ms", invocation.deadline_ms.to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f")
        .header("Lambda-Runtime-Trace-Id", "Root=1")
        .header("Content-Type", "application/json")
        .body(invocation.event.into())
        .unwrap()
}

async fn response(State(world): State<Arc<World>>, Path(_id): Path<String>, body: Bytes) -> StatusCode {
    world.answers.send(Answer::Response(serde_json::from_slice(&body).unwrap())).unwrap();
    StatusCode::ACCEPTED
}

async fn error(State(world): State<Arc<World>>, Path(_id): Path<String>, body: Bytes) -> StatusCode {
    world.answers.send(Answer::Error(serde_json::from_slice(&body).unwrap())).unwrap();
    StatusCode::ACCEPTED
}

async fn init_error(State(world): State<Arc<World>>, body: Bytes) -> StatusCode {
    world.answers.send(Answer::InitError(serde_json::from_slice(&body).unwrap())).unwrap();
    StatusCode::ACCEPTED
}

async fn sqs(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response {
    world.tries.lock().unwrap().push(Instant::now());
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessage");
    assert!(headers["authorization"].to_str().unwrap().contains("AKIDEXAMPLE"));
    let queued = {
        let mut replies = world.replies.lock().unwrap();
        if replies.is_empty() { None } else { Some(replies.remove(0)) }
    };
    let reply = queued.or(*world.always.lock().unwrap()).unwrap_or(Reply::Take);
    match reply {
        Reply::Take => {
            world.taken.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            json!({"MessageId": "m"}).to_string().into_response()
        }
        Reply::Fail(status, code) => (
            StatusCode::from_u16(status).unwrap(),
            // AWS sends this if its older protocol had another code.
            (code == "QueueDoesNotExist")
                .then_some([("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")]),
            json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "fault injected by the test"}).to_string(),
        )
            .into_response(),
        Reply::Hang => std::future::pending().await,
    }
}
