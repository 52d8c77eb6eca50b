//! The folder on disk: determines which files are current, and removes all others.
//!
//! Commands may change the folder, so its state is read from disk each time: a file that was changed, replaced or
//! removed is fetched again.

use super::object::Object;
use super::paths::{COMPILED, Wanted};
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file that came from S3.
#[derive(Debug)]
struct Fetched {
    etag: Option<String>,
    size: u64,
    seen: Seen,
}

/// Identifies the file that was written: its inode and the inode's time of change, in s and ns. No program can set that
/// time, and a change of mode changes it too.
#[derive(Debug, Eq, PartialEq)]
struct Seen(u64, i64, i64);

impl Seen {
    fn of(found: &Metadata) -> Self {
        Self(found.ino(), found.ctime(), found.ctime_nsec())
    }
}

/// The folder of one process.
#[derive(Debug)]
pub(crate) struct Local {
    path: PathBuf,
    fetched: Mutex<HashMap<PathBuf, Fetched>>,
    /// Held while sweeping: a sweep whose invocation ran out of time may still be running.
    sweeping: Mutex<()>,
}

/// Result of [`Local::keep_only`].
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Paths of files that are equal to S3's objects.
    pub(crate) current: HashSet<PathBuf>,
    /// Number of files and directories removed because S3 has no such object or another content.
    pub(crate) removed: usize,
}

impl Local {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, fetched: Mutex::default(), sweeping: Mutex::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything except files that are `wanted` and current. Call it before downloads, so that old and new
    /// files never use disk space at the same time.
    pub(crate) fn keep_only(&self, wanted: &Wanted) -> io::Result<Swept> {
        let _alone = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        if fs::symlink_metadata(&self.path).is_ok_and(|found| !found.is_dir()) {
            fs::remove_file(&self.path)?;
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let mut files_in = HashMap::new();
        for path in wanted.keys() {
            for directory in path.ancestors().skip(1) {
                files_in.entry(directory).or_insert(0_usize);
            }
            if let Some(files) = path.parent().and_then(|parent| files_in.get_mut(parent)) {
                *files += 1;
            }
        }
        let mut swept = Swept::default();
        self.sweep(Path::new(""), wanted, &files_in, &mut swept)?;
        self.fetched().retain(|path, _| swept.current.contains(path));
        Ok(swept)
    }

    /// Sweeps one directory; `files_in` has all wanted directories, with the number of files directly in each.
    fn sweep(
        &self,
        below: &Path,
        wanted: &Wanted,
        files_in: &HashMap<&Path, usize>,
        swept: &mut Swept,
    ) -> io::Result<()> {
        let directory = self.path.join(below);
        let (mut current, mut compiled) = (0, None);
        for entry in open(&directory)? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            // The metadata of a link itself: a link made by a command must not redirect our files.
            let found = match entry.metadata() {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                found => found?,
            };
            if found.is_dir() {
                if files_in.contains_key(path.as_path()) {
                    self.sweep(&path, wanted, files_in, swept)?;
                } else if entry.file_name() == COMPILED {
                    compiled = Some(entry.path());
                } else {
                    remove_tree(&entry.path())?;
                    swept.removed += 1;
                }
            } else if wanted.get(&path).is_some_and(|object| self.is_current(&path, object, &found)) {
                swept.current.insert(path);
                current += 1;
            } else {
                fs::remove_file(entry.path())?;
                swept.removed += 1;
            }
        }
        // Python detects a changed source by its size and a time in whole seconds, which is too coarse here.
        if let Some(compiled) = compiled.filter(|_| current == 0 || files_in.get(below) != Some(&current)) {
            remove_tree(&compiled)?;
        }
        Ok(())
    }

    fn is_current(&self, path: &Path, object: &Object, found: &Metadata) -> bool {
        self.fetched().get(path).is_some_and(|fetched| {
            found.is_file()
                && fetched.etag.is_some()
                && fetched.etag == object.etag
                && (fetched.size, fetched.size) == (object.size, found.len())
                && fetched.seen == Seen::of(found)
        })
    }

    /// Remembers that the file at `path` is `object`.
    pub(crate) fn fetched_is(&self, path: PathBuf, object: &Object, file: &fs::File) -> io::Result<()> {
        let seen = Seen::of(&file.metadata()?);
        self.fetched().insert(path, Fetched { etag: object.etag.clone(), size: object.size, seen });
        Ok(())
    }

