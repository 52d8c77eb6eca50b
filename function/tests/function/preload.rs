//! Warm start: commands of the form `python -m MODULE …` run in a process forked from one that has modules loaded.

use crate::support::{Function, wait_for, wait_for_end_of};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// Prints whether the module `loaded` had been loaded before.
const PROGRAM: &str = "import sys\nprint('warm' if 'loaded' in sys.modules else 'cold', *sys.argv[1:])\n";

/// The folder of a real interpreter, not of a version manager's scripts.
pub(crate) static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()).parent().unwrap().to_owned()
});

/// A function with the modules `loaded` (empty) and `program`.
pub(crate) async fn start(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Function {
    let path = format!("{}:/usr/bin:/bin", PYTHON.display());
    let files = [&[("loaded.py", ""), ("program.py", PROGRAM)], files].concat();
    let environment = [&[("LAMBDA_EXECUTOR_PRELOAD", "loaded"), ("PATH", &path)], environment].concat();
    Function::start_among(&files, &environment).await
}

pub(crate) fn tail(result: &Value) -> &str {
    result["output_tail"].as_str().unwrap()
}

#[tokio::test]
async fn a_module_runs_where_others_are_loaded() {
    let mut function = start(&[], &[]).await;
    let result = function.run(json!(["python3", "-m", "program", "a", "b"])).await;
    assert_eq!((tail(&result), &result["return_code"]), ("warm a b\n", &json!(0)), "{}", function.log());
}

#[tokio::test]
async fn each_task_is_a_new_process() {
    let program = "import loaded, os, random, secrets, uuid, multiprocessing\n\
                   print(vars(loaded).setdefault('seen', os.getpid()) == os.getpid(), os.environ.setdefault('X', 'new'))\n\
                   print(os.getpid(), random.random(), secrets.token_hex(), uuid.uuid4(), \
                   multiprocessing.current_process().authkey.hex())\n";
    let mut function =
        start(&[("loaded.py", "import random, uuid, multiprocessing"), ("program.py", program)], &[]).await;
    let mut tails = Vec::new();
    for _ in 0..2 {
        let result = function.run(json!(["python3", "-m", "program"])).await;
        let (first, second) = tail(&result).split_once('\n').unwrap();
        assert_eq!(first, "True new");
        tails.push(second.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    }
    assert!(tails[0].len() == 5 && tails[0].iter().zip(&tails[1]).all(|(one, other)| one != other), "{tails:?}");
}

#[tokio::test]
async fn files_that_a_module_does_not_close_are_complete() {
    let program = "file = open('left', 'w')\nfile.write('text')\ndef own(): return file\nown.self = own\n";
    let mut function = start(&[("program.py", program)], &[]).await;
    function.run(json!(["python3", "-m", "program"])).await;
    assert_eq!(std::fs::read_to_string(function.path("left")).unwrap(), "text");
    assert_eq!(cold_lines(&function), 0);
}

#[tokio::test]
async fn a_hundred_tasks_leave_nothing_behind() {
    let mut function = start(&[("loaded.py", SERVER_PID)], &[]).await;
    let command = json!(["python3", "-m", "program"]);
    let mut seen = Vec::new();
    for _ in 0..2 {
        for _ in 0..50 {
            assert_eq!(tail(&function.run(command.clone()).await), "warm\n");
        }
        let server = server(&function).await;
        let memory = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap();
        let memory = memory.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let kib: u64 = memory.trim().trim_end_matches(" kB").parse().unwrap();
        let function = function.id().to_string();
        let open = |pid: &str| std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        seen.push((open(&server), open(&function), children(&server), children(&function), kib));
    }
    assert_eq!((seen[0].0, seen[0].1, &seen[0].2, &seen[0].3), (seen[1].0, seen[1].1, &seen[1].2, &seen[1].3));
    assert!(seen[1].4 <= seen[0].4 + 64, "{seen:?}");
    let kept =
        std::fs::read_dir(function.path("")).unwrap().flatten().filter(|entry| entry.path().join("attempts").exists());
    let kept: Vec<_> = kept.flat_map(|entry| std::fs::read_dir(entry.path()).unwrap().flatten()).collect();
    assert!(kept.len() == 1, "{kept:?}");
}

#[tokio::test]
async fn time_limits_are_kept() {
    let program = "import os, signal, subprocess, sys, time\n\
                   child = subprocess.Popen(['sleep', '600'])\n\
                   def end(*_): print('cleaned up'); sys.exit(0)\n\
                   signal.signal(signal.SIGTERM, signal.SIG_IGN if 'stays' in sys.argv else end)\n\
                   print(child.pid, flush=True)\n\
                   while True: time.sleep(0.01)\n";
    let mut function = start(&[("program.py", program)], &[("LAMBDA_EXECUTOR_KILL_GRACE_MS", "1000")]).await;
    // From here on the modules are loaded.
    function.run(json!(["python3", "-m", "this"])).await;
    for (argument, signal, expected) in [("goes", Value::Null, "cleaned up"), ("stays", json!(9), "then SIGKILL")] {
        let event = json!({"task_key": "k", "command": ["python3", "-m", "program", argument], "timeout_ms": 4000});
        let result = function.result_of(event).await;
        assert_eq!(
            (&result["reason"], &result["return_code"], &result["signal"]),
            (&json!("timeout"), &json!(124), &signal)
        );
        assert!(tail(&result).contains(expected), "{result}");
        wait_for_end_of(tail(&result).lines().next().unwrap()).await;
    }
    assert_eq!(cold_lines(&function), 0);
}

/// Writes its process id, and runs until it is killed.
const LASTS: &str = "import os, time\nopen('started', 'w').write(str(os.getpid()) + ' ')\nwhile True: time.sleep(1)\n";

async fn run_long(function: &mut Function) -> [String; 2] {
    function.send(json!({"task_key": "k", "command": ["python3", "-m", "program"]}));
    let started = function.path("started");
    wait_for("the module to run", || std::fs::read_to_string(&started).is_ok_and(|text| text.ends_with(' '))).await;
    [std::fs::read_to_string(&started).unwrap().trim().to_owned(), server(function).await]
}

#[tokio::test]
async fn all_processes_end_with_the_function() {
    for kill in [true, false] {
        let mut function = start(&[("loaded.py", SERVER_PID), ("program.py", LASTS)], &[]).await;
        let pids = run_long(&mut function).await;
        assert_eq!(cold_lines(&function), 0);
        if kill {
            function.kill_and_restart();
        } else {
            function.terminate();
            assert_eq!(function.exit_code().await, Some(143));
        }
        for pid in pids {
            wait_for_end_of(&pid).await;
        }
    }
}

#[tokio::test]
async fn the_process_survives_a_freeze_of_the_sandbox() {
    let mut function = start(&[("loaded.py", SERVER_PID)], &[]).await;
    let command = json!(["python3", "-m", "program"]);
    // Freeze it while modules are being loaded, too.
    for _ in 0..2 {
        let pids = [server(&function).await, function.id().to_string()];
        for pid in &pids {
            kill("STOP", pid);
            wait_for("the process to stop", || {
                std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T ")
            })
            .await;
        }
        function.send(json!({"task_key": "k", "command": command}));
        pids.iter().for_each(|pid| kill("CONT", pid));
        assert!(function.answer().await.is_response());
    }
    assert_eq!(function.stdout(), b"warm\nwarm\n");
}

#[tokio::test]
async fn a_process_that_a_module_leaves_behind_is_not_ours() {
    let program = "import os, subprocess\n\
                   child = subprocess.Popen(['sh', '-c', 'echo > ready; until [ -e go ]; do sleep 0.01; done; \
                   ps -o ppid= -p $$ > parent'], start_new_session=True)\n\
                   print(os.getppid())\n";
    let mut function = start(&[("program.py", program)], &[]).await;
    let result = function.run(json!(["python3", "-m", "program"])).await;
    assert_eq!(tail(&result).trim(), function.id().to_string());
    // While it lives, the function becomes the parent of another process.
    function.run(json!(["python3", "-m", "this"])).await;
    std::fs::write(function.path("go"), "").unwrap();
    let parent = function.path("parent");
    wait_for("the process to end", || std::fs::read_to_string(&parent).is_ok_and(|text| text.ends_with('\n'))).await;
    assert_ne!(std::fs::read_to_string(&parent).unwrap().trim(), function.id().to_string());
    assert_eq!(cold_lines(&function), 0);
}

/// Number of commands that were started with a new interpreter.
pub(crate) fn cold_lines(function: &Function) -> usize {
    function.log().matches("a new interpreter is started").count()
}

/// A module that writes the id of the process that loads it.
pub(crate) const SERVER_PID: &str = "import os\nopen('server', 'w').write(str(os.getpid()) + ' ')\n";

/// The id of the process that has the modules loaded.
pub(crate) async fn server(function: &Function) -> String {
    let file = function.path("server");
    wait_for("modules to be loaded", || std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with(' '))).await;
    std::fs::read_to_string(&file).unwrap().trim().to_owned()
}

pub(crate) fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), pid]).status().unwrap().success());
}

