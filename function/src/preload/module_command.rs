//! Commands of the form `python -m MODULE …`.

use super::interpreter;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

/// A command that runs a Python module.
#[derive(Debug)]
pub(super) struct ModuleCommand {
    /// The program, as the command names it.
    pub(super) program: OsString,
    /// The file that it names.
    pub(super) executable: PathBuf,
    pub(super) module: OsString,
    /// The arguments after the module's name.
    pub(super) arguments: Vec<OsString>,
    /// The whole environment, not only what differs from ours.
    pub(super) environment: BTreeMap<OsString, OsString>,
}

/// How a command can be run.
#[derive(Debug)]
pub(super) enum Recognised {
    Module(ModuleCommand),
    /// It runs Python in a form that a forked process cannot run; the text says why.
    Unusual(String),
    OtherProgram,
}

impl ModuleCommand {
    pub(super) fn recognise(command: &Command) -> Recognised {
        let program = command.get_program();
        let name = program.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if !name.starts_with(b"python") {
            return Recognised::OtherProgram;
        }
        let mut arguments = command.get_args();
        let module = match (arguments.next(), arguments.next()) {
            (Some(option), Some(module)) if option == "-m" => module,
            (Some(option), _) if option.as_bytes().starts_with(b"-") => {
                return Recognised::Unusual("the interpreter has options other than -m MODULE".to_owned());
            }
            _ => return Recognised::Unusual("the interpreter runs no module (-m MODULE)".to_owned()),
        };
        let environment = environment_of(command);
        match interpreter::find(program, environment.get(OsStr::new("PATH"))) {
            Err(why) => Recognised::Unusual(why),
            Ok(executable) => Recognised::Module(Self {
                program: program.to_owned(),
                executable,
                module: module.to_owned(),
                arguments: arguments.map(OsStr::to_owned).collect(),
                environment,
            }),
        }
    }
}

/// The whole environment of `command`, sorted as std sorts it.
pub(super) fn environment_of(command: &Command) -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<_, _> = std::env::vars_os().collect();
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => environment.insert(name.to_owned(), value.to_owned()),
            None => environment.remove(name),
        };
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognise(argv: &[&str]) -> Recognised {
        let mut command = Command::new(argv[0]);
        command.args(&argv[1..]).env("PATH", "/bin:/usr/bin");
        ModuleCommand::recognise(&command)
    }

    #[test]
    fn only_dash_m_directly_after_the_interpreter_is_usual() {
        for argv in [&["true"][..], &["sh", "-c", "python -m m"], &["/usr/bin/env", "python", "-m", "m"]] {
            assert!(matches!(recognise(argv), Recognised::OtherProgram), "{argv:?}");
        }
        for (argv, expected) in [
            (&["python", "-u", "-m", "m"][..], "options"),
            (&["python", "-mm"], "options"),
            (&["python3.11", "-c", "pass"], "options"),
            (&["python", "-m"], "options"),
            (&["/opt/venv/bin/python", "job.py"], "no module"),
            (&["python"], "no module"),
            (&["python-of-no-machine", "-m", "m"], "no program"),
        ] {
            let recognised = recognise(argv);
            assert!(
                matches!(&recognised, Recognised::Unusual(why) if why.contains(expected)),
                "{argv:?} {recognised:?}"
            );
        }
    }
}
