//! Option `queues`: functions, versions and limits by the queue name of a task. An entry inherits what it leaves out
//! from the top-level options of the same names, which are the route `default`.

use super::json;
use super::option::{self as o, Opt};
use super::value::{self, Checked, Problem};
use super::wrong::shown;
use crate::aws::FunctionName;
use crate::executor::RouteSettings;

/// The members of an entry, in the order of the reference page.
pub(crate) static MEMBERS: [&Opt; 10] = [
    &o::FUNCTION_NAME,
    &o::FUNCTION_QUALIFIER,
    &o::MAX_CONCURRENT_INVOKES,
    &o::MAX_INVOKES_PER_SECOND,
    &o::MAX_RUNNING_TASKS,
    &o::RESULT_TIMEOUT_MS,
    &o::BATCH_SIZE,
    &o::BATCH_WAIT_MS,
    &o::BATCH_PARALLEL,
    &o::BATCH_RESUBMIT,
];

/// The route of the top-level options.
pub(crate) const DEFAULT: &str = "default";
/// A limit, since the executor visits every route at each event.
pub(crate) const MOST_QUEUES: usize = 256;
/// In bytes: Airflow's limit of queue names.
pub(crate) const LONGEST_NAME: usize = 256;

/// One route: its function and its limits.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) function_name: String,
    pub(crate) function_qualifier: Option<String>,
    pub(crate) limits: RouteSettings,
}

/// The routes of the entries in `text`, an object, in its order; or everything that is wrong, each line with its path.
/// With `local`, which makes the function, no entry can name one.
pub(crate) fn read(text: &str, default: &Route, local: bool) -> Result<Vec<Route>, Vec<String>> {
    let mut reader = Reader { default, local, wrong: Vec::new() };
    let routes = reader.routes(text);
    if reader.wrong.is_empty() { Ok(routes) } else { Err(reader.wrong) }
}

struct Reader<'a> {
    default: &'a Route,
    local: bool,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn routes(&mut self, text: &str) -> Vec<Route> {
        let entries = match json::read(text) {
            Ok(entries) => entries,
            Err(line) => {
                self.wrong.push(format!("queues {line}"));
                return Vec::new();
            }
        };
        if entries.len() > MOST_QUEUES {
            self.wrong.push(format!("queues: has {} entries (expected {MOST_QUEUES} at most)", entries.len()));
            return Vec::new();
        }
        let mut routes: Vec<Route> = Vec::new();
        for entry in entries {
            let path = format!("queues.{}", shown(&entry.name));
            let twice = routes.iter().any(|route| route.limits.name == entry.name);
            if let Some(wrong) = wrong_name(&entry.name) {
                self.wrong.push(format!("{path}: {wrong}"));
            } else if twice {
                self.wrong.push(format!("{path}: is given twice"));
            }
            let route = self.route(&entry.name, &path, entry.text.get());
            routes.push(route);
        }
        routes
    }

    fn route(&mut self, name: &str, path: &str, text: &str) -> Route {
        let mut route = self.default.clone();
        name.clone_into(&mut route.limits.name);
        let members = match json::read(text) {
            Ok(members) => members,
            Err(why) => {
                let why = if text.starts_with('{') { why } else { "is not an object".into() };
                self.wrong.push(format!("{path}: {why} (expected an object with {})", names()));
                return route;
            }
        };
        let mut named: Vec<String> = Vec::new();
        let (mut function, mut qualifier) = (None, None);
        for member in members {
            let at = format!("{path}.{}", shown(&member.name));
            if named.contains(&member.name) {
                self.wrong.push(format!("{at}: is given twice"));
                continue;
            }
            named.push(member.name.clone());
            let Some(option) = MEMBERS.into_iter().find(|option| option.name == member.name) else {
                self.wrong.push(format!("{at}: unknown member (expected {})", names()));
                continue;
            };
            match value::check_json(option, member.text.get()) {
                Ok(None) => {}
                Ok(Some(Checked::Text(_))) if self.local => {
                    self.wrong.push(format!("{at}: cannot be given together with `local`, which has its own"));
                }
                Ok(Some(Checked::Text(text))) if option.name == o::FUNCTION_NAME.name => function = Some(text),
                Ok(Some(Checked::Text(text))) => qualifier = Some(text),
                Ok(Some(Checked::Integer(number))) => set_limit(&mut route.limits, option, number),
                Ok(Some(Checked::Boolean(yes))) => route.limits.batch_resubmit = yes,
                Ok(Some(_)) => {}
                Err(Problem::Wrong(line)) => self.wrong.push(format!("{at}: {line}")),
                Err(Problem::Later(line)) => self.wrong.push(format!("{at}: {line}")),
            }
        }
        self.set_function(&mut route, path, function, qualifier);
        route
    }

    /// The entry's own function and qualifier replace inherited ones, also a qualifier at the end of an inherited name.
    fn set_function(&mut self, route: &mut Route, path: &str, function: Option<String>, qualifier: Option<String>) {
        let in_name = |name: &str| FunctionName::parse(name).ok().and_then(|name| name.qualifier);
        match (function, qualifier) {
            (None, None) => {}
            (None, Some(qualifier)) => {
                FunctionName::without_qualifier(&route.function_name).to_owned().clone_into(&mut route.function_name);
                route.function_qualifier = Some(qualifier);
            }
            (Some(function), qualifier) => {
                match (in_name(&function), qualifier) {
                    (Some(in_name), Some(beside)) if in_name != beside => self.wrong.push(format!(
                        "{path}.function_qualifier: `{beside}` is not the `{in_name}` at the end of function_name \
                         (give one of the two)"
                    )),
                    (Some(_), _) => route.function_qualifier = None,
                    (None, Some(qualifier)) => route.function_qualifier = Some(qualifier),
                    (None, None) => {
                        let inherited = in_name(&route.function_name).or(route.function_qualifier.take());
                        route.function_qualifier = inherited;
                    }
                }
                route.function_name = function;
            }
        }
    }
}

