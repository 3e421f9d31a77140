//! What changes the compiler's output unseen: wrappers, other compilers, linkers and runners, patches and replaced sources,
//! from the environment, from cargo's configuration or from its command line.
//!
//! None of it shows in `Cargo.lock` or in the sources, so a recorded step names each and refuses it unless it is allowed.

use camino::Utf8Path;

use crate::collect::compiler_flags::FlagsOf;
use crate::collect::configuration::{Configuration, Origin};
use crate::collect::programs;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::naming::Naming;

/// One thing that changes the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The code that refuses it.
    pub code: CargoCode,
    /// The variable or the key.
    pub name: String,
    /// Where it was set, without this machine's paths.
    pub origin: String,
    /// What it is set to, without this machine's paths.
    pub value: String,
    /// The sha256 of the program that it names, when it names one.
    pub program: Option<[u8; 32]>,
}

/// Where to look.
pub struct Sources<'a> {
    /// The environment: names and values.
    pub environment: &'a [(String, String)],
    /// Cargo's configuration, nearest first, and its command line's.
    pub configuration: &'a [Configuration],
    /// The directory that cargo runs in.
    pub directory: &'a Utf8Path,
    /// The target triples that are built for; the host's alone when none was named.
    pub targets: &'a [String],
    /// Whether a file is part of the recorded tree, so that the run's identity covers it.
    pub is_of_tree: &'a dyn Fn(&Utf8Path) -> bool,
    /// How to name what is found.
    pub naming: &'a Naming,
}

/// Everything that changes the build unseen, in a stable order.
pub fn find(sources: &Sources<'_>) -> Vec<Override> {
    let mut finder = Finder {
        sources,
        found: Vec::new(),
    };
    finder.environment();
    for configuration in sources.configuration {
        finder.configuration(configuration);
    }
    finder
        .found
        .sort_by(|a, b| (&a.name, &a.origin).cmp(&(&b.name, &b.origin)));
    finder.found.dedup();
    finder.found
}

/// Of all that, the programs that stand in the compiler's place or before it.
pub fn compilers(sources: &Sources<'_>) -> Vec<Override> {
    let mut found = find(sources);
    found.retain(|found| matches!(found.code, CargoCode::CompilerReplaced | CargoCode::CompilerWrapped));
    found
}

/// Whether what changes the build cannot be told without knowing the host: there are settings for single targets.
pub fn depend_on_host(configuration: &[Configuration]) -> bool {
    configuration
        .iter()
        .filter_map(|configuration| configuration.table("target"))
        .flat_map(toml::Table::keys)
        .any(|triple| !triple.starts_with("cfg("))
}

/// Refuses what was found.
///
/// # Errors
/// With the code of the first; all are named.
pub fn refuse(found: &[Override]) -> Result<(), CliError> {
    let Some(first) = found.first() else { return Ok(()) };
    let names: Vec<String> = found
        .iter()
        .map(|found| format!("{} = {} ({})", found.name, found.value, found.origin))
        .collect();
    Err(CliError::refused(
        first.code,
        format!(
            "the build is changed by something that no source or lock file shows: {}",
            names.join("; ")
        ),
    )
    .hint("unset it for the recorded step, or accept and record it with `--allow-wrapper`"))
}

struct Finder<'a> {
    sources: &'a Sources<'a>,
    found: Vec<Override>,
}

/// Environment variables that name a program or switch, and the code of each. Cargo's own precedence makes an empty
/// `RUSTC_WRAPPER` switch off a configured one, so configuration is looked at with these in mind.
const VARIABLES: &[(&str, CargoCode)] = &[
    ("RUSTC", CargoCode::CompilerReplaced),
    ("RUSTDOC", CargoCode::CompilerReplaced),
    ("CARGO_BUILD_RUSTC", CargoCode::CompilerReplaced),
    ("CARGO_BUILD_RUSTDOC", CargoCode::CompilerReplaced),
    ("RUSTC_WRAPPER", CargoCode::CompilerWrapped),
    ("RUSTC_WORKSPACE_WRAPPER", CargoCode::CompilerWrapped),
    ("CARGO_BUILD_RUSTC_WRAPPER", CargoCode::CompilerWrapped),
    ("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", CargoCode::CompilerWrapped),
    ("RUSTC_BOOTSTRAP", CargoCode::BootstrapSet),
    ("CARGO_PATHS", CargoCode::SourceReplaced),
];

