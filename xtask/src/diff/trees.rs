//! Random choices of files, recorded by this code in both of its manners, by Python's implementation and by Go's.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Args;
use super::peer::Peer;
use super::random::Random;
use crate::conversation::Conversation;
use crate::failure::{Context as _, Failure};
use crate::root::Root;
use crate::say;
use crate::tools::{self, Tools};

/// How many choices are made in one tree.
const PER_TREE: u64 = 20;

const FILES: [&str; 18] = [
    "a",
    "b.pyc",
    "c~",
    "d.link",
    "one/a",
    "one/b.rs",
    "one/two/a",
    "one/two/c.rs",
    "one/two/three/d.rs",
    "one/[x]",
    "one/{a,b}",
    "three/.git/config",
    "three/a b",
    "three/ü",
    "three/#a",
    "three/!a",
    "threefold",
    ".git/config",
];
/// Python writes it as `one/a`.
const BACKSLASH: &str = "one\\a";
const FILE_LINKS: [(&str, &str); 2] = [("three/file", "../a"), ("one/to-b", "b.rs")];
const DIRECTORY_LINKS: [(&str, &str); 2] = [("three/one", "../one"), ("to-two", "one/two")];
const BROKEN: (&str, &str) = ("three/broken", "nowhere");
const CYCLE: (&str, &str) = ("one/two/up", "..");
const PATHS: [&str; 16] = [
    ".",
    "a",
    "./a",
    "one",
    "one/",
    "one/../three",
    "three",
    "one/two",
    "one/b.rs",
    "missing",
    "threefold",
    "file:one",
    "dir:one",
    "dir:three",
    "three/one",
    "three/file",
];
/// Paths that are there below `one`.
const BELOW_ONE: [&str; 7] = [".", "a", "./a", "two", "two/", "two/../b.rs", "dir:two"];
const WORDS: [&str; 22] = [
    "a", "*", "one", "two", "three", "*.rs", "*.pyc", "?", "[a-c]", "[!a]", "[^a]", "[]x]", "{a,b}", "th*", "**",
    ".git", "a b", "ü", "\\#a", "\\!a", "up", "#a",
];
const PREFIXES: [&str; 6] = ["one/", "three", "th", "a", "one/two/", "./"];
/// What Python leaves out where nothing else is left out, in its library as well.
const DEFAULT_EXCLUDES: [&str; 4] = ["*.link*", ".git", "*.pyc", "*~"];
/// A pattern that leaves nothing out, in their place.
const NOTHING: &str = "nothing-is-called-so";
const CONTENT: [&str; 6] = ["x", "\r", "\n", "\r\n", "\r\r\n", "line"];

/// What is in a tree that makes a difference.
#[derive(Debug, Default)]
struct Tree {
    backslash: bool,
    file_links: bool,
    directory_links: bool,
    broken: bool,
    cycle: bool,
}

/// One choice of files.
#[derive(Debug, Clone)]
struct Choice {
    paths: Vec<&'static str>,
    excludes: Vec<String>,
    prefixes: Vec<&'static str>,
    base: Option<&'static str>,
    normalise: bool,
    follow: bool,
}

/// Digests by name, or why there are none.
type Recorded = Result<BTreeMap<String, String>, String>;

/// Everybody who records.
struct Recorders<'p> {
    ours: Conversation,
    python: &'p mut Peer,
    go: Conversation,
    tree: Utf8PathBuf,
}

#[derive(Default)]
struct Tally {
    same: u64,
    refused: u64,
    documented: BTreeMap<&'static str, u64>,
    unexplained: Vec<String>,
}

