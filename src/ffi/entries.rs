//! Batch calls: their limit, the status of each entry, and the error of the first that failed.

use super::error::lambda_executor_error_t;
use super::failure::{Failure, refused};
use super::guard::{self, CallResult};
use super::out::Out;
use super::status::*;
use crate::executor::Refusal;

/// Entries of one call; more is taken for a mistake, such as -1 as a size_t.
pub(super) const MAX: usize = 1_000_000;

/// Refuses a wrong `n` before anything is read or written for it.
pub(super) fn limited(n: usize) -> Result<(), Failure> {
    if n <= MAX {
        return Ok(());
    }
    Err(Failure::argument(format!("n is {n} (at most {MAX}, LAMBDA_EXECUTOR_MAX_BATCH, are allowed in one call)")))
}

/// What the caller of a batch call receives: one status for each entry, and one error. Both may be NULL.
pub(super) struct Entries {
    results: *mut lambda_executor_status_t,
    len: usize,
    first_error: Out<*mut lambda_executor_error_t>,
}

impl Entries {
    /// # Safety
    /// `results` is NULL or has room for `len` statuses, and `first_error` is NULL or may be written, as long as the
    /// value lives.
    pub(super) unsafe fn new(
        results: *mut lambda_executor_status_t,
        len: usize,
        first_error: *mut *mut lambda_executor_error_t,
    ) -> Self {
        // SAFETY: passed on from the caller.
        Self { results, len, first_error: unsafe { Out::optional(first_error, std::ptr::null_mut()) } }
    }

    /// Writes the status of each entry. Returns the status of the call, OK only if every entry is, and how many are.
    pub(super) fn report(
        &self,
        name: &str,
        entries: impl Iterator<Item = CallResult>,
    ) -> (lambda_executor_status_t, usize) {
        let (mut ok, mut all, mut failed) = (0, 0, false);
        for (at, entry) in entries.enumerate() {
            let status = entry.unwrap_or_else(|failure| {
                let status = failure.status();
                if !std::mem::replace(&mut failed, true) {
                    let failure = Failure::Entry { entry: format!("{name}[{at}]"), failure: Box::new(failure) };
                    guard::report(&self.first_error, &failure);
                }
                status
            });
            self.set(at, status);
            all += 1;
            ok += usize::from(status == LAMBDA_EXECUTOR_OK);
        }
        (if ok == all { LAMBDA_EXECUTOR_OK } else { LAMBDA_EXECUTOR_PARTIAL }, ok)
    }

    /// A call that failed as a whole did nothing for any entry. Not for an `n` that was refused: then the array is not
    /// known to have room for it.
    pub(super) fn fill_on_failure(&self, status: lambda_executor_status_t) -> lambda_executor_status_t {
        if status < LAMBDA_EXECUTOR_OK && limited(self.len).is_ok() {
            (0..self.len).for_each(|at| self.set(at, status));
        }
        status
    }

    fn set(&self, at: usize, status: lambda_executor_status_t) {
        if !self.results.is_null() && at < self.len {
            // SAFETY: within the array that the caller has promised.
            unsafe { self.results.add(at).write_unaligned(status) };
        }
    }
}

/// Passes on the specs that could be read, and returns the result of each in its place.
pub(super) fn pass_on<S>(
    specs: Vec<Result<S, Failure>>,
    pass_on: impl FnOnce(Vec<S>) -> Vec<Result<(), Refusal>>,
) -> impl Iterator<Item = CallResult> {
    let mut readable = Vec::with_capacity(specs.len());
    let unreadable: Vec<Option<Failure>> =
        specs.into_iter().map(|spec| spec.map(|spec| readable.push(spec)).err()).collect();
    let mut answers = pass_on(readable).into_iter();
    let mut full = false;
    unreadable.into_iter().map(move |unreadable| {
        // The host treats everything after a full queue as not looked at.
        let result = match unreadable {
            _ if full => Ok(LAMBDA_EXECUTOR_QUEUE_FULL),
            Some(failure) => Err(failure),
            None => answers.next().unwrap_or(Ok(())).map_or_else(refused, |()| Ok(LAMBDA_EXECUTOR_OK)),
        };
        full |= matches!(result, Ok(LAMBDA_EXECUTOR_QUEUE_FULL));
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Failure {
        Failure::argument("wrong")
    }

    #[test]
    fn ok_means_that_every_entry_is_ok() {
        let mut results = [99; 3];
        // SAFETY: room for three; no error asked for.
        let entries = unsafe { Entries::new(results.as_mut_ptr(), 3, std::ptr::null_mut()) };
        let ok = || Ok(LAMBDA_EXECUTOR_OK);
        assert_eq!(entries.report("tasks", [ok(), ok(), ok()].into_iter()), (LAMBDA_EXECUTOR_OK, 3));
        for (other, status) in [
            (Ok(LAMBDA_EXECUTOR_DUPLICATE), LAMBDA_EXECUTOR_DUPLICATE),
            (Ok(LAMBDA_EXECUTOR_NOT_FOUND), LAMBDA_EXECUTOR_NOT_FOUND),
            (Err(refusal()), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT),
        ] {
            assert_eq!(entries.report("tasks", [ok(), other, ok()].into_iter()), (LAMBDA_EXECUTOR_PARTIAL, 2));
            assert_eq!(results, [LAMBDA_EXECUTOR_OK, status, LAMBDA_EXECUTOR_OK]);
        }
    }

    #[test]
    fn the_first_failed_entry_has_the_error() {
        let mut error = std::ptr::null_mut();
        // SAFETY: `error` may be written, and an error that was made is freed once.
        unsafe {
            let entries = Entries::new(std::ptr::null_mut(), 3, &raw mut error);
            entries.report("tasks", [Ok(LAMBDA_EXECUTOR_DUPLICATE), Err(refusal()), Err(refusal())].into_iter());
            let message = std::ffi::CStr::from_ptr(super::super::error::lambda_executor_error_cstr(error));
            assert_eq!(message.to_str(), Ok("tasks[1]: wrong"));
            super::super::error::lambda_executor_error_free(error);
        }
    }

    #[test]
    fn a_refused_n_is_not_filled() {
        let mut results = [99; 1];
        // SAFETY: nothing is written for an n that is refused.
        let entries = unsafe { Entries::new(results.as_mut_ptr(), usize::MAX, std::ptr::null_mut()) };
        entries.fill_on_failure(LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
        assert_eq!(results, [99]);
    }
}
