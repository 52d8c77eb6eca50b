//! Generates the C header from `src/ffi` and gives the shared library its SONAME.

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// The files that hold what the header shows, in the order it shows it. `panic_injection.rs` is not among them: what
/// it exports is for tests only.
const PUBLIC: [&str; 17] = [
    "version.rs",
    "status.rs",
    "types.rs",
    "error.rs",
    "handle.rs",
    "queue.rs",
    "sync.rs",
    "batch.rs",
    "task_state.rs",
    "drain.rs",
    "wakeup.rs",
    "health.rs",
    "credentials.rs",
    "stats.rs",
    "logging.rs",
    "names.rs",
    "schema.rs",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=src/ffi");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in PUBLIC {
        builder = builder.with_src(root.join("src/ffi").join(file));
    }
    let mut generated = Vec::new();
    builder.generate()?.write(&mut generated);
    std::fs::write(out.join("lambda_executor.h"), in_house_style(&String::from_utf8(generated)?))?;

    if env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
        // Other libraries link against the SONAME, so that an incompatible major version can be installed beside this.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,liblambda_executor.so.{major}");
        // The fork handler cannot be taken back: the code must stay where it is even after dlclose.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    Ok(())
}

/// cbindgen gives structs no tag of their own, where C programmers expect `struct lambda_executor_task` beside
/// `lambda_executor_task_t`; and it writes line comments, which C89 does not have.
fn in_house_style(header: &str) -> String {
    let mut lines: Vec<String> = header.lines().map(str::to_owned).collect();
    let mut opened = 0;
    for at in 0..lines.len() {
        let line = lines[at].clone();
        if line == "typedef struct {" {
            opened = at;
        } else if let Some(tag) = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix("_t;")) {
            lines[opened] = format!("typedef struct {tag} {{");
        } else if let Some((tag, name)) = line.strip_prefix("typedef struct ").and_then(|rest| rest.split_once("_t ")) {
            lines[at] = format!("typedef struct {tag} {name}");
        } else if let Some((code, _)) = line.split_once("//") {
            lines[at] = code.trim_end().to_owned();
        }
    }
    lines.join("\n") + "\n"
}