fn set_limit(limits: &mut RouteSettings, option: &Opt, number: u64) {
    let count = usize::try_from(number).unwrap_or(usize::MAX);
    match option.name {
        name if name == o::MAX_CONCURRENT_INVOKES.name => limits.max_concurrent_invokes = count,
        name if name == o::MAX_RUNNING_TASKS.name => limits.max_running_tasks = count,
        name if name == o::RESULT_TIMEOUT_MS.name => limits.result_timeout_ms = number,
        name if name == o::BATCH_SIZE.name => limits.batch_size = count,
        name if name == o::BATCH_WAIT_MS.name => limits.batch_wait_ms = number,
        name if name == o::BATCH_PARALLEL.name => limits.batch_parallel = u32::try_from(number).unwrap_or(u32::MAX),
        _ => limits.max_invokes_per_second = u32::try_from(number).unwrap_or(u32::MAX),
    }
}

fn wrong_name(name: &str) -> Option<String> {
    match name.len() {
        0 => Some(format!("the name is empty; tasks without a queue name take the route `{DEFAULT}`")),
        1..=LONGEST_NAME if name == DEFAULT => {
            Some(format!("is the route of the top-level options: write {} there", names()))
        }
        1..=LONGEST_NAME if name.chars().any(char::is_control) => Some("the name has a control character in it".into()),
        1..=LONGEST_NAME => None,
        bytes => Some(format!("the name has {bytes} bytes (expected {LONGEST_NAME} at most)")),
    }
}

