//! Loads the workspace through `cargo metadata --locked`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand};
use intoto_core::rules::Pattern;

use crate::error::CliError;
use crate::exec::query::Query;
use crate::finding::CargoCode;
use crate::workspace::lock::{Lock, parse_source};
use crate::workspace::{Member, Package, Purl, Source, Target, plain};

/// Which workspace, and how cargo may look at it.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceArgs {
    /// `--manifest-path`; without it cargo looks from the current directory upwards.
    pub manifest_path: Option<Utf8PathBuf>,
    /// Whether cargo may use the network (`--offline` or `--frozen` on the command line).
    pub offline: bool,
    /// `--target`: only what these platforms need is in [`Workspace::packages`]; empty means every platform.
    pub platforms: Vec<String>,
    /// `--config`, `-Z` and the like, handed to cargo as they are.
    pub cargo_flags: Vec<String>,
    /// Whether [`Workspace::packages`] need hold no more than the members. Nothing is resolved then, and nobody checks that the lock
    /// file fits, which costs cargo a fraction of the time.
    pub members_only: bool,
}

/// A cargo workspace with a lock file.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The root directory.
    pub root: Utf8PathBuf,
    /// Where cargo puts final artifacts.
    pub target_directory: Utf8PathBuf,
    /// Where cargo puts everything else.
    pub build_directory: Utf8PathBuf,
    /// Cargo's home.
    pub cargo_home: Utf8PathBuf,
    /// The members, by name.
    pub members: Vec<Member>,
    /// All packages of the graph, members too, by package id.
    pub packages: Vec<Package>,
    /// The lock file.
    pub lock: Lock,
}

/// The cargo to run: the one that runs us, else the first on the search path.
pub fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO")
        .filter(|value| !value.is_empty())
        .map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

impl Workspace {
    /// Asks `cargo` for the workspace.
    ///
    /// # Errors
    /// When there is no workspace or no lock file, when cargo is missing or fails, or when the lock file does not fit.
    pub fn load(args: &WorkspaceArgs, cargo: &Path) -> Result<Self, CliError> {
        if args.members_only {
            // Cargo does not look at the lock file.
            let metadata = metadata(args, cargo, None)?;
            let lock = read_lock(&metadata.workspace_root.join("Cargo.lock"))?;
            return Self::from_metadata(&metadata, lock);
        }
        let root = locate(args, cargo)?;
        let lock_path = root.join("Cargo.lock");
        // Before `cargo metadata`, whose words for a missing lock file are about `--locked`.
        let lock = read_lock(&lock_path)?;
        let platforms: Vec<Option<&String>> = match args.platforms.as_slice() {
            [] => vec![None],
            some => some.iter().map(Some).collect(),
        };
        let mut workspace: Option<Self> = None;
        for platform in platforms {
            let metadata = metadata(args, cargo, platform)?;
            let loaded = Self::from_metadata(&metadata, lock.clone())?;
            workspace = Some(match workspace {
                None => loaded,
                Some(earlier) => earlier.joined(loaded),
            });
        }
        let workspace = workspace.expect("the loop ran at least once");
        if Lock::read(&lock_path)?.sha256() != workspace.lock.sha256() {
            return Err(CliError::cannot_decide(format!(
                "{lock_path} changed while it was read"
            )));
        }
        Ok(workspace)
    }

    /// The lock file of the workspace alone, for when cargo cannot read the rest.
    ///
    /// # Errors
    /// When there is no workspace or no lock file.
    pub fn lock_alone(args: &WorkspaceArgs, cargo: &Path) -> Result<Lock, CliError> {
        Lock::read(&locate(args, cargo)?.join("Cargo.lock"))
    }

    /// The workspace that lies around `directory`, without its members and packages, if it is so plain that cargo need not be asked:
    /// the only package or workspace from there upwards. The caller knows that artifacts go where they usually do.
    ///
    /// # Errors
    /// When it has no lock file, or one that does not say what every package holds.
    pub(crate) fn plain(directory: &Utf8Path, manifest: Option<&Utf8Path>) -> Result<Option<Self>, CliError> {
        let Some(root) = plain::root(directory, manifest) else {
            return Ok(None);
        };
        Ok(Some(Self {
            lock: read_lock(&root.join("Cargo.lock"))?,
            target_directory: root.join("target"),
            build_directory: root.join("target"),
            root,
            cargo_home: cargo_home()?,
            members: Vec::new(),
            packages: Vec::new(),
        }))
    }

