//! The certificates that are trusted over TLS: the system's, or those of a file.

use crate::aws::errors;
use crate::executor::ports::{CallError, Fault};
use once_cell::sync::Lazy;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// The configuration of TLS with the certificates that are trusted.
#[derive(Clone, Debug)]
pub(super) struct Trusted(Arc<ClientConfig>);

/// The system's certificates, read once in the life of the process. Those that cannot be read are left out.
static SYSTEM: Lazy<RootCertStore> = Lazy::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
});

/// Reads the system's certificates, once in the life of the process.
pub(in crate::aws) fn read_system_certificates() {
    Lazy::force(&SYSTEM);
}

impl Trusted {
    /// The system's certificates.
    pub(super) fn system() -> Result<Self, CallError> {
        if SYSTEM.is_empty() {
            let message =
                "no certificate of the system can be used for TLS (set SSL_CERT_FILE, or `verify` of the connection)";
            return Err(errors::call_error(Fault::Identity, "NoCertificates", message.into()));
        }
        Ok(Self::new(SYSTEM.clone()))
    }

    /// The certificates of a file. An error is the fault of [`Fault::Identity`], for which no task fails: the file may be
    /// corrected while the executor runs.
    pub(super) fn bundle(path: &Path) -> Result<Self, CallError> {
        let wrong = |why: String| {
            let message = format!("the CA bundle {} (verify of the connection) {why}", path.display());
            errors::call_error(Fault::Identity, "NoCaBundle", message)
        };
        let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if !contains(&pem, b"-----BEGIN CERTIFICATE-----") {
            return Err(wrong("contains no certificate in PEM form".into()));
        }
        let mut roots = RootCertStore::empty();
        for (number, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
            let broken =
                |error: String| wrong(format!("contains a certificate that is broken, number {}: {error}", number + 1));
            let certificate = certificate.map_err(|error| broken(error.to_string()))?;
            roots.add(certificate).map_err(|error| broken(error.to_string()))?;
        }
        Ok(Self::new(roots))
    }

    /// No certificates: no connection can use TLS.
    pub(super) fn nothing() -> Self {
        Self::new(RootCertStore::empty())
    }

    fn new(roots: RootCertStore) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .unwrap_or_else(|error| unreachable!("ring has ciphers for rustls's own versions of TLS: {error}"));
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }

    pub(super) fn client_config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_reported() {
        let folder = std::env::temp_dir().join(format!("lambda-executor-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ca.pem");
        let message = || Trusted::bundle(&path).unwrap_err().message;
        assert!(message().contains("ca.pem (verify of the connection) cannot be read: No such file"), "{}", message());
        std::fs::write(&path, "hello").unwrap();
        assert!(message().ends_with("contains no certificate in PEM form"), "{}", message());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(message().contains("contains a certificate that is broken, number 1: "), "{}", message());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