/// Keys of `[build]` in the configuration, and the variables that take their place when they are set, even to nothing.
const BUILD_KEYS: &[(&str, &[&str], CargoCode)] = &[
    ("rustc", &["RUSTC", "CARGO_BUILD_RUSTC"], CargoCode::CompilerReplaced),
    (
        "rustdoc",
        &["RUSTDOC", "CARGO_BUILD_RUSTDOC"],
        CargoCode::CompilerReplaced,
    ),
    (
        "rustc-wrapper",
        &["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"],
        CargoCode::CompilerWrapped,
    ),
    (
        "rustc-workspace-wrapper",
        &["RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"],
        CargoCode::CompilerWrapped,
    ),
];

impl Finder<'_> {
    fn environment(&mut self) {
        for (name, value) in self.sources.environment {
            if value.is_empty() {
                continue;
            }
            let listed = VARIABLES
                .iter()
                .find(|(listed, _)| listed == name)
                .map(|(_, code)| *code);
            let of_target = name
                .strip_prefix("CARGO_TARGET_")
                .or_else(|| name.strip_prefix("CARGO_HOST_"));
            let code = match (listed, of_target) {
                (Some(code), _) => code,
                (None, Some(rest)) if rest.ends_with("_LINKER") => CargoCode::LinkerReplaced,
                (None, Some(rest)) if rest.ends_with("_RUNNER") => CargoCode::RunnerSet,
                _ if name.starts_with("CARGO_SOURCE_") => CargoCode::SourceReplaced,
                _ if name.starts_with("CARGO_PATCH_") => CargoCode::PatchConfigured,
                _ => match FlagsOf::variable(name).and_then(|of| of.judge(value)) {
                    Some(code) => code,
                    None => continue,
                },
            };
            self.add(code, name, &Origin::Environment, value, self.sources.directory);
        }
    }

    fn configuration(&mut self, configuration: &Configuration) {
        let origin = &configuration.origin;
        // Programs in a file are relative to the directory that holds `.cargo`.
        let base = match origin {
            Origin::File(path) => path
                .parent()
                .and_then(Utf8Path::parent)
                .unwrap_or(self.sources.directory),
            Origin::CommandLine | Origin::Environment => self.sources.directory,
        };
        for (key, variables, code) in BUILD_KEYS {
            // `--config` ranks above cargo's variables for its keys, and below those that are older than these.
            let is_above = |name: &str| name.starts_with("CARGO_BUILD_") && *origin == Origin::CommandLine;
            let is_taken = variables
                .iter()
                .filter(|name| !is_above(name))
                .any(|name| self.sources.environment.iter().any(|(other, _)| other == name));
            if let Some(value) = configuration.get(&["build", key]).filter(|_| !is_taken) {
                let value = text(value);
                if !value.is_empty() {
                    self.add(*code, &format!("build.{key}"), origin, &value, base);
                }
            }
        }
        for key in FlagsOf::KEYS {
            let value = configuration.get(&["build", key]).map(text);
            if let (Some(of), Some(value)) = (FlagsOf::key(key), value)
                && let Some(code) = of.judge(&value)
            {
                self.add(code, &format!("build.{key}"), origin, &value, base);
            }
        }
        for section in ["target", "host"] {
            for (triple, table) in configuration.table(section).into_iter().flatten() {
                if let Some(table) = table.as_table().filter(|_| section == "host" || self.concerns(triple)) {
                    self.target(section, triple, table, origin, base);
                }
            }
        }
        if let Some(value) = configuration.get(&["env", "RUSTC_BOOTSTRAP"]) {
            self.add(
                CargoCode::BootstrapSet,
                "env.RUSTC_BOOTSTRAP",
                origin,
                &text(value),
                base,
            );
        }
        for (name, value) in configuration.table("env").into_iter().flatten() {
            if let Some(code) = of_programs(name) {
                self.add(code, &format!("env.{name}"), origin, &text(value), base);
            }
        }
        for registry in configuration.table("patch").into_iter().flat_map(toml::Table::keys) {
            self.add(
                CargoCode::PatchConfigured,
                &format!("patch.{registry}"),
                origin,
                "a patch",
                base,
            );
        }
        if let Some(value) = configuration.table.get("paths") {
            self.add(CargoCode::SourceReplaced, "paths", origin, &text(value), base);
        }
        self.replaced_sources(configuration, base);
    }

    /// `[source]` in a file of the recorded tree is how vendoring is set up: the tree's digest covers it, and the vendored files
    /// are checked against their `.crate`s. From anywhere else it substitutes code unseen.
    fn replaced_sources(&mut self, configuration: &Configuration, base: &Utf8Path) {
        if let Origin::File(path) = &configuration.origin
            && (self.sources.is_of_tree)(path)
        {
            return;
        }
        for (name, table) in configuration.table("source").into_iter().flatten() {
            if let Some(with) = table.as_table().and_then(|table| table.get("replace-with")) {
                let key = format!("source.{name}.replace-with");
                self.add(
                    CargoCode::SourceReplaced,
                    &key,
                    &configuration.origin,
                    &text(with),
                    base,
                );
            }
        }
    }

    fn target(&mut self, section: &str, triple: &str, table: &toml::Table, origin: &Origin, base: &Utf8Path) {
        for (key, value) in table {
            let name = format!("{section}.{triple}.{key}");
            let value_text = text(value);
            match key.as_str() {
                "linker" => self.add(CargoCode::LinkerReplaced, &name, origin, &value_text, base),
                "runner" => self.add(CargoCode::RunnerSet, &name, origin, &value_text, base),
                "ar" => {}
                key if let Some(of) = FlagsOf::key(key) => {
                    if let Some(code) = of.judge(&value_text) {
                        self.add(code, &name, origin, &value_text, base);
                    }
                }
                _ if value.is_table() => {
                    self.add(
                        CargoCode::BuildScriptReplaced,
                        &name,
                        origin,
                        "the outcome of a build script",
                        base,
                    );
                }
                _ => {}
            }
        }
    }

    /// Whether `[target.X]` may apply: a `cfg(…)` may always, a triple when it is built for or when nobody said what is.
    fn concerns(&self, triple: &str) -> bool {
        triple.starts_with("cfg(")
            || self.sources.targets.is_empty()
            || self.sources.targets.iter().any(|own| own == triple)
    }

    fn add(&mut self, code: CargoCode, name: &str, origin: &Origin, value: &str, base: &Utf8Path) {
        let naming = self.sources.naming;
        let program = match code {
            CargoCode::CompilerReplaced
            | CargoCode::CompilerWrapped
            | CargoCode::LinkerReplaced
            | CargoCode::RunnerSet => {
                let word = value.split_ascii_whitespace().next().unwrap_or_default();
                programs::locate(word, base).and_then(|path| programs::digest(&path))
            }
            _ => None,
        };
        self.found.push(Override {
            code,
            name: name.to_owned(),
            origin: match origin {
                Origin::File(path) => naming.artifact(path),
                Origin::CommandLine => "--config".to_owned(),
                Origin::Environment => "the environment".to_owned(),
            },
            value: naming.word(value),
            program,
        });
    }
}

