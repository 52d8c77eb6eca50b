//! Airflow's environment and `airflow.cfg` beside JSON.

use super::*;

/// Airflow's sources: these variables, and `airflow.cfg` with this text.
fn airflow(test: &str, json: Option<&str>, cfg: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let path = std::env::temp_dir().join(format!("lambda-executor-config-{}-{test}.cfg", std::process::id()));
    std::fs::write(&path, cfg).unwrap();
    let file = path.to_str().unwrap().to_owned();
    let environment = Environment::of(variables.iter().copied().chain([("AIRFLOW_CONFIG", file.as_str())]));
    let result = read(json, environment);
    std::fs::remove_file(&path).unwrap();
    result.map_err(|error| error.to_string().lines().map(|line| line.replace(&file, "airflow.cfg")).collect())
}

fn source<'a>(config: &'a Config, name: &str) -> &'a str {
    &config.options.iter().find(|option| option.name == name).unwrap().source
}

#[test]
fn nothing_is_read_from_airflow_unless_asked_for() {
    let environment = Environment::of([("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "7")]);
    for json in [with(""), with(r#""airflow": false"#)] {
        let config = read(Some(&json), environment.clone()).unwrap();
        assert_eq!(config.executor.max_invoke_attempts, executor::Settings::default().max_invoke_attempts);
    }
}

#[test]
fn the_sdk_has_the_environment_that_the_options_were_read_from() {
    let environment = || Environment::of([("AIRFLOW_HOME", "/nonexistent"), ("AWS_REGION", "eu-west-3")]);
    for json in [with(""), with(r#""airflow": true"#)] {
        let config = read(Some(&json), environment()).unwrap();
        assert_eq!(config.aws.environment.text("AWS_REGION"), Some("eu-west-3"));
    }
}

#[test]
fn airflows_sources_and_json_make_one_configuration() {
    let cfg = format!(
        "[DEFAULT]\nend_wait_timeout = 7.0\n[aws_lambda_executor]\nfunction_name = file\nqueue_url = {RESULTS}\n\
         dead_letter_queue_url = {DEAD}\nmax_invoke_attempts = 5\ncheck_health_on_startup = f # off\n"
    );
    let variables = [
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME", "$NAME"),
        ("NAME", "variable"),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", "eu-west-1"),
    ];
    for json in [None, Some(r#"{"airflow": true}"#)] {
        let config = airflow("whole", json, &cfg, &variables).unwrap();
        assert_eq!(config.aws.functions[0].name, "variable");
        assert_eq!(config.aws.queue_urls, [RESULTS, DEAD]);
        assert_eq!(config.aws.region.as_deref(), Some("eu-west-1"));
        assert_eq!(config.executor.max_invoke_attempts, 5);
        assert!(!config.executor.check_health_on_startup);
        assert_eq!(config.end_wait_timeout, Some(Duration::from_secs(7)));
    }
    let json = r#"{"airflow": true, "function_name": "json", "max_invoke_attempts": null, "worker_threads": 3}"#;
    let config = airflow("json", Some(json), &cfg, &variables).unwrap();
    assert_eq!((config.aws.functions[0].name.as_str(), config.worker_threads), ("json", 3));
    assert_eq!(source(&config, "function_name"), "JSON");
    assert_eq!(source(&config, "region_name"), "AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME");
    assert!(source(&config, "max_invoke_attempts").ends_with(":7: [aws_lambda_executor] max_invoke_attempts"));
    assert!(source(&config, "end_wait_timeout").ends_with(":2: [DEFAULT] end_wait_timeout"));
    assert_eq!(source(&config, "conn_id"), "default");
}

#[test]
fn options_in_force_are_listed_without_secrets() {
    let json = with(
        r#""airflow": true, "credentials": {"access_key_id": "AKIA", "secret_access_key": "hunter2"},
           "queues": {"a": {}}"#,
    );
    let config = airflow("force", Some(&json), "", &[("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", "r")]).unwrap();
    let listed: Vec<String> = config
        .options
        .iter()
        .filter(|option| option.is_given())
        .map(|option| format!("{}={} ({})", option.name, option.value, option.source))
        .collect();
    assert_eq!(
        listed,
        [
            "function_name=\"run\" (JSON)".to_owned(),
            format!("queue_url=\"{RESULTS}\" (JSON)"),
            format!("dead_letter_queue_url=\"{DEAD}\" (JSON)"),
            "region_name=\"r\" (AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME)".to_owned(),
            "airflow=true (JSON)".to_owned(),
            "credentials=\"given\" (JSON)".to_owned(),
            "queues=\"given\" (JSON)".to_owned(),
        ]
    );
}

#[test]
fn every_wrong_option_is_reported_with_its_source() {
    let cfg = format!(
        "[aws_lambda_executor]\nqueue_url = %(nothing)s\nend_wait_timeout = soon\ndead_letter_queue_url = {RESULTS}\n\
         region_name = $SECRET\n"
    );
    let lines = airflow(
        "wrong",
        Some(r#"{"airflow": true, "worker_threads": 0}"#),
        &cfg,
        &[
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "abc"),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP", ""),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID", "$A"),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__QUALIFIER", "$SECRET"),
            ("A", "a$A"),
            ("SECRET", "hunter2 hunter2"),
        ],
    )
    .unwrap_err();
    assert_eq!(
        lines,
        [
            "worker_threads: `0` is out of range (expected an integer from 1 to 64)",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUALIFIER=$SECRET: once expanded: is neither a version nor an alias \
             (expected a version number, an alias, or $LATEST)",
            "airflow.cfg:2: [aws_lambda_executor] queue_url=%(nothing)s: refers to `nothing`, which is neither in \
             its section nor in [DEFAULT] (expected https://sqs.<region>.amazonaws.com/<account>/<name>)",
            "airflow.cfg:5: [aws_lambda_executor] region_name=$SECRET: once expanded: has white space in it \
             (expected text that is not empty, without white space)",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__CHECK_HEALTH_ON_STARTUP=: expected true or false",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=abc: expected an integer from 1 to 1000",
            "airflow.cfg:3: [aws_lambda_executor] end_wait_timeout=soon: expected an integer from 0 to 1209600",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID=$A: has variables that refer to each other without end (expected \
             text that is not empty, without white space)",
            "function_name: required and not given: neither as AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_NAME nor in \
             section [aws_lambda_executor] of airflow.cfg (expected a function's name, name:alias, or ARN)",
        ]
    );
}

#[test]
fn contradictions_are_reported_with_their_source() {
    let cfg = format!("[aws_lambda_executor]\nfunction_name = f:live\nqueue_url = {DEAD}\nfunction_qualifier = 2\n");
    let lines =
        airflow("both", None, &cfg, &[("AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL", DEAD)]).unwrap_err();
    assert_eq!(
        lines,
        [
            format!(
                "AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL={DEAD}: is also queue_url (results and dead \
                 letters need a queue each)"
            ),
            "airflow.cfg:4: [aws_lambda_executor] function_qualifier=2: is not the `live` at the end of \
             function_name (give one of the two)"
                .to_owned(),
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_hides_what_is_missing() {
    let lines = airflow("broken", None, "[s]\nsecret\n", &[("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "0")]);
    assert_eq!(
        lines.unwrap_err(),
        [
            "airflow.cfg:2: is neither `name = value` nor a [section]",
            "AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=0: expected an integer from 1 to 1000",
        ]
    );
}

#[test]
fn passwords_in_airflows_sources_are_not_repeated() {
    let url = "https://me:hunter2@h/1/q";
    let lines = airflow(
        "password",
        None,
        &format!("[aws_lambda_executor]\nqueue_url = {url}\n"),
        &[
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__DEAD_LETTER_QUEUE_URL", url),
            ("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", url),
        ],
    )
    .unwrap_err();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("hunter2")), "{lines:?}");
    assert!(
        lines[0].starts_with("airflow.cfg:2: [aws_lambda_executor] queue_url: the URL has a user name"),
        "{lines:?}"
    );
}

#[test]
fn empty_text_counts_as_given_and_means_none() {
    let cfg = "[aws_lambda_executor]\nregion_name = eu-west-1\nfunction_qualifier = 7\nconn_id = mine\n";
    let json = with(r#""airflow": true"#);
    let empty = [
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__REGION_NAME", ""),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__FUNCTION_QUALIFIER", ""),
        ("AIRFLOW__AWS_LAMBDA_EXECUTOR__CONN_ID", ""),
    ];
    let config = airflow("empty", Some(&json), cfg, &empty).unwrap();
    assert_eq!((config.aws.region, config.aws.functions[0].qualifier.as_deref()), (None, None));
    let conn_id = config.options.iter().find(|option| option.name == "conn_id").unwrap();
    assert_eq!(conn_id.value, serde_json::Value::Null);
}

#[test]
fn a_qualifier_in_json_wins_under_either_name() {
    let cfg = "[aws_lambda_executor]\nfunction_qualifier = 7\nqualifier = 8\n";
    let json = |more: &str| with(&format!(r#""airflow": true{more}"#));
    for (more, expected) in [("", "7"), (r#", "qualifier": "9""#, "9"), (r#", "function_qualifier": "9""#, "9")] {
        let config = airflow("qualifier", Some(&json(more)), cfg, &[]).unwrap();
        assert_eq!(config.aws.functions[0].qualifier.as_deref(), Some(expected), "{more}");
    }
}

#[test]
fn with_local_its_own_options_are_not_read_from_airflow() {
    let cfg = format!(
        "[aws_lambda_executor]\nfunction_name = f\nqueue_url = {RESULTS}\nregion_name = r\nmax_invoke_attempts = 9\n"
    );
    let config = airflow("local", Some(r#"{"airflow": true, "local": {}}"#), &cfg, &[]).unwrap();
    assert_eq!(config.aws.functions[0].name, "");
    assert_eq!(config.aws.region.as_deref(), Some("us-east-1"));
    assert_eq!(config.executor.max_invoke_attempts, 9);
}

#[test]
fn teams_and_connections_need_airflow() {
    assert_eq!(
        invalid(&with(r#""team": "blue", "conn_id": "mine""#)),
        ["conn_id: is read only with `airflow`: true (add it)", "team: is read only with `airflow`: true (add it)"]
    );
    let lines = airflow("team", Some(r#"{"airflow": true, "team": "a b"}"#), "", &[]).unwrap_err();
    assert_eq!(lines[0], "team: `a b` is not the name of a team (expected 3 to 50 letters, digits, - or _)");
    let lines = airflow("team", Some(r#"{"airflow": true, "team": "blue"}"#), "", &[]).unwrap_err();
    assert!(
        lines[0].contains(
            "neither as AIRFLOW__BLUE___AWS_LAMBDA_EXECUTOR__FUNCTION_NAME nor in section [blue=aws_lambda_executor] of"
        ),
        "{lines:?}"
    );
}
