//! Cargo's configuration: every file that a cargo started here reads, and every `--config`, with what they say.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::foreign::{self, Unread};

/// Far above any settings file that people write.
const MAX_BYTES: usize = 4 << 20;
/// Far more files than people have, with those that they include.
const MAX_FILES: usize = 128;

/// One place that configures cargo.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub table: toml::Table,
    /// The files that include it, one from another, beginning with the one that cargo finds by itself: each has a say in that it counts.
    pub included_by: Vec<Utf8PathBuf>,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A configuration file.
    File(Utf8PathBuf),
    /// `--config KEY=VALUE`.
    CommandLine,
    /// An environment variable.
    Environment,
}

impl Configuration {
    /// What says `table` by itself, without being included.
    pub fn new(origin: Origin, table: toml::Table) -> Self {
        Self {
            origin,
            table,
            included_by: Vec::new(),
        }
    }

    /// The files that say so: its own, and those that include it.
    pub fn files(&self) -> impl Iterator<Item = &Utf8Path> {
        let itself = match &self.origin {
            Origin::File(path) => Some(path),
            Origin::CommandLine | Origin::Environment => None,
        };
        itself.into_iter().chain(&self.included_by).map(|path| path.as_path())
    }

    /// The value at a path of keys.
    pub fn get(&self, path: &[&str]) -> Option<&toml::Value> {
        let (last, tables) = path.split_last()?;
        let mut table = &self.table;
        for key in tables {
            table = table.get(*key)?.as_table()?;
        }
        table.get(*last)
    }

    /// The table at a key.
    pub fn table(&self, key: &str) -> Option<&toml::Table> {
        self.table.get(key).and_then(toml::Value::as_table)
    }
}

/// What cargo takes for the setting at `path`, and where it stands: of `places`, which come in cargo's order, the first that has it, unless
/// the environment does. Only `--config` ranks above that.
pub fn effective<'a>(
    path: &[&str],
    places: impl IntoIterator<Item = &'a Configuration>,
) -> Option<(toml::Value, Origin)> {
    ranked(path, places, std::env::var(variable(path)).ok())
}

fn ranked<'a>(
    path: &[&str],
    places: impl IntoIterator<Item = &'a Configuration>,
    of_environment: Option<String>,
) -> Option<(toml::Value, Origin)> {
    let found = places
        .into_iter()
        .find_map(|place| Some((place.get(path)?.clone(), place.origin.clone())));
    match (found, of_environment) {
        (Some((value, Origin::CommandLine)), _) => Some((value, Origin::CommandLine)),
        (_, Some(text)) => Some((toml::Value::String(text), Origin::Environment)),
        (found, None) => found,
    }
}

/// The environment variable in which cargo looks for the setting at `path`.
pub fn variable(path: &[&str]) -> String {
    let name = path.join("_").to_ascii_uppercase().replace(['-', '.'], "_");
    format!("CARGO_{name}")
}

/// The configuration files that a cargo started in `directory` reads, nearest first, with what they include.
///
/// # Errors
/// When one of them cannot be read or is no TOML, or there are too many.
pub fn files(directory: &Utf8Path, cargo_home: &Utf8Path) -> Result<Vec<Configuration>, CliError> {
    let mut reader = Reader::default();
    let directories = directory
        .ancestors()
        .map(|ancestor| ancestor.join(".cargo"))
        .chain([cargo_home.to_owned()]);
    for directory in directories {
        // Cargo prefers the name without extension when both are there.
        for name in ["config", "config.toml"] {
            let path = directory.join(name);
            if path.is_file() {
                reader.read(&path)?;
                break;
            }
        }
    }
    Ok(reader.found)
}

/// What the values of `--config` say: each is a file or `KEY=VALUE` in TOML.
///
/// # Errors
/// When one of them is neither.
pub fn command_line(values: &[String], directory: &Utf8Path) -> Result<Vec<Configuration>, CliError> {
    let mut reader = Reader::default();
    for value in values {
        let path = directory.join(value);
        if path.is_file() {
            reader.read(&path)?;
        } else {
            let table = parse(value, &format!("--config {value}"))?;
            let included = includes(&table);
            reader.found.push(Configuration::new(Origin::CommandLine, table));
            reader.read_included(included, directory)?;
        }
    }
    Ok(reader.found)
}

