//! What the SDK makes once a process, when it is first used. Made in advance, on a thread that forks are kept away from: a
//! child that is forked while another thread makes it would wait for ever for that thread, which the child does not have.

use super::clients::without_network;
use super::{Settings, http};
use aws_sdk_lambda::config::{ConfigBag, Intercept, RuntimeComponents, interceptors};
use aws_sdk_lambda::error::BoxError;
use aws_sdk_lambda::primitives::Blob;
use once_cell::sync::OnceCell;
use std::io;

/// Runs each kind of call up to the point where it would use the network. Cheap from the second time on.
///
/// Lambda, SQS and STS have endpoint rules of their own, each made on first use. SSO's are not reachable from here: a
/// process that forks while another thread reads the first credentials of an SSO profile must not use that profile in
/// the child.
pub fn first_use(settings: &Settings) -> io::Result<()> {
    static CALLS: OnceCell<()> = OnceCell::new();
    static CERTIFICATES: OnceCell<()> = OnceCell::new();
    CALLS.get_or_try_init(calls)?;
    // The system's certificates, which the local AWS does not need.
    if !settings.isolated && settings.ca_bundle.is_none() {
        CERTIFICATES.get_or_init(http::read_system_certificates);
    }
    Ok(())
}

fn calls() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let (lambda, sqs, sts) = without_network(StopBeforeNetwork).map_err(io::Error::other)?;
        // Each of them fails, as intended.
        _ = lambda.invoke().function_name("f").payload(Blob::new("{}")).send().await;
        _ = sqs.receive_message().queue_url("https://sqs.us-east-1.amazonaws.com/1/q").send().await;
        _ = sts.assume_role().role_arn("arn:aws:iam::1:role/r").role_session_name("s").send().await;
        Ok(())
    })
}

/// Ends a call when it is signed and not yet sent.
#[derive(Clone, Debug)]
pub(super) struct StopBeforeNetwork;

impl Intercept for StopBeforeNetwork {
    fn name(&self) -> &'static str {
        "StopBeforeNetwork"
    }

    fn read_before_transmit(
        &self,
        _: &interceptors::BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Err("stopped before the network".into())
    }
}
