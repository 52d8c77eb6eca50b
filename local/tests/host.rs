//! Inside a host: `stop` removes everything that `start` added to the process. A separate file, because the test checks
//! the whole process.

mod support;

use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use support::{Client, eventually, local};

fn descriptors() -> BTreeSet<String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = entries.filter_map(|entry| {
        let entry = entry.unwrap();
        let target = std::fs::read_link(entry.path()).ok()?;
        // The descriptor of the folder that is being read.
        let ours = !target.starts_with("/proc");
        ours.then(|| format!("{} {}", entry.file_name().to_string_lossy(), target.display()))
    });
    targets.collect()
}

fn threads() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/task").unwrap();
    let names = entries.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("lmbx")).collect()
}

#[test]
fn nothing_is_left_after_stop() {
    let before = descriptors();
    let stubborn = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 600; done'";
    for options in [json!({"handler": "builtin"}), json!({"handler": stubborn, "worker_threads": 2})] {
        let running = local(options);
        let client = Client::of(&running);
        client.invoke("Event", &json!({"task_key": "k"}));
        eventually("the event runs", || client.stats()["invocations"] == 1);
        assert!(!threads().is_empty());
        for name in descriptors().difference(&before) {
            let number = name.split(' ').next().unwrap();
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
            let flags = flags.map_or(0o2_000_000, |flags| u32::from_str_radix(flags, 8).unwrap());
            assert_ne!(flags & 0o2_000_000, 0, "{name} must not be inherited by children");
        }
        running.stop(Duration::from_millis(100));
        assert_eq!(threads(), [""; 0]);
        assert_eq!(descriptors(), before);
    }
    let dropped = local(json!({"handler": "/bin/sh -c 'sleep 600'"}));
    Client::of(&dropped).invoke("Event", &json!({}));
    drop(dropped);
    assert_eq!(threads(), [""; 0]);
    assert_eq!(descriptors(), before);
}
