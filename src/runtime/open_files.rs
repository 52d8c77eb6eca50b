//! How many files and connections the process may have open.

/// The soft limit (`ulimit -n`); `u64::MAX` without one.
#[allow(unsafe_code)]
pub fn limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes to the struct that it is given, and keeps no pointer to it.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    // It fails for no resource that exists. POSIX guarantees 20 files.
    if status == 0 { limit.rlim_cur } else { 20 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_what_the_system_says_of_the_process() {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let soft = line.split_whitespace().nth(3).unwrap();
        assert_eq!(super::limit(), soft.parse().unwrap_or(u64::MAX));
    }
}
