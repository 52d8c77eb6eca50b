//! The program: its output, its ready file, and its end.

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;
use support::{Client, DEADLINE, kill};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lambda-executor-local"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Ends the program when the test fails.
struct Server {
    child: Child,
    lines: Vec<String>,
}

impl Server {
    /// Starts the program and reads its output until it serves.
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        for line in output.lines() {
            lines.push(line.unwrap());
            if lines.last().is_some_and(|line| line.starts_with("unset ")) {
                break;
            }
        }
        Self { child, lines }
    }

    fn exported(&self, name: &str) -> &str {
        let prefix = format!("export {name}=");
        let line = self.lines.iter().find_map(|line| line.strip_prefix(&prefix));
        line.unwrap_or_else(|| panic!("no {name} in {:?}", self.lines))
    }

    /// Waits until the program has ended by itself.
    fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the program did not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lambda-executor-local-{name}-{}", std::process::id()))
}

/// Waits for a ready file, and removes it.
fn take(path: &Path) -> Value {
    let deadline = Instant::now() + DEADLINE;
    let content = loop {
        match std::fs::read_to_string(path) {
            Ok(content) => break content,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    std::fs::remove_file(path).unwrap();
    serde_json::from_str(&content).unwrap()
}

#[test]
fn help_and_version_are_printed() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains("--ready-file") && text.contains("LAMBDA_EXECUTOR_LOCAL_HANDLER"));
    assert!(run(&["--version"]).stdout.starts_with(b"lambda-executor-local "));
}