/// How two answers compare.
enum Outcome {
    Same,
    BothRefuse,
    Documented(&'static str),
    Unexplained,
}

/// Compares all recorders; says how many choices differ without a reason.
pub(super) fn compare(args: &Args, root: &Root, tools: &Tools, python: &mut Peer) -> Result<usize, Failure> {
    let temporary = TempDir::with_prefix("cargo-intoto-trees-").context("make a temporary directory")?;
    let top = Utf8Path::from_path(temporary.path())
        .ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?
        .canonicalize_utf8()
        .context("resolve the temporary directory")?;
    let recorder = tools::recorder(root)?;
    let mut recorders = Recorders {
        ours: Conversation::start("this code", &mut Command::new(recorder))?,
        python,
        go: Conversation::start("in-toto-golang", Command::new(tools.go("peer")).arg("record"))?,
        tree: top.join("tree"),
    };
    let mut tallies: [(&str, Tally); 3] = [
        ("as Python's tools, beside Python", Tally::default()),
        ("as ours, beside Python", Tally::default()),
        ("as ours, beside Go", Tally::default()),
    ];
    let mut tree = Tree::default();
    for number in 0..args.cases {
        let mut random = Random::new(args.seed, u64::MAX / 2 + number);
        if number % PER_TREE == 0 {
            tree = Tree::make(&recorders.tree, &mut random)?;
        }
        let choice = Choice::make(&mut random);
        let outcomes = [
            recorders.python_manner(&tree, &choice)?,
            recorders.beside_python(&tree, &choice)?,
            recorders.beside_go(&tree, &choice)?,
        ];
        for ((_, tally), (outcome, detail)) in tallies.iter_mut().zip(outcomes) {
            match outcome {
                Outcome::Same => tally.same += 1,
                Outcome::BothRefuse => tally.refused += 1,
                Outcome::Documented(reason) => *tally.documented.entry(reason).or_default() += 1,
                Outcome::Unexplained => tally
                    .unexplained
                    .push(format!("choice {number}, {choice:?} in {tree:?}: {detail}")),
            }
        }
    }
    let mut unexplained = 0;
    for (name, tally) in &tallies {
        say::row(format!("trees {name}"));
        say::row(format!("  recorded alike {:>18}", tally.same));
        say::row(format!("  refused by both {:>17}", tally.refused));
        say::row(format!(
            "  documented differences {:>10}",
            tally.documented.values().sum::<u64>()
        ));
        for (reason, count) in &tally.documented {
            say::row(format!("    {count:>5}  {reason}"));
        }
        say::row(format!("  unexplained {:>21}", tally.unexplained.len()));
        for line in tally.unexplained.iter().take(10) {
            say::row(format!("    {line}"));
        }
        unexplained += tally.unexplained.len();
    }
    Ok(unexplained)
}

impl Tree {
    /// Another tree in the place of the last one.
    fn make(directory: &Utf8Path, random: &mut Random) -> Result<Self, Failure> {
        if directory.exists() {
            fs::remove_dir_all(directory).context(format!("remove {directory}"))?;
        }
        for name in FILES {
            if !name.starts_with("one/") && name != "a" && random.percent(10) {
                continue;
            }
            let content: String = (0..random.below(6)).map(|_| random.text(&CONTENT)).collect();
            put(&directory.join(name), &content)?;
        }
        // Around the sizes in which files are read.
        for size in [4095, 65_535] {
            put(
                &directory.join(format!("one/{size}")),
                &format!("{}\r\n", "x".repeat(size)),
            )?;
        }
        for name in ["one/b.rs", "one/two/c.rs", "three/a b"] {
            put(&directory.join(name), &format!("{}\r\n", random.text(&CONTENT)))?;
        }
        let tree = Self {
            backslash: random.percent(15),
            file_links: random.percent(40),
            directory_links: random.percent(30),
            broken: random.percent(15),
            // A cycle beside other links is followed in every order, until the system says that it is enough.
            cycle: false,
        };
        let tree = Self {
            cycle: !tree.directory_links && random.percent(15),
            ..tree
        };
        if tree.backslash {
            put(&directory.join(BACKSLASH), "backslash")?;
        }
        let mut links: Vec<(&str, &str)> = Vec::new();
        links.extend(FILE_LINKS.iter().filter(|_| tree.file_links));
        links.extend(DIRECTORY_LINKS.iter().filter(|_| tree.directory_links));
        links.extend(tree.broken.then_some(BROKEN));
        links.extend(tree.cycle.then_some(CYCLE));
        for (name, target) in links {
            symlink(target, directory.join(name)).context(format!("link {name}"))?;
        }
        Ok(tree)
    }

