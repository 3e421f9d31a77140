//! `cargo xtask diff`: random chains, patterns, JSON and trees, judged and recorded by this code and by the reference implementation; the
//! trees by Go's, too.

use std::collections::BTreeMap;
use std::fs;

mod case;
mod differences;
mod faults;
mod generate;
mod minimise;
mod ours;
mod peer;
mod people;
mod random;
mod texts;
mod trees;

use case::Case;
pub(crate) use peer::Peer;
use random::Random;

use crate::failure::{Context as _, Failure};
use crate::root::Root;
use crate::{say, tools};

/// The arguments of `cargo xtask diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many chains and choices of files, and ten times as many patterns and JSON texts
    #[arg(long, default_value_t = 400)]
    cases: u64,
    /// Where the random choices start
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the chain of this number, with what each side says of it
    #[arg(long, value_name = "NUMBER")]
    only: Option<u64>,
}

impl Args {
    /// So many cases, from the usual seed.
    pub(crate) fn of(cases: u64) -> Self {
        Self {
            cases,
            seed: 1,
            only: None,
        }
    }
}

/// How the verdicts compare.
#[derive(Debug, Default)]
struct Tally {
    verified: u64,
    refused: u64,
    same_class: u64,
    documented: BTreeMap<&'static str, u64>,
    unexplained: Vec<String>,
}

/// Runs the comparison; anything unexplained is a failure.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let tools = tools::install(root)?;
    let mut peer = Peer::start(root, &tools)?;
    if let Some(number) = args.only {
        return show(&mut peer, &make(args.seed, number));
    }
    let mut unexplained = chains(args, root, &mut peer)?;
    unexplained += texts::patterns(args, &mut peer)?;
    unexplained += texts::canonical_forms(args, &mut peer)?;
    unexplained += trees::compare(args, root, &tools, &mut peer)?;
    if unexplained > 0 {
        return Err(Failure::new(format!("{unexplained} unexplained disagreements")));
    }
    say::status(
        "Agreed",
        "with the reference implementation, but for what docs/differences.md says",
    );
    Ok(())
}

/// The case of a number.
fn make(seed: u64, number: u64) -> Case {
    let mut random = Random::new(seed, number);
    let mut case = generate::chain(&mut random);
    faults::spoil(&mut case, &mut random);
    case
}

fn chains(args: &Args, root: &Root, peer: &mut Peer) -> Result<usize, Failure> {
    let mut tally = Tally::default();
    for number in 0..args.cases {
        judge(&mut tally, peer, root, args.seed, number)?;
    }
    say::row(format!("chains {:>28}", args.cases));
    say::row(format!("  verified by both {:>16}", tally.verified));
    say::row(format!(
        "  refused by both {:>17}  for the same class of reason: {}",
        tally.refused, tally.same_class
    ));
    let documented: u64 = tally.documented.values().sum();
    say::row(format!("  documented differences {documented:>10}"));
    for (section, count) in &tally.documented {
        say::row(format!("    {count:>5}  {section}"));
    }
    say::row(format!("  unexplained {:>21}", tally.unexplained.len()));
    for line in &tally.unexplained {
        say::row(format!("    {line}"));
    }
    Ok(tally.unexplained.len())
}

fn judge(tally: &mut Tally, peer: &mut Peer, root: &Root, seed: u64, number: u64) -> Result<(), Failure> {
    let case = make(seed, number);
    let (layout, links) = case.files();
    let ours = ours::judge(&case, &layout, &links);
    let theirs = peer.judge(&case, &layout, &links)?;
    if ours.is_verified() == theirs.is_verified() {
        if ours.is_verified() {
            tally.verified += 1;
        } else {
            tally.refused += 1;
            let class = theirs.class.as_deref();
            let same = ours.findings.iter().any(|(code, _)| code.reference_class() == class);
            tally.same_class += u64::from(same);
        }
        return Ok(());
    }
    if let Some(sections) = differences::explain(&case, &ours, &theirs) {
        for section in sections {
            *tally.documented.entry(section).or_default() += 1;
        }
        return Ok(());
    }
    let (codes, class) = (ours.codes(), theirs.class.clone());
    let smallest = minimise::minimise(case, |smaller| {
        let (layout, links) = smaller.files();
        let ours = ours::judge(smaller, &layout, &links);
        let Ok(theirs) = peer.judge(smaller, &layout, &links) else {
            return false;
        };
        ours.codes() == codes && theirs.class == class && differences::explain(smaller, &ours, &theirs).is_none()
    });
    let directory = root.target().join(format!("diff/{seed}-{number}"));
    save(&smallest, &directory)?;
    let faults: Vec<_> = smallest.faults.iter().copied().collect();
    tally.unexplained.push(format!(
        "case {number} ({}): ours {}; theirs {}; see {directory}",
        faults.join(", "),
        ours.shown(),
        theirs.shown()
    ));
    Ok(())
}

/// Writes a case's files, signed and as they were before.
fn save(case: &Case, directory: &camino::Utf8Path) -> Result<(), Failure> {
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).context(format!("create {parent}"))?;
        fs::write(&path, bytes).context(format!("write {path}"))
    };
    let (layout, links) = case.files();
    write("root.layout", &layout)?;
    for (path, bytes) in links {
        write(&format!("links/{}", path.replace("..", "__")), &bytes)?;
    }
    write("case.txt", format!("{case:#?}\n").as_bytes())
}

fn show(peer: &mut Peer, case: &Case) -> Result<(), Failure> {
    let (layout, links) = case.files();
    say::row(format!("{case:#?}"));
    say::row(format!("ours: {}", ours::judge(case, &layout, &links).shown()));
    say::row(format!("theirs: {}", peer.judge(case, &layout, &links)?.shown()));
    Ok(())
}
