//! Event-invoke configurations: handling of asynchronous events after a failure. As on AWS, each qualifier (function,
//! version, alias) has its own: events sent to an alias use the alias's configuration.

use super::Lambda;
use super::error::ApiError;
use super::function::Function;
use super::json::{read, say};
use super::name::Named;
use super::settings::EventConfig;
use crate::job::LATEST;
use crate::server::{Answer, answer};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u64>,
    destination_config: Option<DestinationConfig>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DestinationConfig {
    on_failure: Destination,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    destination: Option<String>,
}

impl Named {
    /// The key of this qualifier's configuration.
    pub(super) fn config_key(&self) -> &str {
        self.qualifier.as_deref().unwrap_or(LATEST)
    }
}

impl Lambda {
    /// Put-, Update-, Get- and DeleteFunctionEventInvokeConfig. `None` for another method.
    pub(super) fn event_config(
        &self,
        method: &Method,
        function: &Function,
        named: &Named,
        body: &[u8],
    ) -> Option<Result<Answer, ApiError>> {
        Some(match *method {
            Method::PUT => self.change(function, named, body, |_| EventConfig::default()),
            Method::POST => self.change(function, named, body, |current| current),
            Method::GET => self.show(function, named),
            Method::DELETE => self.delete(function, named),
            _ => return None,
        })
    }

    /// `base` determines the values that the request does not name from the current ones.
    fn change(
        &self,
        function: &Function,
        named: &Named,
        body: &[u8],
        base: impl Fn(EventConfig) -> EventConfig,
    ) -> Result<Answer, ApiError> {
        function.version(&self.0.world.place, named)?;
        let request: Request = read(body)?;
        let mut config = base(function.settings().event_config(named.config_key()).clone());
        match request.maximum_retry_attempts {
            Some(retries) if retries > 2 => {
                return Err(ApiError::parameter(format!("MaximumRetryAttempts: expected 0 to 2, found {retries}")));
            }
            Some(retries) => config.maximum_retry_attempts = retries,
            None => {}
        }
        match request.maximum_event_age_in_seconds {
            Some(age) if !(60..=21_600).contains(&age) => {
                return Err(ApiError::parameter(format!(
                    "MaximumEventAgeInSeconds: expected 60 to 21600, found {age}"
                )));
            }
            Some(age) => config.maximum_event_age_ms = age * 1000,
            None => {}
        }
        if let Some(destinations) = request.destination_config {
            config.on_failure = self.target("DestinationConfig.OnFailure", destinations.on_failure.destination)?;
        }
        function.change(|settings| {
            settings.event_configs.insert(named.config_key().to_owned(), config);
        });
        self.show(function, named)
    }

    fn show(&self, function: &Function, named: &Named) -> Result<Answer, ApiError> {
        function.version(&self.0.world.place, named)?;
        Ok(say(200, &describe(function, named.config_key())))
    }

    fn delete(&self, function: &Function, named: &Named) -> Result<Answer, ApiError> {
        function.version(&self.0.world.place, named)?;
        function.change(|settings| {
            settings.event_configs.remove(named.config_key());
        });
        Ok(answer(204, &[], Bytes::new()))
    }
}

/// ListFunctionEventInvokeConfigs: those that were set.
pub(super) fn list(function: &Function) -> Answer {
    let settings = function.settings();
    let all: Vec<Value> = settings.event_configs.keys().map(|qualifier| describe(function, qualifier)).collect();
    say(200, &json!({"FunctionEventInvokeConfigs": all}))
}

fn describe(function: &Function, qualifier: &str) -> Value {
    let settings = function.settings();
    let config = settings.event_config(qualifier);
    let mut description = json!({
        "FunctionArn": format!("{}:{qualifier}", function.arn),
        "MaximumRetryAttempts": config.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": config.maximum_event_age_ms / 1000,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    });
    if let Some(queue) = &config.on_failure {
        description["DestinationConfig"]["OnFailure"]["Destination"] = queue.as_str().into();
    }
    description
}
