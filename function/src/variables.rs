//! Names of the environment variables that only this program may set for a command.

/// Never passed on: a command that uses it, such as another Lambda runtime, would receive our events.
pub(crate) const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// The file in which PRE_COMMAND may leave variables for the command.
pub(crate) const ENV_FILE: &str = "LAMBDA_EXECUTOR_ENV_FILE";
/// Variables that a command receives. If this program itself runs inside a command, the outer command's values must not
/// remain.
pub(crate) const GIVEN: &[&str] = &[
    "LAMBDA_EXECUTOR_ATTEMPT_ID",
    "LAMBDA_EXECUTOR_CONFIG",
    "LAMBDA_EXECUTOR_CONFIG_FILE",
    ENV_FILE,
    "LAMBDA_EXECUTOR_REASON",
    "LAMBDA_EXECUTOR_RESULT_FILE",
    "LAMBDA_EXECUTOR_RETURN_CODE",
    "LAMBDA_EXECUTOR_SIGNAL",
    "LAMBDA_EXECUTOR_TASK_KEY",
];

/// True for a variable that only this program may set.
pub(crate) fn is_ours(name: &str) -> bool {
    name == RUNTIME_API || GIVEN.contains(&name)
}
