//! Directories that the image names and the sandbox does not have: /tmp is empty at first, whatever the image had in it.

use crate::log::{self, Level};
use std::path::{Path, PathBuf};

/// Where programs keep their files.
const VARIABLES: [&str; 2] = ["HOME", "AIRFLOW_HOME"];

/// Makes those of them that are below `temporary`. Without one a command may still work.
pub(crate) fn make(temporary: &Path) {
    for name in VARIABLES {
        let Some(path) = std::env::var_os(name).map(PathBuf::from).filter(|path| path.starts_with(temporary)) else {
            continue;
        };
        if let Err(error) = std::fs::create_dir_all(&path) {
            log::write(Level::Warn, &format!("{name}: cannot make {}: {error}", path.display()), &[]);
        }
    }
}