#[test]
fn invalid_options_are_reported_and_nothing_starts() {
    let complaint = |arguments: &[&str]| {
        let output = run(arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = complaint(&["--config", r#"{"port": -1, "prot": 1}"#]);
    assert_eq!(code, Some(2));
    assert!(
        text.starts_with("lambda-executor-local: port: expected a whole number from 0 to 65535, found -1\n"),
        "{text}"
    );
    assert!(text.contains("lambda-executor-local: prot: no such option; allowed are handler, "), "{text}");
    let (code, text) = complaint(&["--handler", "no-such-program"]);
    assert_eq!(
        (code, text.as_str()),
        (Some(1), "lambda-executor-local: the handler's program no-such-program is not on PATH\n")
    );
    assert_eq!(complaint(&["--nonsense", "1"]).0, Some(2));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::start({
        let mut command = program();
        command.args(["--handler", "builtin"]);
        command
    });
    let port = server.exported("AWS_ENDPOINT_URL").rsplit(':').next().unwrap().to_owned();
    let output = run(&["--handler", "builtin", "--port", &port]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with(&format!("lambda-executor-local: cannot listen on 127.0.0.1:{port}: ")), "{text}");
}

#[test]
fn it_prints_its_address_and_ends_at_sigterm() {
    let ready = scratch("ready.json");
    let mut command = program();
    command.args(["--handler", "builtin", "--access-key-id", "AKIAME", "--ready-file"]).arg(&ready);
    let mut server = Server::start(command);
    assert_eq!(server.exported("AWS_ACCESS_KEY_ID"), "AKIAME");
    let ready = take(&ready);
    assert_eq!(ready["endpoint_url"], server.exported("AWS_ENDPOINT_URL"));
    assert_eq!(ready["secret_access_key"], server.exported("AWS_SECRET_ACCESS_KEY"));
    assert_eq!(ready["config"]["queue_url"], server.exported("LAMBDA_EXECUTOR_QUEUE_URL"));
    let config: Value = serde_json::from_str(server.exported("LAMBDA_EXECUTOR_CONFIG").trim_matches('\'')).unwrap();
    assert_eq!(config, ready["config"]);
    assert_eq!(ready["pid"], server.child.id());
    let unset = server.lines.last().unwrap();
    for name in ["AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_SQS"] {
        assert!(unset.split(' ').any(|word| word == name), "{unset}");
    }
    let address = server.exported("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap().to_owned();
    TcpStream::connect(&address).unwrap();
    kill("-TERM", server.child.id());
    assert_eq!(server.ended(), Some(0));
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn it_ends_with_its_input_when_asked() {
    let mut command = program();
    command.args(["--handler", "builtin", "--exit-with-stdin"]).stdin(Stdio::piped());
    let mut server = Server::start(command);
    assert!(server.child.try_wait().unwrap().is_none());
    drop(server.child.stdin.take());
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn it_ends_with_its_parent_when_asked() {
    // The shell is the parent of the program. It prints the program's process id, and is then killed.
    let mut shell = Command::new("/bin/sh")
        .args(["-c", r#""$0" --handler builtin --exit-with-parent & echo "pid $!"; wait"#])
        .arg(env!("CARGO_BIN_EXE_lambda-executor-local"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(shell.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("unset ") {
        assert_ne!(output.read_line(&mut printed).unwrap(), 0, "{printed}");
    }
    shell.kill().unwrap();
    shell.wait().unwrap();
    // The program holds the other end of this pipe until it has ended.
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
}

#[test]
fn process_1_can_be_the_parent() {
    // In a container process 1 starts all programs.
    let mut inside = Command::new("unshare");
    inside.args(["--map-root-user", "--user", "--pid", "--fork", "--kill-child"]);
    if !inside.arg("true").status().is_ok_and(|status| status.success()) {
        // Some machines do not permit namespaces.
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--user", "--pid", "--fork", "--kill-child", "/bin/sh", "-c"]);
    command.arg(r#""$0" --handler builtin --exit-with-parent --exit-with-stdin <&3 & wait $!"#);
    command.arg(env!("CARGO_BIN_EXE_lambda-executor-local"));
    // A shell gives its background processes no input, so pass it as another descriptor.
    let mut wrapped = Command::new("/bin/sh");
    wrapped.args(["-c", r#"exec 3<&0; exec "$@""#, "sh"]).arg(command.get_program()).args(command.get_args());
    wrapped.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = Server::start(wrapped);
    let address = server.exported("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap().to_owned();
    // If it took process 1 for a dead parent, it would end before it answers.
    let client = Client {
        address,
        region: server.exported("AWS_REGION").to_owned(),
        access_key_id: server.exported("AWS_ACCESS_KEY_ID").to_owned(),
        secret_access_key: server.exported("AWS_SECRET_ACCESS_KEY").to_owned(),
        function_name: server.exported("LAMBDA_EXECUTOR_FUNCTION_NAME").to_owned(),
        queue_url: server.exported("LAMBDA_EXECUTOR_QUEUE_URL").to_owned(),
        dead_letter_queue_url: String::new(),
        clock_skew_s: 0,
    };
    for _ in 0..20 {
        assert_eq!(client.sqs("ListQueues", &json!({})).status, 200);
    }
    drop(server.child.stdin.take());
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn a_hangup_that_is_ignored_has_no_effect() {
    let path = scratch("hangup.json");
    // Like nohup.
    let mut command = Command::new("env");
    command.args(["--ignore-signal=HUP", env!("CARGO_BIN_EXE_lambda-executor-local"), "--handler", "builtin"]);
    command.arg("--ready-file").arg(&path).stdout(Stdio::piped());
    let mut server = Server::start(command);
    let client = Client::of_ready_file(&take(&path));
    kill("-HUP", server.child.id());
    for _ in 0..20 {
        assert_eq!(client.sqs("ListQueues", &json!({})).status, 200);
    }
    kill("-TERM", server.child.id());
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn a_host_that_ignores_sigchld_hides_how_handlers_end() {
    let path = scratch("ignored.json");
    // An ignored signal stays ignored in the program.
    let mut command = Command::new("env");
    command.args(["--ignore-signal=CHLD", env!("CARGO_BIN_EXE_lambda-executor-local")]);
    command.args(["--handler", "/bin/sh -c 'exit 3'", "--ready-file"]).arg(&path).stdout(Stdio::piped());
    let _server = Server::start(command);
    let client = Client::of_ready_file(&take(&path));
    let answer = client.invoke("RequestResponse", &json!({}));
    assert_eq!(answer.json()["errorType"], "Runtime.ExitError");
    assert!(answer.json()["errorMessage"].as_str().unwrap().ends_with("exit status unknown"), "{}", answer.json());
}

#[test]
fn a_server_whose_address_cannot_be_written_ends() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for argument in ["--help", "--version", "--exit-with-stdin"] {
        let mut command = program();
        let ended = command.arg(argument).stdin(Stdio::piped()).stdout(full()).output().unwrap();
        let error = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{argument}: {error}");
        assert!(error.contains("cannot write to standard output: No space left"), "{argument}: {error}");
    }
}
