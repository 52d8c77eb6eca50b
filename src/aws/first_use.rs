//! What the SDK makes once a process, when it is first used. Made in advance, where the caller keeps forks away: a child
//! forked while one of our threads is in the middle of it would wait for ever for that thread, which it does not have.

use super::clients::without_network;
use super::{Settings, tls};
use aws_sdk_lambda::config::{ConfigBag, Intercept, RuntimeComponents, interceptors};
use aws_sdk_lambda::error::BoxError;
use aws_sdk_lambda::primitives::Blob;
use once_cell::sync::OnceCell;
use std::io;

/// Goes the way of each kind of call up to the network. Cheap from the second time on.
pub fn first_use(settings: &Settings) -> io::Result<()> {
    static CALLS: OnceCell<()> = OnceCell::new();
    static CERTIFICATES: OnceCell<()> = OnceCell::new();
    CALLS.get_or_try_init(calls)?;
    // The system's, which the local AWS does without.
    if !settings.isolated && settings.ca_bundle.is_none() {
        CERTIFICATES.get_or_init(tls::read_system_certificates);
    }
    Ok(())
}

fn calls() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (lambda, sqs) = without_network(StopBeforeNetwork);
    runtime.block_on(async {
        // Each fails, as it is told to.
        _ = lambda.invoke().function_name("f").payload(Blob::new("{}")).send().await;
        _ = sqs.receive_message().queue_url("https://sqs.us-east-1.amazonaws.com/1/q").send().await;
    });
    Ok(())
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
        Err("far enough".into())
    }
}
