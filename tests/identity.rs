//! Credentials, region and proxy, in processes with a given environment: the default chain, no credentials, credentials
//! that change on disk, and keys of the configuration, which the environment must not override.

use lambda_executor::aws::{Aws, Endpoints, Function, Identity, Keys, QueueNeeds, Settings, Transport};
use lambda_executor::executor::ports::{CallError, Fault, InvokeRequest, Lambda};
use lambda_executor::runtime::environment::Environment;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Passes the name of the case to the child.
const CASE: &str = "LAMBDA_EXECUTOR_TEST_CASE";
/// Passes the name of the transport to the child.
const TRANSPORT: &str = "LAMBDA_EXECUTOR_TEST_TRANSPORT";
/// Passes the URL of the server to the child.
const SERVER: &str = "LAMBDA_EXECUTOR_TEST_SERVER";

/// A Lambda that accepts only the key `NEWKEY`. Returns its URL and the heads of its requests.
fn start_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &log);
        }
    });
    (url, heads)
}

/// Serves one request per connection.
fn answer(mut stream: TcpStream, log: &Mutex<Vec<String>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    // The event is `{}`, the end of the request.
    while !bytes.ends_with(b"\r\n\r\n{}") {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8(bytes).unwrap();
    let known = head.contains("Credential=NEWKEY/");
    log.lock().unwrap().push(head);
    let (status, code) = if known { (202, "") } else { (403, "x-amzn-errortype: ExpiredTokenException\r\n") };
    let reply = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n{code}\r\n");
    let _ = stream.write_all(reply.as_bytes());
}

/// The head of each transport's request.
fn each(heads: &Mutex<Vec<String>>) -> Vec<String> {
    let heads = heads.lock().unwrap().clone();
    assert_eq!(heads.len(), 2);
    heads
}

/// Runs a case on each transport, in processes with no other environment than `environment`.
fn run(case: &str, home: &Path, environment: &[(&str, &str)]) {
    let untouched = home.with_extension("untouched");
    copy(home, &untouched);
    for transport in ["direct", "sdk"] {
        run_on(transport, case, home, environment);
        std::fs::remove_dir_all(home).unwrap();
        copy(&untouched, home);
    }
    std::fs::remove_dir_all(home).unwrap();
    std::fs::remove_dir_all(untouched).unwrap();
}

fn copy(folder: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([folder, to]).status().unwrap().success());
}

fn run_on(transport: &str, case: &str, home: &Path, environment: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env_clear()
        .env("HOME", home)
        // Without this, the SDK would wait for a metadata service.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(CASE, case)
        .env(TRANSPORT, transport)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case} on {transport}:\n{output_text}");
}

/// An empty folder for this test only.
fn home(name: &str) -> std::path::PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("identity-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    home
}

fn settings(identity: Identity) -> Settings {
    Settings {
        functions: vec![Function { name: "run".into(), qualifier: None, gets_batches: false }],
        queue_urls: vec!["http://127.0.0.1:1/0/q".into(), "http://127.0.0.1:1/0/d".into()],
        queue_needs: QueueNeeds::default(),
        region: None,
        endpoints: Endpoints::default(),
        identity,
        isolated: false,
        environment: Environment::of_process(),
        ca_bundle: None,
        transport: transport(),
        connect_timeout: Duration::from_secs(3),
        invoke_timeout: Duration::from_secs(10),
    }
}

/// That of the case.
fn transport() -> Transport {
    match std::env::var(TRANSPORT).unwrap().as_str() {
        "direct" => Transport::Direct,
        "sdk" => Transport::Sdk,
        other => panic!("no transport {other}"),
    }
}

fn invoke(runtime: &tokio::runtime::Runtime, aws: &Aws) -> Result<(), CallError> {
    let request = InvokeRequest { route: 0, qualifier: None, payload: b"{}".as_slice().into() };
    runtime.block_on(aws.invoke(request)).map(|_| ())
}

