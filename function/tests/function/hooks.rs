//! PRE_COMMAND and POST_COMMAND.

use crate::support::{Function, wait_for, wait_for_end_of};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn both_receive_key_and_configuration_and_post_command_the_result() {
    let report = "env | grep -E '^LAMBDA_EXECUTOR_(TASK_KEY|ATTEMPT_ID|CONFIG|RETURN_CODE|REASON|SIGNAL)=' | sort";
    let mut function = Function::start(&[("PRE_COMMAND", report), ("POST_COMMAND", report)]).await;
    let event = |id: &str, command: &str| json!({"task_key": "k", "attempt_id": id, "command": command, "executor_config": {"a": 1}});
    function.result_of(event("first", "exit 3")).await;
    let common = "LAMBDA_EXECUTOR_ATTEMPT_ID=first\nLAMBDA_EXECUTOR_CONFIG={\"a\":1}\n";
    let exited = "LAMBDA_EXECUTOR_REASON=exit\nLAMBDA_EXECUTOR_RETURN_CODE=3\n";
    let key = "LAMBDA_EXECUTOR_TASK_KEY=k\n";
    let expected = format!("{common}{key}{common}{exited}{key}");
    assert_eq!(String::from_utf8(function.stdout()).unwrap(), expected);
    function.result_of(event("second", "kill -9 $$")).await;
    let killed = "LAMBDA_EXECUTOR_REASON=signal\nLAMBDA_EXECUTOR_RETURN_CODE=-9\nLAMBDA_EXECUTOR_SIGNAL=9\n";
    assert!(String::from_utf8(function.stdout()).unwrap().contains(killed));
}

#[tokio::test]
async fn pre_command_can_set_variables_of_the_command() {
    let pre = "echo \"GREETING=hello, world\" >> \"$LAMBDA_EXECUTOR_ENV_FILE\"";
    let mut function = Function::start(&[("PRE_COMMAND", pre), ("POST_COMMAND", "echo post $GREETING")]).await;
    let result = function.run(json!("echo $GREETING; echo ${LAMBDA_EXECUTOR_ENV_FILE-no file}")).await;
    assert_eq!(result["output_tail"], "hello, world\nno file\n");
    assert!(function.stdout().ends_with(b"post hello, world\n"));
}

#[tokio::test]
async fn after_a_failed_pre_command_no_command_runs() {
    for (pre, expected) in [
        ("echo no licence; exit 3", "PRE_COMMAND failed: exit status 3; output: no licence\n"),
        ("kill -9 $$", "PRE_COMMAND failed: ended by signal 9\n"),
        ("yes line | head -n 2000; exit 3", "exit status 3; end of its 10000 bytes of output: line\nline\n"),
        (r#"["no-such-program"]"#, "PRE_COMMAND: cannot start `no-such-program`"),
        ("mkfifo $LAMBDA_EXECUTOR_ENV_FILE", "LAMBDA_EXECUTOR_ENV_FILE is no longer a regular file"),
        ("echo SECRET > $LAMBDA_EXECUTOR_ENV_FILE", "LAMBDA_EXECUTOR_ENV_FILE, line 1: not NAME=value\n"),
    ] {
        let mut function = Function::start(&[("PRE_COMMAND", pre), ("POST_COMMAND", "echo post")]).await;
        let witness = function.path("witness");
        let result = function.run(json!(["touch", witness])).await;
        assert_eq!((&result["reason"], &result["return_code"]), (&json!("setup_failed"), &json!(126)), "{result}");
        let tail = result["output_tail"].as_str().unwrap();
        assert!(tail.contains(expected) && !tail.contains("SECRET"), "{tail}");
        assert!(!witness.exists());
        // Without a command there is nothing to clean up.
        assert!(!String::from_utf8(function.stdout()).unwrap().contains("post"));
    }
}

#[tokio::test]
async fn post_command_runs_after_any_end_and_may_write_the_value() {
    let post =
        "echo \"$LAMBDA_EXECUTOR_REASON after $(cat $LAMBDA_EXECUTOR_RESULT_FILE)\" > $LAMBDA_EXECUTOR_RESULT_FILE";
    let mut function = Function::start(&[("POST_COMMAND", post)]).await;
    let result = function.run(json!("echo -n work > $LAMBDA_EXECUTOR_RESULT_FILE")).await;
    // "exit after work\n"
    assert_eq!(result["value"], "ZXhpdCBhZnRlciB3b3JrCg==");
    let result = function.run(json!(["no-such-program"])).await;
    assert_eq!((&result["return_code"], &result["value"]), (&json!(127), &json!("ZXhpdCBhZnRlciAK")));
}

#[tokio::test]
async fn a_failed_post_command_is_reported_and_changes_nothing() {
    let mut function = Function::start(&[("POST_COMMAND", "echo disk full >&2; exit 1")]).await;
    let result = function.run(json!("echo done")).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("exit"), &json!(0)));
    let expected = "done\nlambda-executor: POST_COMMAND failed: exit status 1; output: disk full\n";
    assert_eq!(result["output_tail"], expected);
    assert!(function.log().contains("POST_COMMAND failed"), "{}", function.log());
}