    /// The package with this id.
    pub fn package(&self, id: &str) -> Option<&Package> {
        self.packages
            .binary_search_by(|package| package.id.as_str().cmp(id))
            .ok()
            .map(|index| &self.packages[index])
    }

    /// The member with this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name() == name)
    }

    /// Whether the package with this id is a member.
    pub fn is_member(&self, id: &str) -> bool {
        self.members.iter().any(|member| member.package.id == id)
    }

    /// The members that cargo would act on: the named ones, all with `workspace`, else the default ones.
    ///
    /// # Errors
    /// When a name is no member's.
    pub fn selected(&self, packages: &[String], workspace: bool) -> Result<Vec<&Member>, CliError> {
        if workspace {
            return Ok(self.members.iter().collect());
        }
        if packages.is_empty() {
            return Ok(self.members.iter().filter(|member| member.is_default).collect());
        }
        let mut selected: Vec<&Member> = Vec::new();
        for spec in packages {
            let mut found = self
                .members
                .iter()
                .filter(|member| matches_spec(member, spec))
                .peekable();
            if found.peek().is_none() {
                let names: Vec<_> = self.members.iter().map(Member::name).collect();
                return Err(
                    CliError::usage(format!("no member of the workspace is called {spec:?}"))
                        .hint(format!("the members are: {}", names.join(", "))),
                );
            }
            for member in found {
                if !selected.iter().any(|other| other.package.id == member.package.id) {
                    selected.push(member);
                }
            }
        }
        Ok(selected)
    }

    /// The members that a release is about: those that are published or, where none is, all.
    pub fn released(&self) -> impl Iterator<Item = &Member> {
        let published = self.members.iter().any(|member| member.publishable);
        self.members
            .iter()
            .filter(move |member| member.publishable || !published)
    }

    /// The lock file's path.
    pub fn lock_path(&self) -> Utf8PathBuf {
        self.root.join("Cargo.lock")
    }

    fn from_metadata(metadata: &Metadata, lock: Lock) -> Result<Self, CliError> {
        let mut packages = Vec::with_capacity(metadata.packages.len());
        let mut members = Vec::with_capacity(metadata.workspace_members.len());
        for raw in &metadata.packages {
            let package = package(raw)?;
            if metadata.workspace_members.contains(&raw.id) {
                members.push(Member {
                    publishable: raw.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
                    registries: raw.publish.clone(),
                    is_default: !metadata.workspace_default_members.is_available()
                        || metadata.workspace_default_members.contains(&raw.id),
                    package: package.clone(),
                });
            }
            packages.push(package);
        }
        packages.sort_by(|a, b| a.id.cmp(&b.id));
        members.sort_by(|a, b| a.package.name.cmp(&b.package.name));
        Ok(Self {
            root: metadata.workspace_root.clone(),
            target_directory: metadata.target_directory.clone(),
            build_directory: metadata
                .build_directory
                .clone()
                .unwrap_or_else(|| metadata.target_directory.clone()),
            cargo_home: cargo_home()?,
            members,
            packages,
            lock,
        })
    }

    /// Adds the packages that another platform needs.
    fn joined(mut self, other: Self) -> Self {
        for package in other.packages {
            if let Err(index) = self.packages.binary_search_by(|own| own.id.cmp(&package.id)) {
                self.packages.insert(index, package);
            }
        }
        self
    }
}

/// Reads a lock file that says what every package of a registry holds.
fn read_lock(path: &Utf8Path) -> Result<Lock, CliError> {
    let lock = Lock::read(path)?;
    let Some(locked) = lock.without_checksum() else {
        return Ok(lock);
    };
    let what = format!(
        "{path} has no checksum for {} {}, a package of a registry",
        locked.name, locked.version
    );
    Err(CliError::refused(CargoCode::LockChecksumMissing, what)
        .hint("restore the file from version control, or make it anew with `cargo generate-lockfile` and review it"))
}

/// `name`, a pattern of names, `name@version` or a package id.
fn matches_spec(member: &Member, spec: &str) -> bool {
    if spec.contains(['*', '?', '[']) {
        return Pattern::compile(spec).matches(member.name());
    }
    spec == member.package.id
        || match spec.rsplit_once('@') {
            Some((name, version)) => name == member.name() && version == member.version(),
            None => spec == member.name(),
        }
}