fn names() -> String {
    MEMBERS.map(|option| option.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default() -> Route {
        Route {
            function_name: "run".into(),
            function_qualifier: Some("live".into()),
            limits: RouteSettings {
                name: DEFAULT.into(),
                max_concurrent_invokes: 64,
                max_invokes_per_second: 5,
                max_running_tasks: 7,
                result_timeout_ms: 60_000,
                batch_size: 5,
                ..crate::executor::Settings::default().routes.remove(0)
            },
        }
    }

    fn routes(text: &str) -> Vec<Route> {
        read(text, &default(), false).unwrap()
    }

    fn function(text: &str, default: &Route) -> (String, Option<String>) {
        let route = read(&format!(r#"{{"q": {text}}}"#), default, false).unwrap().remove(0);
        (route.function_name, route.function_qualifier)
    }

    #[test]
    fn an_entry_inherits_what_it_leaves_out() {
        let routes = routes(
            r#"{"fast": {"max_invokes_per_second": 100, "max_running_tasks": null, "result_timeout_ms": 5000},
                "slow": {"function_name": "long",
                "function_qualifier": "7", "max_concurrent_invokes": 2, "max_running_tasks": 0}}"#,
        );
        assert_eq!(routes.iter().map(|route| route.limits.batch_size).collect::<Vec<_>>(), [5, 5]);
        let [fast, slow] = routes.as_slice() else { panic!("{routes:?}") };
        assert_eq!((fast.function_name.as_str(), fast.function_qualifier.as_deref()), ("run", Some("live")));
        let l = &fast.limits;
        assert_eq!((l.name.as_str(), l.max_concurrent_invokes), ("fast", 64));
        assert_eq!((l.max_invokes_per_second, l.max_running_tasks, l.result_timeout_ms), (100, 7, 5_000));
        assert_eq!((slow.function_name.as_str(), slow.function_qualifier.as_deref()), ("long", Some("7")));
        let l = &slow.limits;
        assert_eq!((l.max_concurrent_invokes, l.max_invokes_per_second, l.max_running_tasks), (2, 5, 0));
        assert_eq!(l.result_timeout_ms, 60_000);
    }

    #[test]
    fn each_queue_may_send_several_tasks_in_an_invoke() {
        let routes = routes(
            r#"{"many": {"batch_size": 100, "batch_wait_ms": 0, "batch_parallel": 4, "batch_resubmit": true},
                "one": {"batch_size": 1}}"#,
        );
        let batches = routes.iter().map(|route| {
            let l = &route.limits;
            (l.batch_size, l.batch_wait_ms, l.batch_parallel, l.batch_resubmit)
        });
        assert_eq!(batches.collect::<Vec<_>>(), [(100, 0, 4, true), (1, 100, 1, false)]);
        for wrong in [r#"{"batch_size": 0}"#, r#"{"batch_size": 101}"#, r#"{"batch_resubmit": 1}"#] {
            assert!(read(&format!(r#"{{"q": {wrong}}}"#), &default(), false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_most_specific_qualifier_is_used() {
        let some = |text: &str| Some(text.to_owned());
        let beside = default();
        assert_eq!(function(r#"{"function_name": "big"}"#, &beside), ("big".into(), some("live")));
        assert_eq!(function(r#"{"function_name": "big:blue"}"#, &beside), ("big:blue".into(), None));
        assert_eq!(
            function(r#"{"function_name": "big:blue", "function_qualifier": "blue"}"#, &beside),
            ("big:blue".into(), None)
        );
        assert_eq!(function(r#"{"function_qualifier": "9"}"#, &beside), ("run".into(), some("9")));
        let in_name = Route { function_name: "run:live".into(), function_qualifier: None, ..default() };
        assert_eq!(function("{}", &in_name), ("run:live".into(), None));
        assert_eq!(function(r#"{"function_qualifier": "9"}"#, &in_name), ("run".into(), some("9")));
        assert_eq!(function(r#"{"function_name": "big"}"#, &in_name), ("big".into(), some("live")));
    }

    #[test]
    fn everything_wrong_is_reported_with_its_path() {
        let wrong = read(
            r#"{"": {}, "default": {}, "a": {}, "a": {}, "fast": {"max_invokes_per_second": -1, "speed": 1,
                "function_qualifier": "a b", "max_running_tasks": 1, "max_running_tasks": 2}, "list": [],
                "surrogate": {"\ud800": 1},
                "both": {"function_name": "f:x", "function_qualifier": "y"}}"#,
            &default(),
            false,
        )
        .unwrap_err();
        let members = "function_name, function_qualifier, max_concurrent_invokes, max_invokes_per_second, \
                       max_running_tasks, result_timeout_ms, batch_size, batch_wait_ms, batch_parallel, batch_resubmit";
        assert_eq!(
            wrong,
            [
                "queues.: the name is empty; tasks without a queue name take the route `default`".to_owned(),
                format!("queues.default: is the route of the top-level options: write {members} there"),
                "queues.a: is given twice".to_owned(),
                "queues.fast.max_invokes_per_second: `-1` is out of range (expected an integer from 0 to 1000000)"
                    .to_owned(),
                format!("queues.fast.speed: unknown member (expected {members})"),
                "queues.fast.function_qualifier: `a b` is neither a version nor an alias (expected a version number, \
                 an alias, or $LATEST)"
                    .to_owned(),
                "queues.fast.max_running_tasks: is given twice".to_owned(),
                format!("queues.list: is not an object (expected an object with {members})"),
                format!(
                    "queues.surrogate: is not JSON: a string has half of a surrogate pair (\\uD800 to \\uDFFF come in \
                     twos) (line 1, column 9) (expected an object with {members})"
                ),
                "queues.both.function_qualifier: `y` is not the `x` at the end of function_name (give one of the two)"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn names_and_their_number_have_limits() {
        let one = |name: &str| read(&serde_json::json!({ name: {} }).to_string(), &default(), false);
        assert!(one("größer, with spaces").is_ok());
        assert!(one("a\nb").unwrap_err()[0].ends_with("the name has a control character in it"));
        assert!(one(&"x".repeat(257)).unwrap_err()[0].ends_with("the name has 257 bytes (expected 256 at most)"));
        let many: serde_json::Map<_, _> = (0..257).map(|n| (n.to_string(), serde_json::json!({}))).collect();
        let wrong = read(&serde_json::Value::Object(many).to_string(), &default(), false).unwrap_err();
        assert_eq!(wrong, ["queues: has 257 entries (expected 256 at most)"]);
    }

    #[test]
    fn with_local_only_limits_can_differ() {
        assert!(read(r#"{"q": {"max_running_tasks": 1}}"#, &default(), true).is_ok());
        let wrong = read(r#"{"q": {"function_name": "f"}}"#, &default(), true).unwrap_err();
        assert_eq!(wrong, ["queues.q.function_name: cannot be given together with `local`, which has its own"]);
    }
}
