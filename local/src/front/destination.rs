//! The service that a request is for.

use crate::faults::{Active, FaultRates};
use http::request::Parts;

/// The service that a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Destination<'a> {
    Lambda,
    /// SQS, with the operation.
    Sqs(&'a str),
}

impl<'a> Destination<'a> {
    /// SQS requests name their operation in a header. Lambda's paths start with the date of the API version.
    pub(super) fn of(parts: &'a Parts) -> Option<Self> {
        if let Some(target) = parts.headers.get("x-amz-target") {
            return target.to_str().ok()?.strip_prefix("AmazonSQS.").map(Self::Sqs);
        }
        parts.uri.path().starts_with("/20").then_some(Self::Lambda)
    }

    /// The service's name in signatures.
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sqs(_) => "sqs",
        }
    }

    pub(super) fn rates(self, active: &Active) -> FaultRates {
        match self {
            Self::Lambda => active.faults.lambda,
            Self::Sqs(_) => active.faults.sqs,
        }
    }
}
