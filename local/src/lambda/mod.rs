//! A local Lambda: functions, their versions and aliases, Invoke, and asynchronous events.
//!
//! From the outside in: [`api`] reads requests. [`invoke`] and [`event_config`] are operations. [`function`] has the
//! settings of a function; [`dispatcher`] runs its events. [`backlog`] holds waiting events, [`pool`] warm sandboxes,
//! and [`failure`] sends events that are given up.
//!
//! Not supported: layers, images, code signing, function URLs, event source mappings, on-success destinations. Versions
//! and aliases are only names: all run with the newest settings.

mod api;
mod backlog;
mod builtin;
mod dispatcher;
mod error;
mod event_config;
mod failure;
mod function;
mod invoke;
mod json;
mod name;
mod pool;
mod settings;

pub(crate) use error::ApiError;
pub(crate) use name::Place;
pub(crate) use settings::{EventConfig, Runner, Settings, World};

use function::Function;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::task::JoinHandle;

/// The service. Clones are the same service.
#[derive(Clone, Debug)]
pub(crate) struct Lambda(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Arc<World>,
    /// Defaults of CreateFunction, from the options.
    defaults: Settings,
    functions: RwLock<BTreeMap<String, Arc<Function>>>,
    /// The dispatchers of all functions, deleted ones included. `stop` waits for them.
    dispatchers: Mutex<Vec<JoinHandle<()>>>,
}

impl Lambda {
    /// A service without functions. `defaults` are the settings that a function has by default.
    pub(crate) fn new(world: Arc<World>, defaults: Settings) -> Self {
        Self(Arc::new(Inner { world, defaults, functions: RwLock::default(), dispatchers: Mutex::default() }))
    }

    /// Creates a function. Must be called inside the runtime.
    pub(crate) fn create(&self, name: &str, settings: Settings) -> Result<(), ApiError> {
        let mut functions = self.0.functions.write().unwrap_or_else(PoisonError::into_inner);
        if functions.contains_key(name) {
            return Err(ApiError::conflict(format!("Function already exist: {name}")));
        }
        let (function, dispatcher) = Function::start(&self.0.world, name, settings);
        functions.insert(name.to_owned(), function);
        let mut dispatchers = self.0.dispatchers.lock().unwrap_or_else(PoisonError::into_inner);
        dispatchers.retain(|task| !task.is_finished());
        dispatchers.push(dispatcher);
        Ok(())
    }

    /// Deletes all functions, and waits until their handlers have ended.
    pub(crate) async fn stop(&self) {
        self.0.functions.write().unwrap_or_else(PoisonError::into_inner).clear();
        let tasks = std::mem::take(&mut *self.0.dispatchers.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A dispatcher that panicked has dropped its sandboxes, which ended them.
            let _ = task.await;
        }
    }

    fn function(&self, name: &str) -> Option<Arc<Function>> {
        self.0.functions.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}
