//! Strings of the caller: pointer and length, NULL rules, UTF-8.

use super::failure::Failure;
use std::ffi::{CStr, c_char};
use std::fmt::Display;

//: /** As the length of a string: it ends at its NUL. */
//: #define LAMBDA_EXECUTOR_NUL ((size_t)-1)
//:
/// LAMBDA_EXECUTOR_NUL of the header; cbindgen cannot express it.
pub(super) const NUL: usize = usize::MAX;

/// A string: `len` bytes at `ptr`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_str_t {
    /// First byte. NULL is an empty string in strings in; in strings out it is never NULL.
    pub ptr: *const c_char,
    /// Number of bytes, without the NUL that follows in strings out. In strings in, also
    /// LAMBDA_EXECUTOR_NUL.
    pub len: usize,
}

//: /** A string literal as a lambda_executor_str_t, in C99, C++11 and later. */
//: #ifdef __cplusplus
//: #define LAMBDA_EXECUTOR_STR(literal) (lambda_executor_str_t{"" literal, sizeof("" literal) - 1})
//: #else
//: #define LAMBDA_EXECUTOR_STR(literal) \
//:   ((lambda_executor_str_t){"" literal, sizeof("" literal) - 1})
//: #endif
//:
//: /** A NUL-terminated string as a lambda_executor_str_t; NULL is an empty string. */
//: static LAMBDA_EXECUTOR_INLINE lambda_executor_str_t lambda_executor_str(const char *text) {
//:   lambda_executor_str_t str;
//:   str.ptr = text;
//:   str.len = LAMBDA_EXECUTOR_NUL;
//:   return str;
//: }
//:
/// The text at `ptr`; `None` for NULL. `what` names it in the error.
///
/// # Safety `ptr` is NULL or may be read for `len` bytes, or up to a NUL where `len` is `NUL`, as
/// long as `'a`.
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
            "{what} has a length of {len} bytes, more than any string (for a NUL-terminated one pass LAMBDA_EXECUTOR_NUL)"
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

/// Longest key.
pub(super) const MAX_KEY_BYTES: usize = 8192;

/// A task's key: 1 to 8192 bytes without a NUL, which no function could receive.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn key<'a>(ptr: *const c_char, len: usize) -> Result<&'a str, Failure> {
    // SAFETY: passed on from the caller.
    let key = unsafe { text(ptr, len, "key") }?.unwrap_or_default();
    match key.len() {
        0 => return Err(Failure::argument("key is empty (1 to 8192 bytes are allowed)")),
        1..=MAX_KEY_BYTES => {}
        size => return Err(Failure::argument(format!("key has {size} bytes (1 to {MAX_KEY_BYTES} are allowed)"))),
    }
    match key.find('\0') {
        Some(at) => Err(Failure::argument(format!("key has a NUL byte at offset {at}, which no key can have"))),
        None => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], len: usize) -> Result<Option<String>, String> {
        // SAFETY: the slices below have `len` bytes, or a NUL.
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
    fn invalid_strings_are_reported() {
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
        // SAFETY: `len` is at most the length of `long`.
        let size = |len| unsafe { key(long.as_ptr().cast(), len) }.map(str::len);
        assert!(size(0).is_err());
        assert!(size(1).is_ok() && size(8192).is_ok());
        assert!(size(8193).is_err());
    }

    #[test]
    fn a_key_with_a_nul_is_refused() {
        // SAFETY: as long as the literals.
        let read = |bytes: &[u8]| unsafe { key(bytes.as_ptr().cast(), bytes.len()) }.map_err(|error| error.to_string());
        assert_eq!(read(b"a\0b"), Err("key has a NUL byte at offset 1, which no key can have".into()));
        assert!(read(b"ab\0").is_err() && read(b"\0").is_err());
    }
}
