//! Whom we trust over TLS, where it is not the system's certificates by the SDK's own client.

use super::{Settings, errors};
use crate::executor::ports::{CallError, Fault};
use crate::runtime::panics;
use aws_sdk_lambda::config::SharedHttpClient;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use std::path::Path;

/// `None` is the SDK's own client.
pub(super) fn http_client(settings: &Settings) -> Result<Option<SharedHttpClient>, CallError> {
    match &settings.ca_bundle {
        Some(path) => bundle(path).map(Some),
        // The system's certificates need not be read, which takes longer than starting the local server.
        None if settings.isolated && settings.endpoints.are_plain() => Ok(Some(trusting_nobody())),
        None if settings.isolated => Ok(Some(client(TrustStore::default()))),
        None => Ok(None),
    }
}

fn provider() -> tls::Provider {
    tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)
}

/// For what is not spoken to over TLS.
pub(super) fn trusting_nobody() -> SharedHttpClient {
    client(TrustStore::empty())
}

fn client(trusted: TrustStore) -> SharedHttpClient {
    let https = Builder::new().tls_provider(provider());
    match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => https.tls_context(context).build_https(),
        Err(_) => https.build_https(),
    }
}

/// Not permanent: the file may be put right while we run, and no task should fail of it.
fn bundle(path: &Path) -> Result<SharedHttpClient, CallError> {
    let wrong = |why: String| {
        let told = format!("the CA bundle {} (verify of the connection) {why}", path.display());
        errors::own(Fault::Identity, "NoCaBundle", told)
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if !contains(&pem, b"-----BEGIN CERTIFICATE-----") {
        return Err(wrong("holds no certificate in PEM form".into()));
    }
    let trusted = TrustStore::empty().with_pem_certificate(pem);
    let context = TlsContext::builder()
        .with_trust_store(trusted.clone())
        .build()
        .map_err(|error| wrong(format!("is not understood: {error}")))?;
    // The SDK reads certificates when it first connects, and panics at one that is broken: better now, and caught.
    let tried = panics::catch(|| drop(Connector::builder().tls_provider(provider()).tls_context(context).build()));
    tried.map_err(|_| wrong("holds a certificate that is broken".into()))?;
    Ok(client(trusted))
}

/// The SDK reads them when it first connects, once a process.
pub(super) fn read_system_certificates() {
    // Without any it panics, and will when it connects: then it is told.
    _ = panics::catch(|| drop(Connector::builder().tls_provider(provider()).build()));
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_told() {
        panics::install_hook();
        let folder = std::env::temp_dir().join(format!("lambda-executor-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ca.pem");
        let told = || bundle(&path).unwrap_err().message;
        assert!(told().contains("ca.pem (verify of the connection) cannot be read: No such file"), "{}", told());
        std::fs::write(&path, "hello").unwrap();
        assert!(told().ends_with("holds no certificate in PEM form"), "{}", told());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(told().ends_with("holds a certificate that is broken"), "{}", told());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
