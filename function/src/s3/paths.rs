//! The path of an object in the folder: its key below the prefix.

use super::location::Location;
use super::object::Object;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// NAME_MAX of Linux's file systems.
const MAX_NAME_BYTES: usize = 255;

/// The files that the folder must have, by path below it.
pub(crate) type Wanted = BTreeMap<PathBuf, Object>;

/// The folder of Python's compiled files.
pub(crate) const COMPILED: &str = "__pycache__";

/// The path of an object below the folder; `None` for the key of a directory and for compiled files. The error says
/// what is wrong with the key.
pub(crate) fn path_of(key: &str, location: &Location) -> Result<Option<PathBuf>, String> {
    let below = match key.strip_prefix(&location.prefix) {
        Some(below) if location.prefix.is_empty() => below,
        // The prefix names an object: a single file.
        Some("") => key.rsplit('/').next().unwrap_or(key),
        Some(below) => below.strip_prefix('/').ok_or("it is not below the prefix")?,
        None => return Err("it is not below the prefix".to_owned()),
    };
    // The console of S3 creates such objects for folders.
    if below.is_empty() || below.ends_with('/') {
        return Ok(None);
    }
    // Copies of a working folder contain these. Python would rewrite them, and then they would be fetched again.
    if below.split('/').any(|name| name == COMPILED) {
        return Ok(None);
    }
    for name in below.split('/') {
        if matches!(name, "" | "." | "..") {
            return Err("an empty name, `.` and `..` are not file names".to_owned());
        }
        if name.contains('\0') {
            return Err("a file name cannot contain a NUL character".to_owned());
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(format!("a file name of {} bytes is longer than Linux allows ({MAX_NAME_BYTES})", name.len()));
        }
    }
    Ok(Some(PathBuf::from(below)))
}

/// The first path that would have to be both a file and a directory.
pub(crate) fn file_and_directory(wanted: &Wanted) -> Option<&Path> {
    wanted.keys().flat_map(|path| path.ancestors().skip(1)).find(|directory| wanted.contains_key(*directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(key: &str, prefix: &str) -> Result<Option<String>, String> {
        let location = Location { bucket: "bucket".to_owned(), prefix: prefix.to_owned() };
        path_of(key, &location).map(|path| path.map(|path| path.to_str().unwrap().to_owned()))
    }

    #[test]
    fn folders_are_kept_and_the_prefix_is_not() {
        for (key, prefix, expected) in [
            ("dags/a.py", "dags", Some("a.py")),
            ("dags/x/a.py", "dags", Some("x/a.py")),
            ("x/dags/y/a.py", "x/dags", Some("y/a.py")),
            ("a.py", "", Some("a.py")),
            ("x/a.py", "", Some("x/a.py")),
            ("dags/a.py", "dags/a.py", Some("a.py")),
            ("dags/", "dags", None),
            ("dags/x/", "dags", None),
            ("dags/x/__pycache__/a.pyc", "dags", None),
        ] {
            assert_eq!(path(key, prefix), Ok(expected.map(str::to_owned)), "{key}");
        }
    }

    #[test]
    fn no_key_leads_out_of_the_folder() {
        for key in ["dags/../a", "dags/x/../../a", "dags//a", "dags/./a", "dags-old/a", "dags/a\0b", "other"] {
            assert!(path(key, "dags").is_err(), "{key}");
        }
        assert!(path("/etc/passwd", "").is_err());
        assert!(path(&"x".repeat(256), "").unwrap_err().contains("256 bytes"));
    }

    #[test]
    fn a_file_cannot_be_a_directory_too() {
        let object = |key: &str| Object { key: key.to_owned(), etag: None, size: 0 };
        let wanted = |keys: &[&str]| keys.iter().map(|key| (PathBuf::from(key), object(key))).collect::<Wanted>();
        assert_eq!(file_and_directory(&wanted(&["a/b", "a.b", "a-b/c"])), None);
        assert_eq!(file_and_directory(&wanted(&["a/b", "a/b.c", "a/b/c/d"])), Some(Path::new("a/b")));
    }
}
