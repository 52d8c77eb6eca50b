//! The folder on disk: what of it is current, and the removal of all that does not belong there.
//!
//! Commands may do with the folder what they want, so it is believed only as far as it can be seen: a file that was
//! changed, replaced or removed is fetched anew.

use super::Object;
use super::paths::Wanted;
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Where Python keeps what it compiled. Kept beside its sources, so that a warm sandbox starts Dags faster; it is never
/// loaded for a source that has gone or changed.
const COMPILED: &str = "__pycache__";

/// A file that came from S3.
#[derive(Debug)]
struct Fetched {
    etag: Option<String>,
    size: u64,
    modified: SystemTime,
    inode: u64,
}

/// The folder of one process.
#[derive(Debug)]
pub(crate) struct Local {
    path: PathBuf,
    fetched: Mutex<HashMap<PathBuf, Fetched>>,
}

/// What [`Local::keep_only`] found.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Paths that are as they are in S3.
    pub(crate) current: HashSet<PathBuf>,
    /// How many files and directories were removed for being no longer there, or not as in S3.
    pub(crate) removed: usize,
}

impl Local {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, fetched: Mutex::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes all but what is `wanted` and current. First of all, so that old and new never take up disk together.
    pub(crate) fn keep_only(&self, wanted: &Wanted) -> io::Result<Swept> {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| !found.is_dir()) {
            fs::remove_file(&self.path)?;
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let directories: HashSet<&Path> = wanted.keys().flat_map(|path| path.ancestors().skip(1)).collect();
        let mut swept = Swept::default();
        self.sweep(Path::new(""), wanted, &directories, &mut swept)?;
        self.fetched().retain(|path, _| swept.current.contains(path));
        Ok(swept)
    }

    fn sweep(&self, below: &Path, wanted: &Wanted, directories: &HashSet<&Path>, swept: &mut Swept) -> io::Result<()> {
        for entry in fs::read_dir(self.path.join(below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            // Of a link itself: what a command made one must not lead our files elsewhere.
            let found = match entry.metadata() {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                found => found?,
            };
            if found.is_dir() {
                if directories.contains(path.as_path()) {
                    self.sweep(&path, wanted, directories, swept)?;
                } else if entry.file_name() != COMPILED || !directories.contains(below) {
                    fs::remove_dir_all(entry.path())?;
                    swept.removed += 1;
                }
            } else if wanted.get(&path).is_some_and(|object| self.is_current(&path, object, &found)) {
                swept.current.insert(path);
            } else {
                fs::remove_file(entry.path())?;
                swept.removed += 1;
            }
        }
        Ok(())
    }

    fn is_current(&self, path: &Path, object: &Object, found: &Metadata) -> bool {
        self.fetched().get(path).is_some_and(|fetched| {
            found.is_file()
                && fetched.etag.is_some()
                && fetched.etag == object.etag
                && (fetched.size, fetched.size) == (object.size, found.len())
                && fetched.inode == found.ino()
                && found.modified().is_ok_and(|modified| modified == fetched.modified)
        })
    }

    /// Remembers that the file at `path` is `object`.
    pub(crate) fn fetched_is(&self, path: PathBuf, object: &Object, file: &fs::File) -> io::Result<()> {
        let found = file.metadata()?;
        let fetched =
            Fetched { etag: object.etag.clone(), size: object.size, modified: found.modified()?, inode: found.ino() };
        self.fetched().insert(path, fetched);
        Ok(())
    }

    fn fetched(&self) -> MutexGuard<'_, HashMap<PathBuf, Fetched>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempts::tests::scratch;
    use std::os::unix::fs::symlink;

    fn object(size: u64) -> Object {
        Object { key: "k".to_owned(), etag: Some("\"e\"".to_owned()), size }
    }

    fn wanted(paths: &[&str]) -> Wanted {
        paths.iter().map(|path| (PathBuf::from(path), object(3))).collect()
    }

    /// A folder that has fetched `paths`.
    fn folder(name: &str, paths: &[&str]) -> (PathBuf, Local) {
        let scratch = scratch(name);
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
    fn what_is_untouched_is_current() {
        let (scratch, local) = folder("s3_untouched", &["a", "x/a", "x/y/a"]);
        assert_eq!(current(&local, &["a", "x/a", "x/y/a", "new"]), ["a", "x/a", "x/y/a"]);
        fs::remove_dir_all(scratch).unwrap();
    }

    #[test]
    fn what_commands_did_is_undone() {
        let (scratch, local) = folder("s3_touched", &["longer", "same-size", "gone", "link", "replaced", "x/a"]);
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
        fs::write(path("of-a-command"), "").unwrap();
        assert!(current(&local, &["longer", "same-size", "gone", "link", "replaced", "x/a"]).is_empty());
        assert_eq!(fs::read_dir(local.path()).unwrap().count(), 0);
        assert!(Path::new("/etc/hostname").exists());
        fs::remove_dir_all(scratch).unwrap();
    }

    #[test]
    fn another_etag_or_size_is_not_current() {
        let (scratch, local) = folder("s3_changed", &["a", "b", "c"]);
        let mut wanted = wanted(&["a", "b", "c"]);
        wanted.get_mut(Path::new("a")).unwrap().etag = Some("\"f\"".to_owned());
        wanted.get_mut(Path::new("b")).unwrap().size = 4;
        let swept = local.keep_only(&wanted).unwrap();
        assert_eq!((swept.current, swept.removed), (HashSet::from([PathBuf::from("c")]), 2));
        fs::remove_dir_all(scratch).unwrap();
    }

    #[test]
    fn compiled_files_stay_as_long_as_there_are_sources() {
        let (scratch, local) = folder("s3_compiled", &["x/a.py", "y/a.py"]);
        for directory in ["x", "y", "z"] {
            let compiled = local.path().join(directory).join(COMPILED);
            fs::create_dir_all(&compiled).unwrap();
            fs::write(compiled.join("a.pyc"), "").unwrap();
        }
        assert_eq!(current(&local, &["x/a.py"]), ["x/a.py"]);
        assert!(local.path().join("x/__pycache__/a.pyc").exists());
        assert!(!local.path().join("y").exists() && !local.path().join("z").exists());
        fs::remove_dir_all(scratch).unwrap();
    }

    #[test]
    fn the_folder_itself_is_made_anew() {
        let (scratch, local) = folder("s3_folder", &["a"]);
        fs::remove_dir_all(local.path()).unwrap();
        symlink(&scratch, local.path()).unwrap();
        assert!(current(&local, &["a"]).is_empty());
        assert!(fs::symlink_metadata(local.path()).unwrap().is_dir());
        fs::remove_dir_all(scratch).unwrap();
    }
}
