//! Generates the C header from `src/ffi` and sets the SONAME of the shared library.

#[path = "src/ffi/header/layout.rs"]
mod layout;

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=src/ffi");
    let ffi = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("src/ffi");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let config = cbindgen::Config::from_file("cbindgen.toml")?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    let mut sources = Vec::new();
    for file in layout::SECTIONS.iter().flat_map(|section| section.files) {
        let path = ffi.join(file);
        builder = builder.with_src(&path);
        sources.push((*file, fs::read_to_string(&path)?));
    }
    let mut generated = Vec::new();
    builder.generate()?.write(&mut generated);
    let header =
        layout::arrange(&String::from_utf8(generated)?, &sources, &fs::read_to_string(ffi.join("header/top.h"))?)?;
    fs::write(out.join("lambda_executor.h"), header)?;

    if env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        let abi = layout::constant("LAMBDA_EXECUTOR_ABI_VERSION", &sources).ok_or("no LAMBDA_EXECUTOR_ABI_VERSION")?;
        // Other libraries link against the SONAME, so that libraries of two ABIs can be installed side by side.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,liblambda_executor.so.{abi}");
        // Fork handlers cannot be unregistered: their code must stay mapped even after dlclose.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    Ok(())
}
