//! The layout that fits a workspace: its steps, the final artifacts they make, and who does them.

use std::collections::BTreeMap;

use camino::Utf8Path;
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::rules::escape_pattern;
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::layout_source::LayoutSource;
use crate::layout_source::artifacts::{Artifacts, Platform, crate_patterns, of_member};
use crate::layout_source::identities::identity_toml;
use crate::layout_source::tools::{self, Tool};
use crate::layout_source::write::{Draft, DraftInspection, DraftStep, Words, file_toml};
use crate::workspace::{Member, Workspace};

/// Somebody who does steps.
#[derive(Debug, Clone)]
pub struct Functionary {
    /// The name in `[keys]`.
    pub name: String,
    /// The public key file, relative to the layout source.
    pub file: String,
    /// The key itself.
    pub key: PublicKey,
}

/// What a derived layout is made for.
#[derive(Debug, Clone)]
pub struct DeriveOptions {
    /// Who does every step; each of them alone suffices.
    pub functionaries: Vec<Functionary>,
    /// When the layout ends.
    pub expires: Timestamp,
    /// The members that are meant, as `-p` names them; empty means all.
    pub packages: Vec<String>,
    /// The directory that the profile builds into: `release` for the profile `release`, `debug` for `dev`.
    pub profile: Profile,
    /// `--target`.
    pub triple: Option<String>,
    /// Tools beside cargo that must pass before anything is packaged.
    pub tools: Vec<Tool>,
    /// Patterns of names beginning with `outside/` that recording will show on this machine, and that are to be allowed.
    pub outside: Vec<String>,
}

/// A cargo profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// `--release`
    Release,
    /// The default of `cargo build`.
    Dev,
    /// `--profile NAME`
    Named(String),
}

impl Profile {
    fn directory(&self) -> &str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
            Self::Named(name) => match name.as_str() {
                "dev" | "test" => "debug",
                "bench" => "release",
                other => other,
            },
        }
    }

    fn flags(&self) -> Vec<String> {
        match self {
            Self::Release => vec!["--release".to_owned()],
            Self::Dev => Vec::new(),
            Self::Named(name) => vec!["--profile".to_owned(), name.clone()],
        }
    }
}

/// A derived layout.
#[derive(Debug, Clone)]
pub struct Derived {
    /// What was derived; its text is what `layouts/release.toml` holds.
    pub source: LayoutSource,
    /// What a person should know about it, in sentences.
    pub notes: Vec<String>,
}

/// Derives the layout of a workspace. `path` is where it will lie, for messages.
///
/// # Errors
/// When a package is not a member, or there is nobody who does the steps.
pub fn derive(workspace: &Workspace, path: &Utf8Path, options: &DeriveOptions) -> Result<Derived, CliError> {
    derive_with(workspace, path, options, &[])
}

/// As [`derive()`], with functionaries besides who are identities.
///
/// # Errors
/// As [`derive()`].
pub fn derive_with(
    workspace: &Workspace,
    path: &Utf8Path,
    options: &DeriveOptions,
    identities: &[(String, FulcioIdentity)],
) -> Result<Derived, CliError> {
    if options.functionaries.is_empty() && identities.is_empty() {
        return Err(CliError::usage("a layout needs somebody who does the steps")
            .hint("name a key with `--key`, or make one with `cargo intoto key generate NAME`"));
    }
    let members = workspace.selected(&options.packages, options.packages.is_empty())?;
    let mut notes = Vec::new();
    let mut draft = draft(workspace, &members, options, &mut notes);
    for (name, identity) in identities {
        draft.keys.push((name.clone(), identity_toml(identity)));
        for step in &mut draft.steps {
            step.by.push(name.clone());
        }
    }
    let text = draft.to_toml();
    let keys: BTreeMap<&str, &PublicKey> = options
        .functionaries
        .iter()
        .map(|who| (who.file.as_str(), &who.key))
        .collect();
    let source = LayoutSource::from_text(path, &text, &|file| {
        keys.get(file)
            .map(|key| (*key).clone())
            .ok_or_else(|| CliError::failure(format!("the derived layout names an unknown key file `{file}`")))
    })?;
    Ok(Derived { source, notes })
}

