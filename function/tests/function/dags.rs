//! Dags from S3 (row E5): paths, prefixes, incremental fetches, removal of stale files, and failures.

use crate::bucket::{Bucket, Fault};
use crate::support::Function;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn start(bucket: &Bucket, uri: &str, environment: &[(&str, &str)]) -> Function {
    let mut all = vec![("AWS_ENDPOINT_URL_S3", bucket.endpoint_url.as_str()), ("S3_URI", uri)];
    all.extend_from_slice(environment);
    Function::start(&all).await
}

/// The Dags as a command sees them: lines `path content`, sorted.
async fn seen(function: &mut Function) -> String {
    let command = "cd \"$AIRFLOW__CORE__DAGS_FOLDER\" && find . -type f | sort | while read -r f; do echo \"$f $(cat \"$f\")\"; done";
    let result = function.run(json!(command)).await;
    assert_eq!(result["return_code"], 0, "{result}");
    result["output_tail"].as_str().unwrap().to_owned()
}

async fn refused(function: &mut Function, expected: &str) {
    let witness = function.path("witness");
    let result = function.run(json!(["touch", witness])).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("setup_failed"), &json!(126)), "{result}");
    let tail = result["output_tail"].as_str().unwrap();
    assert!(tail.contains(expected), "{tail}");
    assert_eq!(result.get("started_at_ms"), None);
    assert!(!witness.exists());
}

#[tokio::test]
async fn e5_folders_are_kept_and_only_the_whole_prefix_is_taken() {
    let bucket = Bucket::start(&[
        ("team/dags/a.py", b"1"),
        ("team/dags/x/a.py", b"2"),
        ("team/dags/x/y/a.py", b"3"),
        ("team/dags/with blank & more ä.sql", b"4"),
        ("team/dags/empty/", b""),
        ("team/dags-old/a.py", b"old"),
        ("team/dags.txt", b"old"),
    ]);
    bucket.page_size(2);
    for uri in ["s3://bucket/team/dags", "s3://bucket/team/dags/"] {
        let mut function = start(&bucket, uri, &[]).await;
        assert_eq!(seen(&mut function).await, "./a.py 1\n./with blank & more ä.sql 4\n./x/a.py 2\n./x/y/a.py 3\n");
    }
}

