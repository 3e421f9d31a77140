//! Which registries a member is published to, as its manifest limits them and cargo's configuration finds them.

use crate::collect::configuration::Configuration;
use crate::error::CliError;
use crate::workspace::{Member, Purl, lock};

/// Cargo's name for its default registry.
const DEFAULT: &str = "crates-io";

/// The names of the member in the registries that it may be published to; in the default one when nothing limits it or it is not
/// published at all.
///
/// # Errors
/// When cargo's configuration does not say where a registry is.
pub fn purls(member: &Member, configuration: &[Configuration]) -> Result<Vec<Purl>, CliError> {
    let plain = || member.package.purl.clone();
    let Some(names) = member.registries.as_deref().filter(|names| !names.is_empty()) else {
        return Ok(vec![plain()]);
    };
    names
        .iter()
        .map(|name| {
            if name == DEFAULT {
                return Ok(plain());
            }
            let index = index(name, configuration).ok_or_else(|| {
                CliError::cannot_decide(format!(
                    "`{}` is published to the registry `{name}`, and cargo's configuration does not say where that is",
                    member.name()
                ))
                .hint(format!("set `registries.{name}.index` in .cargo/config.toml"))
            })?;
            let url = index.strip_prefix("sparse+").unwrap_or(&index);
            Ok(Purl::new(member.name(), member.version(), &lock::registry(url)))
        })
        .collect()
}

/// The index of a registry: from the environment, as cargo ranks them, or from the nearest file.
pub fn index(name: &str, configuration: &[Configuration]) -> Option<String> {
    let variable = format!("CARGO_REGISTRIES_{}_INDEX", name.to_ascii_uppercase().replace('-', "_"));
    std::env::var(variable).ok().or_else(|| {
        configuration
            .iter()
            .find_map(|configuration| configuration.get(&["registries", name, "index"]))
            .and_then(|value| value.as_str().map(str::to_owned))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::configuration::Origin;
    use crate::workspace::{Package, Source};

    #[test]
    fn a_limited_member_is_named_with_its_registries() {
        let configuration = [Configuration {
            origin: Origin::CommandLine,
            table:
                "[registries]\nour.index = 'sparse+https://user@r.example/i/'\nold.index = 'https://old.example/i'\n"
                    .parse()
                    .unwrap(),
        }];
        let named = |registries: Option<&[&str]>| {
            let member = Member {
                package: Package {
                    id: "a".to_owned(),
                    name: "a".to_owned(),
                    version: "1.0.0".to_owned(),
                    source: Source::Path,
                    source_text: None,
                    manifest_path: "/w/Cargo.toml".into(),
                    purl: Purl::new("a", "1.0.0", &Source::Path),
                    targets: Vec::new(),
                    readme: None,
                    license_file: None,
                },
                publishable: true,
                registries: registries.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
                is_default: true,
            };
            purls(&member, &configuration)
                .map(|purls| purls.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
                .map_err(|error| error.to_string())
        };
        let ours = "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fr.example%2Fi%2F";
        for (registries, expected) in [
            (None, Ok("pkg:cargo/a@1.0.0".to_owned())),
            (Some(&[][..]), Ok("pkg:cargo/a@1.0.0".to_owned())),
            (Some(&["crates-io"]), Ok("pkg:cargo/a@1.0.0".to_owned())),
            (Some(&["our"]), Ok(ours.to_owned())),
            (
                Some(&["crates-io", "old"]),
                Ok("pkg:cargo/a@1.0.0 pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fold.example%2Fi".to_owned()),
            ),
            (
                Some(&["none"]),
                Err(
                    "`a` is published to the registry `none`, and cargo's configuration does not say where that is"
                        .to_owned(),
                ),
            ),
        ] {
            assert_eq!(named(registries), expected, "{registries:?}");
        }
    }
}
