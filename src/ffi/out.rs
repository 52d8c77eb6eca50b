//! Out parameters: always given a defined value, never read.

use super::failure::Failure;
use super::status::*;

/// An out parameter of the caller, set to its "nothing" until it is filled.
pub(super) struct Out<T> {
    to: *mut T,
}

impl<T> Out<T> {
    /// Where the parameter may be NULL.
    ///
    /// # Safety
    /// `to` is NULL or may be written as long as the `Out` lives.
    pub(super) unsafe fn optional(to: *mut T, nothing: T) -> Self {
        if !to.is_null() {
            // SAFETY: not NULL, and writable by the caller's promise. Unaligned, since bindings build these by hand.
            unsafe { to.write_unaligned(nothing) };
        }
        Self { to }
    }

    /// Fills it.
    pub(super) fn set(&self, value: T) {
        if !self.to.is_null() {
            // SAFETY: as in `optional`.
            unsafe { self.to.write_unaligned(value) };
        }
    }

    /// Fills it, unless the caller passed NULL and so would not own the value.
    pub(super) fn set_with(&self, make: impl FnOnce() -> T) {
        if !self.to.is_null() {
            self.set(make());
        }
    }

    /// For parameters that must not be NULL.
    pub(super) fn required(&self, name: &str) -> Result<(), Failure> {
        if self.to.is_null() {
            return Err(Failure::argument(format!("{name} is NULL: it must point to a variable for the result")));
        }
        Ok(())
    }
}

/// A buffer of the caller for text with a NUL, as `describe` and `stats` fill it.
pub(super) struct Buffer {
    to: *mut std::ffi::c_char,
    cap: usize,
}

impl Buffer {
    /// Refuses an impossible one, whether or not there is anything to write.
    ///
    /// # Safety
    /// `to` is NULL or may be written for `cap` bytes as long as the value lives.
    pub(super) unsafe fn new(to: *mut std::ffi::c_char, cap: usize) -> Result<Self, Failure> {
        if to.is_null() && cap != 0 {
            return Err(Failure::argument(format!("buf is NULL, but cap is {cap}")));
        }
        Ok(Self { to, cap })
    }

    /// Writes all of the text or nothing; reports its size in both cases.
    pub(super) fn put(&self, text: &str, needed: &Out<usize>) -> lambda_executor_status_t {
        let size = text.len().saturating_add(1);
        needed.set(size);
        if self.cap < size {
            return LAMBDA_EXECUTOR_BUFFER_TOO_SMALL;
        }
        // SAFETY: the buffer has at least `size` bytes by the promise in `new`, and is not part of `text`.
        unsafe {
            self.to.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            self.to.add(text.len()).write(0);
        }
        LAMBDA_EXECUTOR_OK
    }
}