/// The target directory that the environment or the files say when cargo is started in `directory`, if they do.
///
/// # Errors
/// When one of the files cannot be read or is no TOML.
pub fn target_directory(directory: &Utf8Path, cargo_home: &Utf8Path) -> Result<Option<Utf8PathBuf>, CliError> {
    let variables = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
    let files = files(directory, cargo_home)?;
    Ok(path(directory, &variables, &["build", "target-dir"], &files).map(|(path, base)| base.join(path)))
}

/// A path as the environment or the nearest file of cargo's configuration says it, and what it is relative to.
pub fn path(
    directory: &Utf8Path,
    variables: &[&str],
    key: &[&str],
    configuration: &[Configuration],
) -> Option<(String, Utf8PathBuf)> {
    let of_environment = variables
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    if let Some(value) = of_environment {
        return Some((value, directory.to_owned()));
    }
    configuration.iter().find_map(|configuration| {
        let value = configuration.get(key)?.as_str()?.to_owned();
        let base = match &configuration.origin {
            // The directory that holds `.cargo`.
            Origin::File(path) => path.parent()?.parent()?.to_owned(),
            Origin::CommandLine | Origin::Environment => directory.to_owned(),
        };
        Some((value, base))
    })
}

/// Reads files with what they include, each once.
#[derive(Default)]
struct Reader {
    found: Vec<Configuration>,
    /// Where they really lie, and the directories that their names lead through: one file has many names, and what it includes is looked for
    /// beside the name.
    seen: BTreeSet<(Utf8PathBuf, Utf8PathBuf)>,
    /// The files that are being read, one for the sake of another.
    including: Vec<Utf8PathBuf>,
}

impl Reader {
    fn read(&mut self, path: &Utf8Path) -> Result<(), CliError> {
        let directory = path.parent().unwrap_or(Utf8Path::new(""));
        if !self.seen.insert((foreign::real(path), foreign::real(directory))) {
            return Ok(());
        }
        if self.seen.len() > MAX_FILES {
            return Err(CliError::cannot_decide(format!(
                "cargo's configuration has more than {MAX_FILES} files, {path} among them"
            ))
            .hint("look at what its files `include`"));
        }
        let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
            Unread::Missing => {
                CliError::cannot_decide(format!("cargo's configuration includes {path}, which is missing"))
            }
            Unread::Io(error) => {
                CliError::failure(format!("failed to read cargo's configuration {path}")).because(error)
            }
            _ => unread.about(format_args!("cargo's configuration {path}")),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            CliError::cannot_decide(format!("cargo's configuration {path} is not UTF-8")).because(error)
        })?;
        let table = parse(&text, path.as_str())?;
        let includes = includes(&table);
        self.found.push(Configuration {
            origin: Origin::File(path.to_owned()),
            table,
            included_by: self.including.clone(),
        });
        self.including.push(path.to_owned());
        self.read_included(includes, directory)?;
        self.including.pop();
        Ok(())
    }

    /// Of several files that are included, cargo heeds the last one first.
    fn read_included(&mut self, includes: Vec<(String, bool)>, directory: &Utf8Path) -> Result<(), CliError> {
        for (include, optional) in includes.into_iter().rev() {
            let include = directory.join(include);
            if !optional || include.is_file() {
                self.read(&include)?;
            }
        }
        Ok(())
    }
}

fn parse(text: &str, what: &str) -> Result<toml::Table, CliError> {
    text.parse()
        .map_err(|error: toml::de::Error| CliError::cannot_decide(format!("failed to parse {what}")).because(error))
}

