//! The submissions that this sandbox has run. Lambda may deliver an event twice; a submission seen before is not run
//! again.
//!
//! There is one file for each submission, named by a hash of its id. It is created empty before the command starts, and
//! replaced by the result when the command has ended. The record is on disk because Lambda starts a process that died
//! again in the same sandbox. While the command runs its file is locked: with `local/` all sandboxes share the record,
//! and another process must distinguish a submission that runs from one whose process has died. The kernel releases the
//! lock when the process ends.

use crate::digest::hex_digest;
use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Lambda delivers a duplicate within minutes; a sandbox does not run more commands in that time.
const KEPT: usize = 1_000;
/// /tmp has 512 MB by default, and commands need it.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// What the record says about a submission.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Not seen before. It is now marked as started.
    Never(Begun),
    /// It has ended with this result.
    Finished(String),
    /// Another process of this sandbox runs it.
    Running,
    /// It has begun, its process has ended, and its result is unknown.
    Unknown,
}

/// A submission that this process runs. Keep it until the result is recorded.
#[derive(Debug)]
pub(crate) struct Begun {
    _locked: File,
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
    /// Opens the record in `directory`, with the entries of earlier processes.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        Self::open_with(directory, KEPT)
    }

    fn open_with(directory: PathBuf, most: usize) -> io::Result<Self> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&*directory)? {
            let entry = entry?;
            // Another process on this machine may have just removed it.
            let Ok(metadata) = entry.metadata() else { continue };
            found.push((metadata.modified()?, entry.path(), metadata.len()));
        }
        found.sort();
        let kept = found.into_iter().map(|(_, path, size)| (path, size)).collect();
        let attempts = Self { directory, kept: Mutex::new(kept), most };
        attempts.forget_oldest();
        Ok(attempts)
    }

    /// Marks the submission `id` as started, unless the record has it.
    pub(crate) fn begin(&self, id: &str) -> io::Result<Seen> {
        let path = self.path(id);
        // Lock before renaming: no other process may find the file unlocked while this one runs the submission.
        let unnamed = path.with_extension(std::process::id().to_string());
        let linked = File::create(&unnamed).and_then(|file| {
            file.try_lock()?;
            fs::hard_link(&unnamed, &path).map(|()| file)
        });
        let _ = fs::remove_file(&unnamed);
        match linked {
            Ok(file) => {
                self.keep(path, 0);
                Ok(Seen::Never(Begun { _locked: file }))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => look(&path),
            Err(error) => Err(error),
        }
    }

    /// Keeps the result of the submission `id`.
    pub(crate) fn finish(&self, id: &str, result: &str) -> io::Result<()> {
        let path = self.path(id);
        let unfinished = path.with_extension("new");
        // In two steps, so that a partly written result is never read.
        fs::write(&unfinished, result).and_then(|()| fs::rename(&unfinished, &path)).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })?;
        self.keep(path, result.len() as u64);
        Ok(())
    }

    /// The submission `id` was marked as begun, and is not run after all.
    pub(crate) fn withdraw(&self, id: &str, begun: Begun) -> io::Result<()> {
        let path = self.path(id);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| *known != path);
        fs::remove_file(path)?;
        drop(begun);
        Ok(())
    }

    fn path(&self, id: &str) -> PathBuf {
        self.directory.join(hex_digest(id))
    }

    fn keep(&self, path: PathBuf, size: u64) {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            // The submission that ends is usually the last that began.
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
            // It may have been removed already.
            let _ = fs::remove_file(path);
        }
    }
}

/// State of the submission whose file exists.
fn look(path: &Path) -> io::Result<Seen> {
    let file = File::open(path)?;
    let mut result = io::read_to_string(&file)?;
    if result.is_empty() {
        // A shared lock: a process that only checks must not look like the one that runs the submission.
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Seen::Running),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // It may have ended since we opened the file. Then another file has the name now.
        result = fs::read_to_string(path)?;
    }
    Ok(if result.is_empty() { Seen::Unknown } else { Seen::Finished(result) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn begun(attempts: &Attempts, id: &str) -> Option<Begun> {
        match attempts.begin(id).unwrap() {
            Seen::Never(begun) => Some(begun),
            _ => None,
        }
    }

    fn finished(attempts: &Attempts, id: &str) -> Option<String> {
        match attempts.begin(id).unwrap() {
            Seen::Finished(result) => Some(result),
            _ => None,
        }
    }

    #[test]
    fn a_submission_is_begun_once_and_its_result_kept() {
        let directory = Scratch::new("begun_once");
        let attempts = Attempts::open(directory.to_path_buf()).unwrap();
        // This stands for another process on the same record.
        let other = Attempts::open(directory.to_path_buf()).unwrap();
        let running = begun(&attempts, "../a").unwrap();
        assert!(matches!(other.begin("../a").unwrap(), Seen::Running));
        assert!(matches!(other.begin("../a").unwrap(), Seen::Running));
        attempts.finish("../a", "{}").unwrap();
        assert_eq!(finished(&other, "../a").as_deref(), Some("{}"));
        drop(running);
        assert_eq!(finished(&attempts, "../a").as_deref(), Some("{}"));
        assert!(begun(&attempts, "b").is_some());
    }

    #[test]
    fn a_submission_that_was_withdrawn_can_begin_again() {
        let directory = Scratch::new("withdrawn");
        let attempts = Attempts::open(directory.to_path_buf()).unwrap();
        let first = begun(&attempts, "a").unwrap();
        attempts.withdraw("a", first).unwrap();
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
        assert!(begun(&attempts, "a").is_some());
    }

    #[test]
    fn the_record_survives_the_process() {
        let directory = Scratch::new("new_process");
        let attempts = Attempts::open(directory.to_path_buf()).unwrap();
        drop(begun(&attempts, "begun").unwrap());
        begun(&attempts, "finished").unwrap();
        attempts.finish("finished", "{}").unwrap();
        let attempts = Attempts::open(directory.to_path_buf()).unwrap();
        assert!(matches!(attempts.begin("begun").unwrap(), Seen::Unknown));
        assert_eq!(finished(&attempts, "finished").as_deref(), Some("{}"));
        // Only the two files are left.
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 2);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let directory = Scratch::new("forgotten");
        let attempts = Attempts::open_with(directory.to_path_buf(), 3).unwrap();
        for id in ["a", "b", "c", "d", "e"] {
            begun(&attempts, id).unwrap();
            attempts.finish(id, id).unwrap();
        }
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 3);
        assert_eq!(finished(&attempts, "c").as_deref(), Some("c"));
        assert!(begun(&attempts, "b").is_some());
        let bulky = "x".repeat(20 * 1024 * 1024);
        attempts.finish("b", &bulky).unwrap();
        attempts.finish("f", &bulky).unwrap();
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 1);
    }
}
