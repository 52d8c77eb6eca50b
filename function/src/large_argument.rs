//! Linux does not accept arguments of 128 KiB or more. Airflow's workloads can be larger; its module also reads them
//! from a file.

use crate::state_dir::RunDir;

/// The longest argument, and the longest `NAME=value` of the environment, in bytes: 32 pages less the final NUL
/// (`MAX_ARG_STRLEN` in execve(2)).
pub(crate) const MAX_ARGUMENT_BYTES: usize = 131_071;

const AIRFLOW_MODULE: &str = "airflow.sdk.execution_time.execute_workload";

/// Moves a long workload to a file. The error names an argument that is too long and cannot be moved.
pub(crate) fn fit(argv: &[String], run_dir: &RunDir) -> Result<Vec<String>, String> {
    let mut fitted = argv.to_vec();
    if let [.., dash_m, module, option, workload] = fitted.as_mut_slice()
        && (dash_m.as_str(), module.as_str(), option.as_str()) == ("-m", AIRFLOW_MODULE, "--json-string")
        && workload.len() > MAX_ARGUMENT_BYTES
    {
        let file = run_dir
            .write("workload.json", workload.as_bytes())
            .map_err(|error| format!("cannot write the workload of {} bytes to a file: {error}", workload.len()))?;
        *option = "--json-path".to_owned();
        *workload = file.to_string_lossy().into_owned();
    }
    match fitted.iter().position(|argument| argument.len() > MAX_ARGUMENT_BYTES) {
        None => Ok(fitted),
        Some(index) => Err(format!(
            "argument {index} of the command has {} bytes, and Linux takes at most {MAX_ARGUMENT_BYTES}; pass it in a \
             file (only Airflow's --json-string is moved to one by itself)",
            fitted[index].len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::state_dir::StateDir;

    fn airflow(workload: &str) -> Vec<String> {
        ["python", "-m", AIRFLOW_MODULE, "--json-string", workload].map(str::to_owned).to_vec()
    }

    #[test]
    fn only_airflows_large_workload_goes_to_a_file() {
        let temporary = Scratch::new("large_argument");
        let run_dir = StateDir::open(&temporary).unwrap().run_dir().unwrap();
        let longest = "x".repeat(MAX_ARGUMENT_BYTES);
        assert_eq!(fit(&airflow(&longest), &run_dir).unwrap(), airflow(&longest));
        let too_long = "x".repeat(MAX_ARGUMENT_BYTES + 1);
        let error = fit(&["program".to_owned(), too_long.clone()], &run_dir).unwrap_err();
        assert!(error.starts_with("argument 1 of the command has 131072 bytes"), "{error}");
        let fitted = fit(&airflow(&too_long), &run_dir).unwrap();
        assert_eq!(fitted[3], "--json-path");
        assert_eq!(std::fs::read_to_string(&fitted[4]).unwrap(), too_long);
        drop(run_dir);
        assert!(!std::path::Path::new(&fitted[4]).exists());
    }
}