    fn has_directory_links(&self) -> bool {
        self.directory_links || self.cycle
    }
}

fn put(path: &Utf8Path, content: &str) -> Result<(), Failure> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).context(format!("create {parent}"))?;
    }
    fs::write(path, content).context(format!("write {path}"))
}

impl Choice {
    fn make(random: &mut Random) -> Self {
        let base = match random.below(5) {
            0 => Some("one"),
            1 => Some("."),
            _ => None,
        };
        let below_one = base == Some("one") && random.percent(80);
        let of: &[&'static str] = if below_one { &BELOW_ONE } else { &PATHS };
        let paths = (0..random.from(1, 3)).map(|_| random.text(of)).collect();
        let excludes = match random.percent(50) {
            true => Vec::new(),
            false => (0..random.from(1, 3)).map(|_| pattern(random)).collect(),
        };
        let prefixes = match random.percent(60) {
            true => Vec::new(),
            false => (0..random.from(1, 2)).map(|_| random.text(&PREFIXES)).collect(),
        };
        Self {
            paths,
            excludes,
            prefixes,
            base,
            normalise: random.percent(40),
            follow: random.percent(50),
        }
    }

    fn question(&self, directory: &Utf8Path, manner: &str) -> Value {
        json!({
            "op": "record",
            "manner": manner,
            "directory": directory.as_str(),
            "artifacts": self.paths,
            "options": {
                "exclude_patterns": self.excludes,
                "base_path": self.base,
                "follow_symlink_dirs": self.follow,
                "normalize_line_endings": self.normalise,
                "lstrip_paths": self.prefixes,
            },
        })
    }

    /// The same with these patterns where there are none.
    fn or_excluding(&self, patterns: &[&str]) -> Self {
        let mut choice = self.clone();
        if choice.excludes.is_empty() {
            choice.excludes = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        }
        choice
    }

    fn has_scheme(&self, scheme: &str) -> bool {
        self.paths.iter().any(|path| path.starts_with(scheme))
    }

    /// Whether one prefix begins with another, so that their order decides.
    fn has_nested_prefixes(&self) -> bool {
        let mut pairs = self.prefixes.iter().enumerate();
        pairs.any(|(index, one)| {
            self.prefixes[index + 1..]
                .iter()
                .any(|other| one.starts_with(other) || other.starts_with(one))
        })
    }

    /// Whether some file may be named twice.
    fn overlaps(&self) -> bool {
        let clean: Vec<String> = self.paths.iter().map(|path| clean(without_scheme(path))).collect();
        clean.iter().enumerate().any(|(index, one)| {
            clean[index + 1..].iter().any(|other| {
                let below = |inner: &str, outer: &str| {
                    outer == "." || inner == outer || inner.starts_with(&format!("{outer}/"))
                };
                below(one, other) || below(other, one)
            })
        })
    }
}

fn pattern(random: &mut Random) -> String {
    let words: Vec<&str> = (0..random.from(1, 3)).map(|_| random.text(&WORDS)).collect();
    let mut text = words.join("/");
    if random.percent(15) {
        text.insert(0, '/');
    }
    if random.percent(20) {
        text.push('/');
    }
    if random.percent(20) {
        text.insert(0, '!');
    }
    text
}

impl Recorders<'_> {
    fn ours(&mut self, choice: &Choice, manner: &str) -> Result<Recorded, Failure> {
        let answer = self.ours.ask_json(&choice.question(&self.tree, manner))?;
        recorded(&answer, |digest| digest.as_str())
    }

    fn python(&mut self, choice: &Choice) -> Result<Recorded, Failure> {
        let answer = self.python.ask(&choice.question(&self.tree, ""))?;
        recorded(&answer, |digests| digests["sha256"].as_str())
    }

    fn go(&mut self, choice: &Choice) -> Result<Recorded, Failure> {
        let answer = self.go.ask_json(&choice.question(&self.tree, ""))?;
        // It keeps `./a` as it was typed.
        Ok(recorded(&answer, |digest| digest.as_str())?.map(|artifacts| {
            artifacts
                .into_iter()
                .map(|(name, digest)| (clean(&name), digest))
                .collect()
        }))
    }