/// `include = "a.toml"`, `include = ["a.toml", { path = "b.toml", optional = true }]`.
fn includes(table: &toml::Table) -> Vec<(String, bool)> {
    fn one(value: &toml::Value) -> Option<(String, bool)> {
        match value {
            toml::Value::String(path) => Some((path.clone(), false)),
            toml::Value::Table(table) => Some((
                table.get("path")?.as_str()?.to_owned(),
                table.get("optional").and_then(toml::Value::as_bool).unwrap_or(false),
            )),
            _ => None,
        }
    }
    match table.get("include") {
        Some(toml::Value::Array(values)) => values.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_in_the_chain_is_found_with_its_includes() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        for (path, text) in [
            ("home/config.toml", "[build]\njobs = 1"),
            (
                "a/.cargo/config.toml",
                "include = ['x.toml', { path = 'none.toml', optional = true }]",
            ),
            ("a/.cargo/x.toml", "include = 'config.toml'\n[build]\nrustc = 'evil'"),
            ("a/b/.cargo/config", "paths = ['c']"),
            ("a/b/.cargo/config.toml", "[never]\nread = true"),
        ] {
            fs::create_dir_all(root.join(path).parent().expect("a parent")).expect("created");
            fs::write(root.join(path), text).expect("written");
        }
        let found = files(&root.join("a/b"), &root.join("home")).expect("readable");
        let names: Vec<_> = found
            .iter()
            .filter_map(|configuration| match &configuration.origin {
                Origin::File(path) => path.strip_prefix(root).ok().map(|path| path.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(
            names,
            [
                "a/b/.cargo/config",
                "a/.cargo/config.toml",
                "a/.cargo/x.toml",
                "home/config.toml"
            ]
        );
        let (config, included) = (root.join("a/.cargo/config.toml"), &found[2]);
        assert_eq!(included.included_by, [config]);
        assert!([0, 1, 3].iter().all(|index| found[*index].included_by.is_empty()));
        assert_eq!(
            found[2].get(&["build", "rustc"]).and_then(toml::Value::as_str),
            Some("evil")
        );
    }

    /// As cargo does it: what includes comes before what is included, and of that the last before the first. One file under two names includes
    /// other files.
    #[test]
    fn included_files_are_ranked_as_cargo_ranks_them() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        for (path, text) in [
            ("a/.cargo/config.toml", "include = ['x/m.toml', 'y/m.toml', 'z.toml']"),
            ("a/.cargo/x/m.toml", "include = 'n.toml'"),
            ("a/.cargo/x/n.toml", "n = 1"),
            ("a/.cargo/y/n.toml", "n = 2"),
            ("a/.cargo/z.toml", ""),
        ] {
            fs::create_dir_all(root.join(path).parent().expect("a parent")).expect("created");
            fs::write(root.join(path), text).expect("written");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("../x/m.toml", root.join("a/.cargo/y/m.toml")).expect("linked");
        let found = files(&root.join("a"), &root.join("home")).expect("readable");
        let names = found.iter().map(|configuration| match &configuration.origin {
            Origin::File(path) => path.strip_prefix(root.join("a/.cargo")).expect("below it").as_str(),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["config.toml", "z.toml", "y/m.toml", "y/n.toml", "x/m.toml", "x/n.toml"]
        );
        assert_eq!(
            effective(&["n"], &found).and_then(|(value, _)| value.as_integer()),
            Some(2)
        );
    }

    /// Each name of a file would be read again, and include itself under two more.
    #[test]
    fn files_that_include_each_other_come_to_an_end() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        let cargo = root.join("a/.cargo");
        fs::create_dir_all(&cargo).expect("created");
        let again = "include = ['../.cargo/config.toml', '.././.cargo/../.cargo/config.toml']";
        fs::write(cargo.join("config.toml"), again).expect("written");
        let home = root.join("home");
        assert_eq!(files(&root.join("a"), &home).expect("one file").len(), 1);
        for (count, is_read) in [(MAX_FILES, true), (MAX_FILES + 1, false)] {
            for number in 0..count {
                let name = if number == 0 {
                    "config".to_owned()
                } else {
                    number.to_string()
                };
                let next = (number + 1 < count).then(|| format!("include = '{}.toml'", number + 1));
                fs::write(cargo.join(format!("{name}.toml")), next.unwrap_or_default()).expect("written");
            }
            assert_eq!(files(&root.join("a"), &home).is_ok(), is_read, "{count}");
        }
    }

    #[test]
    fn settings_are_ranked_as_cargo_ranks_them() {
        let place = |origin: Origin, text: &str| Configuration::new(origin, text.parse().expect("TOML"));
        let file = |text: &str| place(Origin::File("f".into()), text);
        let given = place(Origin::CommandLine, "a.b = 'given'");
        let (near, far) = (file("a.b = 'near'"), file("a.b = 'far'\nc = 'far'\n"));
        let places = [given, near, far];
        let value = |path: &[&str], places: &[Configuration], variable: Option<&str>| {
            let (value, origin) = ranked(path, places, variable.map(str::to_owned))?;
            Some((value.as_str()?.to_owned(), origin))
        };
        let (file, environment) = (Origin::File("f".into()), Origin::Environment);
        for (path, places, variable, expected) in [
            (&["a", "b"][..], &places[..], None, Some(("given", Origin::CommandLine))),
            (&["a", "b"], &places, Some("x"), Some(("given", Origin::CommandLine))),
            (&["a", "b"], &places[1..], None, Some(("near", file.clone()))),
            (&["a", "b"], &places[1..], Some("x"), Some(("x", environment.clone()))),
            (&["c"], &places, None, Some(("far", file))),
            (&["c"], &places, Some("x"), Some(("x", environment.clone()))),
            (&["d"], &places, None, None),
            (&["d"], &places, Some("x"), Some(("x", environment))),
        ] {
            let expected = expected.map(|(value, origin)| (value.to_owned(), origin));
            assert_eq!(value(path, places, variable), expected, "{path:?} {variable:?}");
        }
        assert_eq!(
            variable(&["registries", "my-corp.x", "index"]),
            "CARGO_REGISTRIES_MY_CORP_X_INDEX"
        );
    }

    #[test]
    fn command_line_values_are_toml_or_files() {
        let found = command_line(&["build.rustc = 'x'".to_owned()], Utf8Path::new("/")).expect("valid");
        assert_eq!(
            found[0].get(&["build", "rustc"]).and_then(toml::Value::as_str),
            Some("x")
        );
        assert!(command_line(&["nonsense".to_owned()], Utf8Path::new("/")).is_err());
    }

    #[test]
    fn what_the_command_line_includes_is_read() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        fs::write(root.join("a.toml"), "n = 1").expect("written");
        fs::write(root.join("b.toml"), "n = 2").expect("written");
        for (value, expected) in [
            ("include = ['a.toml', 'b.toml']", &[2, 1][..]),
            (
                "include = [{ path = 'a.toml' }, { path = 'none.toml', optional = true }]",
                &[1],
            ),
            ("include = 'b.toml'", &[2]),
        ] {
            let found = command_line(&[value.to_owned()], root).expect(value);
            let numbers: Vec<i64> = found
                .iter()
                .filter_map(|configuration| configuration.get(&["n"])?.as_integer())
                .collect();
            assert_eq!(numbers, expected, "{value}");
        }
        assert!(command_line(&["include = 'none.toml'".to_owned()], root).is_err());
    }

    #[test]
    fn the_target_directory_is_found_beside_its_file() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        let (tree, home) = (root.join("a/b"), root.join("home"));
        fs::create_dir_all(&tree).expect("created");
        assert_eq!(target_directory(&tree, &home).expect("nothing there"), None);
        fs::create_dir_all(root.join("a/.cargo")).expect("created");
        fs::write(root.join("a/.cargo/config.toml"), "build.target-dir = 'out'").expect("written");
        assert_eq!(
            target_directory(&tree, &home).expect("readable"),
            Some(root.join("a/out"))
        );
    }
}
