//! The figures: names, units, goals, and the table that shows them.

use std::collections::BTreeMap;
use std::fmt;

/// One figure.
pub(super) struct Figure {
    /// The measurement and the name in it.
    pub(super) id: &'static str,
    text: &'static str,
    unit: &'static str,
    goal: Option<Goal>,
}

enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

use Goal::{AtLeast, AtMost};

const fn figure(id: &'static str, text: &'static str, unit: &'static str, goal: Option<Goal>) -> Figure {
    Figure { id, text, unit, goal }
}

/// In the order in which they are printed.
#[rustfmt::skip]
pub(super) const FIGURES: &[Figure] = &[
    figure("million.worst", "queue, worst call", "ms", Some(AtMost(5.0))),
    figure("million.worst_cpu", "  CPU time of that call", "ms", None),
    figure("million.p999", "queue, p99.9", "µs", None),
    figure("million.mean", "queue, mean", "µs", None),
    figure("million.bytes", "memory of a queued task beyond its key and command", "B", Some(AtMost(600.0))),
    figure("million.hold_wall", "lock, longest hold while a million tasks are queued", "µs", None),
    figure("million.hold_cpu", "  its CPU time", "µs", None),
    figure("latency.p50", "result latency, p50", "ms", None),
    figure("latency.p99", "result latency, p99", "ms", Some(AtMost(250.0))),
    figure("latency.max", "result latency, longest", "ms", None),
    figure("latency.rate", "tasks a second meanwhile", "/s", None),
    figure("latency.server", "  of the CPU time: local server", "%", None),
    figure("latency.hold_wall", "lock, longest hold meanwhile", "µs", None),
    figure("latency.hold_cpu", "  its CPU time", "µs", None),
    figure("large.hold_wall", "lock, longest hold while ten results of 1 MiB arrive", "µs", Some(AtMost(1_000.0))),
    figure("large.hold_cpu", "  its CPU time", "µs", None),
    figure("deletes.rate", "deletes a second of one queue", "/s", Some(AtLeast(20_000.0))),
    figure("deletes.server", "  of the CPU time: local server", "%", None),
    figure("deletes.busy", "  processors in use, of both", "", None),
    figure("deletes.hold_wall", "lock, longest hold meanwhile", "µs", None),
    figure("deletes.hold_cpu", "  its CPU time", "µs", None),
];

impl Figure {
    pub(super) const HEADING: &str =
        "figure                                                   median  (lowest to highest)       goal";

    /// True if that measurement makes it.
    pub(super) fn is_of(&self, measurement: &str) -> bool {
        self.id.split_once('.').is_some_and(|(of, _)| of == measurement)
    }

    /// True if it is about holds of the lock.
    pub(super) fn is_of_lock(&self) -> bool {
        self.id.contains(".hold_")
    }

    /// Its line of the table: the median of the values, and what they lie between.
    pub(super) fn row(&self, values: &mut [f64]) -> String {
        values.sort_by(f64::total_cmp);
        let median = values[values.len() / 2];
        let spread = match values {
            [lowest, .., highest] => format!("({} to {})", number(*lowest), number(*highest)),
            _ => String::new(),
        };
        let goal = match self.goal {
            None => String::new(),
            Some(AtMost(most)) => verdict("at most", most, median <= most),
            Some(AtLeast(least)) => verdict("at least", least, median >= least),
        };
        let line = format!("{:52} {:>10} {:3} {spread:22} {goal}", self.text, number(median), self.unit);
        line.trim_end().to_owned()
    }
}

fn verdict(what: &str, bound: f64, is_met: bool) -> String {
    format!("{what} {}: {}", number(bound), if is_met { "met" } else { "missed" })
}

fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// Values of one run by the id of their figure.
#[derive(Default)]
pub(super) struct Values(BTreeMap<String, f64>);

impl Values {
    pub(super) fn add(&mut self, id: &str, value: f64) {
        self.0.insert(id.into(), value);
    }

    pub(super) fn get(&self, id: &str) -> Option<f64> {
        self.0.get(id).copied()
    }

    /// What the process of a measurement has printed.
    pub(super) fn read(text: &str) -> Self {
        let value = |line: &str| {
            let (id, value) = line.split_once(' ')?;
            Some((id.to_owned(), value.parse().ok()?))
        };
        Self(text.lines().filter_map(value).collect())
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(id, value)| writeln!(f, "{id} {value}"))
    }
}