    /// As under Python's command names.
    fn python_manner(&mut self, tree: &Tree, choice: &Choice) -> Result<(Outcome, String), Failure> {
        let ours = self.ours(&choice.or_excluding(&DEFAULT_EXCLUDES), "python")?;
        let theirs = self.python(choice)?;
        let outcome = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => Outcome::Same,
            (Err(_), Err(_)) => Outcome::BothRefuse,
            (Err(why), Ok(_)) if tree.backslash && why.contains("would both be called") => {
                Outcome::Documented("two files under one name")
            }
            _ => Outcome::Unexplained,
        };
        Ok((outcome, shown(&ours, &theirs)))
    }

    /// What we record is what Python records; where we refuse, Python skips, overwrites or follows something.
    fn beside_python(&mut self, tree: &Tree, choice: &Choice) -> Result<(Outcome, String), Failure> {
        let (ours, theirs) = (
            self.ours(choice, "strict")?,
            self.python(&choice.or_excluding(&[NOTHING]))?,
        );
        let outcome = match (&ours, &theirs) {
            (Err(_), Err(_)) => Outcome::BothRefuse,
            (Ok(ours), Ok(theirs)) if ours == theirs => Outcome::Same,
            _ if choice.has_scheme("dir:") && choice.base.is_some() => {
                Outcome::Documented("`dir:` begins in the base path, too")
            }
            (Ok(ours), Err(why)) if why.starts_with("PrefixError") && self.one_by_one(choice)? == *ours => {
                if choice.overlaps() {
                    Outcome::Documented("the same file may be named twice")
                } else if choice.has_scheme("file:") {
                    // It compares what is left of the names before it puts the scheme back.
                    Outcome::Documented("with `file:` a name is another")
                } else {
                    Outcome::Unexplained
                }
            }
            (Err(why), Ok(_)) => {
                refusal(why, &self.tree, tree, choice).map_or(Outcome::Unexplained, Outcome::Documented)
            }
            _ => Outcome::Unexplained,
        };
        Ok((outcome, shown(&ours, &theirs)))
    }

    /// What Python records of each path alone.
    fn one_by_one(&mut self, choice: &Choice) -> Result<BTreeMap<String, String>, Failure> {
        let mut all = BTreeMap::new();
        for path in &choice.paths {
            let one = Choice {
                paths: vec![*path],
                ..choice.or_excluding(&[NOTHING])
            };
            all.extend(self.python(&one)?.unwrap_or_default());
        }
        Ok(all)
    }

    /// Go knows no schemes, so it is not asked about them.
    fn beside_go(&mut self, tree: &Tree, choice: &Choice) -> Result<(Outcome, String), Failure> {
        let without_schemes = Choice {
            paths: choice.paths.iter().map(|path| without_scheme(path)).collect(),
            ..choice.clone()
        };
        let choice = &without_schemes;
        let (ours, theirs) = (self.ours(choice, "strict")?, self.go(choice)?);
        let shown = shown(&ours, &theirs);
        let outcome = match (&ours, &theirs) {
            (Err(_), Err(_)) => Outcome::BothRefuse,
            (Ok(ours), Ok(theirs)) if ours == theirs => Outcome::Same,
            _ if !choice.excludes.is_empty() => {
                // Only where there would be no other difference.
                let all = Choice {
                    excludes: Vec::new(),
                    ..choice.clone()
                };
                match self.beside_go(tree, &all)? {
                    (Outcome::Unexplained, detail) => return Ok((Outcome::Unexplained, detail)),
                    _ => Outcome::Documented("Go's patterns are others, and an excluded path may be named"),
                }
            }
            (Err(why), Ok(_)) => {
                refusal(why, &self.tree, tree, choice).map_or(Outcome::Unexplained, Outcome::Documented)
            }
            (Ok(_), Ok(_)) if !choice.prefixes.is_empty() && (tree.file_links || tree.has_directory_links()) => {
                Outcome::Documented("Go cuts no prefix off names of links")
            }
            (Ok(_), Ok(_)) if !choice.prefixes.is_empty() && choice.paths.iter().any(|path| clean(path) != *path) => {
                Outcome::Documented("Go cuts prefixes off paths as they were typed")
            }
            (Ok(_), Ok(_)) if !choice.follow && tree.has_directory_links() => {
                Outcome::Documented("Go skips a link to a directory that was named")
            }
            (Ok(_), Err(why)) if why.contains("non unique") && choice.overlaps() => {
                Outcome::Documented("the same file may be named twice")
            }
            (Ok(_), Err(why)) if why.contains("symlink cycle") && (choice.overlaps() || tree.directory_links) => {
                Outcome::Documented("Go takes a link that it meets twice for a cycle")
            }
            _ => Outcome::Unexplained,
        };
        Ok((outcome, shown))
    }
}

