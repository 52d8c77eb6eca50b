//! Fixed-length names for strings of any length: SHA-256 in lower-case hexadecimal digits.

use sha2::{Digest, Sha256};

/// The name of `text`, 64 characters.
pub(crate) fn hex_digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