#[tokio::test]
async fn post_command_has_its_own_time_after_a_command_that_used_all() {
    let mut function = Function::start(&[("POST_COMMAND", "echo post; sleep 600")]).await;
    function.time_limit = Duration::from_secs(8);
    let begin = Instant::now();
    let result = function.run(json!("trap '' TERM; while :; do sleep 0.01; done")).await;
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("timeout"), &json!(124)));
    let tail = result["output_tail"].as_str().unwrap();
    assert!(tail.contains("POST_COMMAND failed: ended by SIGTERM at the time limit of the Lambda function"), "{tail}");
    assert!(function.stdout().ends_with(b"post\n"));
}

#[tokio::test]
async fn a_post_command_that_hangs_is_ended_at_its_limit() {
    let limits = [("POST_COMMAND", "sleep 600"), ("LAMBDA_EXECUTOR_POST_COMMAND_TIMEOUT_MS", "100")];
    let mut function = Function::start(&limits).await;
    let result = function.run(json!(["true"])).await;
    assert_eq!(result["return_code"], 0);
    assert!(result["output_tail"].as_str().unwrap().contains("ended by SIGTERM at its time limit of 100 ms"));
}

#[tokio::test]
async fn background_processes_live_until_the_report() {
    let mut function = Function::start(&[("POST_COMMAND", "kill -0 $(cat pid) && echo still there")]).await;
    function.run(json!("sleep 600 & echo $! > pid")).await;
    assert!(function.stdout().ends_with(b"still there\n"));
    wait_for_end_of(std::fs::read_to_string(function.path("pid")).unwrap().trim()).await;
}

#[tokio::test]
async fn sigterm_ends_post_command_and_background_processes_with_grace() {
    let mut function = Function::start(&[("POST_COMMAND", "echo $$ > post; exec sleep 600")]).await;
    // The shell reports the signal on stderr, which nothing reads any more.
    let left_behind =
        "exec 2> /dev/null; trap 'echo in order > ended; exit' TERM; echo $$ > left; while :; do sleep 0.01; done";
    function.send(json!({"task_key": "k", "command": format!("sh -c \"{}\" &", left_behind.replace('$', "\\$"))}));
    let [post, left, ended] = ["post", "left", "ended"].map(|name| function.path(name));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default();
    wait_for("both to start", || read(&post).ends_with('\n') && read(&left).ends_with('\n')).await;
    function.terminate();
    assert_eq!(function.exit_code().await, Some(143));
    for path in [post, left] {
        wait_for_end_of(read(&path).trim()).await;
    }
    assert_eq!(read(&ended), "in order\n");
}
