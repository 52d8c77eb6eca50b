//! Creates directories that the image's variables name. A new sandbox lacks them: its /tmp is empty, even if the image
//! has files there.

use crate::log::{self, Level};
use std::path::{Path, PathBuf};

/// Where programs keep their files.
const VARIABLES: [&str; 2] = ["HOME", "AIRFLOW_HOME"];

/// Creates the directories that are below `temporary`. A failure is only a warning: the command may not need them.
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
