//! A certificate for 127.0.0.1 and localhost that vouches for itself, made here: no file with a key is kept.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// Objects of X.509 in DER: 1.2.840.10045.4.3.2, 1.2.840.10045.2.1, 1.2.840.10045.3.1.7, 2.5.4.3, 2.5.29.17.
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 6;
const BITS: u8 = 3;

/// The certificate in PEM form, and a server's configuration that shows it.
pub(super) fn make() -> (String, Arc<ServerConfig>) {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap();

    let algorithm = der(SEQUENCE, &der(OBJECT, ECDSA_WITH_SHA256));
    let common_name = der(SEQUENCE, &[der(OBJECT, COMMON_NAME), der(0x0c, b"test")].concat());
    let name = der(SEQUENCE, &der(SET, &common_name));
    let validity = der(SEQUENCE, &[der(0x17, b"200101000000Z"), der(0x18, b"21200101000000Z")].concat());
    let kind = der(SEQUENCE, &[der(OBJECT, EC_PUBLIC_KEY), der(OBJECT, P256)].concat());
    let public = der(SEQUENCE, &[kind, bits(pair.public_key().as_ref())].concat());
    let names = der(SEQUENCE, &[der(0x87, &[127, 0, 0, 1]), der(0x82, b"localhost")].concat());
    let extension = der(SEQUENCE, &[der(OBJECT, ALTERNATIVE_NAMES), der(4, &names)].concat());
    let extensions = der(0xa3, &der(SEQUENCE, &extension));
    let version = der(0xa0, &der(2, &[2]));
    let serial = der(2, &[1]);
    let parts = [version, serial, algorithm.clone(), name.clone(), validity, name, public, extensions];
    let signed = der(SEQUENCE, &parts.concat());
    let signature = pair.sign(&random, &signed).unwrap();
    let certificate = der(SEQUENCE, &[signed, algorithm, bits(signature.as_ref())].concat());

    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &certificate);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivatePkcs8KeyDer::from(key.as_ref().to_vec());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], key.into())
        .unwrap();
    (pem, Arc::new(config))
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        Ok(byte) => bytes.extend([0x81, byte]),
        Err(_) => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(content);
    bytes
}

fn bits(content: &[u8]) -> Vec<u8> {
    der(BITS, &[&[0], content].concat())
}
