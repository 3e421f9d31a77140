//! Whether the gate is in effect, and the ways around it.

use camino::Utf8Path;

use super::setting::{Provider, Settings, is_gate};
use super::{GateArgs, Registry};
use crate::error::CliError;

/// What stands between a crate and a registry.
#[derive(Debug)]
pub struct Status {
    /// Whom cargo asks, if anybody was configured.
    pub provider: Option<Provider>,
    /// The ways around the gate.
    pub bypasses: Vec<Bypass>,
    /// What else is worth knowing, and changes nothing.
    pub notes: Vec<String>,
}

/// A way to upload something that the gate is not asked about.
#[derive(Debug, PartialEq, Eq)]
pub struct Bypass {
    /// What it is.
    pub what: String,
    /// How it is closed.
    pub how_to_close: String,
}

impl Status {
    /// Looks at what a cargo that is started in `here` would do for a registry; `None` is the default one.
    ///
    /// # Errors
    /// When cargo's configuration cannot be read.
    pub fn find(here: &Utf8Path, registry: Option<&str>) -> Result<Self, CliError> {
        let settings = Settings::read(here)?;
        let mut bypasses = Vec::new();
        let mut notes = Vec::new();
        let mut open = |what: String, how_to_close: &str| {
            bypasses.push(Bypass {
                what,
                how_to_close: how_to_close.to_owned(),
            });
        };
        let called = registry.unwrap_or("crates-io");
        let own = settings.provider(registry);
        let global = settings.global();
        let provider = own.clone().or_else(|| global.first().cloned());
        let install = match registry {
            None => "cargo intoto gate install".to_owned(),
            Some(name) => format!("cargo intoto gate install --registry {name}"),
        };
        match &provider {
            None => open(
                format!("no provider is configured for {called}: cargo takes any token that it finds"),
                &format!("run `{install}`"),
            ),
            Some(provider) if !is_gate(&provider.words) => open(
                format!(
                    "cargo asks `{}` for the token of {called}, as {} says",
                    provider.words.join(" "),
                    provider.origin
                ),
                &if provider.origin.starts_with("the variable") {
                    "unset the variable".to_owned()
                } else {
                    format!("run `{install} --replace`, or take it out of that file")
                },
            ),
            Some(provider) => {
                let args = GateArgs::parse(&provider.words[1..]);
                let own_trust = args.as_ref().is_ok_and(GateArgs::say_whom_to_trust);
                if let Err(error) = &args {
                    notes.push(format!("the gate refuses everything: {error}"));
                }
                match provider.of_tree(here)? {
                    Some(file) if provider.words[0].contains(std::path::is_separator) => open(
                        format!("{file}, a file of the tree, says which `{}` cargo starts", provider.words[0]),
                        &format!("run `{install}`, and take it out of that file"),
                    ),
                    Some(file) if own_trust => notes.push(format!(
                        "the gate refuses everything: {file} says whose layouts count, and it is a file of the tree"
                    )),
                    None if own_trust => notes.push(format!(
                        "whose layouts count for {called} is said for every crate alike; `cargo intoto trust add` says it for each"
                    )),
                    _ => {}
                }
                if !starts(&provider.words[0]) {
                    notes.push(format!(
                        "`{}` is not found, so cargo refuses every upload",
                        provider.words[0]
                    ));
                }
                let others: Vec<&str> = global
                    .iter()
                    .filter(|other| !is_gate(&other.words))
                    .filter_map(|other| other.words.first().map(String::as_str))
                    .collect();
                if !others.is_empty() {
                    notes.push(format!(
                        "registries without a provider of their own get their tokens from {}",
                        others.join(", ")
                    ));
                }
            }
        }
        for file in settings.tokens(registry) {
            open(
                format!("a token for {called} lies in {file}, and whoever can read it publishes with `--token`"),
                "take it out of the file, keep it in a password store, and name the command with `gate install --token-from`; make a new token, because this one was on disk",
            );
        }
        let index = registry.and_then(|name| settings.index(name));
        if let (Some(name), Some(index)) = (registry, &index) {
            for (variable, other) in other_names(name, index, std::env::vars()) {
                open(
                    format!(
                        "cargo takes {called} for `{other}`, because {variable} has its index, and asks whom that name's settings say"
                    ),
                    "unset the variable, and write the index into cargo's configuration under the registry's name",
                );
            }
        }
        let known = Registry::new(
            index.as_deref().unwrap_or(match registry {
                None => "https://index.crates.io",
                Some(_) => "",
            }),
            Some(called),
        );
        if let Some(variable) = known.token_variable()
            && std::env::var_os(&variable).is_some_and(|value| !value.is_empty())
        {
            open(
                format!(
                    "the token stands in {variable}, where build scripts and tests see it: `cargo publish` compiles the project beside it"
                ),
                "let the gate fetch it when it has decided: `gate install --trusted-publishing` or `--token-from`; else set it for `cargo intoto publish` alone, or publish with `--no-verify`",
            );
        }
        notes.push(
            "plain `cargo publish` compiles the project again before it uploads, so its code runs meanwhile: `--no-verify` leaves that out, and `cargo intoto publish` does so (the package step has compiled the same bytes)"
                .to_owned(),
        );
        notes.push(
            "nobody is asked by `cargo publish --token` or with `--config`: only who has no token is held by the gate"
                .to_owned(),
        );
        Ok(Self {
            provider,
            bypasses,
            notes,
        })
    }

