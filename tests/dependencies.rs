//! Dependencies that the library must not have: parts of tokio that install signal handlers (they kill Go hosts), and a
//! second, older HTTP and TLS stack. cargo is asked about the library alone, since a build of the whole workspace
//! unifies features.

use std::collections::BTreeSet;
use std::process::Command;

/// Output of `cargo tree` about the library's normal dependencies.
fn tree(more: &[&str]) -> String {
    cargo_tree(&[&["-p", "lambda-executor"], more].concat())
}

fn cargo_tree(more: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tokios_signal_and_process_are_off() {
    let tree = tree(&["-e", "features,normal", "-i", "tokio"]);
    assert!(tree.contains("tokio feature \"rt\""), "the format of the tree has changed:\n{tree}");
    for feature in ["signal", "process", "full"] {
        assert!(!tree.contains(&format!("tokio feature \"{feature}\"")), "tokio's `{feature}` is on:\n{tree}");
    }
}

#[test]
fn there_is_one_http_and_tls_stack() {
    let tree = tree(&["-e", "normal"]);
    assert!(tree.contains("hyper v1."), "the format of the tree has changed:\n{tree}");
    for package in ["hyper v0.", "h2 v0.3.", "rustls v0.21.", "openssl v", "native-tls v", "aws-lc-rs v"] {
        assert!(!tree.lines().any(|line| line.starts_with(package)), "{package} is there:\n{tree}");
    }
}

/// Each dependency of the workspace with its features.
fn features(edges: &str, more: &[&str]) -> BTreeSet<String> {
    let tree = cargo_tree(&[&["--workspace", "-e", edges, "-f", "{p} {f}"], more].concat());
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned());
    lines.filter(|line| !line.contains(" (/")).collect()
}

/// Otherwise `make demo` and `make build` would compile these crates, and all that use them, twice.
#[test]
fn tests_use_only_features_that_the_demo_turns_on() {
    let demo = features("normal,build", &["--no-default-features"]);
    assert!(demo.iter().any(|line| line.starts_with("tokio v")), "the format of the tree has changed");
    let missing: Vec<_> = demo.difference(&features("normal,build,dev", &[])).cloned().collect();
    assert!(missing.is_empty(), "tools/build-features lacks features of: {missing:#?}");
}
