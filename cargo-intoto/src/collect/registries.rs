//! Which registries a member is published to, as its manifest limits them and cargo's configuration finds them.

use crate::collect::configuration::{self, Configuration};
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

/// The index of a registry, as the environment or the nearest of these places says.
pub fn index<'a>(name: &str, places: impl IntoIterator<Item = &'a Configuration>) -> Option<String> {
    let (value, _) = configuration::effective(&["registries", name, "index"], places)?;
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::configuration::Origin;
    use crate::testing;

    #[test]
    fn a_limited_member_is_named_with_its_registries() {
        let configuration = [Configuration::new(
            Origin::CommandLine,
            "[registries]\nour.index = 'sparse+https://user@r.example/i/'\nold.index = 'https://old.example/i'\n"
                .parse()
                .unwrap(),
        )];
        let named = |registries: Option<&[&str]>| {
            let member = testing::member("a", registries);
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
