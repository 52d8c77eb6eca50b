use super::*;
use crate::executor::Command;
use std::ffi::CString;
use std::ptr;

fn string(text: &str) -> lambda_executor_str_t {
    lambda_executor_str_t { ptr: text.as_ptr().cast(), len: text.len() }
}

fn task(key: &str) -> lambda_executor_task_t {
    lambda_executor_task_t {
        struct_size: u32::try_from(size_of::<lambda_executor_task_t>()).unwrap(),
        flags: 0,
        tag: 7,
        key: string(key),
        argv: ptr::null(),
        argc: 0,
        command_json: string(r#"["true"]"#),
        executor_config_json: string(""),
        queue: string(""),
        timeout_ms: 0,
        max_wait_ms: 0,
        result_timeout_ms: 0,
        attempt_id: string(""),
    }
}

const SIZE: usize = size_of::<lambda_executor_task_t>();

fn read(task: &lambda_executor_task_t) -> Result<TaskSpec, String> {
    // SAFETY: the tests keep what their tasks point to.
    unsafe { to_queue(task) }.map_err(|failure| failure.to_string())
}

/// Reads an array of structs of `size` bytes each, filled by `fill`.
fn sized(size: usize, n: usize, fill: impl Fn(usize, &mut [u8])) -> Vec<Result<lambda_executor_task_t, String>> {
    let mut memory = vec![0_u8; size * n];
    for (at, bytes) in memory.chunks_mut(size).enumerate() {
        let mut task = task("k");
        task.struct_size = u32::try_from(size).unwrap();
        task.tag = u64::try_from(at).unwrap();
        // SAFETY: both have at least so many bytes.
        unsafe {
            ptr::from_ref(&task).cast::<u8>().copy_to_nonoverlapping(bytes.as_mut_ptr(), size.min(size_of_val(&task)));
        }
        fill(at, bytes);
    }
    // SAFETY: `n` structs of `size` bytes.
    match unsafe { Tasks::new(memory.as_ptr().cast(), n) } {
        Ok(tasks) => tasks.iter().map(|task| task.map_err(|failure| failure.to_string())).collect(),
        Err(failure) => vec![Err(failure.to_string())],
    }
}

#[test]
fn structs_of_newer_callers_are_read_by_their_stride() {
    let tasks = sized(SIZE + 24, 3, |_, _| {});
    let tags: Vec<u64> = tasks.into_iter().map(|task| task.unwrap().tag).collect();
    assert_eq!(tags, [0, 1, 2]);
}

#[test]
fn the_struct_of_abi_1_has_this_size_for_ever() {
    assert_eq!(FIRST_SIZE, 136);
}

#[test]
fn an_attempt_id_is_a_uuid_or_empty() {
    const ID: &str = "ffffffff-ffff-4fff-bfff-ffffffffffff";
    let with = |id: &str| lambda_executor_task_t { attempt_id: string(id), ..task("k") };
    // SAFETY: the strings live as long as the tasks.
    let adopt = |id: &str| unsafe { to_adopt(&with(id)) }.map(|spec| spec.attempt).map_err(|error| error.to_string());
    let queue = |id: &str| read(&with(id)).map(|spec| spec.attempt);
    for read in [&adopt as &dyn Fn(&str) -> Result<Option<AttemptId>, String>, &queue] {
        assert_eq!(read(ID), Ok(AttemptId::parse(ID)));
        assert_eq!(read(""), Ok(None));
        assert!(read("7").is_err_and(|message| message.starts_with("task `k`: attempt_id is not a UUID")));
    }
}

#[test]
fn the_result_timeout_is_read_by_queue_and_adopt() {
    let with = |ms| lambda_executor_task_t { result_timeout_ms: ms, ..task("k") };
    // SAFETY: the strings live as long as the tasks.
    let adopt = |ms| unsafe { to_adopt(&with(ms)) }.map(|spec| spec.result_timeout_ms);
    assert_eq!(read(&with(5)).map(|spec| spec.result_timeout_ms), Ok(5));
    assert_eq!(adopt(7).ok(), Some(7));
    assert!(read(&with(-1)).is_err() && adopt(-1).is_err());
}

#[test]
fn what_we_do_not_know_must_be_zero() {
    let tasks = sized(SIZE + 8, 2, |at, bytes| bytes[SIZE + 7] = u8::from(at == 1));
    assert!(tasks[0].is_ok());
    assert!(tasks[1].as_ref().is_err_and(|message| message.contains("does not know")), "{tasks:?}");
}

#[test]
fn a_wrong_struct_size_is_reported() {
    for size in [4, 8, FIRST_SIZE - 1, MOST_SIZE + 1] {
        let tasks = sized(size, 1, |_, _| {});
        assert!(tasks[0].as_ref().is_err_and(|message| message.contains("sizeof")), "{size}: {tasks:?}");
    }
    let mixed = sized(FIRST_SIZE, 2, |at, bytes| bytes[0] ^= u8::try_from(at * 8).unwrap());
    assert!(mixed[0].is_ok() && mixed[1].as_ref().is_err_and(|message| message.contains("all must have the same")));
    // SAFETY: NULL is not read, and what is too many is not either.
    unsafe {
        assert!(Tasks::new(ptr::null(), 1).is_err());
        assert!(Tasks::new(ptr::null(), 0).is_ok());
        for n in [entries::MAX + 1, usize::MAX] {
            let refused = Tasks::new(ptr::from_ref(&task("k")), n).map(|_| ()).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("n is {n} (at most 1000000, LAMBDA_EXECUTOR_MAX_BATCH, are allowed in one call)")
            );
        }
    }
}

