//! Finds the programs of handlers at start, so that a wrong name is an error then.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The function program of this package.
const FUNCTION_PROGRAM: &str = "lambda-executor-function";

/// The absolute path of a program given by path or by name on PATH. The error says what was not found, and where.
pub(crate) fn find_program(program: &str) -> Result<String, String> {
    let found = if program.contains('/') {
        std::path::absolute(program).ok().filter(|path| is_executable(path))
    } else {
        on_path(program)
    };
    let path = found.ok_or_else(|| {
        let place = if program.contains('/') { "is not an executable file" } else { "is not on PATH" };
        format!("the handler's program {program} {place}")
    })?;
    path.into_os_string()
        .into_string()
        .map_err(|path| format!("the path of the handler's program is not UTF-8: {path:?}"))
}

/// The program of the handler `exec`: in `program_dir` if given, else in one of [`function_folders`], else on PATH.
pub(crate) fn find_function_program(program_dir: Option<&Path>, library_dir: Option<&Path>) -> Result<String, String> {
    let found = match program_dir {
        Some(folder) => named(folder)?,
        None => look_around(&function_folders(library_dir))?,
    };
    let found = std::path::absolute(&found).unwrap_or(found);
    found
        .into_os_string()
        .into_string()
        .map_err(|path| format!("the path of {FUNCTION_PROGRAM} is not UTF-8: {path:?}"))
}

fn named(folder: &Path) -> Result<PathBuf, String> {
    let program = folder.join(FUNCTION_PROGRAM);
    if is_executable(&program) {
        return Ok(program);
    }
    Err(format!("program_dir: {} has no executable {FUNCTION_PROGRAM}", folder.display()))
}

fn look_around(folders: &[PathBuf]) -> Result<PathBuf, String> {
    let found = folders.iter().map(|folder| folder.join(FUNCTION_PROGRAM)).find(|path| is_executable(path));
    found.or_else(|| on_path(FUNCTION_PROGRAM)).ok_or_else(|| {
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "handler exec: there is no {FUNCTION_PROGRAM} in {} or on PATH; install it, name its folder in program_dir, \
             or choose another handler",
            folders.join(", ")
        )
    })
}

/// Folders of the function program: those of an installation with the library in `library_dir`, and the folder of this
/// executable.
fn function_folders(library_dir: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(library) = library_dir {
        // A Python wheel and cargo's target use one folder; other layouts have lib and bin, Debian lib/TRIPLET.
        folders.push(library.to_owned());
        folders.extend(library.ancestors().skip(1).take(2).map(|above| above.join("bin")));
    }
    let executable = std::env::current_exe().ok();
    folders.extend(executable.as_deref().and_then(Path::parent).map(Path::to_owned));
    let mut seen = HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH");
    let folders = std::env::split_paths(path.as_deref().unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")));
    let found = folders.map(|folder| folder.join(name)).find(|path| is_executable(path))?;
    // Make it absolute: PATH may have relative folders, and handlers may start in another folder.
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
    fn missing_programs_are_reported() {
        assert!(find_program("no-such-program-here").unwrap_err().contains("no-such-program-here is not on PATH"));
        assert!(find_program("/bin").unwrap_err().contains("is not an executable file"));
        let folders = ["/nonexistent".into(), "/nonexistent/bin".into()];
        // The folders are searched even if the program is on PATH of this machine.
        if let Err(error) = look_around(&folders) {
            assert!(error.contains("in /nonexistent, /nonexistent/bin or on PATH"), "{error}");
        }
    }

    #[test]
    fn a_program_dir_without_the_program_is_an_error() {
        // With program_dir, the library's folder is not searched.
        let error = find_function_program(Some(Path::new("/nonexistent")), Some(Path::new("/"))).unwrap_err();
        assert_eq!(error, "program_dir: /nonexistent has no executable lambda-executor-function");
    }

    #[test]
    fn the_function_is_found_in_every_layout_of_an_installation() {
        let folders = |library: Option<&str>| {
            let mut folders = function_folders(library.map(Path::new));
            let beside = std::env::current_exe().unwrap();
            assert_eq!(folders.pop().as_deref(), beside.parent());
            folders.iter().map(|folder| folder.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(folders(None), [""; 0]);
        assert_eq!(folders(Some("/opt/x/lib")), ["/opt/x/lib", "/opt/x/bin", "/opt/bin"]);
        let debian = "/usr/lib/x86_64-linux-gnu";
        assert_eq!(folders(Some(debian)), [debian, "/usr/lib/bin", "/usr/bin"]);
        // There is no folder above the root.
        assert_eq!(folders(Some("/lib")), ["/lib", "/bin"]);
        assert_eq!(folders(Some("/")), ["/"]);
    }
}
