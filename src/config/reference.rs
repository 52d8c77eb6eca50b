//! `docs/configuration.md`, from the table of options, and the test that it is up to date. Not part of the library.

use super::option::{self, Default, Kind, Opt, Origin};
use super::{airflow, queues, value};
use std::fmt::Write;
use std::path::Path;

const INTRODUCTION: &str = "<!-- Made by src/config/reference.rs from the table in src/config/option.rs: change it there, then run `make docs` -->

# Configuration

`lambda_executor_create` takes one JSON object of the options below. `null` is the same as leaving an option out; an
unknown name, a wrong type, a value out of range and an option given twice are errors, and all that is wrong is told at
once, a line each. `lambda_executor_config_schema()` returns the same table as JSON Schema. Instead of an object, NULL
asks for [Airflow's configuration](#airflows-sources), as `{\"airflow\": true}` does.

Secrets are not repeated in errors, logs and statistics.

";

const LOCAL: &str = "
## `local`

Its members are the options of `lambda-executor-local --help`, with `_` for `-` and without the leading `--`, as in
`{\"local\": {\"handler\": \"builtin\", \"retry_base_ms\": 100}}`; those about starting and ending that program are not among
them. With `local`, the options above that name a function, queues or an endpoint cannot be given, Airflow's sources are
not asked for them, and credentials of the real AWS are not read.
";

const SOURCES: &str = "
## Airflow's sources

With `\"airflow\": true` the options in the next table are also looked for where Airflow has them. The first that has an
option wins:

1. the JSON object;
2. the environment variable in the table. An empty variable is a value: of text that need not be there it means none,
   whatever `airflow.cfg` has. A `%` is nothing special;
3. `airflow.cfg`, section `[aws_lambda_executor]`: in the file named by `AIRFLOW_CONFIG`, else in `AIRFLOW_HOME`, else in
   `~/airflow`. No such file is the same as an empty one;
4. the default.

";

const READING: &str = "
- The file is read as Python's `configparser` reads it for Airflow: `name = value` or `name: value`, lines that begin with
  `#` or `;` are comments (there are none after a value, but truth values end at a `#`), deeper indented lines go on with
  the value, `[DEFAULT]` stands in for what the section lacks, `%(name)s` is another option of the section and `%%` a
  percent sign. Names are matched in their case: `Queue_URL` is not `queue_url`. An option or section that is there
  twice is an error, and so is any other fault of the file, as it keeps Airflow from starting too.
- In values of both sources `$NAME`, `${NAME}` and a leading `~` or `~user` are replaced, until nothing changes.
- Truth: `t`, `true`, `1`, `f`, `false`, `0`, in any case. Numbers: as Python reads them, also `3.0`.
- `_CMD` and `_SECRET` are not read: Airflow does so only for options that it calls sensitive, and these are not.
- With `team`, the variable is `AIRFLOW__<TEAM>___AWS_LAMBDA_EXECUTOR__<OPTION>` (three underscores), the section
  `[<team>=aws_lambda_executor]`, and nothing of what is set for all is read.
- An error says where the value was written: `AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=abc: expected an integer
  from 1 to 1000`, or `/etc/airflow/airflow.cfg:12: [aws_lambda_executor] max_invoke_attempts=abc: …`. It shows the value as
  written, and nothing of what came in place of a variable or a reference, since that may be somebody's secret.
- The environment is read once, by `lambda_executor_create`: no other thread may change it meanwhile.

## Where it differs from Airflow

Over 200 configurations are read by Airflow's own parser and by this library (`tests/python/airflow_config`). These are
the differences; each row has its cases there, and there are no others.

| | Airflow | here |
|---|---|---|
";

/// Name in the cases of `tests/python/airflow_config`, what Airflow does, what we do.
const DIFFERENCES: [[&str; 3]; 9] = [
    [
        "checked",
        "takes any text, and an AWS call fails later",
        "names, URLs and versions are checked; white space in them, an empty required option, one queue for both purposes and two different qualifiers are errors",
    ],
    ["range", "takes any number", "a number out of range is an error"],
    ["digits", "takes digits of all scripts", "digits are `0` to `9`"],
    [
        "qualifier",
        "reads `function_qualifier` only, though the provider's own list of options says `qualifier`",
        "`qualifier` is read where `function_qualifier` is not given",
    ],
    ["endless", "hangs where variables refer to each other in a circle", "an error"],
    [
        "too-long",
        "lets replaced variables and references make a value of any length",
        "an error beyond 128 KiB, or 10,000 references",
    ],
    [
        "not-utf-8",
        "goes on with a variable that is not UTF-8",
        "an error, where the variable is an option or needed for one",
    ],
    [
        "unreadable",
        "ignores an `airflow.cfg` that it may not read, or that is a folder",
        "an error, and so is a file of more than 16 MiB",
    ],
    ["team", "looks for any name of a team", "a team has a name that Airflow lets teams have"],
];

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "| option | default | allowed | what it is |\n|---|---|---|---|\n";
    for option in option::ALL {
        let note =
            if let Kind::Later(what) = option.kind { format!(" Not in this version: {what}.") } else { String::new() };
        row(&mut page, &[&code(option.name), &default(option), &allowed(option), &format!("{}{note}", option.doc)]);
    }

    page += "\n## `queues`\n\nAn object: under the name of each queue an object with any of these members.\n\n";
    page += "| member | allowed |\n|---|---|\n";
    for member in queues::MEMBERS {
        row(&mut page, &[&code(member.name), &allowed(member)]);
    }
    page += LOCAL;
    page += SOURCES;
    page += "| option | variable |\n|---|---|\n";
    for option in option::ALL.into_iter().filter(|option| option.origin == Origin::Airflow) {
        row(&mut page, &[&code(option.name), &code(&airflow::variable(None, option.name))]);
    }
    page += READING;
    for [name, theirs, ours] in DIFFERENCES {
        row(&mut page, &[&code(name), theirs, ours]);
    }
    page
}

fn row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        let _ = write!(page, "| {} ", cell.replace('|', "\\|"));
    }
    page.push_str("|\n");
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn default(option: &Opt) -> String {
    match option.default {
        Default::Absent => "none".into(),
        Default::Required => "required; `local` makes its own".into(),
        Default::Integer(value) => value.to_string(),
        Default::Boolean(value) => value.to_string(),
        Default::Text(value) => code(value),
    }
}

fn allowed(option: &Opt) -> String {
    match option.kind {
        Kind::Choice(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(", "),
        Kind::QueueUrl | Kind::Endpoint => code(&value::allowed(option.kind)),
        kind => value::allowed(kind),
    }
}

#[test]
fn the_committed_page_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let same = std::fs::read_to_string(&path).unwrap_or_default() == page();
    assert!(same, "docs/configuration.md is out of date: run `make docs` and commit it");
}

#[test]
fn every_option_and_member_is_on_the_page() {
    let page = page();
    for option in option::ALL {
        assert!(page.contains(&format!("\n| `{}` |", option.name)), "{}", option.name);
        if option.origin == Origin::Airflow {
            assert!(page.contains(&format!("`AIRFLOW__AWS_LAMBDA_EXECUTOR__{}`", option.name.to_uppercase())));
        }
    }
}