fn draft(workspace: &Workspace, members: &[&Member], options: &DeriveOptions, notes: &mut Vec<String>) -> Draft {
    let platform = options
        .triple
        .as_deref()
        .map_or_else(Platform::host, Platform::of_triple);
    let directory = match &options.triple {
        Some(triple) => format!("target/{triple}/{}", options.profile.directory()),
        None => format!("target/{}", options.profile.directory()),
    };
    let crates: Vec<&str> = members
        .iter()
        .filter(|member| member.publishable)
        .map(|member| member.name())
        .collect();
    let mut artifacts = Artifacts {
        handed_out: Vec::new(),
        other: Vec::new(),
    };
    for member in members {
        let own = of_member(member, platform);
        artifacts.handed_out.extend(own.handed_out);
        artifacts.other.extend(own.other);
    }
    for names in [&mut artifacts.handed_out, &mut artifacts.other] {
        names.sort();
        names.dedup();
    }
    let outside = outside_rules(workspace, options, notes);
    let mut steps = vec![fetch_step(options, &outside)];
    steps.extend(tools::steps(&options.tools, &by(options)));
    steps.extend([
        build_step(members, options, &directory, &artifacts),
        test_step(members, options),
    ]);
    if crates.is_empty() {
        notes.push(format!(
            "no member of the workspace is published: there is no package step, and the final products are {}",
            match artifacts.handed_out.as_slice() {
                [] => "the libraries that `build` makes".to_owned(),
                names => names.join(", "),
            }
        ));
    } else {
        steps.push(package_step(members, options, &crates));
    }
    Draft {
        expires: options.expires,
        readme: readme(workspace, &crates),
        crates: crates.iter().map(|name| (*name).to_owned()).collect(),
        keys: options
            .functionaries
            .iter()
            .map(|who| (who.name.clone(), file_toml(&who.file)))
            .collect(),
        steps,
        inspections: vec![artifact_inspection(&crates, &directory, &artifacts)],
    }
}

/// Rules that let files beyond the workspace pass, by name.
fn outside_rules(workspace: &Workspace, options: &DeriveOptions, notes: &mut Vec<String>) -> Vec<Words> {
    let mut names = options.outside.clone();
    // A directory of the workspace that is called `outside` must not pose as one.
    if workspace.root.join("outside").is_dir() {
        names.push("outside/up-0/*".to_owned());
    }
    names.sort();
    names.dedup();
    if !names.is_empty() {
        notes.push(format!(
            "files beyond the workspace take part in the build here, and the layout allows them by name: {}",
            names.join(", ")
        ));
    }
    names.into_iter().map(|name| Words::pair("ALLOW", name)).collect()
}

fn fetch_step(options: &DeriveOptions, outside: &[Words]) -> DraftStep {
    let mut materials = vec![Words::of("REQUIRE Cargo.lock")];
    materials.extend_from_slice(outside);
    materials.extend([Words::of("DISALLOW outside/*"), Words::of("ALLOW *")]);
    DraftStep {
        name: "fetch",
        comment: "the tree and the dependencies",
        by: by(options),
        threshold: 1,
        command: words(&["cargo", "fetch", "--locked"]),
        materials,
        products: vec![Words::of("CREATE pkg:cargo/*"), Words::of("DISALLOW *")],
    }
}

fn build_step(members: &[&Member], options: &DeriveOptions, directory: &str, artifacts: &Artifacts) -> DraftStep {
    let mut products: Vec<Words> = artifacts
        .handed_out
        .iter()
        .chain(&artifacts.other)
        .map(|name| Words::pair("CREATE", escape_pattern(&format!("{directory}/{name}"))))
        .collect();
    products.push(Words::of("DISALLOW *"));
    DraftStep {
        name: "build",
        comment: "",
        by: by(options),
        threshold: 1,
        command: command("build", members, options),
        materials: from_fetch(),
        products,
    }
}

