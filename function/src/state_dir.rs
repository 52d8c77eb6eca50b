//! The only directory that this program writes to. It is below the temporary directory and readable by this user only.

use crate::log::{self, Level};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const RUN_PREFIX: &str = "run-";
const DAGS_PREFIX: &str = "dags-";
const PRELOAD_PREFIX: &str = "preload-";

/// The program's directory. In Lambda it lives as long as the sandbox, longer than this process.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    runs: AtomicU64,
}

impl StateDir {
    /// Creates or reuses the directory below `temporary`, and removes files of processes that were killed.
    pub(crate) fn open(temporary: &Path) -> io::Result<Self> {
        let user = fs::metadata("/proc/self")?.uid();
        let path = temporary.join(format!("lambda-executor-function-{user}"));
        make_private(&path)?;
        let found = fs::symlink_metadata(&path)?;
        // Another user of the machine may have created it, to read our files.
        if !found.is_dir() || found.uid() != user || found.mode() & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{} is not a directory of this user with mode 0700: remove it", path.display()),
            ));
        }
        remove_left_behind(&path)?;
        Ok(Self { path, runs: AtomicU64::new(0) })
    }

    /// A directory below, created if missing.
    pub(crate) fn subdirectory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        make_private(&path)?;
        Ok(path)
    }

    /// Path for the Dags of this process; not created.
    pub(crate) fn dags_folder(&self) -> PathBuf {
        self.path.join(format!("{DAGS_PREFIX}{}", std::process::id()))
    }

    /// Path for the files of the warm start; not created.
    pub(crate) fn preload_folder(&self) -> PathBuf {
        self.path.join(format!("{PRELOAD_PREFIX}{}", std::process::id()))
    }

    /// A fresh directory for one command, removed when the value is dropped.
    pub(crate) fn run_dir(&self) -> io::Result<RunDir> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("{RUN_PREFIX}{}-{number}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(RunDir { path })
    }
}

/// The files of one command.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file that only this user can read.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.file(name);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        io::Write::write_all(&mut file, content)?;
        Ok(path)
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            let message = format!("cannot remove {}: {error}", self.path.display());
            log::write(Level::Warn, &message, &[]);
        }
    }
}

fn make_private(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Removes files of processes that have ended: commands' files hold tokens, and Dags use disk. With `local/` other
/// processes of this program may run on the same directory.
fn remove_left_behind(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let owner = |name: &str| {
            let rest = [RUN_PREFIX, DAGS_PREFIX, PRELOAD_PREFIX].iter().find_map(|prefix| name.strip_prefix(prefix))?;
            rest.split('-').next()?.parse::<u32>().ok()
        };
        let Some(pid) = name.to_str().and_then(owner) else { continue };
        // Our own pid, but we have created nothing yet: an earlier process had the same pid.
        if pid == std::process::id() || !Path::new(&format!("/proc/{pid}")).exists() {
            // Another process may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn run_directories_are_private_and_go_with_their_value() {
        let temporary = Scratch::new("run_dirs");
        let state = StateDir::open(&temporary).unwrap();
        let run = state.run_dir().unwrap();
        let file = run.write("workload", b"token").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        drop(run);
        assert!(!file.parent().unwrap().exists());
    }

    #[test]
    fn files_of_killed_processes_are_removed() {
        let temporary = Scratch::new("left_behind");
        let state = StateDir::open(&temporary).unwrap();
        // Beyond the largest number that Linux gives a process.
        let dead = ["run-4194305-0", "dags-4194305"].map(|name| state.subdirectory(name).unwrap());
        let alive = ["run-1-0", "dags-1"].map(|name| state.subdirectory(name).unwrap());
        StateDir::open(&temporary).unwrap();
        assert_eq!((dead.map(|path| path.exists()), alive.map(|path| path.exists())), ([false; 2], [true; 2]));
    }

    #[test]
    fn a_directory_that_others_can_read_is_refused() {
        let temporary = Scratch::new("refused");
        let path = StateDir::open(&temporary).unwrap().path;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(StateDir::open(&temporary).unwrap_err().to_string().contains("0700"));
    }
}
