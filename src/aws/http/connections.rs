//! The connections of one client. No other client uses them. They may be used on each runtime; the socket of a connection
//! belongs to the runtime that opened it.

use super::connect::{Connector, Destination};
use super::proxy::Proxies;
use super::transfer::Endpoint;
use http::Uri;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by the URL of their origin.
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
    pub(in crate::aws) fn to(&self, url: &str) -> Result<Arc<Endpoint>, String> {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = endpoints.get(url) {
            return Ok(Arc::clone(endpoint));
        }
        let address = format!("{url}/").parse::<Uri>().map_err(|error| format!("{url}: {error}"))?;
        let endpoint = Arc::new(Endpoint::new(Destination::new(address, &self.proxies), self.connector.clone()));
        endpoints.insert(url.to_owned(), Arc::clone(&endpoint));
        Ok(endpoint)
    }
}