#[tokio::test]
async fn e5_a_warm_sandbox_fetches_what_changed_and_drops_what_is_gone() {
    let bucket = Bucket::start(&[("dags/a", b"1"), ("dags/b", b"2"), ("dags/x/c", b"3"), ("dags/x/d", b"4")]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    assert_eq!(seen(&mut function).await, "./a 1\n./b 2\n./x/c 3\n./x/d 4\n");
    assert_eq!(bucket.requests(), ["GET dags/a", "GET dags/b", "GET dags/x/c", "GET dags/x/d", "LIST dags/"]);
    seen(&mut function).await;
    assert_eq!(bucket.requests(), ["LIST dags/"]);
    // Same size, so that only the ETag differs.
    bucket.put("dags/a", b"5");
    bucket.put("dags/new", b"6");
    bucket.delete("dags/x/c");
    bucket.delete("dags/x/d");
    assert_eq!(seen(&mut function).await, "./a 5\n./b 2\n./new 6\n");
    assert_eq!(bucket.requests(), ["GET dags/a", "GET dags/new", "LIST dags/"]);
    let result = function.run(json!("ls \"$AIRFLOW__CORE__DAGS_FOLDER\"")).await;
    assert_eq!(result["output_tail"], "a\nb\nnew\n");
    assert!(function.log().contains(r#""downloaded":2,"#), "{}", function.log());
}

#[tokio::test]
async fn e5_changes_of_a_command_to_the_dags_are_undone() {
    let bucket = Bucket::start(&[("dags/a", b"1"), ("dags/b", b"2")]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    function.run(json!("cd \"$AIRFLOW__CORE__DAGS_FOLDER\" && echo 9 > a && rm b && touch c")).await;
    assert_eq!(seen(&mut function).await, "./a 1\n./b 2\n");
}

#[tokio::test]
async fn e5_after_a_crash_of_the_function_the_dags_are_there_once() {
    let bucket = Bucket::start(&[("dags/a", b"1")]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    seen(&mut function).await;
    function.kill_and_restart();
    assert_eq!(seen(&mut function).await, "./a 1\n");
    let result = function.run(json!("ls -d \"$AIRFLOW__CORE__DAGS_FOLDER\"/../dags-* | wc -l")).await;
    assert_eq!(result["output_tail"].as_str().unwrap().trim(), "1");
}

#[tokio::test]
async fn the_prefix_may_be_one_object_or_the_whole_bucket() {
    let bucket = Bucket::start(&[("dags/a.py", b"1"), ("dags/a.py.bak", b"2"), ("b", b"3")]);
    let mut function = start(&bucket, "s3://bucket/dags/a.py", &[]).await;
    assert_eq!(seen(&mut function).await, "./a.py 1\n");
    let mut function = start(&bucket, "s3://bucket", &[]).await;
    assert_eq!(seen(&mut function).await, "./b 3\n./dags/a.py 1\n./dags/a.py.bak 2\n");
}

#[tokio::test]
async fn e5_files_are_fetched_side_by_side() {
    let keys: Vec<String> = (0..40).map(|number| format!("dags/{number}")).collect();
    let objects: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), b"x".as_slice())).collect();
    let bucket = Bucket::start(&objects);
    bucket.gather(16);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    assert_eq!(seen(&mut function).await.lines().count(), 40);
    assert_eq!(bucket.most_under_way(), 16);
}

#[tokio::test]
async fn an_object_that_changes_while_it_is_fetched_is_listed_again() {
    let bucket = Bucket::start(&[("dags/a", b"1"), ("dags/b", b"2")]);
    // Same size, so that only the ETag differs.
    bucket.put_after_listing("dags/a", b"9");
    bucket.put_after_listing("dags/c", b"3");
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    assert_eq!(seen(&mut function).await, "./a 9\n./b 2\n./c 3\n");
}

#[tokio::test]
async fn temporary_failures_are_retried() {
    let bucket = Bucket::start(&[("dags/a", b"1"), ("dags/b", b"2")]);
    bucket.faults("LIST", &[Fault::Fail(503, "SlowDown")]);
    bucket.faults("GET", &[Fault::Fail(500, "InternalError"), Fault::Fail(503, "SlowDown"), Fault::BreakOff]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    assert_eq!(seen(&mut function).await, "./a 1\n./b 2\n");
}

#[tokio::test]
async fn without_its_dags_no_command_runs_and_the_reason_is_reported() {
    let bucket = Bucket::start(&[("dags/a", b"1234"), ("dags/b", b"1234")]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    for (request, fault, expected) in [
        ("LIST", Fault::Fail(403, "AccessDenied"), "the function's role needs s3:ListBucket"),
        ("LIST", Fault::Fail(404, "NoSuchBucket"), "s3://bucket/dags cannot be listed: NoSuchBucket"),
        ("GET dags/b", Fault::Fail(403, "AccessDenied"), "cannot be fetched: `dags/b`: AccessDenied"),
        ("GET dags/b", Fault::BreakOff, "could not be fetched in 5 rounds: `dags/b`: "),
        ("GET dags/b", Fault::Fail(403, "InvalidObjectState"), "`dags/b`: InvalidObjectState"),
    ] {
        bucket.faults(
            request,
            if matches!(fault, Fault::BreakOff) { &[Fault::BreakOff; 5] } else { std::slice::from_ref(&fault) },
        );
        refused(&mut function, expected).await;
    }
    // The folder is complete again once S3 works.
    assert_eq!(seen(&mut function).await, "./a 1234\n./b 1234\n");
    let mut function = start(&bucket, "s3://bucket/other", &[]).await;
    refused(&mut function, "there is no object below s3://bucket/other").await;
    let mut function = start(&bucket, "s3://bucket/dags", &[("LAMBDA_EXECUTOR_S3_MAX_BYTES", "8191")]).await;
    refused(&mut function, "more than 8191 bytes: raise LAMBDA_EXECUTOR_S3_MAX_BYTES").await;
    bucket.put("dags/../../a", b"1");
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    refused(&mut function, "cannot be kept as files: `dags/../../a`").await;
}

#[tokio::test]
async fn a_silent_s3_is_reported_before_the_functions_time_is_up() {
    let bucket = Bucket::start(&[("dags/a", b"1")]);
    bucket.faults("GET", &[Fault::Hang; 9]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    function.time_limit = Duration::from_secs(5);
    let begin = Instant::now();
    refused(&mut function, "could not all be fetched within the function's time").await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_failed_set_up_is_reported_once_and_not_tried_again() {
    let bucket = Bucket::start(&[("dags/a", b"1")]);
    bucket.faults("LIST", &[Fault::Fail(403, "AccessDenied")]);
    let mut function = start(&bucket, "s3://bucket/dags", &[]).await;
    let event = json!({"task_key": "k", "command": ["true"], "attempt_id": "a"});
    let reasons: Vec<Value> = [function.result_of(event.clone()).await, function.result_of(event).await]
        .map(|mut r| r["reason"].take())
        .into();
    assert_eq!(reasons, ["setup_failed", "setup_failed"]);
}
