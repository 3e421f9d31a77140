//! The published `.crate`: a file, or what cargo fetches for a name and version.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::MetadataCommand;
use tempfile::TempDir;

use crate::collect::configuration::{self, Origin};
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::registry_source::crate_of_manifest;
use crate::error::CliError;
use crate::exec::query::Query;
use crate::finding::CargoCode;
use crate::workspace::lock::Lock;
use crate::workspace::{Source, cargo_home, cargo_program};

/// Crate names and versions are shorter in every registry.
const LONGEST: usize = 128;

/// A crate as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A `.crate` file.
    File(Utf8PathBuf),
    /// A crate of a registry.
    Published {
        /// Its name.
        name: String,
        /// Its version; the newest when there is none.
        version: Option<String>,
    },
}

/// From where, and how, cargo may fetch.
#[derive(Debug, Clone, Default)]
pub struct FetchArgs {
    /// The registry by its name in cargo's configuration; the default one when there is none.
    pub registry: Option<String>,
    /// Whether cargo may use its cache only.
    pub offline: bool,
}

/// A `.crate` at hand.
#[derive(Debug)]
pub struct Published {
    /// Its file name.
    pub file_name: String,
    /// What is in it.
    pub crate_file: CrateFile,
}

impl Subject {
    /// Takes `NAME`, `NAME@VERSION` or the path of a `.crate`.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn parse(text: &str) -> Result<Self, CliError> {
        if text.ends_with(".crate") {
            return Ok(Self::File(text.into()));
        }
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let is_name = name.len() <= LONGEST
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        // A requirement could mean several versions.
        let is_version = version.is_none_or(|version| {
            (5..=LONGEST).contains(&version.len())
                && version.starts_with(|first: char| first.is_ascii_digit())
                && version.matches('.').count() >= 2
                && version
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
        });
        if !is_name || !is_version {
            return Err(CliError::usage(format!("{text:?} is no crate")).hint(
                "name it as NAME, as NAME@VERSION with a full version, or as the path of a file that ends in .crate",
            ));
        }
        Ok(Self::Published {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }

    /// Reads the `.crate`; cargo fetches it first where it is named by its name.
    ///
    /// # Errors
    /// When there is no such crate, or it is no sound `.crate`.
    pub fn get(&self, args: &FetchArgs) -> Result<Published, CliError> {
        match self {
            Self::File(path) => read(path, None),
            Self::Published { name, version } => fetch(name, version.as_deref(), args),
        }
    }
}

fn read(path: &Utf8Path, stem: Option<&str>) -> Result<Published, CliError> {
    if path.symlink_metadata().is_err() {
        return Err(CliError::cannot_decide(format!("there is no file {path}")));
    }
    Ok(Published {
        file_name: path.file_name().unwrap_or_default().to_owned(),
        crate_file: CrateFile::read(path, stem, &CrateLimits::default())?,
    })
}

/// Lets cargo fetch a package that depends on exactly this crate, in a directory of its own: nothing of the tree where we were called
/// has a say in what comes.
fn fetch(name: &str, version: Option<&str>, args: &FetchArgs) -> Result<Published, CliError> {
    let project = Project::new(name, version, args)?;
    let mut words = vec!["fetch", "--quiet"];
    if args.offline {
        words.push("--offline");
    }
    let output = project.cargo(&words)?;
    if !output.success {
        let what = version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"));
        let error = CliError::cannot_decide(format!("cargo cannot fetch {what}")).because(output.stderr_text());
        return Err(match &args.registry {
            Some(_) => error,
            None => error.hint("a crate of another registry than the default one needs --registry"),
        });
    }
    let lock = Lock::read(&project.root.join("Cargo.lock"))?;
    let metadata = project.cargo(&["metadata", "--format-version", "1", "--offline", "--locked"])?;
    if !metadata.success {
        return Err(CliError::cannot_decide("cargo metadata failed").because(metadata.stderr_text()));
    }
    let metadata = MetadataCommand::parse(metadata.stdout_text("cargo metadata")?)
        .map_err(|error| CliError::cannot_decide("failed to parse the output of cargo metadata").because(error))?;
    let own = metadata
        .packages
        .iter()
        .find(|package| package.source.is_none())
        .map(|package| package.id.clone());
    // The dependency itself, and not another crate of the same name that it brought along.
    let direct = metadata
        .resolve
        .as_ref()
        .and_then(|resolve| resolve.nodes.iter().find(|node| Some(&node.id) == own.as_ref()))
        .and_then(|node| node.dependencies.first())
        .and_then(|id| metadata.packages.iter().find(|package| package.id == *id))
        .ok_or_else(|| CliError::cannot_decide(format!("cargo does not say what it fetched for {name}")))?;
    let stem = format!("{}-{}", direct.name, direct.version);
    let path = crate_of_manifest(&direct.manifest_path, &stem).ok_or_else(|| {
        CliError::cannot_decide(format!(
            "cargo has no .crate of {stem}, because its configuration replaces the registry"
        ))
        .hint("give the .crate file itself instead of the name")
    })?;
    let published = read(&path, Some(&stem))?;
    // Cargo never checks again what lies in its cache.
    let version = direct.version.to_string();
    let checksum = lock
        .iter()
        .find(|locked| {
            locked.name == direct.name.as_str()
                && locked.version == version
                && matches!(locked.source, Source::Registry { .. })
        })
        .and_then(|locked| locked.checksum);
    if checksum == Some(published.crate_file.sha256()) {
        Ok(published)
    } else {
        Err(CliError::refused(
            CargoCode::CrateChecksumMismatch,
            format!("{path} is not the .crate that the registry's index names"),
        )
        .hint("remove the file, and cargo downloads it again"))
    }
}

/// A package with one dependency, for as long as cargo is asked about it.
struct Project {
    root: Utf8PathBuf,
    index: Option<(String, String)>,
    _guard: TempDir,
}

impl Project {
    fn new(name: &str, version: Option<&str>, args: &FetchArgs) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::failure("failed to make a temporary package").because(error);
        let guard = TempDir::with_prefix("cargo-intoto-").map_err(failed)?;
        let root = Utf8PathBuf::from_path_buf(guard.path().to_owned())
            .map_err(|_| CliError::cannot_decide("the temporary directory is not UTF-8"))?;
        refuse_foreign_configuration(&root)?;
        let index = args.registry.as_deref().map(index_of).transpose()?;
        fs::write(
            root.join("Cargo.toml"),
            manifest(name, version, args.registry.as_deref()),
        )
        .map_err(failed)?;
        fs::create_dir(root.join("src")).map_err(failed)?;
        fs::write(root.join("src/lib.rs"), "").map_err(failed)?;
        Ok(Self {
            root,
            index: index.flatten(),
            _guard: guard,
        })
    }