fn children(pid: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap()
}

/// The modules of an Airflow that `lambda_executor_preload.airflow` cannot do without, and a client that counts.
const AIRFLOW: [(&str, &str); 5] = [
    ("airflow/__init__.py", ""),
    ("airflow/sdk/__init__.py", ""),
    ("airflow/sdk/execution_time/execute_workload.py", "import airflow.sdk.api.client as client\nprint(client.made)\n"),
    (
        "airflow/sdk/api/client.py",
        "made = 0\nclass Client:\n    def __init__(self, base_url, token):\n        global made\n        made += 1\n    def close(self):\n        pass\n",
    ),
    ("airflow/sdk/log.py", ""),
];

const WORKLOAD: [&str; 3] = ["python3", "-m", "airflow.sdk.execution_time.execute_workload"];

#[tokio::test]
async fn airflows_modules_are_loaded_without_those_that_its_version_lacks() {
    let mut function = start(&AIRFLOW, &[("LAMBDA_EXECUTOR_PRELOAD", "lambda_executor_preload.airflow")]).await;
    let result = function.run(json!(WORKLOAD)).await;
    assert_eq!(tail(&result), "1\n", "{}", function.log());
}

#[tokio::test]
async fn an_airflow_module_that_cannot_be_loaded_is_named() {
    let files = [&AIRFLOW[..4], &[("airflow/sdk/log.py", "import missing")]].concat();
    let mut function = start(&files, &[("LAMBDA_EXECUTOR_PRELOAD", "lambda_executor_preload.airflow")]).await;
    let result = function.run(json!(WORKLOAD)).await;
    assert_eq!(tail(&result), "0\n");
    assert!(function.log().contains("No module named 'missing'"), "{}", function.log());
}
