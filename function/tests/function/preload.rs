//! Warm start: commands of the form `python -m MODULE …` run in a process forked from one that has modules loaded.

use crate::support::Function;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// Prints whether the module `loaded` was there before.
const PROGRAM: &str = "import sys\nprint('warm' if 'loaded' in sys.modules else 'cold', *sys.argv[1:])\n";

/// The folder of a real interpreter, not of a version manager's scripts.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()).parent().unwrap().to_owned()
});

/// A function with the modules `loaded` (empty) and `program`.
async fn start(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Function {
    let path = format!("{}:/usr/bin:/bin", PYTHON.display());
    let files = [&[("loaded.py", ""), ("program.py", PROGRAM)], files].concat();
    let environment = [&[("LAMBDA_EXECUTOR_PRELOAD", "loaded"), ("PATH", &path)], environment].concat();
    Function::start_among(&files, &environment).await
}

fn tail(result: &Value) -> &str {
    result["output_tail"].as_str().unwrap()
}

#[tokio::test]
async fn a_module_runs_where_others_are_loaded() {
    let mut function = start(&[], &[]).await;
    let result = function.run(json!(["python3", "-m", "program", "a", "b"])).await;
    assert_eq!((tail(&result), &result["return_code"]), ("warm a b\n", &json!(0)), "{}", function.log());
}
