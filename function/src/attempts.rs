//! What this sandbox has run before. Lambda may deliver an event twice; a submission seen before is not run again.
//!
//! One file a submission, named by a hash of its id: made empty before the command starts, replaced by the result when
//! it has ended. Files, because a process that dies with its command unreported is started anew in the same sandbox.

use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Lambda delivers again within minutes, and a sandbox does not run more in that time.
const KEPT: usize = 1_000;
/// /tmp has 512 MB by default, and it is the command's.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// What is known of a submission.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    /// Nothing: it is marked as begun now.
    Never,
    /// It has ended with this result.
    Finished(String),
    /// It has begun, and how it ended is not known.
    Unknown,
}

/// The record of submissions.
#[derive(Debug)]
pub(crate) struct Attempts {
    directory: PathBuf,
    /// Oldest first, with sizes.
    kept: Mutex<VecDeque<(PathBuf, u64)>>,
    most: usize,
}

impl Attempts {
    /// Takes up what an earlier process recorded in `directory`.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        Self::open_with(directory, KEPT)
    }

    fn open_with(directory: PathBuf, most: usize) -> io::Result<Self> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            // Another process on this machine may have removed it just now.
            let Ok(metadata) = entry.metadata() else { continue };
            found.push((metadata.modified()?, entry.path(), metadata.len()));
        }
        found.sort();
        let kept = found.into_iter().map(|(_, path, size)| (path, size)).collect();
        let attempts = Self { directory, kept: Mutex::new(kept), most };
        attempts.forget_oldest();
        Ok(attempts)
    }

    /// Marks the submission `id` as begun, unless it is known.
    pub(crate) fn begin(&self, id: &str) -> io::Result<Seen> {
        let path = self.path(id);
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => {
                self.keep(path, 0);
                Ok(Seen::Never)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let result = fs::read_to_string(&path)?;
                Ok(if result.is_empty() { Seen::Unknown } else { Seen::Finished(result) })
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the result of the submission `id`.
    pub(crate) fn finish(&self, id: &str, result: &str) -> io::Result<()> {
        let path = self.path(id);
        let unfinished = path.with_extension("new");
        // In two steps, so that a half-written result is never taken for one.
        fs::write(&unfinished, result).and_then(|()| fs::rename(&unfinished, &path)).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })?;
        self.keep(path, result.len() as u64);
        Ok(())
    }

    fn path(&self, id: &str) -> PathBuf {
        self.directory.join(hex(&Sha256::digest(id)))
    }

    fn keep(&self, path: PathBuf, size: u64) {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            // The one being finished is most often the last.
            if let Some(known) = kept.iter().rposition(|(known, _)| *known == path) {
                kept.remove(known);
            }
            kept.push_back((path, size));
        }
        self.forget_oldest();
    }

    fn forget_oldest(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes: u64 = kept.iter().map(|(_, size)| size).sum();
        while kept.len() > self.most || (bytes > KEPT_BYTES && kept.len() > 1) {
            let Some((path, size)) = kept.pop_front() else { return };
            bytes -= size;
            // Gone already is as good.
            let _ = fs::remove_file(path);
        }
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fresh directory of a test's own.
    pub(crate) fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("lambda-executor-function-test-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        path
    }

    #[test]
    fn a_submission_is_begun_once_and_its_result_kept() {
        let directory = scratch("begun_once");
        let attempts = Attempts::open(directory.clone()).unwrap();
        assert_eq!(attempts.begin("../a").unwrap(), Seen::Never);
        assert_eq!(attempts.begin("../a").unwrap(), Seen::Unknown);
        attempts.finish("../a", "{}").unwrap();
        assert_eq!(attempts.begin("../a").unwrap(), Seen::Finished("{}".to_owned()));
        assert_eq!(attempts.begin("b").unwrap(), Seen::Never);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_new_process_knows_what_the_old_one_did() {
        let directory = scratch("new_process");
        let attempts = Attempts::open(directory.clone()).unwrap();
        attempts.begin("begun").unwrap();
        attempts.begin("finished").unwrap();
        attempts.finish("finished", "{}").unwrap();
        let attempts = Attempts::open(directory.clone()).unwrap();
        assert_eq!(attempts.begin("begun").unwrap(), Seen::Unknown);
        assert_eq!(attempts.begin("finished").unwrap(), Seen::Finished("{}".to_owned()));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let directory = scratch("forgotten");
        let attempts = Attempts::open_with(directory.clone(), 3).unwrap();
        for id in ["a", "b", "c", "d", "e"] {
            attempts.begin(id).unwrap();
            attempts.finish(id, id).unwrap();
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 3);
        assert_eq!(attempts.begin("c").unwrap(), Seen::Finished("c".to_owned()));
        assert_eq!(attempts.begin("b").unwrap(), Seen::Never);
        let bulky = "x".repeat(20 * 1024 * 1024);
        attempts.finish("b", &bulky).unwrap();
        attempts.finish("f", &bulky).unwrap();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }
}
