//! Outcomes of commands, and the environment and files that they receive.

use crate::support::{Function, wait_for, wait_for_end_of};
use serde_json::{Value, json};

#[tokio::test]
async fn a_result_has_all_fields() {
    let mut function = Function::start(&[]).await;
    let key = r#"{"dag_id": "d\u00e4", "task_id": "t", "run_id": "r", "try_number": 1, "map_index": -1}"#;
    let result = function
        .result_of(json!({
            "task_key": key, "command": ["sh", "-c", "echo out; echo err >&2; exit 3"], "executor_config": {},
            "attempt_id": "11111111-2222-4333-8444-555555555555",
        }))
        .await;
    assert_eq!(result["task_key"], key);
    assert_eq!(result["return_code"], 3);
    assert_eq!(result["reason"], "exit");
    assert_eq!(result["attempt_id"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(result["log_stream"], "stream-1");
    assert!(result["request_id"].as_str().unwrap().starts_with("request-"));
    let mut lines: Vec<_> = result["output_tail"].as_str().unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "out"]);
    let (started, finished) = (result["started_at_ms"].as_i64().unwrap(), result["finished_at_ms"].as_i64().unwrap());
    assert!(started > 1_700_000_000_000 && finished >= started, "{started} {finished}");
    assert_eq!((result.get("signal"), result.get("value"), result.get("value_dropped")), (None, None, None));
    assert_eq!((&result["output_length"], &result["output_truncated"]), (&json!(8), &json!(false)));
    assert_eq!(function.stdout(), b"out\n");
    assert!(function.log().contains("err\n"));
}

#[tokio::test]
async fn airflows_event_gets_airflows_answer() {
    let mut function = Function::start(&[]).await;
    let result = function.run(json!(["true"])).await;
    assert_eq!((&result["task_key"], &result["return_code"]), (&json!("k"), &json!(0)));
    assert_eq!(result.get("attempt_id"), None);
}

#[tokio::test]
async fn a_signal_and_an_exit_are_distinguished() {
    let mut function = Function::start(&[]).await;
    let result = function.run(json!(["sh", "-c", "kill -SEGV $$"])).await;
    assert_eq!(
        (&result["reason"], &result["return_code"], &result["signal"]),
        (&json!("signal"), &json!(-11), &json!(11))
    );
}

#[tokio::test]
async fn what_cannot_be_started_is_126_or_127() {
    let mut function = Function::start(&[]).await;
    let file = function.path("not-executable");
    std::fs::write(&file, "").unwrap();
    for (program, code) in [("no-such-program", 127), (file.to_str().unwrap(), 126)] {
        let result = function.run(json!([program, "SECRET"])).await;
        assert_eq!((&result["reason"], &result["return_code"]), (&json!("exit"), &json!(code)));
        let tail = result["output_tail"].as_str().unwrap();
        assert!(tail.contains(&format!("cannot start `{program}`")), "{tail}");
        assert_eq!(result.get("started_at_ms"), None);
    }
    // A shell reports the same in its own words.
    assert_eq!(function.run(json!("no-such-program")).await["return_code"], 127);
    assert!(!function.log().contains("SECRET"));
}

#[tokio::test]
async fn one_string_is_for_the_shell() {
    let mut function = Function::start(&[]).await;
    let result = function.run(json!("printf 'a\\nb\\n' | wc -l; exit 4")).await;
    assert_eq!((result["output_tail"].as_str().map(str::trim), &result["return_code"]), (Some("2"), &json!(4)));
}

#[tokio::test]
async fn a_command_finds_what_it_needs_in_its_environment() {
    let mut function = Function::start(&[]).await;
    let config = json!({"cpu": 2, "ä": ["x"]});
    let result = function
        .result_of(json!({
            "task_key": "key of mine", "command": ["env"], "executor_config": config, "attempt_id": "attempt-7",
        }))
        .await;
    let tail = result["output_tail"].as_str().unwrap();
    let value = |name: &str| tail.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    assert_eq!(value("LAMBDA_EXECUTOR_TASK_KEY"), Some("key of mine"));
    assert_eq!(value("LAMBDA_EXECUTOR_ATTEMPT_ID"), Some("attempt-7"));
    let given: Value = serde_json::from_str(value("LAMBDA_EXECUTOR_CONFIG").unwrap()).unwrap();
    assert_eq!(given, config);
    assert!(value("LAMBDA_EXECUTOR_RESULT_FILE").is_some());
    assert_eq!(value("AWS_REGION"), Some("eu-west-1"));
    // With this variable a command could take the function's events.
    assert_eq!(value("AWS_LAMBDA_RUNTIME_API"), None);
}