#[test]
fn flags_must_be_zero() {
    let tasks = sized(FIRST_SIZE, 1, |_, bytes| bytes[4] = 2);
    assert_eq!(tasks[0].as_ref().unwrap_err(), "flags of the task are 0x2 (only 0 is allowed)");
}

#[test]
fn a_command_is_argv_or_json() {
    let words = [CString::new("echo").unwrap(), CString::new("é").unwrap()];
    let argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    let mut task = task("k");
    (task.argv, task.argc) = (argv.as_ptr(), argv.len());
    assert!(read(&task).unwrap_err().contains("has two commands"));

    task.command_json = string("");
    assert!(matches!(read(&task).unwrap().command, Command::Argv(words) if words == ["echo", "é"]));

    task.argc = 0;
    assert!(read(&task).unwrap_err().contains("argv is empty"));
    task.argv = ptr::null();
    assert!(read(&task).unwrap_err().contains("has no command"));
    task.argc = 1;
    assert!(read(&task).unwrap_err().contains("argv is NULL, but argc is 1"));
}

#[test]
fn a_huge_argc_is_refused_before_argv_is_read() {
    let argv = [ptr::null()];
    let mut task = task("k");
    (task.argv, task.argc, task.command_json) = (argv.as_ptr(), usize::MAX, string(""));
    let message = read(&task).unwrap_err();
    assert_eq!(message, format!("task `k`: argc is {} (at most 349525 arguments fit into an event)", usize::MAX));
}

#[test]
fn a_null_in_argv_is_refused() {
    let word = CString::new("echo").unwrap();
    let argv = [word.as_ptr(), ptr::null()];
    let mut task = task("k");
    (task.argv, task.argc, task.command_json) = (argv.as_ptr(), 2, string(""));
    assert_eq!(read(&task).unwrap_err(), "task `k`: argv has a NULL at index 1, but argc is 2");
}

#[test]
fn json_commands_are_passed_on_as_written() {
    for json in [r#"["a"]"#, r#" [ "a" , "\u00e9" ]"#, r#""echo hello""#] {
        let mut task = task("k");
        task.command_json = string(json);
        assert!(matches!(read(&task).unwrap().command, Command::Json(raw) if raw.get() == json.trim()), "{json}");
    }
}

#[test]
fn json_that_is_no_command_is_refused_with_what_it_is() {
    for (json, what) in [
        ("5", "is a number"),
        ("-5.5", "is a number"),
        ("true", "is true or false"),
        ("null", "is null"),
        (r#"{"a": [1]}"#, "is an object"),
        (r#"["a", "\udc00"]"#, "has an unpaired surrogate (\\ud800 to \\udfff) at index 1"),
        ("[]", "is an empty list: the first string is the program"),
        (r#""""#, "is an empty string"),
        (r#""  \n""#, "is an empty string"),
        (r#""a\u0000b""#, "has a NUL (\\u0000), which no command can have"),
        (r#""a\ud800""#, "has an unpaired surrogate (\\ud800 to \\udfff)"),
        (r#"["", "a"]"#, "has an empty string as the program at index 0"),
        (r#"["a", "b\u0000"]"#, "has a NUL (\\u0000), which no argument can have, at index 1"),
        (r#"["a", 5, null]"#, "has something other than a string at index 1"),
        (r#"["a", "", ["b"]]"#, "has something other than a string at index 2"),
        (r#"[{"b": {}}]"#, "has something other than a string at index 0"),
        (r#"["a""#, "is not JSON: EOF while parsing a list at line 1 column 4"),
        (r#"["a"] x"#, "is not JSON: trailing characters at line 1 column 7"),
        ("echo", "is not JSON: expected value at line 1 column 1"),
    ] {
        let mut task = task("name");
        task.command_json = string(json);
        let message = read(&task).unwrap_err();
        let allowed = r#"(allowed: a list of strings, or one string for the shell, in quotes: "echo hi")"#;
        assert_eq!(message, format!("task `name`: command_json {what} {allowed}"));
    }
}

#[test]
fn the_executor_config_is_an_object() {
    let with = |json: &str| {
        let mut task = task("k");
        task.executor_config_json = string(json);
        read(&task).map(|spec| spec.executor_config.map(|config| config.get().to_owned()))
    };
    assert_eq!(with(""), Ok(None));
    assert_eq!(with(r#"{"a": {"b": [1, null]}}"#), Ok(Some(r#"{"a": {"b": [1, null]}}"#.into())));
    for (json, what) in [
        ("[1]", "is a list"),
        ("5", "is a number"),
        (r#""a""#, "is a string"),
        ("null", "is null"),
        ("{", "is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{} {}", "is not JSON: trailing characters at line 1 column 4"),
    ] {
        let message = format!("task `k`: executor_config_json {what} (allowed: a JSON object, or empty)");
        assert_eq!(with(json), Err(message));
    }
}

#[test]
fn times_are_not_negative() {
    let mut task = task("k");
    task.timeout_ms = -1;
    assert_eq!(read(&task).unwrap_err(), "task `k`: timeout_ms is -1 (0 or more milliseconds are allowed)");
    (task.timeout_ms, task.max_wait_ms) = (i64::MAX, -5);
    assert!(read(&task).unwrap_err().contains("max_wait_ms is -5"));
    task.max_wait_ms = 5;
    assert!(read(&task).is_ok_and(|spec| spec.max_wait_ms == 5));
}

#[test]
fn adopted_tasks_need_no_command() {
    let mut task = task("k");
    task.command_json = string("");
    // SAFETY: the strings are there.
    let spec = unsafe { to_adopt(&task) }.unwrap();
    assert_eq!((&*spec.key, spec.tag), ("k", 7));
}