    fn fetched(&self) -> MutexGuard<'_, HashMap<PathBuf, Fetched>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a directory whose permissions a command may have removed.
fn open(directory: &Path) -> io::Result<fs::ReadDir> {
    if fs::symlink_metadata(directory)?.mode() & 0o700 != 0o700 {
        fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    fs::read_dir(directory)
}

/// Removes a directory and its content, also directories without permissions.
fn remove_tree(directory: &Path) -> io::Result<()> {
    for entry in open(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::symlink;

    fn object(size: u64) -> Object {
        Object { key: "k".to_owned(), etag: Some("\"e\"".to_owned()), size }
    }

    fn wanted(paths: &[&str]) -> Wanted {
        paths.iter().map(|path| (PathBuf::from(path), object(3))).collect()
    }

    /// A folder that has fetched `paths`.
    fn folder(name: &str, paths: &[&str]) -> (Scratch, Local) {
        let scratch = Scratch::new(name);
        let local = Local::new(scratch.join("dags"));
        local.keep_only(&wanted(&[])).unwrap();
        for path in paths {
            let full = local.path().join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(&full, "abc").unwrap();
            local.fetched_is(PathBuf::from(path), &object(3), &fs::File::open(&full).unwrap()).unwrap();
        }
        (scratch, local)
    }

    fn current(local: &Local, paths: &[&str]) -> Vec<String> {
        let swept = local.keep_only(&wanted(paths)).unwrap();
        let mut current: Vec<_> = swept.current.into_iter().map(|path| path.to_str().unwrap().to_owned()).collect();
        current.sort();
        current
    }

    #[test]
    fn untouched_files_are_current() {
        let (_scratch, local) = folder("s3_untouched", &["a", "x/a", "x/y/a"]);
        assert_eq!(current(&local, &["a", "x/a", "x/y/a", "new"]), ["a", "x/a", "x/y/a"]);
    }

    #[test]
    fn changes_by_commands_are_undone() {
        let (_scratch, local) =
            folder("s3_touched", &["longer", "same-size", "gone", "link", "replaced", "mode", "x/a"]);
        let path = |name: &str| local.path().join(name);
        fs::write(path("longer"), "abcd").unwrap();
        fs::write(path("same-size"), "xyz").unwrap();
        fs::remove_file(path("gone")).unwrap();
        fs::remove_file(path("link")).unwrap();
        symlink("/etc/hostname", path("link")).unwrap();
        fs::remove_file(path("replaced")).unwrap();
        fs::create_dir(path("replaced")).unwrap();
        fs::rename(path("x"), path("elsewhere")).unwrap();
        symlink(path("elsewhere"), path("x")).unwrap();
        fs::set_permissions(path("mode"), Permissions::from_mode(0o755)).unwrap();
        fs::write(path("of-a-command"), "").unwrap();
        fs::create_dir(path("closed")).unwrap();
        fs::set_permissions(path("closed"), Permissions::from_mode(0o000)).unwrap();
        assert!(current(&local, &["longer", "same-size", "gone", "link", "replaced", "mode", "x/a"]).is_empty());
        assert_eq!(fs::read_dir(local.path()).unwrap().count(), 0);
        assert!(Path::new("/etc/hostname").exists());
    }

    #[test]
    fn another_etag_or_size_is_not_current() {
        let (_scratch, local) = folder("s3_changed", &["a", "b", "c"]);
        let mut wanted = wanted(&["a", "b", "c"]);
        wanted.get_mut(Path::new("a")).unwrap().etag = Some("\"f\"".to_owned());
        wanted.get_mut(Path::new("b")).unwrap().size = 4;
        let swept = local.keep_only(&wanted).unwrap();
        assert_eq!((swept.current, swept.removed), (HashSet::from([PathBuf::from("c")]), 2));
    }

    #[test]
    fn compiled_files_stay_as_long_as_all_their_sources_do() {
        let (_scratch, local) = folder("s3_compiled", &["x/a.py", "x/b.py", "y/a.py", "z/a.py", "z/b.py"]);
        let compiled = |directory: &str| local.path().join(directory).join(COMPILED);
        for directory in ["", "x", "y", "z"] {
            fs::create_dir_all(compiled(directory)).unwrap();
            fs::write(compiled(directory).join("a.pyc"), "").unwrap();
        }
        fs::write(local.path().join("z/a.py"), "xyz").unwrap();
        assert_eq!(current(&local, &["x/a.py", "x/b.py", "z/a.py", "z/b.py"]), ["x/a.py", "x/b.py", "z/b.py"]);
        assert!(compiled("x").join("a.pyc").exists());
        assert!(!compiled("").exists() && !local.path().join("y").exists() && !compiled("z").exists());
        assert!(local.path().join("z/b.py").exists());
    }

    #[test]
    fn a_folder_that_a_command_has_closed_is_open_again() {
        let (_scratch, local) = folder("s3_closed", &["x/a"]);
        for directory in ["x", ""] {
            fs::set_permissions(local.path().join(directory), Permissions::from_mode(0o500)).unwrap();
        }
        assert_eq!(current(&local, &["x/a"]), ["x/a"]);
        for directory in ["x", ""] {
            assert_eq!(fs::metadata(local.path().join(directory)).unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn the_folder_itself_is_recreated() {
        let (scratch, local) = folder("s3_folder", &["a"]);
        fs::remove_dir_all(local.path()).unwrap();
        symlink(&*scratch, local.path()).unwrap();
        assert!(current(&local, &["a"]).is_empty());
        assert!(fs::symlink_metadata(local.path()).unwrap().is_dir());
    }
}
