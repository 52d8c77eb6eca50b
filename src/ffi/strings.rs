//! Strings of the caller: pointer and length, NULL rules, UTF-8.

use super::failure::Failure;
use super::types::lambda_executor_str_t;
use std::ffi::{CStr, c_char};
use std::fmt::Display;

/// LAMBDA_EXECUTOR_NUL of the header; cbindgen cannot express it.
pub(super) const NUL: usize = usize::MAX;

/// The text at `ptr`; `None` for NULL. `what` names it in the error.
///
/// # Safety
/// `ptr` is NULL or may be read for `len` bytes, or up to a NUL where `len` is `NUL`, as long as `'a`.
pub(super) unsafe fn text<'a>(ptr: *const c_char, len: usize, what: impl Display) -> Result<Option<&'a str>, Failure> {
    if ptr.is_null() {
        return match len {
            0 | NUL => Ok(None),
            _ => Err(Failure::argument(format!("{what} is NULL, but its length is {len}"))),
        };
    }
    let bytes = if len == NUL {
        // SAFETY: not NULL, and the caller says that there is a NUL.
        unsafe { CStr::from_ptr(ptr) }.to_bytes()
    } else if isize::try_from(len).is_ok() {
        // SAFETY: not NULL, readable for `len` bytes by the caller's promise, and no object is larger than isize::MAX.
        unsafe { std::slice::from_raw_parts(ptr.cast::<u8>(), len) }
    } else {
        return Err(Failure::argument(format!(
            "{what} has a length of {len} bytes, which cannot be (for a NUL-terminated string pass LAMBDA_EXECUTOR_NUL)"
        )));
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            Err(Failure::argument(format!("{what} is not UTF-8: byte 0x{byte:02x} at offset {at}")))
        }
    }
}

/// The same for a string inside a struct; NULL is the empty string.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn field<'a>(string: lambda_executor_str_t, what: impl Display) -> Result<&'a str, Failure> {
    // SAFETY: passed on from the caller.
    unsafe { text(string.ptr, string.len, what) }.map(Option::unwrap_or_default)
}

/// A task's key: 1 to 8192 bytes.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn key<'a>(ptr: *const c_char, len: usize) -> Result<&'a str, Failure> {
    const MAX_BYTES: usize = 8192;
    // SAFETY: passed on from the caller.
    let key = unsafe { text(ptr, len, "key") }?.unwrap_or_default();
    match key.len() {
        0 => Err(Failure::argument("key is empty (1 to 8192 bytes are allowed)")),
        1..=MAX_BYTES => Ok(key),
        size => Err(Failure::argument(format!("key has {size} bytes (1 to {MAX_BYTES} are allowed)"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], len: usize) -> Result<Option<String>, String> {
        // SAFETY: the slices below are as long as told, or have a NUL.
        unsafe { text(bytes.as_ptr().cast(), len, "name") }
            .map(|text| text.map(str::to_owned))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_length_or_a_nul_ends_a_string() {
        assert_eq!(read(b"abc\0def", 2), Ok(Some("ab".into())));
        assert_eq!(read(b"abc\0def", 7), Ok(Some("abc\0def".into())));
        assert_eq!(read(b"abc\0def\0", NUL), Ok(Some("abc".into())));
        assert_eq!(read(b"abc", 0), Ok(Some(String::new())));
    }

    #[test]
    fn what_is_not_a_string_is_told() {
        assert_eq!(read(b"ab\xff", 3), Err("name is not UTF-8: byte 0xff at offset 2".into()));
        assert!(read(b"ab", usize::MAX - 1).is_err_and(|message| message.contains("LAMBDA_EXECUTOR_NUL")));
        // SAFETY: NULL is never read.
        let null = |len| unsafe { text(std::ptr::null(), len, "name") };
        assert!(matches!((null(0), null(NUL)), (Ok(None), Ok(None))));
        assert!(null(1).is_err_and(|failure| failure.to_string() == "name is NULL, but its length is 1"));
    }

    #[test]
    fn keys_have_a_size() {
        let long = "k".repeat(8193);
        // SAFETY: as long as told.
        let size = |len| unsafe { key(long.as_ptr().cast(), len) }.map(str::len);
        assert!(size(0).is_err());
        assert!(size(1).is_ok() && size(8192).is_ok());
        assert!(size(8193).is_err());
    }
}
