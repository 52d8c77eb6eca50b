//! Which version this is.

use super::guard;
use std::ffi::{CStr, c_char};

/// Major * 1000000 + minor * 1000 + patch.
pub const LAMBDA_EXECUTOR_VERSION: u32 = 2000;
/// The number in the SONAME.
pub const LAMBDA_EXECUTOR_ABI_VERSION: u32 = 1;

const VERSION_STRING: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(text) => text,
    Err(_) => c"",
};

/// Returns the version of the loaded library, in the form of LAMBDA_EXECUTOR_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_version() -> u32 {
    guard::plain(0, || LAMBDA_EXECUTOR_VERSION)
}

/// Returns the version of the loaded library as text, such as "0.2.0". Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_version_string() -> *const c_char {
    guard::plain(c"".as_ptr(), || VERSION_STRING.as_ptr())
}

/// Returns the ABI of the loaded library. A program that was built with one ABI runs with every
/// later library of the same ABI. The value differs from LAMBDA_EXECUTOR_ABI_VERSION only where a
/// program loads a library that it was not built for.
#[unsafe(no_mangle)]
pub extern "C" fn lambda_executor_abi_version() -> u32 {
    guard::plain(0, || LAMBDA_EXECUTOR_ABI_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_package() {
        let part = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        let (major, minor, patch) = (
            part(env!("CARGO_PKG_VERSION_MAJOR")),
            part(env!("CARGO_PKG_VERSION_MINOR")),
            part(env!("CARGO_PKG_VERSION_PATCH")),
        );
        assert_eq!(LAMBDA_EXECUTOR_VERSION, major * 1_000_000 + minor * 1_000 + patch);
        assert_eq!(VERSION_STRING.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
