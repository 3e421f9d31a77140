//! The target `PROJECT/owners.toml`: who owns a project's layouts now, and who did before.

use intoto_core::key::PublicKey;
use intoto_core::time::Timestamp;
use serde::Deserialize;
use toml::value::Datetime;

use crate::error::CliError;
use crate::signing::parse_public_key;
use crate::trust::form;
use crate::trust::scope::Scope;

/// The form that this version reads.
const FORMAT: u32 = 1;
/// More keys than any project has owners; each costs memory and time.
const MAX_KEYS: usize = 64;
/// More changes of owners than any project sees.
const MAX_FORMER: usize = 256;
/// More layouts than any project signs between two changes of owners.
const MAX_LAYOUTS: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOwners {
    format: u32,
    scope: Vec<String>,
    threshold: u32,
    keys: Vec<String>,
    #[serde(default)]
    former: Vec<RawFormer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFormer {
    until: Datetime,
    threshold: u32,
    keys: Vec<String>,
    layouts: Vec<String>,
}

/// Who owns a project's layouts.
#[derive(Debug, Clone)]
pub(super) struct Owners {
    /// The crates that they speak for.
    pub(super) scope: Vec<Scope>,
    pub(super) now: Group,
    pub(super) former: Vec<Former>,
}

/// Keys, and how many of them must have signed.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) keys: Vec<PublicKey>,
    pub(super) threshold: u32,
}

/// Who owned them before.
#[derive(Debug, Clone)]
pub(super) struct Former {
    /// They count for what is judged as of a time before this.
    pub(super) until: Timestamp,
    pub(super) owners: Group,
    /// The layouts of theirs that still count, by the sha256 of the file or of what is signed in it: whoever has a former key cannot
    /// add one.
    pub(super) layouts: Vec<[u8; 32]>,
}

impl Owners {
    /// Reads the target.
    ///
    /// # Errors
    /// When anything in it is not understood.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CliError> {
        let wrong = |what: &str| CliError::cannot_decide(what);
        let text = std::str::from_utf8(bytes).map_err(|error| wrong("it is not UTF-8").because(error))?;
        let raw: RawOwners =
            toml::from_str(text).map_err(|error| wrong("it is not the TOML of a list of owners").because(error))?;
        if raw.format != FORMAT {
            return Err(wrong(&format!(
                "it has format {}, and this version reads format {FORMAT}",
                raw.format
            )));
        }
        if raw.scope.is_empty() {
            return Err(wrong("its owners speak for no crate"));
        }
        if raw.former.len() > MAX_FORMER {
            return Err(wrong(&format!("it has more than {MAX_FORMER} groups of former owners")));
        }
        let former = raw.former.into_iter().map(|raw| {
            let until = form::read_time(&raw.until).ok_or_else(|| wrong("`until` is no time in UTC"))?;
            if raw.layouts.is_empty() || raw.layouts.len() > MAX_LAYOUTS {
                return Err(wrong(&format!(
                    "former owners have {} layouts, and 1 to {MAX_LAYOUTS} are read",
                    raw.layouts.len()
                )));
            }
            let digest = |text: &String| {
                form::read_digest(text).ok_or_else(|| wrong(&format!("`{}` is no sha256", text.escape_debug())))
            };
            Ok(Former {
                until,
                owners: Group::parse(&raw.keys, raw.threshold)?,
                layouts: raw.layouts.iter().map(digest).collect::<Result<_, _>>()?,
            })
        });
        Ok(Self {
            scope: raw.scope.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            now: Group::parse(&raw.keys, raw.threshold)?,
            former: former.collect::<Result<_, _>>()?,
        })
    }
}

impl Group {
    fn parse(texts: &[String], threshold: u32) -> Result<Self, CliError> {
        if texts.len() > MAX_KEYS {
            return Err(CliError::cannot_decide(format!(
                "it has more than {MAX_KEYS} keys in a group"
            )));
        }
        let mut keys: Vec<PublicKey> = Vec::new();
        for text in texts {
            let key = parse_public_key(text, "owners.toml")?;
            if keys.contains(&key) {
                return Err(CliError::cannot_decide("it lists a key twice"));
            }
            keys.push(key);
        }
        let threshold = form::check_threshold(threshold, &keys)
            .map_err(|what| CliError::cannot_decide(format!("a group of owners {what}")))?;
        Ok(Self { keys, threshold })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    fn document(extra: &str) -> String {
        format!("format = 1\nscope = [\"pkg:cargo/a\"]\nthreshold = 1\nkeys = ['''{KEY}''']\n{extra}")
    }

    #[test]
    fn owners_are_read() {
        let digest = "ab".repeat(32);
        let text = document(&format!(
            "[[former]]\nuntil = 2027-03-01T00:00:00Z\nthreshold = 1\nkeys = ['''{KEY}''']\nlayouts = [\"sha256:{digest}\"]\n"
        ));
        let owners = Owners::parse(text.as_bytes()).unwrap();
        assert_eq!(owners.now.keys.len(), 1);
        assert_eq!(owners.former[0].layouts, [[0xab; 32]]);
        assert_eq!(owners.former[0].until.to_string(), "2027-03-01T00:00:00Z");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let digest = "ab".repeat(32);
        let former = |lines: &str| document(&format!("[[former]]\nthreshold = 1\nkeys = ['''{KEY}''']\n{lines}"));
        for text in [
            String::new(),
            "format = 1".to_owned(),
            document("").replace("format = 1", "format = 2"),
            document("").replace("threshold = 1", "threshold = 0"),
            document("").replace("threshold = 1", "threshold = 2"),
            document("").replace("[\"pkg:cargo/a\"]", "[]"),
            document("").replace("pkg:cargo/a", "pkg:cargo/*"),
            document("").replace("pkg:cargo/a", "pkg:cargo/a@1.0.0"),
            document("").replace(KEY, "no key"),
            document("").replace(&format!("'''{KEY}'''"), &format!("'''{KEY}''','''{KEY}'''")),
            document("owner = 1\n"),
            former("until = 2027-03-01T00:00:00Z\nlayouts = []\n"),
            former("until = 2027-03-01T00:00:00Z\nlayouts = [\"sha256:ab\"]\n"),
            former("until = 2027-03-01T00:00:00Z\n"),
            former("until = 2027-03-01\nlayouts = [\"sha256:DIGEST\"]\n").replace("DIGEST", &digest),
            former("layouts = [\"sha256:DIGEST\"]\n").replace("DIGEST", &digest),
        ] {
            assert!(Owners::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Owners::parse(b"\xff").is_err());
    }
}
