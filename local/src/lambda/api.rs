//! Lambda's REST API: maps method and path to an operation, and its result to an answer.

use super::error::ApiError;
use super::function::Function;
use super::json::{read, say};
use super::name::{Named, query_value};
use super::settings::{Runner, Settings};
use super::{Lambda, event_config, invoke};
use crate::config::{Builtin, Handler};
use crate::function_state::FunctionState;
use crate::sandbox::find_program;
use crate::server::{Answer, answer};
use crate::signature::percent_decode;
use bytes::Bytes;
use http::Method;
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Environment variable of CreateFunction: the handler, in the form of the option `handler`.
const HANDLER_VARIABLE: &str = "LAMBDA_EXECUTOR_LOCAL_HANDLER";
/// Environment variable of CreateFunction: the state that the function reports, for tests.
const STATE_VARIABLE: &str = "LAMBDA_EXECUTOR_LOCAL_STATE";

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Configuration {
    function_name: String,
    role: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u64>,
    memory_size: Option<u64>,
    environment: Option<Environment>,
    dead_letter_config: Option<DeadLetterConfig>,
    publish: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeadLetterConfig {
    target_arn: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Alias {
    name: String,
    function_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    reserved_concurrent_executions: usize,
}

impl Lambda {
    /// Answers one request, errors included.
    pub(crate) async fn answer(&self, parts: &Parts, body: Bytes) -> Answer {
        self.route(parts, body).await.unwrap_or_else(|error| error.answer())
    }

    async fn route(&self, parts: &Parts, body: Bytes) -> Result<Answer, ApiError> {
        let path = parts.uri.path();
        let stats = &self.0.world.host.stats;
        // The first segment is the date of the operation's version.
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(1).collect();
        let method = &parts.method;
        let (name, rest) = match segments[..] {
            ["functions"] if method == Method::POST => {
                stats.request("CreateFunction");
                return self.create_function(&body);
            }
            ["functions"] if method == Method::GET => {
                stats.request("ListFunctions");
                return self.list_functions();
            }
            ["functions", name, ref rest @ ..] => (name, rest),
            _ => return Err(ApiError::unknown_operation(method, path)),
        };
        let name = String::from_utf8_lossy(&percent_decode(name)).into_owned();
        let qualifier = query_value(parts.uri.query().unwrap_or_default(), "Qualifier");
        let place = &self.0.world.place;
        let invokes = method == Method::POST && *rest == ["invocations"];
        match (method, rest) {
            // Dry runs have their own counter, so that `Invoke` counts events that Lambda may have run.
            _ if invokes && invoke::is_dry_run(parts) => stats.dry_runs.add(),
            _ if invokes => stats.request("Invoke"),
            (&Method::GET, []) => stats.request("GetFunction"),
            _ => stats.request("Other"),
        }
        let named = place.parse(&name, qualifier)?;
        let function = self.function(&named.name);
        let function = function.ok_or_else(|| ApiError::function_not_found(&place.qualified_arn(&named)))?;
        if invokes {
            return self.invoke(&function, &named, parts, body).await;
        }
        self.manage(method, path, rest, &function, &named, &body)
    }

    /// The operations on an existing function, except Invoke.
    fn manage(
        &self,
        method: &Method,
        path: &str,
        rest: &[&str],
        function: &Arc<Function>,
        named: &Named,
        body: &[u8],
    ) -> Result<Answer, ApiError> {
        let world = &*self.0.world;
        let place = &world.place;
        match (method, rest) {
            (&Method::GET, []) => Ok(say(200, &function.describe_with_code(world, named)?)),
            (&Method::GET, ["configuration"]) => Ok(say(200, &function.describe(world, named)?)),
            (&Method::PUT, ["configuration"]) => {
                let change: Configuration = read(body)?;
                let mut settings = (*function.settings()).clone();
                self.apply(&mut settings, change)?;
                function.change(|current| *current = settings);
                Ok(say(200, &function.describe(world, named)?))
            }
            (&Method::DELETE, []) if named.qualifier.is_some() => {
                function.delete_version(place, named)?;
                Ok(answer(204, &[], Bytes::new()))
            }
            (&Method::DELETE, []) => {
                self.0.functions.write().unwrap_or_else(PoisonError::into_inner).remove(&named.name);
                Ok(answer(204, &[], Bytes::new()))
            }
            (&Method::POST, ["versions"]) => {
                let version = function.publish();
                let named = Named { qualifier: Some(version), ..named.clone() };
                Ok(say(201, &function.describe(world, &named)?))
            }
            (&Method::POST, ["aliases"]) => {
                let alias: Alias = read(body)?;
                Ok(say(201, &function.create_alias(place, &alias.name, &alias.function_version)?))
            }
            (&Method::GET, ["aliases", alias]) => Ok(say(200, &function.alias(alias)?)),
            (&Method::PUT, ["concurrency"]) => {
                let Concurrency { reserved_concurrent_executions: reserved } = read(body)?;
                function.change(|settings| settings.reserved_concurrency = Some(reserved));
                Ok(say(200, &json!({"ReservedConcurrentExecutions": reserved})))
            }
            (&Method::DELETE, ["concurrency"]) => {
                function.change(|settings| settings.reserved_concurrency = None);
                Ok(answer(204, &[], Bytes::new()))
            }
            (_, ["event-invoke-config"]) => {
                let known = self.event_config(method, function, named, body);
                known.unwrap_or_else(|| Err(ApiError::unknown_operation(method, path)))
            }
            (&Method::GET, ["event-invoke-config", "list"]) => Ok(event_config::list(function)),
            _ => Err(ApiError::unknown_operation(method, path)),
        }
    }

    fn create_function(&self, body: &[u8]) -> Result<Answer, ApiError> {
        let configuration: Configuration = read(body)?;
        let world = &*self.0.world;
        let named = world.place.parse(&configuration.function_name, None)?;
        let publish = configuration.publish;
        let mut settings = self.0.defaults.clone();
        // The option `env` applies to all handlers. It is not part of this function's description.
        settings.env = BTreeMap::new();
        // The option `concurrency` applies to the first function only.
        settings.reserved_concurrency = None;
        settings.dead_letter_queue = None;
        settings.default_event_config.on_failure = None;
        // The default of CreateFunction.
        settings.timeout_ms = 3000;
        self.apply(&mut settings, configuration)?;
        self.create(&named.name, settings)?;
        let function = self.function(&named.name).ok_or_else(|| ApiError::function_not_found(&named.name))?;
        let version = publish.then(|| function.publish());
        Ok(say(201, &function.describe(world, &Named { qualifier: version, ..named })?))
    }

    /// Changes the settings that the request names.
    fn apply(&self, settings: &mut Settings, change: Configuration) -> Result<(), ApiError> {
        if let Some(seconds) = change.timeout {
            if !(1..=900).contains(&seconds) {
                return Err(ApiError::parameter(format!("Timeout: expected 1 to 900 seconds, found {seconds}")));
            }
            settings.timeout_ms = seconds * 1000;
        }
        if let Some(megabytes) = change.memory_size {
            settings.memory_mb = megabytes;
        }
        if let Some(role) = change.role {
            settings.role = role;
        }
        if let Some(handler) = change.handler {
            settings.handler_name = handler;
        }
        if let Some(description) = change.description {
            settings.description = description;
        }
        if let Some(config) = change.dead_letter_config {
            settings.dead_letter_queue = self.target("DeadLetterConfig", config.target_arn)?;
        }
        if let Some(environment) = change.environment {
            self.apply_environment(settings, environment.variables)?;
        }
        Ok(())
    }

    /// The queue for events that are given up, `None` without one. A queue that cannot receive them is rejected.
    pub(super) fn target(&self, member: &str, arn: Option<String>) -> Result<Option<String>, ApiError> {
        let arn = arn.filter(|arn| !arn.is_empty());
        if let Some(arn) = &arn {
            let refuse = |why| {
                ApiError::parameter(format!("{member}: expected the ARN of a standard queue, found {arn}: {why}"))
            };
            self.0.world.sqs.check_target(arn).map_err(refuse)?;
        }
        Ok(arn)
    }

    fn apply_environment(&self, settings: &mut Settings, env: BTreeMap<String, String>) -> Result<(), ApiError> {
        settings.runner = match env.get(HANDLER_VARIABLE) {
            Some(handler) => self.runner(handler)?,
            None => self.0.defaults.runner.clone(),
        };
        settings.state = match env.get(STATE_VARIABLE) {
            Some(state) => FunctionState::from_name(state).ok_or_else(|| {
                ApiError::parameter(format!(
                    "{STATE_VARIABLE}: expected Active, Pending, Inactive or Failed, found {state}"
                ))
            })?,
            None => FunctionState::Active,
        };
        settings.env = env;
        Ok(())
    }

    /// Reads `handler`, the variable of a function's environment.
    fn runner(&self, handler: &str) -> Result<Runner, ApiError> {
        let refuse = |why: &str| ApiError::parameter(format!("{HANDLER_VARIABLE} is '{handler}': {why}"));
        match Handler::parse(handler).map_err(refuse)? {
            Handler::Exec => Ok(self.0.defaults.runner.clone()),
            Handler::Builtin => Ok(match &self.0.defaults.runner {
                runner @ Runner::Builtin(_) => runner.clone(),
                Runner::Command(_) => Runner::Builtin(Builtin::default()),
            }),
            Handler::Command(mut command) => {
                if let Some(program) = command.first_mut() {
                    *program = find_program(program).map_err(|error| refuse(&error))?;
                }
                Ok(Runner::Command(command))
            }
        }
    }

    fn list_functions(&self) -> Result<Answer, ApiError> {
        let functions: Vec<(String, Arc<Function>)> = {
            let functions = self.0.functions.read().unwrap_or_else(PoisonError::into_inner);
            functions.iter().map(|(name, function)| (name.clone(), function.clone())).collect()
        };
        let world = &*self.0.world;
        let described: Result<Vec<Value>, ApiError> =
            functions.into_iter().map(|(name, it)| it.describe(world, &Named { name, qualifier: None })).collect();
        Ok(say(200, &json!({"Functions": described?})))
    }
}
