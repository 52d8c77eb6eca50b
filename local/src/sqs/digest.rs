//! The checksums that SDKs verify: of a body, and of message attributes in AWS's length-prefixed form.

use super::attribute::{AttributeValue, MessageAttribute};
use md5::{Digest as _, Md5};

/// An MD5 sum, shown in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Digest([u8; 16]);

impl Digest {
    pub(super) fn of_text(text: &str) -> Self {
        Self(Md5::digest(text.as_bytes()).into())
    }

    /// Checksum of attributes sorted by name; `None` if there are none.
    pub(super) fn of_attributes<'a>(sorted: impl Iterator<Item = &'a MessageAttribute>) -> Option<Self> {
        let mut md5 = Md5::new();
        let mut any = false;
        for attribute in sorted {
            any = true;
            add(&mut md5, attribute.name.as_bytes());
            add(&mut md5, attribute.data_type.as_bytes());
            let (tag, value) = match &attribute.value {
                AttributeValue::Text(text) => (1, text.as_bytes()),
                AttributeValue::Binary(bytes) => (2, bytes.as_ref()),
            };
            md5.update([tag]);
            add(&mut md5, value);
        }
        any.then(|| Self(md5.finalize().into()))
    }

    fn hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }
}

fn add(md5: &mut Md5, bytes: &[u8]) {
    // No part is larger than a message, which is at most 1 MiB.
    md5.update((bytes.len() as u32).to_be_bytes());
    md5.update(bytes);
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

/// SHA-256 of a body in hexadecimal: the deduplication id of queues that deduplicate by content.
pub(super) fn content_id(body: &str) -> String {
    use std::fmt::Write as _;
    let mut id = String::with_capacity(64);
    for byte in sha2::Sha256::digest(body.as_bytes()) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(digest: Digest) -> String {
        serde_json::to_string(&digest).unwrap()
    }

    #[test]
    fn bodies_have_the_standard_checksum() {
        assert_eq!(shown(Digest::of_text("hi")), r#""49f68a5c8493ec2c0bf489821c21fc3b""#);
        assert_eq!(shown(Digest::of_text("")), r#""d41d8cd98f00b204e9800998ecf8427e""#);
    }

    #[test]
    fn attributes_have_the_checksum_that_moto_computes() {
        let attributes = [
            MessageAttribute {
                name: "b".into(),
                data_type: "Binary".into(),
                value: AttributeValue::Binary(bytes::Bytes::from_static(&[0, 1])),
            },
            MessageAttribute::number("n", "5"),
        ];
        let digest = Digest::of_attributes(attributes.iter()).unwrap();
        assert_eq!(shown(digest), r#""323ff500ae4fab048bad3edfdb23e904""#);
        assert_eq!(Digest::of_attributes([].iter()), None);
    }

    #[test]
    fn content_ids_are_sha_256() {
        assert_eq!(content_id("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
