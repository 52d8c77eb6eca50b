//! One function: its settings, versions, aliases and description.

use super::dispatcher::{Dispatcher, Message};
use super::error::ApiError;
use super::name::{Named, Place};
use super::settings::{Runner, Settings, World};
use crate::function_state::FunctionState;
use crate::job::{Job, LATEST};
use crate::signature::utc_timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// A function, shared between requests. Its dispatcher runs its events.
#[derive(Debug)]
pub(crate) struct Function {
    name: String,
    pub(crate) arn: Arc<str>,
    settings: watch::Sender<Arc<Settings>>,
    events: mpsc::UnboundedSender<Message>,
    published: Mutex<Published>,
    last_modified: String,
    revision: String,
}

/// The versions and aliases. Versions are only numbers: all of them run with the newest code and settings.
#[derive(Debug, Default)]
struct Published {
    /// The newest number.
    newest: u64,
    /// The versions that are not deleted.
    versions: BTreeSet<u64>,
    aliases: BTreeMap<String, String>,
}

impl Function {
    /// Starts a function. Its task and its sandboxes end when the function is dropped.
    pub(crate) fn start(world: &Arc<World>, name: &str, settings: Settings) -> (Arc<Self>, JoinHandle<()>) {
        let arn: Arc<str> = world.place.arn(name).into();
        let (settings, changes) = watch::channel(Arc::new(settings));
        let (events, inbox) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::new(world.clone(), arn.clone(), changes, inbox, events.clone());
        let task = tokio::spawn(dispatcher.run());
        let function = Self {
            name: name.to_owned(),
            arn,
            settings,
            events,
            published: Mutex::default(),
            last_modified: utc_timestamp(world.host.clock.now()).replace('Z', "+0000"),
            revision: world.host.random.uuid(),
        };
        (Arc::new(function), task)
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.borrow().clone()
    }

    /// The current state. Faults may override the function's own.
    pub(crate) fn state(&self, world: &World) -> FunctionState {
        world.faults.active().function_state(&self.name).unwrap_or_else(|| self.settings().state)
    }

    /// Changes the settings for all runs that start from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.settings.send_modify(|settings| change(Arc::make_mut(settings)));
    }

    /// Passes an event to the dispatcher.
    pub(crate) fn submit(&self, job: Job) -> Result<(), ApiError> {
        let gone = |_| ApiError::function_not_found(&self.arn);
        self.events.send(Message::Invoke(job)).map_err(gone)
    }

    /// The version that a qualifier refers to.
    pub(crate) fn version(&self, place: &Place, named: &Named) -> Result<Arc<str>, ApiError> {
        let Some(qualifier) = named.qualifier.as_deref().filter(|qualifier| *qualifier != LATEST) else {
            return Ok(LATEST.into());
        };
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let is_version = qualifier.parse().is_ok_and(|version: u64| published.versions.contains(&version));
        if is_version {
            return Ok(qualifier.into());
        }
        let alias = published.aliases.get(qualifier).map(|version| version.as_str().into());
        alias.ok_or_else(|| ApiError::function_not_found(&place.qualified_arn(named)))
    }

    /// Publishes a version and returns its number.
    pub(crate) fn publish(&self) -> String {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.newest += 1;
        let version = published.newest;
        published.versions.insert(version);
        version.to_string()
    }

    /// Deletes the version that the qualifier names.
    pub(crate) fn delete_version(&self, place: &Place, named: &Named) -> Result<(), ApiError> {
        let version = self.version(place, named)?;
        let qualifier = named.qualifier.as_deref().unwrap_or(LATEST);
        let number: u64 = qualifier.parse().map_err(|_| {
            ApiError::parameter(format!("Qualifier: expected the number of a version to delete, found {qualifier}"))
        })?;
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((alias, _)) = published.aliases.iter().find(|(_, target)| **target == *version) {
            return Err(ApiError::conflict(format!(
                "Version {number} cannot be deleted: the alias {alias} refers to it"
            )));
        }
        published.versions.remove(&number);
        drop(published);
        self.change(|settings| {
            settings.event_configs.remove(qualifier);
        });
        Ok(())
    }

    /// Creates an alias of a version.
    pub(crate) fn create_alias(&self, place: &Place, alias: &str, version: &str) -> Result<Value, ApiError> {
        let named = Named { name: self.name.clone(), qualifier: Some(version.to_owned()) };
        let version = self.version(place, &named)?.to_string();
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if published.aliases.contains_key(alias) {
            return Err(ApiError::conflict(format!("Alias already exists: {}:{alias}", self.arn)));
        }
        published.aliases.insert(alias.to_owned(), version);
        self.describe_alias(&published, alias)
    }

    /// An alias, as GetAlias returns it.
    pub(crate) fn alias(&self, alias: &str) -> Result<Value, ApiError> {
        self.describe_alias(&self.published.lock().unwrap_or_else(PoisonError::into_inner), alias)
    }

    fn describe_alias(&self, published: &Published, alias: &str) -> Result<Value, ApiError> {
        let arn = format!("{}:{alias}", self.arn);
        let version = published.aliases.get(alias);
        let version = version.ok_or_else(|| ApiError::not_found(format!("Cannot find alias arn: {arn}")))?;
        Ok(json!({
            "AliasArn": arn,
            "Name": alias,
            "FunctionVersion": version,
            "Description": "",
            "RevisionId": self.revision,
        }))
    }

    /// The configuration, as GetFunctionConfiguration returns it.
    pub(crate) fn describe(&self, world: &World, named: &Named) -> Result<Value, ApiError> {
        let version = self.version(&world.place, named)?;
        let settings = self.settings();
        let state = self.state(world);
        let mut description = json!({
            "FunctionName": self.name,
            "FunctionArn": world.place.qualified_arn(named),
            "Runtime": "provided.al2023",
            "Role": settings.role,
            "Handler": settings.handler_name,
            "CodeSize": 0,
            "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "Description": settings.description,
            "Timeout": settings.timeout_ms.div_ceil(1000),
            "MemorySize": settings.memory_mb,
            "LastModified": self.last_modified,
            "Version": &*version,
            "TracingConfig": {"Mode": "PassThrough"},
            "RevisionId": self.revision,
            "State": state.name(),
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": [if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }],
            "EphemeralStorage": {"Size": 512},
        });
        if let Some((reason, code)) = state.reason() {
            description["StateReason"] = reason.into();
            description["StateReasonCode"] = code.into();
        }
        if !settings.env.is_empty() {
            description["Environment"] = json!({"Variables": settings.env});
        }
        if let Some(queue) = &settings.dead_letter_queue {
            description["DeadLetterConfig"] = json!({"TargetArn": queue});
        }
        Ok(description)
    }

    /// The answer of GetFunction.
    pub(crate) fn describe_with_code(&self, world: &World, named: &Named) -> Result<Value, ApiError> {
        let mut whole = Map::new();
        whole.insert("Configuration".into(), self.describe(world, named)?);
        let location = match &self.settings().runner {
            Runner::Builtin(_) => "builtin".to_owned(),
            Runner::Command(command) => command.join(" "),
        };
        whole.insert("Code".into(), json!({"RepositoryType": "local", "Location": location}));
        if let Some(reserved) = self.settings().reserved_concurrency {
            whole.insert("Concurrency".into(), json!({"ReservedConcurrentExecutions": reserved}));
        }
        Ok(whole.into())
    }
}
