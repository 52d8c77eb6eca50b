//! Calls that do not read the environment. The SDK reads it in each call, for the user agent (`AWS_EXECUTION_ENV`), for a
//! function that calls itself in a loop (`_X_AMZN_TRACE_ID`), and for its log (`LOG_SENSITIVE_BODIES`). Here the first two
//! come from the snapshot, and the third is not read.

use crate::runtime::environment::Environment;
use aws_runtime::user_agent::{ApiMetadata, AwsUserAgent};
use aws_sdk_lambda::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_lambda::config::{AppName, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_lambda::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::SensitiveOutput;
use aws_types::os_shim_internal::Env;

const TRACE_ID: &str = "x-amzn-trace-id";

/// Interceptor for a client. The SDK runs it after its own in each phase.
#[derive(Clone, Debug)]
pub(super) struct WithoutEnvironment {
    env: Env,
    /// Trace of the invocation of Lambda in which we run.
    trace_id: Option<String>,
}

impl WithoutEnvironment {
    pub(super) fn new(environment: &Environment) -> Self {
        let in_lambda = environment.text("AWS_LAMBDA_FUNCTION_NAME").is_some();
        let trace_id = environment.text("_X_AMZN_TRACE_ID").filter(|_| in_lambda).map(str::to_owned);
        Self { env: environment.for_sdk(), trace_id }
    }
}

impl Intercept for WithoutEnvironment {
    fn name(&self) -> &'static str {
        "WithoutEnvironment"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The SDK makes a user agent only where there is none.
        if let Some(api) = config.load::<ApiMetadata>().cloned() {
            let mut agent = AwsUserAgent::new_from_environment(self.env.clone(), api);
            if let Some(name) = config.load::<AppName>().cloned() {
                agent.set_app_name(name);
            }
            config.interceptor_state().store_put(agent);
        }
        // Without this mark the SDK logs bodies at TRACE, a level that our log does not take from it.
        config.interceptor_state().unset::<SensitiveOutput>();
        Ok(())
    }

    /// The SDK looks for a trace only in a request that has none.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().insert(TRACE_ID, "-");
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.remove(TRACE_ID);
        if let Some(trace_id) = &self.trace_id {
            headers.try_append(TRACE_ID, trace_id.clone())?;
        }
        Ok(())
    }
}
