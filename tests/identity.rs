//! Who the library is to AWS, in processes of their own with a chosen environment: the default chain's identity, none,
//! one that changes on disk, and given keys that nothing in the environment may replace.

use lambda_executor::aws::{Aws, Function, Identity, QueueNeeds, Settings};
use lambda_executor::executor::ports::{CallError, FailureClass, InvokeRequest, Lambda};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Names the case to the child.
const CASE: &str = "LAMBDA_EXECUTOR_TEST_CASE";
/// Tells the child the server.
const SERVER: &str = "LAMBDA_EXECUTOR_TEST_SERVER";

/// A Lambda that knows the key `NEWKEY` alone. Returns its URL and the requests' heads.
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

/// One request a connection.
fn answer(mut stream: TcpStream, log: &Mutex<Vec<String>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    // The event is `{}`, and ends the request.
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

/// Runs a case in a process that has nothing of our environment but `environment`.
fn run(case: &str, home: &Path, environment: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env_clear()
        .env("HOME", home)
        // There is no metadata service to wait for.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(CASE, case)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case}:\n{told}");
    std::fs::remove_dir_all(home).unwrap();
}

/// An empty folder of this test's own.
fn home(name: &str) -> std::path::PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("identity-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    home
}

fn settings(identity: Identity) -> Settings {
    Settings {
        functions: vec![Function { name: "run".into(), qualifier: None }],
        queue_urls: vec!["http://127.0.0.1:1/0/q".into(), "http://127.0.0.1:1/0/d".into()],
        queue_needs: QueueNeeds::default(),
        region: None,
        endpoint_url: None,
        identity,
        connect_timeout: Duration::from_secs(3),
        invoke_timeout: Duration::from_secs(10),
    }
}

fn invoke(runtime: &tokio::runtime::Runtime, aws: &Aws) -> Result<(), CallError> {
    let request = InvokeRequest { route: 0, qualifier: None, payload: b"{}".as_slice().into() };
    runtime.block_on(aws.invoke(request)).map(|_| ())
}

/// Not a test by itself: the cases of the others, in the process that they start.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let chain = Aws::new(settings(Identity::DefaultChain));
    match case.as_str() {
        "accepted" => invoke(&runtime, &chain).unwrap(),
        "no credentials" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.class, error.code.as_str()), (FailureClass::Credentials, "NoCredentials"), "{error}");
            assert!(error.message.starts_with("no credentials from the AWS default chain: "), "{error}");
        }
        "credential process" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!(error.class, FailureClass::Credentials, "{error}");
        }
        "no region" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.class, error.code.as_str()), (FailureClass::Credentials, "NoRegion"), "{error}");
        }
        "new on disk" => {
            let error = invoke(&runtime, &chain).unwrap_err();
            assert_eq!((error.class, error.code.as_str()), (FailureClass::Credentials, "ExpiredTokenException"));
            write_keys(&std::env::home_dir().unwrap(), "NEWKEY");
            invoke(&runtime, &chain).unwrap();
        }
        "given keys" => {
            let mut settings = settings(Identity::Static {
                access_key_id: "NEWKEY".into(),
                secret_access_key: "given".into(),
                session_token: None,
            });
            settings.region = Some("eu-west-1".into());
            settings.endpoint_url = std::env::var(SERVER).ok();
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
    assert!(heads.lock().unwrap()[0].contains("/ap-south-1/lambda/"));
}

#[test]
fn no_credentials_are_told_as_such() {
    run("no credentials", &home("none"), &[("AWS_REGION", "eu-west-1")]);
}

#[test]
fn a_credential_process_that_cannot_be_run_yet_is_a_failure_of_credentials() {
    let home = home("process");
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::fs::write(home.join(".aws/config"), "[default]\ncredential_process = /bin/true\n").unwrap();
    run("credential process", &home, &[("AWS_REGION", "eu-west-1")]);
}

#[test]
fn no_region_is_told_as_such() {
    run("no region", &home("no-region"), &[("AWS_ACCESS_KEY_ID", "NEWKEY"), ("AWS_SECRET_ACCESS_KEY", "s")]);
}

#[test]
fn refused_credentials_are_looked_for_again() {
    let (url, _) = start_server();
    let home = home("new");
    write_keys(&home, "OLDKEY");
    run("new on disk", &home, &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_LAMBDA", &url)]);
}

#[test]
fn given_keys_read_nothing_of_the_environment() {
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
    assert!(heads.lock().unwrap()[0].contains("/eu-west-1/lambda/"));
}