    fn cargo(&self, words: &[&str]) -> Result<crate::exec::query::Answer, CliError> {
        let mut query = Query::new(&cargo_program()).args(words).current_dir(&self.root);
        if let Some((variable, index)) = &self.index {
            query = query.env(variable, index);
        }
        query.run()
    }
}

/// None of the words can hold a quote: [`Subject::parse`] and [`index_of`] have looked at them.
fn manifest(name: &str, version: Option<&str>, registry: Option<&str>) -> String {
    let requirement = version.map_or_else(|| "*".to_owned(), |version| format!("={version}"));
    let registry = registry.map_or_else(String::new, |registry| format!(", registry = \"{registry}\""));
    // Optional dependencies need not be fetched.
    format!(
        "[package]\nname = \"fetched-by-cargo-intoto\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
         [dependencies]\n{name} = {{ version = \"{requirement}\", default-features = false{registry} }}\n"
    )
}

/// Others may write into the directory above a temporary one, and cargo heeds the configuration there.
fn refuse_foreign_configuration(root: &Utf8Path) -> Result<(), CliError> {
    let cargo_home = cargo_home()?;
    let foreign = configuration::files(root, &cargo_home)?
        .into_iter()
        .find_map(|found| match found.origin {
            Origin::File(path) if !path.starts_with(&cargo_home) => Some(path),
            _ => None,
        });
    match foreign {
        None => Ok(()),
        Some(path) => Err(CliError::cannot_decide(format!(
            "cargo would heed {path}, which lies above the directory for temporary files"
        ))
        .hint("remove the file, or set TMPDIR to a directory of your own")),
    }
}

/// The variable that names the index of a registry to cargo, where the configuration of the directory that we were called in does; else
/// cargo looks in its home.
fn index_of(registry: &str) -> Result<Option<(String, String)>, CliError> {
    let is_name = (1..=LONGEST).contains(&registry.len())
        && registry
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_name {
        return Err(CliError::usage(format!("{registry:?} is no name of a registry")));
    }
    let here = std::env::current_dir()
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .ok_or_else(|| CliError::cannot_decide("the current directory is not UTF-8"))?;
    let found = configuration::files(&here, &cargo_home()?)?
        .into_iter()
        .find_map(|configuration| {
            configuration
                .get(&["registries", registry, "index"])?
                .as_str()
                .map(str::to_owned)
        });
    let variable = format!("CARGO_REGISTRIES_{}_INDEX", registry.to_uppercase().replace('-', "_"));
    Ok(found.map(|index| (variable, index)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_names_versions_and_files() {
        let published = |name: &str, version: Option<&str>| Subject::Published {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        };
        for (text, expected) in [
            ("serde", Some(published("serde", None))),
            ("a-b_c@1.0.0-rc.1+x", Some(published("a-b_c", Some("1.0.0-rc.1+x")))),
            ("dir/a-1.0.0.crate", Some(Subject::File("dir/a-1.0.0.crate".into()))),
            ("a@1", None),
            ("a@^1.0.0", None),
            ("a@1.0.0, <2", None),
            ("a@", None),
            ("", None),
            ("../a", None),
            ("a\"]\n[x]", None),
            ("--offline", None),
        ] {
            assert_eq!(Subject::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_temporary_package_asks_for_one_version() {
        let written: toml::Table = manifest("serde", Some("1.0.0"), Some("r")).parse().unwrap();
        let dependency = &written["dependencies"]["serde"];
        assert_eq!(dependency["version"].as_str(), Some("=1.0.0"));
        assert_eq!(dependency["registry"].as_str(), Some("r"));
        assert_eq!(dependency["default-features"].as_bool(), Some(false));
    }
}
