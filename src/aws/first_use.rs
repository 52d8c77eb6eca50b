//! What the SDK makes once a process, when it is first used. Made in advance, on a thread that forks are kept away from: a
//! child that is forked while another thread makes it would wait for ever for that thread, which the child does not have.

use super::clients::DryClients;
use super::{Settings, http};
use aws_sdk_lambda::config::{ConfigBag, Intercept, RuntimeComponents, interceptors};
use aws_sdk_lambda::error::BoxError;
use aws_sdk_lambda::primitives::Blob;
use once_cell::sync::OnceCell;
use std::io;

/// Runs each kind of call up to the point where it would use the network. Cheap from the second time on.
///
/// Each service has endpoint rules of its own, which are made at its first call.
pub fn first_use(settings: &Settings) -> io::Result<()> {
    static CALLS: OnceCell<()> = OnceCell::new();
    static CERTIFICATES: OnceCell<()> = OnceCell::new();
    CALLS.get_or_try_init(|| calls(StopBeforeNetwork))?;
    // The system's certificates, which the local AWS does not need.
    if !settings.isolated && settings.ca_bundle.is_none() {
        CERTIFICATES.get_or_init(http::read_system_certificates);
    }
    Ok(())
}

fn calls(stop: impl Intercept + Clone + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let DryClients { lambda, sqs, sts, sso, oidc } = DryClients::new(stop);
        // Each of them fails, as intended.
        _ = lambda.invoke().function_name("f").payload(Blob::new("{}")).customize().send().await;
        _ = sqs.receive_message().queue_url("https://sqs.us-east-1.amazonaws.com/1/q").customize().send().await;
        _ = sts.assume_role().role_arn("arn:aws:iam::1:role/r").role_session_name("s").customize().send().await;
        _ = sso.get_role_credentials().role_name("r").account_id("1").access_token("t").customize().send().await;
        _ = oidc.create_token().client_id("c").client_secret("s").grant_type("refresh_token").customize().send().await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts calls that were signed.
    #[derive(Clone, Debug, Default)]
    struct Counting(Arc<AtomicUsize>);

    impl Intercept for Counting {
        fn name(&self) -> &'static str {
            "Counting"
        }

        fn read_before_transmit(
            &self,
            context: &interceptors::BeforeTransmitInterceptorContextRef<'_>,
            components: &RuntimeComponents,
            config: &mut ConfigBag,
        ) -> Result<(), BoxError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            StopBeforeNetwork.read_before_transmit(context, components, config)
        }
    }

    #[test]
    fn a_call_of_each_service_gets_as_far_as_the_network() {
        let counting = Counting::default();
        calls(counting.clone()).unwrap();
        assert_eq!(counting.0.load(Ordering::Relaxed), 5);
    }
}
