//! Finds the programs of handlers before anything runs, so that a wrong name is an error at start.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The function of this package as a program.
const FUNCTION_PROGRAM: &str = "lambda-executor-function";

/// The absolute path of a program given by path or by name on PATH. The error says what was not found where.
pub(crate) fn find_program(program: &str) -> Result<String, String> {
    let found = if program.contains('/') {
        std::path::absolute(program).ok().filter(|path| is_executable(path))
    } else {
        on_path(program)
    };
    let path = found.ok_or_else(|| {
        let place = if program.contains('/') { "is no executable file" } else { "is not on PATH" };
        format!("the handler's program {program} {place}")
    })?;
    path.into_os_string()
        .into_string()
        .map_err(|path| format!("the path of the handler's program is not UTF-8: {path:?}"))
}

/// The program of the handler `exec`: in `program_dir`, beside this executable, or on PATH.
pub(crate) fn find_function_program(program_dir: Option<&Path>) -> Result<String, String> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let folders: Vec<PathBuf> = program_dir.map(Path::to_owned).into_iter().chain(beside).collect();
    let found = folders.iter().map(|folder| folder.join(FUNCTION_PROGRAM)).find(|path| is_executable(path));
    let found = found.or_else(|| on_path(FUNCTION_PROGRAM)).ok_or_else(|| {
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "handler exec: there is no {FUNCTION_PROGRAM} in {} or on PATH; build it, name its folder in program_dir, or \
             choose another handler",
            folders.join(", ")
        )
    })?;
    let found = std::path::absolute(&found).unwrap_or(found);
    found
        .into_os_string()
        .into_string()
        .map_err(|path| format!("the path of {FUNCTION_PROGRAM} is not UTF-8: {path:?}"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH");
    let folders = std::env::split_paths(path.as_deref().unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")));
    let found = folders.map(|folder| folder.join(name)).find(|path| is_executable(path))?;
    // PATH may have relative folders, and handlers may start in another one.
    std::path::absolute(found).ok()
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        let shell = find_program("sh").unwrap();
        assert!(shell.starts_with('/') && shell.ends_with("/sh"), "{shell}");
        assert_eq!(find_program("/bin/sh").unwrap(), "/bin/sh");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(find_program("no-such-program-here").unwrap_err().contains("no-such-program-here is not on PATH"));
        assert!(find_program("/bin").unwrap_err().contains("is no executable file"));
        let folder = Path::new("/nonexistent");
        // The folder is searched, whether or not the program exists elsewhere on this machine.
        if let Err(error) = find_function_program(Some(folder)) {
            assert!(error.contains("/nonexistent"), "{error}");
        }
    }
}
