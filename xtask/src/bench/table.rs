//! The table of the in-process measurements, and what it comes to.

use std::collections::BTreeMap;

use crate::interop::Container;
use crate::say;

/// Milliseconds by `WORK CORPUS CONTAINER`.
pub(super) type Times = BTreeMap<String, f64>;

/// What the other implementations take.
pub(super) struct Peers {
    pub(super) python: Times,
    pub(super) go: Times,
    /// The crate `in-toto`.
    pub(super) rust: Times,
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// CPU time.
    pub(super) floor: f64,
    pub(super) ours: f64,
    /// Time on the wall, where it was measured: the floor, which has one thread, and ours on all processors.
    pub(super) wall: Option<(f64, f64)>,
}

pub(super) fn head() {
    say::row(
        "In process. The floor: files read, parsed with serde_json, canonical bytes, keys, signatures; no model, no rules.",
    );
    say::row(format!(
        "{:<32} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}   {}",
        "CPU milliseconds",
        "Python",
        "Go",
        "crate",
        "floor",
        "ours",
        "× Python",
        "× best",
        "÷ floor",
        "wall: floor, ours"
    ));
}

impl Row {
    pub(super) fn print(&self, peers: &Peers) {
        let Self {
            name,
            floor,
            ours,
            wall,
        } = self;
        let [python, go, rust] = [&peers.python, &peers.go, &peers.rust].map(|times| times.get(name).copied());
        let time = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |time| format!("{time:.3}"));
        let times = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |time| format!("{:.1}", time / ours));
        let best = [go, rust].into_iter().flatten().reduce(f64::min);
        let wall = wall.map_or_else(String::new, |(floor, ours)| format!("   {floor:.3} {ours:.3}"));
        say::row(format!(
            "{name:<32} {:>9} {:>9} {:>9} {floor:>9.3} {ours:>9.3} {:>8} {:>8} {:>8.2}{wall}",
            time(python),
            time(go),
            time(rust),
            times(python),
            times(best),
            ours / floor,
        ));
    }
}

/// How the cost grows from `few` to `many`, beside how the floor's does.
pub(super) fn growth(rows: &[Row], few: &str, many: &str) {
    for container in Container::ALL {
        let find = |corpus: &str| {
            let name = format!("verify {corpus} {}", container.name());
            rows.iter().find(|row| row.name == name)
        };
        let (Some(few_row), Some(many_row)) = (find(few), find(many)) else {
            continue;
        };
        let floor = many_row.floor / few_row.floor;
        let ours = many_row.ours / few_row.ours;
        say::row(format!(
            "growth {few} to {many}, {}: floor × {floor:.1}, ours × {ours:.1}, ratio {:.2}",
            container.name(),
            ours / floor
        ));
    }
}
