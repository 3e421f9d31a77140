//! What is to be verified: files, and crates that cargo downloaded, by name and version.

use camino::Utf8PathBuf;

use crate::collect::downloaded;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::trust::Scope;
use crate::ui::Ui;
use crate::verification::Artifact;
use crate::workspace::cargo_home;

/// The artifacts, and the package URLs of those that were asked for by name.
pub(super) struct Wanted {
    pub(super) artifacts: Vec<Artifact>,
    /// As they were asked for; the registry stands in them unless it is the default one.
    pub(super) purls: Vec<String>,
}

impl Wanted {
    /// Finds and reads everything that is named.
    pub(super) fn find(words: &[Utf8PathBuf], files: &[Utf8PathBuf], ui: &Ui) -> Result<Self, CliError> {
        let mut paths = Vec::new();
        let mut purls = Vec::new();
        for word in words {
            match NamedCrate::parse(word.as_str()) {
                None => paths.push(word.clone()),
                Some(named) => {
                    let purl = named.purl();
                    // What the trust store cannot be asked about is no name of a crate.
                    Scope::of_purl(&purl)?;
                    let registry = named.registry.as_deref();
                    let name = (named.name.as_str(), named.version.as_str());
                    let progress = Progress::new(ui, "Hashing");
                    paths.push(downloaded::find(&cargo_home()?, name, registry, &progress)?);
                    purls.push(purl);
                }
            }
        }
        paths.extend(files.iter().cloned());
        let artifacts = paths.iter().map(|path| Artifact::read(path, ui));
        Ok(Self {
            artifacts: artifacts.collect::<Result<_, _>>()?,
            purls,
        })
    }

    /// Refuses a crate that is asked for by name when what it is said to be is a crate of another registry.
    pub(super) fn check_stated(&self, stated: &[String]) -> Result<(), CliError> {
        let mut scopes = Vec::new();
        for purl in stated {
            scopes.push(Scope::of_purl(purl)?);
        }
        for purl in &self.purls {
            if !scopes.is_empty() && !scopes.contains(&Scope::of_purl(purl)?) {
                return Err(CliError::usage(format!(
                    "{purl} is asked for, and is none of what --subject says: {}",
                    stated.join(", ")
                ))
                .hint("leave --subject out: a crate that is asked for by name needs none"));
            }
        }
        Ok(())
    }

    /// Puts the package URLs that were asked for, which name the registry, in the place of those that file names give.
    pub(super) fn name(&self, purls: &mut [String]) {
        for purl in purls {
            let with_registry = |asked: &&String| asked.split('?').next() == Some(purl.as_str());
            if let Some(asked) = self.purls.iter().find(with_registry) {
                purl.clone_from(asked);
            }
        }
    }
}

/// `NAME@VERSION`, or a package URL.
#[derive(Debug, PartialEq, Eq)]
struct NamedCrate {
    name: String,
    version: String,
    /// The index URL of a registry other than the default one.
    registry: Option<String>,
    /// As the package URL writes it.
    qualifier: Option<String>,
}

impl NamedCrate {
    /// Everything that is not of one of the two forms is the path of a file; `./` in front makes one of anything.
    fn parse(word: &str) -> Option<Self> {
        let (rest, is_purl) = match word.strip_prefix("pkg:cargo/") {
            Some(rest) => (rest, true),
            None => (word, false),
        };
        let (rest, qualifier) = match rest.split_once('?') {
            Some((rest, qualifiers)) if is_purl => (rest, Some(qualifiers.strip_prefix("repository_url=")?)),
            Some(_) => return None,
            None => (rest, None),
        };
        let (name, version) = rest.split_once('@')?;
        let version = if is_purl { decoded(version)? } else { version.to_owned() };
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let is_version = version.starts_with(|first: char| first.is_ascii_digit())
            && version
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte));
        (is_name && is_version).then_some(())?;
        Some(Self {
            name: name.to_owned(),
            version,
            registry: match qualifier {
                Some(qualifier) => Some(decoded(qualifier)?),
                None => None,
            },
            qualifier: qualifier.map(str::to_owned),
        })
    }

    fn purl(&self) -> String {
        let version = self.version.replace('+', "%2B");
        let plain = format!("pkg:cargo/{}@{version}", self.name);
        match &self.qualifier {
            Some(qualifier) => format!("{plain}?repository_url={qualifier}"),
            None => plain,
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{NamedCrate, Wanted};

    #[test]
    fn what_is_asked_for_is_what_is_stated() {
        let wanted = |purl: &str| Wanted {
            artifacts: Vec::new(),
            purls: vec![purl.to_owned()],
        };
        let other = "pkg:cargo/a@1.0.0%2Bx?repository_url=https:%2F%2Fr.example";
        for (asked, stated, is_good) in [
            ("pkg:cargo/a@1.0.0", None, true),
            ("pkg:cargo/a@1.0.0", Some("pkg:cargo/a"), true),
            ("pkg:cargo/a@1.0.0", Some("pkg:cargo/b"), false),
            (other, Some("pkg:cargo/a"), false),
            (other, Some("pkg:cargo/a?repository_url=https:%2F%2Fr.example"), true),
            ("pkg:cargo/a@1.0.0", Some(other), false),
        ] {
            let stated: Vec<String> = stated.map(str::to_owned).into_iter().collect();
            assert_eq!(
                wanted(asked).check_stated(&stated).is_ok(),
                is_good,
                "{asked} {stated:?}"
            );
        }
        // The registry stays where the version has metadata.
        let mut purls = ["pkg:cargo/a@1.0.0%2Bx".to_owned()];
        wanted(other).name(&mut purls);
        assert_eq!(purls, [other]);
    }

    #[test]
    fn names_of_crates_are_told_from_files() {
        let named = |word| NamedCrate::parse(word).map(|named| (named.purl(), named.version, named.registry));
        let of = |purl: &str, version: &str, registry: Option<&str>| {
            Some((purl.to_owned(), version.to_owned(), registry.map(str::to_owned)))
        };
        for (word, expected) in [
            ("hello@1.0.0", of("pkg:cargo/hello@1.0.0", "1.0.0", None)),
            (
                "a_b-c@1.0.0-rc.1+x",
                of("pkg:cargo/a_b-c@1.0.0-rc.1%2Bx", "1.0.0-rc.1+x", None),
            ),
            (
                "pkg:cargo/hello@1.0.0%2Bx",
                of("pkg:cargo/hello@1.0.0%2Bx", "1.0.0+x", None),
            ),
            (
                "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fr.example%2Fi",
                of(
                    "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fr.example%2Fi",
                    "1.0.0",
                    Some("https://r.example/i"),
                ),
            ),
            ("./hello@1.0.0", None),
            ("d/hello@1.0.0", None),
            ("hello", None),
            ("hello@", None),
            ("hello@latest", None),
            ("hello@1/../../x", None),
            ("hello-1.0.0.crate", None),
            ("pkg:cargo/hello", None),
            ("pkg:cargo/a@1.0.0?vcs_url=x", None),
            ("pkg:cargo/a@1.0.0%2", None),
            ("pkg:cargo/a@1.0.0%2F..%2Fx", None),
        ] {
            assert_eq!(named(word), expected, "{word}");
        }
    }
}
