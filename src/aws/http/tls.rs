//! The certificates that are trusted over TLS: the system's, or those of a file.

use crate::aws::errors;
use crate::executor::ports::{CallError, Fault};
use crate::runtime::panics;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use std::path::Path;

pub(super) fn provider() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

pub(super) fn context(trusted: &TrustStore) -> Result<TlsContext, String> {
    TlsContext::builder().with_trust_store(trusted.clone()).build().map_err(|error| error.to_string())
}

/// The system's certificates. The SDK reads them once in the life of the process.
pub(super) fn system() -> Result<TrustStore, CallError> {
    let trusted = TrustStore::default();
    check(&trusted).map_err(|_| {
        let message =
            "no certificate of the system can be used for TLS (set SSL_CERT_FILE, or `verify` of the connection)";
        errors::call_error(Fault::Identity, "NoCertificates", message.into())
    })?;
    Ok(trusted)
}

/// The certificates of a file. An error is the fault of [`Fault::Identity`], for which no task fails: the file may be
/// corrected while the executor runs.
pub(super) fn bundle(path: &Path) -> Result<TrustStore, CallError> {
    let wrong = |why: String| {
        let message = format!("the CA bundle {} (verify of the connection) {why}", path.display());
        errors::call_error(Fault::Identity, "NoCaBundle", message)
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if !contains(&pem, b"-----BEGIN CERTIFICATE-----") {
        return Err(wrong("contains no certificate in PEM form".into()));
    }
    let trusted = TrustStore::empty().with_pem_certificate(pem);
    check(&trusted).map_err(|_| wrong("contains a certificate that is broken".into()))?;
    Ok(trusted)
}

/// The SDK reads certificates when it makes a connector, and panics where one is broken or none is there: found here,
/// and caught.
fn check(trusted: &TrustStore) -> Result<(), String> {
    let context = context(trusted)?;
    panics::catch(|| drop(Connector::builder().tls_provider(provider()).tls_context(context).build()))
}

/// Reads the system's certificates, once in the life of the process.
pub(in crate::aws) fn read_system_certificates() {
    // Without certificates this fails, and so does the first call, which reports it.
    _ = check(&TrustStore::default());
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_reported() {
        panics::install_hook();
        let folder = std::env::temp_dir().join(format!("lambda-executor-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ca.pem");
        let message = || bundle(&path).unwrap_err().message;
        assert!(message().contains("ca.pem (verify of the connection) cannot be read: No such file"), "{}", message());
        std::fs::write(&path, "hello").unwrap();
        assert!(message().ends_with("contains no certificate in PEM form"), "{}", message());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(message().ends_with("contains a certificate that is broken"), "{}", message());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
