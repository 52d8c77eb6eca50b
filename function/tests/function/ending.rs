//! Commands when the function itself must end. The commands here are shells with a child, which the kernel does not end
//! with the shell.

use crate::support::{Function, wait_for, wait_for_end_of};
use serde_json::json;

/// Starts a command that runs for long. Returns the process ids of its shell and of the shell's child.
async fn run_long(function: &mut Function, before: &str) -> [String; 2] {
    let command = format!("{before} sh -c 'echo $$ $PPID; exec sleep 600'; true");
    function.send(json!({"task_key": "k", "command": command, "attempt_id": "attempt-1"}));
    wait_for("the command to start", || function.stdout().ends_with(b"\n")).await;
    let line = String::from_utf8(function.stdout()).unwrap();
    let mut pids = line.split_whitespace().map(str::to_owned);
    [pids.next().unwrap(), pids.next().unwrap()]
}

#[tokio::test]
async fn sigterm_ends_the_command_and_its_children() {
    let mut function = Function::start(&[]).await;
    let pids = run_long(&mut function, "").await;
    function.terminate();
    assert_eq!(function.exit_code().await, Some(143));
    for pid in pids {
        wait_for_end_of(&pid).await;
    }
    // No result is sent: the command did not end by itself.
    assert!(function.results().is_empty());
    assert!(!function.path("").read_dir().unwrap().flatten().any(|entry| {
        entry.file_type().unwrap().is_dir()
            && entry
                .path()
                .read_dir()
                .unwrap()
                .flatten()
                .any(|run| run.file_name().to_string_lossy().starts_with("run-"))
    }));
}

#[tokio::test]
async fn commands_that_ignore_sigterm_are_killed() {
    let mut function = Function::start(&[]).await;
    let pids = run_long(&mut function, "trap '' TERM;").await;
    let start = std::time::Instant::now();
    function.terminate();
    assert_eq!(function.exit_code().await, Some(143));
    assert!(start.elapsed() >= std::time::Duration::from_millis(300), "{:?}", start.elapsed());
    for pid in pids {
        wait_for_end_of(&pid).await;
    }
}

#[tokio::test]
async fn a_child_may_clean_up_after_its_shell_has_ended() {
    let mut function = Function::start(&[]).await;
    let command = "sh -c 'trap \"sleep 0.05; touch cleaned; exit\" TERM; echo; sleep 600 & wait'; true";
    function.send(json!({"task_key": "k", "command": command}));
    wait_for("the command to start", || function.stdout().ends_with(b"\n")).await;
    function.terminate();
    assert_eq!(function.exit_code().await, Some(143));
    assert!(function.path("cleaned").exists());
}

#[tokio::test]
async fn sigterm_ends_a_function_that_waits() {
    let mut function = Function::start(&[]).await;
    function.run(json!(["true"])).await;
    function.terminate();
    assert_eq!(function.exit_code().await, Some(143));
}

#[tokio::test]
async fn a_command_can_be_ended_by_sigterm() {
    let mut function = Function::start(&[]).await;
    assert_eq!(function.run(json!("kill -TERM $$; sleep 600")).await["signal"], 15);
}

#[tokio::test]
async fn when_the_host_is_gone_function_and_command_end() {
    let mut function = Function::start(&[]).await;
    let pids = run_long(&mut function, "").await;
    function.lose_host();
    assert_eq!(function.exit_code().await, Some(1));
    for pid in pids {
        wait_for_end_of(&pid).await;
    }
    assert!(function.log().contains("nothing listens at the Runtime API's address 127.0.0.1:"), "{}", function.log());
}
