//! The registry that a release goes to, chosen as cargo chooses it.

use std::collections::BTreeSet;

use crate::collect::configuration::{self, Configuration};
use crate::collect::registries;
use crate::error::CliError;
use crate::gate;
use crate::workspace::{Member, Purl, lock};

/// Cargo's name for its default registry.
const DEFAULT: &str = "crates-io";

/// A registry that cargo knows by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    name: String,
    known: gate::Registry,
}

impl Registry {
    /// The registry that `--registry` names or, without it, the only one that all `members` may go to or, when nothing limits them, the one of
    /// cargo's configuration.
    ///
    /// # Errors
    /// When a member may not go there, the members go to several, or cargo's configuration does not say where it is.
    pub fn choose(given: Option<&str>, members: &[&Member], configuration: &[Configuration]) -> Result<Self, CliError> {
        let allowed: BTreeSet<&[String]> = members
            .iter()
            .filter_map(|member| member.registries.as_deref())
            .filter(|names| !names.is_empty())
            .collect();
        let is_limited = |member: &&&Member| member.registries.as_ref().is_some_and(|names| !names.is_empty());
        let name = match (given, allowed.into_iter().collect::<Vec<_>>().as_slice()) {
            (Some(given), _) => given.to_owned(),
            (None, [[only]]) if members.iter().all(|member| is_limited(&member)) => only.clone(),
            (None, []) => configured(configuration),
            (None, _) => {
                return Err(CliError::usage("the members to be published do not go to one registry")
                    .hint("name the registry with `--registry`, and the members for it with `-p`"));
            }
        };
        for member in members.iter().filter(is_limited) {
            let names = member.registries.as_deref().unwrap_or_default();
            if !names.contains(&name) {
                return Err(CliError::usage(format!(
                    "`{}` may not be published to the registry `{name}`: its manifest allows {}",
                    member.name(),
                    names.join(", ")
                )));
            }
        }
        let index = if name == DEFAULT {
            lock::DEFAULT_INDEX.to_owned()
        } else {
            registries::index(&name, configuration).ok_or_else(|| {
                CliError::cannot_decide(format!(
                    "cargo's configuration does not say where the registry `{name}` is"
                ))
                .hint(format!("set `registries.{name}.index` in .cargo/config.toml"))
            })?
        };
        Ok(Self {
            known: gate::Registry::new(&index, Some(&name)),
            name,
        })
    }

    /// Cargo's name for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The member as this registry knows it.
    pub fn purl(&self, member: &Member) -> Purl {
        self.known.purl(member.name(), member.version())
    }

    /// The registry as the gate knows it.
    pub fn known(&self) -> &gate::Registry {
        &self.known
    }

    /// The words behind the gate where cargo is told to ask it for this registry's token, and nobody else.
    ///
    /// # Errors
    /// When cargo's credentials cannot be read: they may name another provider.
    pub fn gate_words(&self, configuration: &[Configuration]) -> Result<Option<Vec<String>>, CliError> {
        let own = Some(self.name.as_str()).filter(|name| *name != DEFAULT);
        gate::installed_words(own, configuration)
    }

    /// What `--config` is told so that cargo asks this program, with these words, for the token, and nobody else.
    pub fn provider_setting(&self, words: &[String]) -> String {
        let table = if self.name == DEFAULT {
            "registry".to_owned()
        } else {
            format!("registries.{}", self.name)
        };
        let words: Vec<toml::Value> = words.iter().cloned().map(toml::Value::String).collect();
        format!("{table}.credential-provider={}", toml::Value::Array(words))
    }
}

/// The registry that cargo publishes to when nobody names one.
fn configured(configuration: &[Configuration]) -> String {
    configuration::effective(&["registry", "default"], configuration)
        .and_then(|(value, _)| value.as_str().map(str::to_owned))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| DEFAULT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::configuration::Origin;
    use crate::testing::member;

    fn configuration(text: &str) -> [Configuration; 1] {
        [Configuration::new(Origin::CommandLine, text.parse().unwrap())]
    }

    #[test]
    fn the_registry_is_chosen_as_cargo_chooses_it() {
        let indices =
            "[registries]\nour.index = 'sparse+https://our.example/i/'\nold.index = 'https://old.example/i'\n";
        let with_default = format!("{indices}[registry]\ndefault = 'old'\n");
        let (anywhere, ours) = (member("a", None), member("b", Some(&["our"])));
        let both = member("c", Some(&["our", "crates-io"]));
        for (given, members, configuration_text, expected) in [
            (None, vec![&anywhere], indices, Ok("crates-io")),
            (None, vec![&anywhere], &with_default, Ok("old")),
            (Some("our"), vec![&anywhere], indices, Ok("our")),
            (None, vec![&ours], indices, Ok("our")),
            (None, vec![&ours, &anywhere], indices, Err("do not go to one registry")),
            (None, vec![&both], indices, Err("do not go to one registry")),
            (Some("crates-io"), vec![&both], indices, Ok("crates-io")),
            (Some("our"), vec![&both, &ours, &anywhere], indices, Ok("our")),
            (
                Some("old"),
                vec![&ours],
                indices,
                Err("may not be published to the registry `old`"),
            ),
            (
                Some("none"),
                vec![&anywhere],
                indices,
                Err("does not say where the registry `none` is"),
            ),
        ] {
            let chosen = Registry::choose(given, &members, &configuration(configuration_text));
            match expected {
                Ok(name) => assert_eq!(chosen.unwrap().name(), name),
                Err(text) => {
                    let error = chosen.unwrap_err().to_string();
                    assert!(error.contains(text), "{error}");
                }
            }
        }
    }

    #[test]
    fn names_and_settings_fit_the_registry() {
        let configuration = configuration("[registries]\nour.index = 'sparse+https://our.example/i/'\n");
        let words = [
            "/bin/cargo-intoto".to_owned(),
            "--layout".to_owned(),
            "a 'b\"".to_owned(),
        ];
        for (name, purl, setting) in [
            ("crates-io", "pkg:cargo/a@1.0.0", "registry.credential-provider"),
            (
                "our",
                "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Four.example%2Fi%2F",
                "registries.our.credential-provider",
            ),
        ] {
            let member = member("a", None);
            let registry = Registry::choose(Some(name), &[&member], &configuration).unwrap();
            assert_eq!(registry.purl(&member).as_str(), purl);
            let told = registry.provider_setting(&words);
            let (key, value) = told.split_once('=').unwrap();
            assert_eq!(key, setting);
            let table: toml::Table = format!("v = {value}").parse().unwrap();
            let read: Vec<_> = table["v"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect();
            assert_eq!(read, words);
        }
    }
}
