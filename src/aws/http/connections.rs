//! The connections of one client. Clients share none, because each service is called on a runtime of its own.

use super::connect::{Connector, Destination};
use super::proxy::Proxies;
use super::transfer::Endpoint;
use http::Uri;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by origin: `http://host` or `https://host`, with the port if it is not the scheme's.
#[derive(Debug)]
pub(in crate::aws) struct Connections {
    connector: Connector,
    proxies: Proxies,
    endpoints: Mutex<HashMap<String, Arc<Endpoint>>>,
}

impl Connections {
    pub(super) fn new(connector: Connector, proxies: Proxies) -> Self {
        Self { connector, proxies, endpoints: Mutex::default() }
    }

    /// The connections of an origin. An error says what is wrong with it.
    pub(in crate::aws) fn to(&self, origin: &str) -> Result<Arc<Endpoint>, String> {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = endpoints.get(origin) {
            return Ok(Arc::clone(endpoint));
        }
        let address = format!("{origin}/").parse::<Uri>().map_err(|error| format!("{origin}: {error}"))?;
        let endpoint = Arc::new(Endpoint::new(Destination::new(address, &self.proxies), self.connector.clone()));
        endpoints.insert(origin.to_owned(), Arc::clone(&endpoint));
        Ok(endpoint)
    }
}