fn locate(args: &WorkspaceArgs, cargo: &Path) -> Result<Utf8PathBuf, CliError> {
    let mut words: Vec<OsString> = ["locate-project", "--workspace", "--message-format", "plain"]
        .map(Into::into)
        .into();
    push_manifest(&mut words, args);
    let output = Query::new(cargo).args(words).run()?;
    if !output.success {
        let text = output.stderr_text();
        return Err(if is_missing(&text) {
            no_workspace(text)
        } else {
            CliError::cannot_decide("cargo cannot read the workspace").because(text)
        });
    }
    let manifest = Utf8PathBuf::from(
        output
            .stdout_text("cargo locate-project")?
            .trim_end_matches(['\n', '\r']),
    );
    manifest
        .parent()
        .map(Utf8Path::to_owned)
        .ok_or_else(|| CliError::cannot_decide(format!("cargo names {manifest} as the workspace's manifest")))
}

fn is_missing(text: &str) -> bool {
    text.contains("could not find `Cargo.toml`") || text.contains("does not exist")
}

fn no_workspace(text: String) -> CliError {
    CliError::cannot_decide("cargo finds no workspace here")
        .because(text)
        .hint("run inside a cargo workspace or pass `--manifest-path`")
}

/// With all features, so that every package of the lock file is there whatever the later steps enable.
fn metadata(args: &WorkspaceArgs, cargo: &Path, platform: Option<&String>) -> Result<Metadata, CliError> {
    let mut words: Vec<OsString> = ["metadata", "--format-version", "1"].map(Into::into).into();
    if args.members_only {
        words.push("--no-deps".into());
    } else {
        words.extend(["--locked", "--all-features"].map(OsString::from));
    }
    push_manifest(&mut words, args);
    if args.offline {
        words.push("--offline".into());
    }
    if let Some(platform) = platform {
        words.extend(["--filter-platform".into(), platform.into()]);
    }
    words.extend(args.cargo_flags.iter().map(Into::into));
    let output = Query::new(cargo).args(words).run()?;
    if !output.success {
        let text = output.stderr_text();
        let error = CliError::cannot_decide("cargo metadata failed");
        return Err(if args.members_only && is_missing(&text) {
            no_workspace(text)
        } else if text.contains("--locked") {
            error
                .because(text)
                .hint("Cargo.lock does not fit the manifests: run `cargo update --workspace` and commit it")
        } else if ["/registry/src/", "/git/checkouts/"]
            .iter()
            .any(|part| text.contains(part))
        {
            error
                .because(text)
                .hint("a package in cargo's cache may have been changed: remove its directory, and cargo makes it anew")
        } else {
            error.because(text)
        });
    }
    MetadataCommand::parse(output.stdout_text("cargo metadata")?)
        .map_err(|error| CliError::cannot_decide("failed to parse the output of cargo metadata").because(error))
}

fn push_manifest(words: &mut Vec<OsString>, args: &WorkspaceArgs) {
    if let Some(path) = &args.manifest_path {
        words.extend(["--manifest-path".into(), path.into()]);
    }
}

fn package(raw: &cargo_metadata::Package) -> Result<Package, CliError> {
    let source = raw
        .source
        .as_ref()
        .map_or(Ok(Source::Path), |source| parse_source(&source.repr))?;
    let version = raw.version.to_string();
    Ok(Package {
        id: raw.id.repr.clone(),
        purl: Purl::new(&raw.name, &version, &source),
        name: raw.name.to_string(),
        version,
        source,
        source_text: raw.source.as_ref().map(|source| source.repr.clone()),
        manifest_path: raw.manifest_path.clone(),
        targets: raw.targets.iter().map(target).collect(),
        readme: raw.readme.clone(),
        license_file: raw.license_file.clone(),
    })
}

fn target(raw: &cargo_metadata::Target) -> Target {
    Target {
        name: raw.name.clone(),
        kinds: raw.kind.iter().map(ToString::to_string).collect(),
        crate_types: raw.crate_types.iter().map(ToString::to_string).collect(),
        src_path: raw.src_path.clone(),
        required_features: raw.required_features.clone(),
        test: raw.test,
        doctest: raw.doctest,
    }
}

/// `CARGO_HOME`, relative to the current directory as cargo reads it, else `.cargo` in the home directory.
pub(crate) fn cargo_home() -> Result<Utf8PathBuf, CliError> {
    let given = std::env::var_os("CARGO_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let path = match given {
        Some(path) => std::path::absolute(path)
            .map_err(|error| CliError::failure("failed to find the current directory").because(error))?,
        None => std::env::home_dir()
            .ok_or_else(|| CliError::cannot_decide("cargo's home directory is unknown").hint("set `CARGO_HOME`"))?
            .join(".cargo"),
    };
    Utf8PathBuf::try_from(path).map_err(|error| CliError::cannot_decide("cargo's home is not UTF-8").because(error))
}

#[cfg(test)]
mod tests;