#[tokio::test]
async fn a_large_configuration_comes_in_a_file() {
    let mut function = Function::start(&[]).await;
    let config = json!({"x": "y".repeat(200_000)});
    let command = "test -z \"$LAMBDA_EXECUTOR_CONFIG\" && wc -c < \"$LAMBDA_EXECUTOR_CONFIG_FILE\"";
    let result = function.result_of(json!({"task_key": "k", "command": command, "executor_config": config})).await;
    let expected = config.to_string().len().to_string();
    assert_eq!(result["output_tail"].as_str().map(str::trim), Some(expected.as_str()));
}

#[tokio::test]
async fn input_is_empty_not_waiting() {
    let mut function = Function::start(&[]).await;
    assert_eq!(function.run(json!(["cat"])).await["return_code"], 0);
}

#[tokio::test]
async fn what_is_written_to_the_result_file_is_the_value() {
    let mut function = Function::start(&[]).await;
    let result = function.run(json!("printf '\\377ok' > \"$LAMBDA_EXECUTOR_RESULT_FILE\"; exit 1")).await;
    assert_eq!((&result["value"], &result["return_code"]), (&json!("/29r"), &json!(1)));
    // The next command starts without a result file.
    let result = function.run(json!("test ! -e \"$LAMBDA_EXECUTOR_RESULT_FILE\"")).await;
    assert_eq!((result.get("value"), &result["return_code"]), (None, &json!(0)));
}

#[tokio::test]
async fn a_value_that_is_too_large_is_a_failure() {
    let mut function = Function::start(&[]).await;
    let write = |bytes: u32| format!("echo out; head -c {bytes} /dev/zero > \"$LAMBDA_EXECUTOR_RESULT_FILE\"");
    let result = function.run(json!(write(180_000))).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("exit"), &json!(0)));
    assert_eq!((result["value"].as_str().map(str::len), result.get("value_dropped")), (Some(240_000), None));
    let result = function.run(json!(write(180_001))).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("value_too_large"), &json!(1)));
    assert_eq!(
        (result.get("value"), &result["value_dropped"], &result["value_length"]),
        (None, &json!(true), &json!(180_001))
    );
    let tail = result["output_tail"].as_str().unwrap();
    assert!(tail.starts_with("out\nlambda-executor: the result file has 180001 bytes, more than the 180000"), "{tail}");
    assert_eq!((&result["output_length"], &result["output_truncated"]), (&json!(4), &json!(false)));
    assert!(function.log().contains(r#""reason":"value_too_large","return_code":1"#), "{}", function.log());
    // A command that failed keeps its own code.
    let result = function.run(json!(format!("{}; exit 3", write(180_001)))).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("exit"), &json!(3)));
    assert_eq!((&result["value_dropped"], &result["value_length"]), (&json!(true), &json!(180_001)));
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_a_failure() {
    let mut function = Function::start(&[]).await;
    for (command, message) in [
        ("mkdir \"$LAMBDA_EXECUTOR_RESULT_FILE\"", "the result file is not a regular file"),
        ("mkfifo \"$LAMBDA_EXECUTOR_RESULT_FILE\"", "the result file is not a regular file"),
        ("cd ${LAMBDA_EXECUTOR_RESULT_FILE%/*} && ln -s result result", "the result file cannot be read"),
    ] {
        let result = function.run(json!(command)).await;
        assert_eq!((&result["reason"], &result["return_code"]), (&json!("value_too_large"), &json!(1)), "{command}");
        assert_eq!((&result["value_dropped"], result.get("value_length")), (&json!(true), None), "{command}");
        assert!(result["output_tail"].as_str().unwrap().contains(message), "{result}");
    }
    // An empty or removed file means that there is no value.
    for command in [": > \"$LAMBDA_EXECUTOR_RESULT_FILE\"", "rm -r ${LAMBDA_EXECUTOR_RESULT_FILE%/*}"] {
        let result = function.run(json!(command)).await;
        assert_eq!((&result["return_code"], result.get("value_dropped")), (&json!(0), None), "{result}");
    }
}

