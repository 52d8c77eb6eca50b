//! The certificates that are trusted over TLS: the system's, or those of a file.

use crate::aws::errors;
use crate::executor::ports::{CallError, Fault};
use crate::runtime::panics;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use once_cell::sync::Lazy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// The certificates that are trusted.
#[derive(Clone, Debug)]
pub(in crate::aws) enum Trusted {
    /// The system's.
    System,
    /// Those of a file in PEM form.
    Bundle(Arc<[u8]>),
    /// None: no connection uses TLS.
    Nothing,
}

/// The system's certificates, read once in the life of the process. The SDK has a copy of its own.
static SYSTEM: Lazy<Vec<CertificateDer<'static>>> = Lazy::new(|| rustls_native_certs::load_native_certs().certs);

impl Trusted {
    /// For the SDK.
    pub(super) fn store(&self) -> TrustStore {
        match self {
            Self::System => TrustStore::default(),
            Self::Bundle(pem) => TrustStore::empty().with_pem_certificate(pem.to_vec()),
            Self::Nothing => TrustStore::empty(),
        }
    }

    /// For connections that are not the SDK's.
    pub(in crate::aws) fn client_config(&self) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::System => _ = roots.add_parsable_certificates(SYSTEM.iter().cloned()),
            Self::Bundle(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|error| error.to_string())?;
                    roots.add(certificate).map_err(|error| error.to_string())?;
                }
            }
            Self::Nothing => {}
        }
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        Ok(config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
    }
}

pub(super) fn provider() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

pub(super) fn context(trusted: &TrustStore) -> Result<TlsContext, String> {
    TlsContext::builder().with_trust_store(trusted.clone()).build().map_err(|error| error.to_string())
}

/// The system's certificates. The SDK reads them once in the life of the process.
pub(super) fn system() -> Result<Trusted, CallError> {
    let trusted = Trusted::System;
    check(&trusted.store()).map_err(|_| {
        let message =
            "no certificate of the system can be used for TLS (set SSL_CERT_FILE, or `verify` of the connection)";
        errors::call_error(Fault::Identity, "NoCertificates", message.into())
    })?;
    Ok(trusted)
}

/// The certificates of a file. An error is the fault of [`Fault::Identity`], for which no task fails: the file may be
/// corrected while the executor runs.
pub(super) fn bundle(path: &Path) -> Result<Trusted, CallError> {
    let wrong = |why: String| {
        let message = format!("the CA bundle {} (verify of the connection) {why}", path.display());
        errors::call_error(Fault::Identity, "NoCaBundle", message)
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if !contains(&pem, b"-----BEGIN CERTIFICATE-----") {
        return Err(wrong("contains no certificate in PEM form".into()));
    }
    let trusted = Trusted::Bundle(pem.into());
    check(&trusted.store()).map_err(|_| wrong("contains a certificate that is broken".into()))?;
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
    Lazy::force(&SYSTEM);
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
