//! The shared library's symbols: the functions of the header and no others. And its SONAME.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

const HEADER: &str = include_str!("../include/lambda_executor.h");

/// The library that cargo built with this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors()
        .map(|folder| folder.join("liblambda_executor.so"))
        .find(|library| library.is_file())
        .expect("liblambda_executor.so beside the test program or above")
}

fn output(program: &str, arguments: &[&str]) -> String {
    let library = library();
    let done = Command::new(program).args(arguments).arg(library).output();
    let done = done.unwrap_or_else(|error| panic!("{program} (of binutils): {error}"));
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn exactly_the_functions_of_the_header_are_exported() {
    let mut declared: BTreeSet<&str> = HEADER
        .split("\nLAMBDA_EXECUTOR_EXPORT ")
        .skip(1)
        .filter_map(|rest| rest.split_once(';')?.0.split_once('(')?.0.rsplit([' ', '*', '\n']).next())
        .filter(|name| name.starts_with("lambda_executor_"))
        .collect();
    if cfg!(feature = "panic-injection") {
        declared.insert("lambda_executor_test_panic");
    }
    let symbols = output("nm", &["--dynamic", "--defined-only", "--format=posix"]);
    let exported: BTreeSet<&str> = symbols.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(exported, declared);
    // Checks that the functions were found in the header.
    assert!(declared.len() >= 41, "{declared:?}");
}

#[test]
fn soname_and_nodelete_are_set() {
    let dynamic = output("readelf", &["--dynamic", "--wide"]);
    let soname = format!("[liblambda_executor.so.{}]", lambda_executor::ffi::version::LAMBDA_EXECUTOR_ABI_VERSION);
    assert!(dynamic.contains(&soname), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}
