//! Commands that a forked process cannot run are started with a new interpreter. A line of the log says why.

use crate::preload::{SERVER_PID, cold_lines, kill, server, start, tail};
use crate::support::Function;
use serde_json::{Value, json};

/// Runs the module `program`, which prints `warm` or `cold`.
async fn run(function: &mut Function) -> String {
    tail(&function.run(json!(["python3", "-m", "program"])).await).trim().to_owned()
}

/// Runs `command` and expects it to be started with a new interpreter, for this reason.
async fn is_cold(function: &mut Function, command: Value, why: &str) {
    let before = cold_lines(function);
    let log = function.log().len();
    let result = function.run(command.clone()).await;
    let log = &function.log()[log..];
    assert_eq!((tail(&result).trim(), &result["return_code"]), ("cold", &json!(0)), "{result} {log}");
    assert!(log.contains(&format!("a new interpreter is started: {why}")), "{command}: {log}");
    assert_eq!(cold_lines(function), before + 1, "{log}");
}

fn usual() -> Value {
    json!(["python3", "-m", "program"])
}

#[tokio::test]
async fn unusual_commands() {
    let pre_command =
        "[ $LAMBDA_EXECUTOR_TASK_KEY = k ] || echo $LAMBDA_EXECUTOR_TASK_KEY=1 > $LAMBDA_EXECUTOR_ENV_FILE";
    let mut function = start(&[], &[("PRE_COMMAND", pre_command)]).await;
    assert_eq!(run(&mut function).await, "warm");
    is_cold(&mut function, json!(["python3", "-u", "-m", "program"]), "the interpreter has options").await;
    is_cold(&mut function, json!(["python3", "program.py"]), "the interpreter runs no module").await;
    let python = crate::preload::PYTHON.join("python3");
    let other = function.path("python3");
    std::os::unix::fs::symlink(&python, &other).unwrap();
    let why = format!("{} is another interpreter than {}", other.display(), crate::preload::PYTHON.display());
    is_cold(&mut function, json!([other, "-m", "program"]), &why).await;
    for (variable, expected) in [("PYTHONHASHSEED", "cold"), ("AIRFLOW__A__B", "cold"), ("TASK_OWN", "warm")] {
        let log = function.log().len();
        let result = function.result_of(json!({"task_key": variable, "command": usual()})).await;
        assert_eq!(tail(&result).trim(), expected, "{variable}");
        assert_eq!(function.log()[log..].contains(&format!("{variable} differs from the value")), expected == "cold");
    }
    // A command without Python is not reported.
    let before = cold_lines(&function);
    function.run(json!(["sh", "-c", "python3 -m program"])).await;
    assert_eq!(cold_lines(&function), before);
    assert_eq!(run(&mut function).await, "warm");
}

#[tokio::test]
async fn modules_that_cannot_be_loaded() {
    for (text, why) in [
        (
            "import no_such_module",
            "modules cannot be loaded: cannot import loaded: ModuleNotFoundError: No module named 'no_",
        ),
        ("import sys; sys.exit('why')", "modules cannot be loaded: cannot import loaded: SystemExit: why"),
        ("import os; os._exit(3)", "modules cannot be loaded: the process that loads them ended"),
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), name='t', daemon=True).start()",
            "modules cannot be loaded: the modules started threads, which cannot be forked: t",
        ),
        (
            "file = open('kept', 'w')",
            "modules cannot be loaded: the modules left files open, which tasks would share: /",
        ),
    ] {
        let mut function = start(&[("loaded.py", text)], &[]).await;
        is_cold(&mut function, usual(), why).await;
        is_cold(&mut function, usual(), why).await;
        // An exception in a module is logged with Python's traceback.
        assert_eq!(function.log().contains("Traceback"), text.contains("no_such") || text.contains("exit('"), "{text}");
    }
}

#[tokio::test]
async fn without_an_interpreter() {
    let mut function = start(&[], &[("PATH", "/nonexistent")]).await;
    let python = crate::preload::PYTHON.join("python3");
    is_cold(&mut function, json!([python, "-m", "program"]), "no absolute folder in PATH has a program python").await;
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", python.display());
    let folder = function.path("bin");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("python3"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("python3"), mode).unwrap();
    let path = format!("{}:/bin:/usr/bin", folder.display());
    let mut function = start(&[], &[("PATH", &path)]).await;
    let why = format!("{}/python3 starts another program as the interpreter", folder.display());
    is_cold(&mut function, usual(), &why).await;
}

#[tokio::test]
async fn modules_that_take_long() {
    let slow = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n";
    let mut function = start(&[("loaded.py", slow)], &[]).await;
    let event = json!({"task_key": "k", "command": usual(), "timeout_ms": 16_000});
    let result = function.result_of(event).await;
    assert_eq!(tail(&result).trim(), "cold");
    assert!(function.log().contains("a new interpreter is started: modules are not loaded yet: loaded"));
    std::fs::write(function.path("go"), "").unwrap();
    assert_eq!(run(&mut function).await, "warm");
    assert!(function.log().contains(r#""message":"modules loaded","modules":"loaded","ms":"#), "{}", function.log());
}

/// Replaces functions of `os`: each fails if there is a file of its name.
const FAILING: &str = "
import os
def replace(name):
    real = getattr(os, name)
    def replaced(*arguments):
        if os.path.exists(name + '-fails'):
            raise OSError(11, name + ' fails')
        return real(*arguments)
    setattr(os, name, replaced)
replace('fork')
replace('chdir')
level = 0
def forked():
    global level
    level += 1
    if os.path.exists('die-%d' % level):
        os._exit(9)
os.register_at_fork(after_in_child=forked)
";

#[tokio::test]
async fn forks_that_fail() {
    let mut function = start(&[("loaded.py", FAILING)], &[]).await;
    for (file, why) in [
        ("fork-fails", "no process can be forked: [Errno 11] fork fails"),
        ("die-1", "no process can be forked: the intermediate process ended early"),
        ("die-2", "the forked process ended before its module ran"),
        ("chdir-fails", "the forked process cannot run a module: BlockingIOError: [Errno 11] chdir fails"),
    ] {
        let path = function.path(file);
        std::fs::write(&path, "").unwrap();
        is_cold(&mut function, usual(), why).await;
        std::fs::remove_file(&path).unwrap();
        // The next command is not affected.
        assert_eq!(run(&mut function).await, "warm", "{file}");
    }
}

#[tokio::test]
async fn a_process_that_ends_or_hangs() {
    for (signal, why) in [("KILL", ""), ("STOP", "it did not fork within 5s")] {
        let mut function = start(&[("loaded.py", SERVER_PID)], &[]).await;
        assert_eq!(run(&mut function).await, "warm");
        kill(signal, &server(&function).await);
        let why = format!("the process that has the modules loaded is no longer usable: {why}");
        is_cold(&mut function, usual(), &why).await;
        is_cold(&mut function, usual(), &why).await;
    }
}