#[tokio::test]
async fn output_that_is_not_utf_8_is_passed_on_as_it_is() {
    let mut function = Function::start(&[]).await;
    let result = function.run(json!("printf '\\377\\376a\\n'")).await;
    assert_eq!((&result["return_code"], &result["output_tail"]), (&json!(0), &json!("\u{fffd}\u{fffd}a\n")));
    assert_eq!(function.stdout(), b"\xff\xfea\n");
}

#[tokio::test]
async fn large_output_reaches_the_log_whole_and_the_result_as_its_end() {
    let mut function = Function::start(&[]).await;
    const BYTES: usize = 50 * 1024 * 1024;
    let result = function.run(json!(format!("yes 123456789 | head -c {BYTES}; echo; echo the end"))).await;
    assert_eq!(result["return_code"], 0);
    let tail = result["output_tail"].as_str().unwrap();
    // The tail begins with the first whole line of the last 4,096 bytes.
    assert!((4_096 - 10..=4_096).contains(&tail.len()), "{}", tail.len());
    assert!(tail.starts_with("123456789\n") && tail.ends_with("\nthe end\n"), "{tail}");
    let length = BYTES + "\nthe end\n".len();
    assert_eq!((&result["output_length"], &result["output_truncated"]), (&json!(length), &json!(true)));
    assert_eq!(function.stdout().len(), length);
}

#[tokio::test]
async fn the_length_of_the_tail_can_be_set() {
    let mut function = Function::start(&[("LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES", "5")]).await;
    let result = function.run(json!("echo 123456789; echo no >&2")).await;
    assert_eq!((result["output_length"].as_u64(), &result["output_truncated"]), (Some(13), &json!(true)));
    let result = function.run(json!("echo 123456789")).await;
    assert_eq!((&result["output_tail"], &result["output_truncated"]), (&json!("6789\n"), &json!(true)));
    let result = function.run(json!("echo 1234")).await;
    assert_eq!((&result["output_tail"], &result["output_truncated"]), (&json!("1234\n"), &json!(false)));
}

#[tokio::test]
async fn output_is_streamed_as_it_comes() {
    let mut function = Function::start(&[]).await;
    let go_on = function.path("go-on");
    // The command ends only after its first line has been seen in the log.
    let command = format!("echo first; while [ ! -e {} ]; do sleep 0.01; done", go_on.display());
    function.send(json!({"task_key": "k", "command": command}));
    wait_for("the first line", || function.stdout() == b"first\n").await;
    std::fs::write(&go_on, "").unwrap();
    assert!(function.answer().await.is_response());
}

#[tokio::test]
async fn a_process_left_behind_holds_up_nothing_and_is_ended_after_the_report() {
    let mut function = Function::start(&[]).await;
    let result = function.run(json!("echo before; sleep 600 & echo $!")).await;
    assert_eq!(result["return_code"], 0);
    let tail = result["output_tail"].as_str().unwrap();
    let pid = tail.strip_prefix("before\n").unwrap().trim();
    wait_for_end_of(pid).await;
}

#[tokio::test]
async fn the_files_of_a_command_are_gone_after_it() {
    let mut function = Function::start(&[]).await;
    function.run(json!("echo x > \"$LAMBDA_EXECUTOR_RESULT_FILE\"")).await;
    let mut state = std::fs::read_dir(function.path("")).unwrap().map(|entry| entry.unwrap().path());
    let state = state.find(|path| path.is_dir()).unwrap();
    let names: Vec<_> = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["attempts"]);
}

#[tokio::test]
async fn a_command_ends_with_the_function_that_is_killed() {
    let mut function = Function::start(&[]).await;
    function.send(json!({"task_key": "k", "command": ["sh", "-c", "echo $$; exec sleep 600"]}));
    wait_for("the command to start", || function.stdout().ends_with(b"\n")).await;
    let pid = String::from_utf8(function.stdout()).unwrap();
    function.kill_and_restart();
    wait_for_end_of(pid.trim()).await;
}

#[tokio::test]
async fn exit_statuses_arrive_whatever_the_parent_ignores() {
    let mut function = Function::start_by_careless_parent().await;
    let result = function.run(json!("exit 7")).await;
    assert_eq!((&result["reason"], &result["return_code"]), (&json!("exit"), &json!(7)));
}
