//! Order of the sources, the place of `airflow.cfg`, and errors of a file that cannot be read.

use super::*;

/// A folder of this test, with a file in it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn with(test: &str, bytes: &[u8]) -> Self {
        let folder = std::env::temp_dir().join(format!("lambda-executor-airflow-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("airflow.cfg"), bytes).unwrap();
        Self(folder)
    }

    fn cfg(&self) -> String {
        self.0.join("airflow.cfg").to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn value(airflow: &Airflow<'_>, option: &str) -> Option<String> {
    airflow.find(option).map(|written| written.value.unwrap())
}

#[test]
fn the_environment_is_used_before_the_file() {
    let folder = Folder::with("order", b"[aws_lambda_executor]\nqueue_url = file\nconn_id = %%$B\nregion_name = r\n");
    let environment = Environment::of([
        ("AIRFLOW_HOME", folder.0.to_str().unwrap()),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL", "%$B"),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", ""),
        ("B", "b"),
    ]);
    let (airflow, problems) = Airflow::open(&environment, None);
    assert_eq!(problems, [""; 0]);
    assert_eq!(value(&airflow, "queue_url").as_deref(), Some("%b"));
    assert_eq!(value(&airflow, "conn_id").as_deref(), Some("%b"));
    assert_eq!(value(&airflow, "region_name").as_deref(), Some(""));
    assert_eq!(value(&airflow, "function_name"), None);
    let written = airflow.find("conn_id").unwrap();
    assert_eq!(written.place, format!("{}:3: [aws_lambda_executor] conn_id", folder.cfg()));
    assert_eq!(written.text.as_deref(), Some("%%$B"));
    assert_eq!(airflow.find("queue_url").unwrap().place, "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL");
}

#[test]
fn a_team_reads_its_own_names_only() {
    let folder =
        Folder::with("team", b"[aws_lambda_executor]\nqueue_url = all\n[b_1=aws_lambda_executor]\nconn_id = b\n");
    let environment = Environment::of([
        ("AIRFLOW_CONFIG", folder.cfg().as_str()),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID", "all"),
        ("AIRFLOW__B_1___AWS_LAMBDA_EXECUTOR__REGION_NAME", "team"),
    ]);
    let (airflow, _) = Airflow::open(&environment, Some("b_1"));
    assert_eq!(value(&airflow, "conn_id").as_deref(), Some("b"));
    assert_eq!(value(&airflow, "region_name").as_deref(), Some("team"));
    assert_eq!(value(&airflow, "queue_url"), None);
    assert_eq!(airflow.section(), "b_1=aws_lambda_executor");
}

#[test]
fn the_file_is_found_as_airflow_finds_it() {
    for (variables, expected) in [
        (vec![("HOME", "/h")], "/h/airflow/airflow.cfg"),
        (vec![("HOME", "/h"), ("AIRFLOW_HOME", "~/a")], "/h/a/airflow.cfg"),
        (vec![("AIRFLOW_HOME", "$X/a"), ("X", "/x")], "/x/a/airflow.cfg"),
        (vec![("AIRFLOW_HOME", "/a"), ("AIRFLOW_CONFIG", "${X}.cfg"), ("X", "/x")], "/x.cfg"),
    ] {
        assert_eq!(path(&Environment::of(variables)).as_deref(), Ok(expected));
    }
    let error = path(&Environment::of([("AIRFLOW_CONFIG", "x$AIRFLOW_CONFIG")])).unwrap_err();
    assert!(error.starts_with("AIRFLOW_CONFIG: has variables that "), "{error}");
}

#[test]
fn a_missing_file_is_allowed_and_an_invalid_one_is_not() {
    let open = |path: &str| {
        let environment = Environment::of([("AIRFLOW_CONFIG", path)]);
        Airflow::open(&environment, None).1
    };
    assert_eq!(open("/no/such/airflow.cfg"), [""; 0]);
    let folder = Folder::with("bad", b"[s]\nx = 1\ny = \xff\n");
    assert_eq!(open(&folder.cfg()), [format!("{}:3: is not UTF-8", folder.cfg())]);
    let directory = folder.0.to_str().unwrap();
    assert!(open(directory)[0].starts_with(&format!("{directory}: cannot be read: ")));
    assert_eq!(open("/dev/zero"), ["/dev/zero: has more than 16 MiB"]);
    let folder = Folder::with("wrong", b"[s]\nx\n");
    assert_eq!(open(&folder.cfg()), [format!("{}:2: is neither `name = value` nor a [section]", folder.cfg())]);
}

#[test]
fn references_that_cannot_be_replaced_are_errors() {
    let folder = Folder::with("references", b"[aws_lambda_executor]\nconn_id = %(x)s\n");
    let environment = Environment::of([
        ("AIRFLOW_CONFIG", folder.cfg()),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL", "$A".into()),
        ("A", "a$A".into()),
    ]);
    let (airflow, _) = Airflow::open(&environment, None);
    assert!(airflow.find("conn_id").unwrap().value.unwrap_err().starts_with("refers to `x`, "));
    assert!(airflow.find("queue_url").unwrap().value.unwrap_err().starts_with("has variables that "));
}