fn test_step(members: &[&Member], options: &DeriveOptions) -> DraftStep {
    DraftStep {
        name: "test",
        comment: "",
        by: by(options),
        threshold: 1,
        command: command("test", members, options),
        materials: from_fetch(),
        products: vec![Words::of("CREATE target/tests/*"), Words::of("DISALLOW *")],
    }
}

fn package_step(members: &[&Member], options: &DeriveOptions, crates: &[&str]) -> DraftStep {
    let mut words = words(&["cargo", "package", "--locked"]);
    // `--workspace` takes members that nobody publishes too, and cargo refuses to package most of them.
    if members.iter().all(|member| member.publishable) {
        words.extend(selection(members, options));
    } else {
        words.extend(crates.iter().flat_map(|name| ["-p".to_owned(), (*name).to_owned()]));
    }
    let mut products: Vec<Words> = crates
        .iter()
        .flat_map(|name| crate_patterns(name, crates))
        .map(|pattern| Words::pair("CREATE", format!("target/package/{pattern}")))
        .collect();
    products.push(Words::of("DISALLOW *"));
    DraftStep {
        name: "package",
        comment: "",
        by: by(options),
        threshold: 1,
        command: words,
        materials: tools::before(&options.tools)
            .chain([Words::of("MATCH * WITH MATERIALS FROM fetch"), Words::of("DISALLOW *")])
            .collect(),
        products,
    }
}

/// What a compiling step may read: what `fetch` recorded, and nothing else.
fn from_fetch() -> Vec<Words> {
    vec![
        Words::of("MATCH pkg:cargo/* WITH PRODUCTS FROM fetch"),
        Words::of("MATCH * WITH MATERIALS FROM fetch"),
        Words::of("DISALLOW *"),
    ]
}

/// Binds the file that a consumer holds to the step that made it.
fn artifact_inspection(crates: &[&str], directory: &str, artifacts: &Artifacts) -> DraftInspection {
    let mut rules: Vec<Words> = crates
        .iter()
        .flat_map(|name| crate_patterns(name, crates))
        .map(|pattern| Words::matching(pattern, "WITH PRODUCTS IN target/package FROM package"))
        .collect();
    // Where nothing else is handed out, the libraries are all there is to bind.
    let built = if artifacts.handed_out.is_empty() && crates.is_empty() {
        &artifacts.other
    } else {
        &artifacts.handed_out
    };
    rules.extend(built.iter().map(|name| {
        let mut rule = Words::matching(escape_pattern(name), "WITH PRODUCTS IN");
        rule.0
            .extend([directory.to_owned(), "FROM".to_owned(), "build".to_owned()]);
        rule
    }));
    rules.push(Words::of("DISALLOW *"));
    DraftInspection {
        name: "artifact",
        comment: "binds the file a consumer holds to the step that made it",
        run: words(&["true"]),
        materials: rules.clone(),
        products: rules,
    }
}

fn by(options: &DeriveOptions) -> Vec<String> {
    options.functionaries.iter().map(|who| who.name.clone()).collect()
}

fn command(step: &str, members: &[&Member], options: &DeriveOptions) -> Vec<String> {
    let mut words = words(&["cargo", step]);
    words.extend(options.profile.flags());
    words.push("--locked".to_owned());
    if let Some(triple) = &options.triple {
        words.extend(["--target".to_owned(), triple.clone()]);
    }
    words.extend(selection(members, options));
    words
}

/// The flags that select the members: none where there is only one.
fn selection(members: &[&Member], options: &DeriveOptions) -> Vec<String> {
    if !options.packages.is_empty() {
        options
            .packages
            .iter()
            .flat_map(|name| ["-p".to_owned(), name.clone()])
            .collect()
    } else if members.len() > 1 {
        vec!["--workspace".to_owned()]
    } else {
        Vec::new()
    }
}

fn readme(workspace: &Workspace, crates: &[&str]) -> String {
    match crates {
        [] => format!(
            "Release policy of {}",
            workspace.root.file_name().unwrap_or("this workspace")
        ),
        [one] => format!("Release policy of {one}"),
        several if several.len() <= 5 => format!("Release policy of {}", several.join(", ")),
        several => format!(
            "Release policy of {} and {} other crates",
            several[0],
            several.len() - 1
        ),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