/// Not a test by itself: runs the cases of the other tests, in the processes that they start.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let chain = Aws::new(settings(Identity::default()));
    match case.as_str() {
        "accepted" => invoke(&runtime, &chain).unwrap(),
        "no credentials" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "NoCredentials"), "{error}");
            assert!(error.message.starts_with("no credentials from the AWS default chain: "), "{error}");
        }
        "profile" => {
            let identity = Identity { profile: Some("work".into()), ..Identity::default() };
            invoke(&runtime, &Aws::new(settings(identity))).unwrap();
        }
        "failing program" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "CredentialsFailed"), "{error}");
            assert!(error.message.starts_with("no credentials from the AWS default chain: "), "{error}");
            assert!(error.message.ends_with("credential_process: it ended with status 7: log in first"), "{error}");
            assert!(!error.message.contains("hush"), "{error}");
        }
        "no region" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "NoRegion"), "{error}");
        }
        "new on disk" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "ExpiredTokenException"));
            write_keys(&std::env::home_dir().unwrap(), "NEWKEY");
            invoke(&runtime, &chain).unwrap();
        }
        "slow program" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "CredentialsTimedOut"));
            invoke(&runtime, &chain).unwrap();
            let runs = std::fs::read_to_string(std::env::home_dir().unwrap().join("runs")).unwrap();
            assert_eq!(runs, "run\n", "the program must not run again");
        }
        "given keys" => {
            let mut settings = settings(Identity::of_keys(Keys {
                access_key_id: "NEWKEY".into(),
                secret_access_key: "given".into(),
                session_token: None,
            }));
            settings.isolated = true;
            settings.region = Some("eu-west-1".into());
            settings.endpoints = Endpoints::all(&std::env::var(SERVER).unwrap());
            invoke(&runtime, &Aws::new(settings)).unwrap();
        }
        "proxy" => {
            let mut settings = settings(Identity::default());
            settings.endpoints = Endpoints::all("http://lambda.example.invalid");
            invoke(&runtime, &Aws::new(settings)).unwrap();
        }
        "snapshot" => {
            let mut settings = settings(Identity::default());
            let variables = ["HOME", "AWS_ENDPOINT_URL_LAMBDA"].map(|name| (name, std::env::var(name).unwrap()));
            let keys = [("AWS_ACCESS_KEY_ID", "NEWKEY"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "ap-south-1")];
            let keys = keys.map(|(name, value)| (name, value.to_owned()));
            settings.environment = Environment::of(variables.into_iter().chain(keys));
            invoke(&runtime, &Aws::new(settings)).unwrap();
        }
        other => panic!("no case {other}"),
    }
}

fn write_keys(home: &Path, key: &str) {
    let folder = home.join(".aws");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n");
    std::fs::write(folder.join("credentials"), text).unwrap();
}

