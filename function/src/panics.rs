//! A panic becomes one line of our log: the standard library's text names files of the machine that built the program.

use crate::log::{self, Level};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};

/// Logs panics from now on. Lambda's runtime library panics if the Runtime API's answer is not as Lambda's.
pub(crate) fn install_hook(api: &str) {
    let api = api.to_owned();
    set_hook(Box::new(move |info| log::write(Level::Error, &describe(info, &api), &[])));
}

/// `None` after a panic, which has been logged.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}

fn describe(info: &PanicHookInfo<'_>, api: &str) -> String {
    let what = info.payload_as_str().unwrap_or("no message");
    let place = info.location();
    if place.is_some_and(|place| place.file().contains("lambda_runtime")) {
        return format!(
            "the Lambda Runtime API at {api} did not answer with an event: {what} (it answered with an error, or is not \
             Lambda); this program ends"
        );
    }
    // Keep the part below src/: the rest of the path is of the machine that built the program.
    let file = place.map_or("", |place| place.file());
    let file = file.rsplit_once("/src/").map_or(file, |(_, file)| file);
    let line = place.map_or(0, std::panic::Location::line);
    format!("a bug in this program: {what} ({file}, line {line})")
}