    /// Whether the gate is asked about every upload, as far as can be told from here.
    pub fn is_closed(&self) -> bool {
        self.bypasses.is_empty()
    }
}

/// The names that cargo gives to the registry with this index for the sake of a variable, and these variables: it looks for the name by the
/// index, first among variables, whose names have no dashes and no case.
fn other_names(
    name: &str,
    index: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let plain = |url: &str| {
        let url = url.to_ascii_lowercase();
        let url = url.trim_end_matches('/');
        url.strip_suffix(".git").unwrap_or(url).to_owned()
    };
    let mut found: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(_, value)| plain(value) == plain(index))
        .filter_map(|(variable, _)| {
            let other = variable.strip_prefix("CARGO_REGISTRIES_")?.strip_suffix("_INDEX")?;
            let other = other.to_lowercase();
            (other != name).then_some((variable, other))
        })
        .collect();
    found.sort();
    found
}

/// Whether cargo finds the program: by its path, or on the search path.
fn starts(program: &str) -> bool {
    if program.contains(std::path::is_separator) {
        // A relative one starts at the directory of its file, which cargo knows.
        let path = Utf8Path::new(program);
        return !path.is_absolute() || path.is_file();
    }
    on_search_path(program).is_some()
}

/// The first program of this name on the search path.
pub fn on_search_path(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::other_names;

    #[test]
    fn cargo_names_a_registry_by_its_variable() {
        let index = "sparse+https://r.example/Index/";
        for (name, variable, value, other) in [
            ("my-corp", "CARGO_REGISTRIES_MY_CORP_INDEX", index, Some("my_corp")),
            ("corp", "CARGO_REGISTRIES_CORP_INDEX", index, None),
            ("corp", "CARGO_REGISTRIES_OTHER_INDEX", index, Some("other")),
            (
                "corp",
                "CARGO_REGISTRIES_OTHER_INDEX",
                "sparse+https://r.example/index",
                Some("other"),
            ),
            ("Corp", "CARGO_REGISTRIES_CORP_INDEX", index, Some("corp")),
            (
                "corp",
                "CARGO_REGISTRIES_OTHER_INDEX",
                "sparse+https://r.example/other/",
                None,
            ),
            ("corp", "CARGO_REGISTRIES_OTHER_TOKEN", index, None),
        ] {
            let variables = [(variable.to_owned(), value.to_owned())];
            let found = other_names(name, index, variables);
            let expected: Vec<_> = other
                .map(|other| (variable.to_owned(), other.to_owned()))
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{name} {variable}={value}");
        }
    }
}
