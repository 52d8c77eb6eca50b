//! The environment of a handler: Lambda's variables, without this process's own AWS and Airflow settings.

use super::Launch;
use crate::config::HandlerOutput;
use crate::job::LATEST;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The settings that all handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// URL of Lambda and SQS.
    pub(crate) endpoint_url: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    /// URL of the results queue.
    pub(crate) queue_url: String,
    /// This process's variables, read once at start: a host may change its environment at any time.
    pub(crate) inherited: Vec<(OsString, OsString)>,
    /// The option `env`.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) working_directory: Option<PathBuf>,
    pub(crate) output: HandlerOutput,
}

/// Prefixes of variables that are never passed on: a handler must not reach the real AWS by mistake.
const WITHHELD: &[&str] = &["AWS_", "AIRFLOW_", "_X_AMZN_", "LAMBDA_RUNTIME_DIR"];

impl Surroundings {
    /// `NAME=value` of every variable, for one sandbox whose Runtime API is at `runtime_api`.
    pub(super) fn environment(&self, launch: &Launch, log_stream: &str, runtime_api: SocketAddr) -> Vec<CString> {
        let passed_on =
            |name: &OsString| !WITHHELD.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
        let mut env: BTreeMap<OsString, OsString> =
            self.inherited.iter().filter(|(name, _)| passed_on(name)).cloned().collect();
        // Otherwise a proxy would be used for 127.0.0.1, too.
        for name in ["NO_PROXY", "no_proxy"] {
            let mut hosts = env.remove(&OsString::from(name)).unwrap_or_default();
            if !hosts.is_empty() {
                hosts.push(",");
            }
            hosts.push("127.0.0.1,localhost");
            env.insert(name.into(), hosts);
        }
        let name = launch.function_arn.rsplit(':').next().unwrap_or_default();
        let mut set = |name: &str, value: &str| env.insert(name.into(), value.into());
        set("AWS_LAMBDA_RUNTIME_API", &runtime_api.to_string());
        set("AWS_LAMBDA_FUNCTION_NAME", name);
        set("AWS_LAMBDA_FUNCTION_VERSION", LATEST);
        set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &launch.memory_mb.to_string());
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
        set("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{name}"));
        set("AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
        set("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023");
        set("_HANDLER", &launch.handler_name);
        let folder = self.working_directory.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        set("LAMBDA_TASK_ROOT", &folder.to_string_lossy());
        set("AWS_REGION", &self.region);
        set("AWS_DEFAULT_REGION", &self.region);
        set("AWS_ACCESS_KEY_ID", &self.access_key_id);
        set("AWS_SECRET_ACCESS_KEY", self.secret_access_key.reveal());
        set("AWS_ENDPOINT_URL", &self.endpoint_url);
        // SDKs must find neither the user's profile nor a machine's role.
        set("AWS_CONFIG_FILE", "/dev/null");
        set("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        set("AWS_EC2_METADATA_DISABLED", "true");
        set("QUEUE_URL", &self.queue_url);
        for (name, value) in self.env.iter().chain(&launch.env) {
            set(name, value);
        }
        env.into_iter().filter_map(|(name, value)| variable(name, value)).collect()
    }
}

/// `None` if the variable contains NUL.
fn variable(name: OsString, value: OsString) -> Option<CString> {
    let mut text = name.into_vec();
    text.push(b'=');
    text.extend(value.into_vec());
    CString::new(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_finds_lambdas_variables_and_none_of_ours() {
        let surroundings = Surroundings {
            endpoint_url: "http://127.0.0.1:1".into(),
            region: "us-east-1".into(),
            access_key_id: "id".into(),
            secret_access_key: Secret::new("secret".into()),
            queue_url: "http://127.0.0.1:1/000000000000/q".into(),
            inherited: [("HOME", "/h"), ("AWS_PROFILE", "mine"), ("AIRFLOW__CORE__FERNET_KEY", "x"), ("NO_PROXY", "a")]
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            env: [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "1".to_owned())].into(),
            working_directory: Some("/tmp".into()),
            output: HandlerOutput::Discard,
        };
        let launch = Launch {
            id: 1,
            command: Vec::new(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:f".into(),
            memory_mb: 256,
            handler_name: "app.handler".into(),
            env: [("B".to_owned(), "2".to_owned())].into(),
        };
        let env = surroundings.environment(&launch, "stream", "127.0.0.1:5".parse().unwrap());
        let env: Vec<_> = env.iter().map(|variable| variable.to_str().unwrap_or_default()).collect();
        for expected in [
            "AWS_LAMBDA_RUNTIME_API=127.0.0.1:5",
            "AWS_LAMBDA_FUNCTION_NAME=f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
            "AWS_LAMBDA_LOG_STREAM_NAME=stream",
            "AWS_SECRET_ACCESS_KEY=secret",
            "QUEUE_URL=http://127.0.0.1:1/000000000000/q",
            "LAMBDA_TASK_ROOT=/tmp",
            "_HANDLER=app.handler",
            "NO_PROXY=a,127.0.0.1,localhost",
            "HOME=/h",
            "A=1",
            "B=2",
        ] {
            assert!(env.contains(&expected), "{expected} is missing in {env:?}");
        }
        assert!(!env.iter().any(|variable| variable.starts_with("AIRFLOW_") || variable.starts_with("AWS_PROFILE=")));
    }
}