/// What we refuse, when there is cause in the tree, which lies in that directory, or in the choice.
fn refusal(why: &str, directory: &Utf8Path, tree: &Tree, choice: &Choice) -> Option<&'static str> {
    let base = directory.join(choice.base.unwrap_or("."));
    let is_missing = |path: &'static str| !base.join(clean(without_scheme(path))).exists();
    let reasons: [(&str, bool, &'static str); 11] = [
        (
            "there is no file or directory",
            choice.paths.iter().any(|path| is_missing(path)),
            "a path that is not there",
        ),
        ("leads nowhere", tree.broken, "a broken link"),
        (
            "is a link to a directory",
            tree.has_directory_links() && !choice.follow,
            "a link to a directory without `--follow-links`",
        ),
        (
            "leads to a directory above it",
            tree.has_directory_links(),
            "a cycle of links",
        ),
        (
            "a pattern excludes it",
            !choice.excludes.is_empty(),
            "a path that is named and excluded",
        ),
        (
            "would both be called",
            !choice.prefixes.is_empty() || tree.backslash,
            "two files under one name",
        ),
        (
            "two artifacts would be called",
            !choice.prefixes.is_empty(),
            "two files under one name",
        ),
        (
            "one begins with the other",
            choice.has_nested_prefixes(),
            "prefixes whose order would decide",
        ),
        ("backslash", tree.backslash, "a name that no verifier takes"),
        (
            "is an absolute path",
            !choice.prefixes.is_empty(),
            "a name that no verifier takes",
        ),
        (
            "name is empty",
            !choice.prefixes.is_empty(),
            "a name that no verifier takes",
        ),
    ];
    let fitting = reasons.iter().find(|(words, is_so, _)| *is_so && why.contains(words));
    fitting.map(|(_, _, reason)| *reason)
}

fn recorded<'a>(answer: &'a Value, digest: impl Fn(&'a Value) -> Option<&'a str>) -> Result<Recorded, Failure> {
    let Some(artifacts) = answer["artifacts"].as_object() else {
        let class = answer["class"].as_str().unwrap_or_default();
        let text = |name: &str| answer[name].as_str().unwrap_or_default();
        return Ok(Err(format!("{class}: {}{}", text("message"), text("error"))));
    };
    artifacts
        .iter()
        .map(|(name, value)| Some((name.clone(), digest(value)?.to_owned())))
        .collect::<Option<_>>()
        .map(Ok)
        .ok_or_else(|| Failure::new(format!("no digests in {answer}")))
}

fn without_scheme(path: &'static str) -> &'static str {
    path.split_once(':').map_or(path, |(_, path)| path)
}

/// A path as text without what means nothing in it.
fn clean(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            component => components.push(component),
        }
    }
    if components.is_empty() {
        ".".to_owned()
    } else {
        components.join("/")
    }
}

fn shown(ours: &Recorded, theirs: &Recorded) -> String {
    let text = |recorded: &Recorded| match recorded {
        Ok(artifacts) => {
            let files: Vec<String> = artifacts
                .iter()
                .map(|(name, digest)| format!("{name}={}", digest.get(..6).unwrap_or_default()))
                .collect();
            files.join(" ")
        }
        Err(why) => format!("refused ({why})"),
    };
    format!("\n      ours   {}\n      theirs {}", text(ours), text(theirs))
}
