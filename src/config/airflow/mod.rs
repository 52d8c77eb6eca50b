//! Airflow's sources of options, in order: the environment, then `airflow.cfg`. With a team, only the team's names are
//! read, as in Airflow. Names are case-sensitive, as in Airflow's parser.

mod cfg;
mod expand;
mod interpolation;
pub(crate) mod spelling;

use crate::runtime::environment::Environment;
use cfg::Cfg;
use expand::expand;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The section of the executor.
pub(crate) const SECTION: &str = "aws_lambda_executor";

/// Larger files are refused, so that reading ends (`/dev/zero`).
const LARGEST_FILE: u64 = 16 << 20;

/// The value of an option as written, and its place.
#[derive(Debug)]
pub(crate) struct Written {
    /// The variable, or file, line, section and name.
    pub(crate) place: String,
    /// As written, for errors: replacements of `$NAME` and `%(name)s` may be secrets. `None` if it is not text.
    pub(crate) text: Option<String>,
    /// With variables and references replaced; or why they cannot be, in words that follow the text.
    pub(crate) value: Result<String, String>,
}

/// Both sources of one executor, or of one team's.
#[derive(Debug)]
pub(crate) struct Airflow<'a> {
    environment: &'a Environment,
    team: Option<&'a str>,
    path: String,
    cfg: Cfg,
}

impl<'a> Airflow<'a> {
    /// Finds and reads `airflow.cfg`; a missing file is the same as an empty one. Also returns what is wrong with it, a
    /// line each: if anything is, nothing can be reported as missing.
    pub(crate) fn open(environment: &'a Environment, team: Option<&'a str>) -> (Self, Vec<String>) {
        let mut airflow = Self { environment, team, path: String::new(), cfg: Cfg::default() };
        let problems = match path(environment) {
            Ok(path) => {
                let read = read(&path).and_then(|text| Cfg::parse(&text));
                airflow.path = path;
                match read {
                    Ok(cfg) => {
                        airflow.cfg = cfg;
                        Vec::new()
                    }
                    Err(lines) => lines.into_iter().map(|line| format!("{}{line}", airflow.path)).collect(),
                }
            }
            Err(line) => vec![line],
        };
        (airflow, problems)
    }

    /// The option of that name, from the first source that has it.
    pub(crate) fn find(&self, option: &str) -> Option<Written> {
        self.in_environment(option).or_else(|| self.in_file(option))
    }

    fn in_environment(&self, option: &str) -> Option<Written> {
        let place = self.variable(option);
        match self.environment.get(&place).transpose()? {
            Ok(text) => Some(Written { place, text: Some(text.to_owned()), value: expand(text, self.environment) }),
            Err(problem) => Some(Written { place, text: None, value: Err(problem.to_string()) }),
        }
    }

    fn in_file(&self, option: &str) -> Option<Written> {
        let section = self.section();
        let found = self.cfg.find(&section, option)?;
        let value = interpolation::interpolate(found.text, |name| Some(self.cfg.find(&section, name)?.text));
        Some(Written {
            place: format!("{}:{}: [{}] {option}", self.path, found.line, found.section),
            text: Some(found.text.clone()),
            value: value.and_then(|value| expand(&value, self.environment)),
        })
    }

    /// The variable that an option is read from.
    pub(crate) fn variable(&self, option: &str) -> String {
        variable(self.team, option)
    }

    /// The section that options are read from.
    pub(crate) fn section(&self) -> String {
        self.team.map_or_else(|| SECTION.to_owned(), |team| format!("{team}={SECTION}"))
    }

    /// The path of `airflow.cfg`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// The variable of an option, with a team or without.
pub(crate) fn variable(team: Option<&str>, option: &str) -> String {
    let team = team.map(|team| format!("{}___", team.to_uppercase())).unwrap_or_default();
    format!("AIRFLOW__{team}{}__{}", SECTION.to_uppercase(), option.to_uppercase())
}

fn path(environment: &Environment) -> Result<String, String> {
    let get = |name: &str| match environment.get(name) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => expand(text, environment).map(Some).map_err(|why| format!("{name}: {why}")),
        Err(problem) => Err(format!("{name}: {problem}")),
    };
    if let Some(path) = get("AIRFLOW_CONFIG")? {
        return Ok(path);
    }
    let home = match get("AIRFLOW_HOME")? {
        Some(home) => home,
        None => expand("~/airflow", environment)?,
    };
    Ok(Path::new(&home).join("airflow.cfg").to_string_lossy().into_owned())
}

/// The text of the file, empty if it does not exist. Errors follow the path.
fn read(path: &str) -> Result<String, Vec<String>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    match file.and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(vec![format!(": cannot be read: {error}")]),
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(vec![format!(": has more than {} MiB", LARGEST_FILE >> 20)]);
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        vec![format!(":{}: is not UTF-8", 1 + before.iter().filter(|byte| **byte == b'\n').count())]
    })
}

#[cfg(test)]
mod tests;
