//! Where the shared library was loaded from. The programs that belong to it are beside it.

#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The folder of the file that this code was loaded from: the shared library, or the program it is linked into.
pub fn folder() -> Option<PathBuf> {
    let here: fn() -> Option<PathBuf> = folder;
    let mut found = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is ours; the fields that are filled in are static strings, or NULL.
    let name = unsafe {
        if libc::dladdr(here as *const libc::c_void, found.as_mut_ptr()) == 0 {
            return None;
        }
        let name = found.assume_init().dli_fname;
        if name.is_null() {
            return None;
        }
        CStr::from_ptr(name)
    };
    let file = Path::new(OsStr::from_bytes(name.to_bytes()));
    // The loader keeps the name that it was called with, which may be relative.
    file.canonicalize().ok()?.parent().map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_folder_is_that_of_the_test_program() {
        let program = std::env::current_exe().unwrap().canonicalize().unwrap();
        assert_eq!(super::folder().as_deref(), program.parent());
    }
}
