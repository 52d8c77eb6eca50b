//! CPU time of the threads of this process: the host's own, the executor's, and the local server's, which runs in this
//! process and on the same processors.

#![allow(unsafe_code)]

use std::time::Duration;

/// CPU time used so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) server: Duration,
    /// Executor and host.
    pub(super) others: Duration,
}

impl Used {
    /// By all threads that run now.
    pub(super) fn now() -> Self {
        let mut used = Self::default();
        let threads = std::fs::read_dir("/proc/self/task").expect("Linux");
        for thread in threads.flatten() {
            let read = |name| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            let (name, times) = (read("comm"), read("schedstat"));
            // The first number is the time on a processor in ns.
            let time = times.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            let part = if name.starts_with("lmbx-local") { &mut used.server } else { &mut used.others };
            *part += Duration::from_nanos(time);
        }
        used
    }

    /// What was used since then.
    pub(super) fn since(self, before: Self) -> Self {
        Self { server: self.server - before.server, others: self.others - before.others }
    }

    pub(super) fn total(self) -> Duration {
        self.server + self.others
    }

    /// The server's part in percent.
    pub(super) fn server_percent(self) -> f64 {
        100.0 * self.server.as_secs_f64() / self.total().as_secs_f64()
    }
}

/// CPU time that the calling thread has used.
pub(super) fn of_this_thread() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("below a second"))
}