/// What a variable that `[env]` sets for the compiler, and for what it starts, makes of them: another linker is found, or other code runs in them.
fn of_programs(variable: &str) -> Option<CargoCode> {
    let name = variable.to_ascii_uppercase();
    match name.as_str() {
        "PATH" | "COMPILER_PATH" | "GCC_EXEC_PREFIX" => Some(CargoCode::LinkerReplaced),
        _ if name.starts_with("LD_") || name.starts_with("DYLD_") => Some(CargoCode::CompilerWrapped),
        _ => None,
    }
}

/// A value as one word or several.
fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        toml::Value::Table(table) => match table.get("path").or_else(|| table.get("value")) {
            Some(value) => text(value),
            None => value.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::Roots;

    fn naming() -> Naming {
        Naming::new(Roots {
            workspace: "/w".into(),
            target: "/w/target".into(),
            build: None,
            cargo_home: "/home/u/.cargo".into(),
            sysroot: None,
            home: Some("/home/u".into()),
        })
    }

    fn codes(environment: &[(&str, &str)], files: &[(&str, &str)]) -> Vec<(CargoCode, String)> {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let configuration: Vec<_> = files
            .iter()
            .map(|(path, text)| Configuration::new(Origin::File((*path).into()), text.parse().expect("TOML")))
            .collect();
        let found = find(&Sources {
            environment: &environment,
            configuration: &configuration,
            directory: Utf8Path::new("/w"),
            targets: &["x86_64-unknown-linux-gnu".to_owned()],
            is_of_tree: &|path| path.starts_with("/w"),
            naming: &naming(),
        });
        assert!(refuse(&found).is_err() || found.is_empty());
        for found in &found {
            assert!(!format!("{found:?}").contains("/home/u"), "{found:?}");
        }
        found.into_iter().map(|found| (found.code, found.name)).collect()
    }

    /// An empty variable of cargo's own hides what a file says, and not what stands on the command line.
    #[test]
    fn the_command_line_is_hidden_by_older_variables_alone() {
        let given: toml::Table = "build.rustc-wrapper = 'x'".parse().expect("TOML");
        for (origin, variable, is_found) in [
            (Origin::CommandLine, "CARGO_BUILD_RUSTC_WRAPPER", true),
            (Origin::CommandLine, "RUSTC_WRAPPER", false),
            (
                Origin::File("/w/.cargo/config.toml".into()),
                "CARGO_BUILD_RUSTC_WRAPPER",
                false,
            ),
            (Origin::File("/w/.cargo/config.toml".into()), "RUSTC_WRAPPER", false),
        ] {
            let found = find(&Sources {
                environment: &[(variable.to_owned(), String::new())],
                configuration: &[Configuration::new(origin.clone(), given.clone())],
                directory: Utf8Path::new("/w"),
                targets: &[],
                is_of_tree: &|_| true,
                naming: &naming(),
            });
            assert_eq!(!found.is_empty(), is_found, "{origin:?} {variable}");
        }
    }

    #[test]
    fn what_changes_the_build_is_found_wherever_it_is_set() {
        use CargoCode::*;
        for (environment, files, expected) in [
            (
                &[("RUSTC_WRAPPER", "sccache")][..],
                &[][..],
                &[(CompilerWrapped, "RUSTC_WRAPPER")][..],
            ),
            (&[("RUSTC_WRAPPER", "")], &[], &[]),
            (
                &[("RUSTC_WRAPPER", "")],
                &[("/home/u/.cargo/config.toml", "build.rustc-wrapper = 'x'")],
                &[],
            ),
            (
                &[],
                &[("/home/u/.cargo/config.toml", "build.rustc-wrapper = '/home/u/x'")],
                &[(CompilerWrapped, "build.rustc-wrapper")],
            ),
            (&[("RUSTC", "/x/rustc")], &[], &[(CompilerReplaced, "RUSTC")]),
            (&[("RUSTC_BOOTSTRAP", "1")], &[], &[(BootstrapSet, "RUSTC_BOOTSTRAP")]),
            (
                &[],
                &[("/w/.cargo/config.toml", "env.RUSTC_BOOTSTRAP = '1'")],
                &[(BootstrapSet, "env.RUSTC_BOOTSTRAP")],
            ),
            (
                &[],
                &[(
                    "/w/.cargo/config.toml",
                    "[env]\nPATH = { value = 'bin', relative = true, force = true }\nLD_PRELOAD = '/x.so'\nMY_PATH = 'x'",
                )],
                &[(CompilerWrapped, "env.LD_PRELOAD"), (LinkerReplaced, "env.PATH")],
            ),
            (
                &[("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "ld")],
                &[],
                &[(LinkerReplaced, "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER")],
            ),
            (&[("RUSTFLAGS", "-C target-cpu=native")], &[], &[]),
            (
                &[("RUSTFLAGS", "-Clinker=/tmp/ld")],
                &[],
                &[(LinkerReplaced, "RUSTFLAGS")],
            ),
            (
                &[("CARGO_ENCODED_RUSTFLAGS", "-C\u{1f}linker=/tmp/ld")],
                &[],
                &[(LinkerReplaced, "CARGO_ENCODED_RUSTFLAGS")],
            ),
            (
                &[],
                &[(
                    "/w/.cargo/config.toml",
                    "target.x86_64-unknown-linux-gnu = { linker = 'l', runner = ['r', 'x'] }",
                )],
                &[
                    (LinkerReplaced, "target.x86_64-unknown-linux-gnu.linker"),
                    (RunnerSet, "target.x86_64-unknown-linux-gnu.runner"),
                ],
            ),
            (
                &[],
                &[("/w/.cargo/config.toml", "target.other-triple.linker = 'l'")],
                &[],
            ),
            (
                &[("RUSTDOCFLAGS", "--test-runtool=/bin/true")],
                &[(
                    "/w/.cargo/config.toml",
                    "build.rustdocflags = ['--test-runtool', '/bin/true']\nbuild.rustflags = ['@flags']\n\
                     target.'cfg(unix)'.rustdocflags = ['-Clinker=x']",
                )],
                &[
                    (RunnerSet, "RUSTDOCFLAGS"),
                    (RunnerSet, "build.rustdocflags"),
                    (LinkerReplaced, "build.rustflags"),
                    (LinkerReplaced, "target.cfg(unix).rustdocflags"),
                ],
            ),
            (
                &[],
                &[("/w/.cargo/config.toml", "target.'cfg(unix)'.runner = 'r'")],
                &[(RunnerSet, "target.cfg(unix).runner")],
            ),
            (
                &[],
                &[(
                    "/w/.cargo/config.toml",
                    "[target.x86_64-unknown-linux-gnu.ssl]\nrustc-link-lib = ['ssl']",
                )],
                &[(BuildScriptReplaced, "target.x86_64-unknown-linux-gnu.ssl")],
            ),
            (
                &[],
                &[("/w/.cargo/config.toml", "[patch.crates-io]\na = { path = 'a' }")],
                &[(PatchConfigured, "patch.crates-io")],
            ),
            (
                &[],
                &[("/w/.cargo/config.toml", "paths = ['a']")],
                &[(SourceReplaced, "paths")],
            ),
            (
                &[],
                &[("/w/.cargo/config.toml", "[source.crates-io]\nreplace-with = 'vendored'")],
                &[],
            ),
            (
                &[],
                &[(
                    "/home/u/.cargo/config.toml",
                    "[source.crates-io]\nreplace-with = 'mirror'",
                )],
                &[(SourceReplaced, "source.crates-io.replace-with")],
            ),
            (
                &[],
                &[("/w/.cargo/config.toml", "[alias]\nx = 'run'\n[build]\njobs = 2")],
                &[],
            ),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(code, name)| (*code, (*name).to_owned()))
                .collect();
            assert_eq!(codes(environment, files), expected, "{environment:?} {files:?}");
        }
    }
}
