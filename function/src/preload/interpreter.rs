//! Which file a command's program is, and whether two files are the same interpreter.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Names of the interpreter, in order of preference.
const NAMES: [&str; 2] = ["python", "python3"];

/// Finds `program` as execvp(3) does. The error says why it is not found, or that it depends on the current folder.
pub(super) fn find(program: &OsStr, path: Option<&OsString>) -> Result<PathBuf, String> {
    let shown = program.to_string_lossy();
    if program.as_bytes().contains(&b'/') {
        let file = Path::new(program);
        return match (file.is_absolute(), is_executable(file)) {
            (true, true) => Ok(file.to_owned()),
            (true, false) => Err(format!("no program {shown}")),
            (false, _) => Err(format!("{shown} is not an absolute path")),
        };
    }
    let path = path.ok_or("PATH is not set")?;
    for folder in std::env::split_paths(path) {
        if !folder.is_absolute() {
            return Err(format!("PATH has a folder that is not absolute before {shown} is found"));
        }
        let file = folder.join(program);
        if is_executable(&file) {
            return Ok(file);
        }
    }
    Err(format!("no program {shown} in PATH"))
}

/// The interpreter that most commands use.
pub(super) fn usual(path: Option<&OsString>) -> Result<PathBuf, String> {
    NAMES
        .iter()
        .find_map(|name| find(OsStr::new(name), path).ok())
        .ok_or_else(|| format!("no absolute folder in PATH has a program {}", NAMES.join(" or ")))
}

/// True if both start the same interpreter with the same packages. Python looks for those from the folder of
/// the name by which it is started: a virtual environment has a link to an interpreter elsewhere.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| Some((path.canonicalize().ok()?, path.parent()?.canonicalize().ok()?));
    real(one).is_some_and(|found| Some(found) == real(other))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn executable(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_program_is_found_as_the_kernel_would() {
        let folder = Scratch::new("interpreter_find");
        executable(&folder.join("b/python3"));
        fs::create_dir_all(folder.join("a")).unwrap();
        fs::write(folder.join("a/python3"), "not executable").unwrap();
        let path = std::env::join_paths([folder.join("a"), folder.join("b")]).unwrap();
        assert_eq!(find(OsStr::new("python3"), Some(&path)), Ok(folder.join("b/python3")));
        assert_eq!(usual(Some(&path)), Ok(folder.join("b/python3")));
        assert!(find(OsStr::new("python"), Some(&path)).unwrap_err().contains("no program python"));
        assert!(find(OsStr::new("b/python3"), Some(&path)).unwrap_err().contains("not an absolute path"));
        assert!(find(OsStr::new("python3"), Some(&":/bin".into())).unwrap_err().contains("not absolute"));
    }

    #[test]
    fn an_environment_is_not_its_base_interpreter() {
        let folder = Scratch::new("interpreter_same");
        executable(&folder.join("base/python3"));
        fs::create_dir_all(folder.join("venv")).unwrap();
        symlink(folder.join("base/python3"), folder.join("venv/python")).unwrap();
        symlink("python", folder.join("venv/python3")).unwrap();
        assert!(same(&folder.join("venv/python"), &folder.join("venv/python3")));
        assert!(!same(&folder.join("venv/python"), &folder.join("base/python3")));
    }
}
