//! Credentials, region, endpoints and time limits for AWS: from an Airflow connection, if Airflow's sources are read,
//! and from the options, which override it.

use super::connection::{self, AwsConnection, Problem};
use super::credentials;
use super::given::Given;
use super::option as o;
use super::option::Opt;
use crate::aws::{Endpoints, Identity};
use crate::runtime::environment::Environment;
use std::time::Duration;

/// The values in force. Errors of the connection are added to `given`.
pub(crate) fn of(given: &mut Given, environment: Option<&Environment>) -> AwsConnection {
    let mut aws = match connection(given, environment) {
        Ok(found) => found.unwrap_or_default(),
        Err(Problem(lines)) => {
            given.wrong_within(lines);
            AwsConnection::default()
        }
    };
    match given.text(&o::CREDENTIALS).map(|text| credentials::read(&text)) {
        None => {}
        // These keys are used as they are: no role is assumed with them.
        Some(Ok(keys)) => aws.identity = Identity { keys: Some(keys), role: None, profile: aws.identity.profile },
        Some(Err(why)) => given.wrong(&o::CREDENTIALS, &why),
    }
    if let Some(region) = given.text(&o::REGION_NAME) {
        aws.region = Some(region);
    }
    if let Some(url) = given.text(&o::ENDPOINT_URL) {
        aws.endpoints = Endpoints::all(&url);
    }
    let duration = |option: &Opt| Duration::from_millis(given.integer(option));
    for (option, time) in
        [(&o::CONNECT_TIMEOUT_MS, &mut aws.connect_timeout), (&o::INVOKE_TIMEOUT_MS, &mut aws.read_timeout)]
    {
        *time = time.filter(|_| !given.has(option)).or_else(|| Some(duration(option)));
    }
    aws
}

fn connection(given: &Given, environment: Option<&Environment>) -> Result<Option<AwsConnection>, Problem> {
    // The local AWS has credentials of its own.
    let Some(environment) = environment.filter(|_| !given.has(&o::LOCAL)) else { return Ok(None) };
    let conn_id = given.text(&o::CONN_ID).unwrap_or_default();
    let team = given.text(&o::TEAM);
    let found = connection::of(environment, &conn_id, team.as_deref())?;
    found.map(|found| AwsConnection::new(&found, environment)).transpose()
}
