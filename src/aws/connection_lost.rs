//! An error of the HTTP client that leaves open whether AWS has taken a request.

use aws_smithy_runtime_api::client::result::ConnectorError;
use std::error::Error;
use std::fmt;

/// The request was handed to a connection, which failed before an answer came: AWS may have taken it.
#[derive(Debug)]
pub(super) struct ConnectionLost(pub(super) ConnectorError);

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for ConnectionLost {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