#[test]
fn keys_region_and_endpoint_of_the_environment_are_used() {
    let (url, heads) = start_server();
    run(
        "accepted",
        &home("environment"),
        &[
            ("AWS_ACCESS_KEY_ID", "NEWKEY"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_REGION", "ap-south-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_LAMBDA", &url),
        ],
    );
    assert!(each(&heads).iter().all(|head| head.contains("/ap-south-1/lambda/")));
}

#[test]
fn no_credentials_are_reported_as_such() {
    run("no credentials", &home("none"), &[("AWS_REGION", "eu-west-1")]);
}

/// Writes the shared file of profiles.
fn write_config(home: &Path, text: &str) {
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::fs::write(home.join(".aws/config"), text).unwrap();
}

const PROGRAM: &str =
    r#"credential_process = printf '{"Version": 1, "AccessKeyId": "NEWKEY", "SecretAccessKey": "s"}'"#;

#[test]
fn the_program_of_the_default_profile_is_run() {
    let (url, _) = start_server();
    let home = home("process");
    write_config(&home, &format!("[default]\nregion = eu-west-1\n{PROGRAM}\n"));
    run("accepted", &home, &[("AWS_ENDPOINT_URL_LAMBDA", &url)]);
}

/// The program takes longer than a call waits for credentials. That call fails; the next one uses its output.
#[test]
fn a_slow_program_is_run_once() {
    let (url, _) = start_server();
    let home = home("slow");
    let program = home.join("slow.sh");
    let answer = r#"{"Version": 1, "AccessKeyId": "NEWKEY", "SecretAccessKey": "s"}"#;
    let script = format!("echo run >> {}\nsleep 6\necho '{answer}'\n", home.join("runs").display());
    std::fs::write(&program, script).unwrap();
    write_config(
        &home,
        &format!("[default]\nregion = eu-west-1\ncredential_process = /bin/sh {}\n", program.display()),
    );
    run("slow program", &home, &[("AWS_ENDPOINT_URL_LAMBDA", &url)]);
}

#[test]
fn the_program_of_a_named_profile_is_run_and_the_environments_keys_are_not_used() {
    let (url, heads) = start_server();
    let home = home("profile");
    write_config(&home, &format!("[profile work]\nregion = ap-south-2\n{PROGRAM}\n"));
    let environment =
        [("AWS_ENDPOINT_URL_LAMBDA", url.as_str()), ("AWS_ACCESS_KEY_ID", "OLDKEY"), ("AWS_SECRET_ACCESS_KEY", "s")];
    run("profile", &home, &environment);
    assert!(each(&heads).iter().all(|head| head.contains("/ap-south-2/lambda/")));
}

#[test]
fn keys_of_a_named_profile_override_the_environments() {
    let (url, _) = start_server();
    let home = home("named");
    write_config(&home, "[profile work]\nregion = eu-west-1\naws_access_key_id = NEWKEY\naws_secret_access_key = s\n");
    let environment =
        [("AWS_ENDPOINT_URL_LAMBDA", url.as_str()), ("AWS_ACCESS_KEY_ID", "OLDKEY"), ("AWS_SECRET_ACCESS_KEY", "s")];
    run("profile", &home, &environment);
}

#[test]
fn a_program_that_fails_is_reported_with_its_profile_and_its_last_line() {
    let home = home("failing");
    write_config(&home, "[default]\ncredential_process = echo token=hush && echo 'log in first' >&2 && exit 7\n");
    run("failing program", &home, &[("AWS_REGION", "eu-west-1")]);
}

#[test]
fn no_region_is_reported_as_such() {
    run("no region", &home("no-region"), &[("AWS_ACCESS_KEY_ID", "NEWKEY"), ("AWS_SECRET_ACCESS_KEY", "s")]);
}

#[test]
fn rejected_credentials_are_looked_up_again() {
    let (url, _) = start_server();
    let home = home("new");
    write_keys(&home, "OLDKEY");
    run("new on disk", &home, &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_LAMBDA", &url)]);
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let (url, heads) = start_server();
    let environment = [
        ("AWS_ACCESS_KEY_ID", "NEWKEY"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_REGION", "eu-west-1"),
        ("HTTP_PROXY", &url.replace("http://", "http://user:pass@")),
    ];
    run("proxy", &home("proxy"), &environment);
    for head in each(&heads) {
        assert!(head.starts_with("POST http://lambda.example.invalid/2015-03-31/functions/run/"), "{head}");
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz"), "{head}");
    }
}

/// The host changes its variables after the snapshot.
#[test]
fn the_snapshot_overrides_the_environment() {
    let (url, heads) = start_server();
    let environment = [
        ("AWS_ENDPOINT_URL_LAMBDA", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "OLDKEY"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EXECUTION_ENV", "changed"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
    ];
    run("snapshot", &home("snapshot"), &environment);
    for head in each(&heads) {
        assert!(head.contains("/ap-south-1/lambda/") && !head.contains("changed"), "{head}");
    }
}

/// Endpoints in the file of profiles, also for one service only.
#[test]
fn endpoints_of_the_profile_are_used() {
    let (url, _) = start_server();
    for text in [
        format!("[default]\nregion = eu-west-1\nendpoint_url = {url}\n{PROGRAM}\n"),
        format!(
            "[default]\nregion = eu-west-1\nservices = local\n{PROGRAM}\n[services local]\nlambda =\n  endpoint_url = {url}\n"
        ),
    ] {
        let home = home("endpoints");
        write_config(&home, &text);
        run("accepted", &home, &[]);
    }
}

#[test]
fn given_keys_ignore_the_environment() {
    let (url, heads) = start_server();
    let home = home("given");
    write_keys(&home, "OLDKEY");
    run(
        "given keys",
        &home,
        &[
            (SERVER, &url),
            ("AWS_ACCESS_KEY_ID", "OLDKEY"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_REGION", "ap-south-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1"),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("http_proxy", "http://127.0.0.1:1"),
            ("SSL_CERT_FILE", "/nonexistent"),
        ],
    );
    assert!(each(&heads).iter().all(|head| head.contains("/eu-west-1/lambda/")));
}
