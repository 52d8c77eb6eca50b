//! Home folders, from the system's list of users.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};

/// The home folder of a user, or of the user that runs this process. `None` if the user is unknown, or the folder's
/// name is not UTF-8.
pub fn of(user: Option<&str>) -> Option<String> {
    match user {
        Some(name) => {
            let name = CString::new(name).ok()?;
            // SAFETY: `name` is a C string that outlives the call.
            folder(|entry, text, len, found| unsafe { libc::getpwnam_r(name.as_ptr(), entry, text, len, found) })
        }
        // SAFETY: takes no pointers beside those that `folder` passes.
        None => folder(|entry, text, len, found| unsafe { libc::getpwuid_r(libc::getuid(), entry, text, len, found) }),
    }
}

/// Longest entry that is read, in bytes: far beyond any real one.
const LONGEST: usize = 1 << 20;

/// Calls one of the functions that look up a user, with a larger buffer until the answer fits.
fn folder(look_up: impl Fn(*mut libc::passwd, *mut c_char, usize, *mut *mut libc::passwd) -> c_int) -> Option<String> {
    let mut text: Vec<c_char> = vec![0; 1 << 10];
    loop {
        let mut entry = std::mem::MaybeUninit::<libc::passwd>::zeroed();
        let mut found = std::ptr::null_mut();
        match look_up(entry.as_mut_ptr(), text.as_mut_ptr(), text.len(), &mut found) {
            0 if !found.is_null() => {
                // SAFETY: found, so `entry` is filled in, and its strings are in `text`.
                let folder = unsafe { (*found).pw_dir };
                if folder.is_null() {
                    return None;
                }
                // SAFETY: a C string in `text`, which is alive.
                return unsafe { CStr::from_ptr(folder) }.to_str().ok().map(str::to_owned);
            }
            libc::ERANGE if text.len() < LONGEST => text.resize(text.len() * 4, 0),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn known_users_have_homes_and_unknown_ones_none() {
        assert_eq!(of(Some("root")).as_deref(), Some("/root"));
        assert_eq!(of(Some("no such user")), None);
        assert_eq!(of(Some("with\0nul")), None);
        assert_eq!(of(Some("")), None);
    }
}
