//! The target `PROJECT/owners.toml`: who owns a project's layouts now, and who did before.

use intoto_core::digest::to_hex;
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use crate::error::CliError;
use crate::signing::{parse_public_key, public_key_text};
use crate::trust::form::{self, RawIdentity};
use crate::trust::scope::Scope;

/// The form that this version reads.
const FORMAT: u32 = 1;
/// More than any project has; each costs memory and time.
const MAX_OWNERS: usize = 64;
/// More changes of owners than any project sees.
const MAX_FORMER: usize = 256;
/// More layouts than any project signs between two changes of owners.
const MAX_LAYOUTS: usize = 4096;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOwners {
    format: u32,
    scope: Vec<String>,
    threshold: u32,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default, rename = "identity", skip_serializing_if = "Vec::is_empty")]
    identities: Vec<RawIdentity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<RawFormer>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFormer {
    until: Datetime,
    threshold: u32,
    #[serde(default)]
    keys: Vec<String>,
    layouts: Vec<String>,
    #[serde(default, rename = "identity", skip_serializing_if = "Vec::is_empty")]
    identities: Vec<RawIdentity>,
}

/// Who owns a project's layouts.
#[derive(Debug, Clone)]
pub(super) struct Owners {
    /// The crates that they speak for.
    pub(super) scope: Vec<Scope>,
    pub(super) now: Group,
    pub(super) former: Vec<Former>,
}

/// Keys and identities, and how many of them must have signed.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) keys: Vec<PublicKey>,
    pub(super) identities: Vec<FulcioIdentity>,
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

/// A list of owners that is to be written.
#[derive(Debug)]
pub struct OwnersList<'a> {
    /// The crates that they speak for.
    pub scope: &'a [Scope],
    /// Their keys.
    pub keys: &'a [PublicKey],
    /// Those who have none, each exact.
    pub identities: &'a [FulcioIdentity],
    /// How many of them must sign.
    pub threshold: u32,
    /// The list that this one takes the place of.
    pub replaced: Option<ReplacedList<'a>>,
}

/// A list of owners that another takes the place of.
#[derive(Debug, Clone, Copy)]
pub struct ReplacedList<'a> {
    /// The bytes of its file.
    pub list: &'a [u8],
    /// Until when its owners count.
    pub until: Timestamp,
    /// The files of the layouts for which they do.
    pub layouts: &'a [Vec<u8>],
}

impl OwnersList<'_> {
    /// The text of the target `PROJECT/owners.toml`.
    ///
    /// # Errors
    /// When it would not be understood, or the list that it takes the place of is not.
    pub fn to_toml(&self) -> Result<String, CliError> {
        let mut former = Vec::new();
        if let Some(replaced) = self.replaced {
            let before = Owners::parse(replaced.list).map_err(|error| {
                CliError::cannot_decide("the list that is replaced is not understood").because(error)
            })?;
            let digests = replaced.layouts.iter().map(|layout| {
                super::signed_sha256(layout)
                    .ok_or_else(|| CliError::cannot_decide("what should still count is no signed layout"))
            });
            let replaced = Former {
                until: replaced.until,
                owners: before.now,
                layouts: digests.collect::<Result<_, _>>()?,
            };
            for group in std::iter::once(&replaced).chain(&before.former) {
                former.push(RawFormer::of(group)?);
            }
        }
        let raw = RawOwners {
            format: FORMAT,
            scope: self.scope.iter().map(Scope::to_string).collect(),
            threshold: self.threshold,
            keys: self.keys.iter().map(public_key_text).collect(),
            identities: raw_identities(self.identities)?,
            former,
        };
        let text = toml::to_string_pretty(&raw)
            .map_err(|error| CliError::failure("failed to write the owners as TOML").because(error))?;
        Owners::parse(text.as_bytes())?;
        Ok(text)
    }
}

fn raw_identities(identities: &[FulcioIdentity]) -> Result<Vec<RawIdentity>, CliError> {
    RawIdentity::of_all(identities).ok_or_else(|| CliError::usage("an owner's identity is exact, letter by letter"))
}

impl RawFormer {
    fn of(former: &Former) -> Result<Self, CliError> {
        let until = former.until.to_string();
        Ok(Self {
            until: until
                .parse()
                .map_err(|error| CliError::failure(format!("{until} is no time of TOML")).because(error))?,
            threshold: former.owners.threshold,
            keys: former.owners.keys.iter().map(public_key_text).collect(),
            layouts: former
                .layouts
                .iter()
                .map(|digest| format!("sha256:{}", to_hex(digest)))
                .collect(),
            identities: raw_identities(&former.owners.identities)?,
        })
    }
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
                owners: Group::parse(&raw.keys, &raw.identities, raw.threshold)?,
                layouts: raw.layouts.iter().map(digest).collect::<Result<_, _>>()?,
            })
        });
        Ok(Self {
            scope: raw.scope.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            now: Group::parse(&raw.keys, &raw.identities, raw.threshold)?,
            former: former.collect::<Result<_, _>>()?,
        })
    }
}

impl Group {
    fn parse(texts: &[String], identities: &[RawIdentity], threshold: u32) -> Result<Self, CliError> {
        if texts.len() + identities.len() > MAX_OWNERS {
            return Err(CliError::cannot_decide(format!(
                "it has more than {MAX_OWNERS} owners in a group"
            )));
        }
        let identities = RawIdentity::read_all(identities)?;
        let mut keys: Vec<PublicKey> = Vec::new();
        for text in texts {
            let key = parse_public_key(text, "owners.toml")?;
            if keys.iter().any(|other| other.shares_holder(&key)) {
                return Err(CliError::cannot_decide(
                    "it lists a key twice, or two keys of one holder",
                ));
            }
            keys.push(key);
        }
        let threshold = form::check_threshold(threshold, keys.len() + identities.len())
            .map_err(|what| CliError::cannot_decide(format!("a group of owners {what}")))?;
        Ok(Self {
            keys,
            identities,
            threshold,
        })
    }
}

#[cfg(test)]
mod tests {
    use intoto_core::key::OpenPgpCertificate;

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
    fn owners_without_keys_are_read() {
        let who = "[[identity]]\nissuer = 'https://i.example'\nidentity = 'https://g.example/o/r/.github/workflows/x.yml@refs/heads/main'\n";
        let none = document("").replace(&format!("'''{KEY}'''"), "");
        let owners = Owners::parse(format!("{none}{who}").as_bytes()).unwrap();
        assert_eq!((owners.now.keys.len(), owners.now.identities.len()), (0, 1));
        let list = OwnersList {
            scope: &owners.scope,
            keys: &[],
            identities: &owners.now.identities,
            threshold: 1,
            replaced: None,
        };
        let again = Owners::parse(list.to_toml().unwrap().as_bytes()).unwrap();
        assert_eq!(again.now.identities, owners.now.identities);
        let both = document(who).replace("threshold = 1", "threshold = 2");
        assert_eq!(Owners::parse(both.as_bytes()).unwrap().now.threshold, 2);
        for text in [
            format!("{none}{who}{who}"),
            format!("{none}{}", who.replace("issuer = 'https://i.example'", "")),
            format!("{none}{}", who.replace("https://i.example", "")),
            format!("{none}{who}subject = '*'\n"),
            none,
        ] {
            assert!(Owners::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_takes_the_place_of_another() {
        let key = parse_public_key(KEY, "test").unwrap();
        let scope = ["pkg:cargo/a".parse().unwrap()];
        let list = |threshold, replaced: Option<ReplacedList<'_>>| {
            let list = OwnersList {
                scope: &scope,
                keys: std::slice::from_ref(&key),
                identities: &[],
                threshold,
                replaced,
            };
            list.to_toml()
        };
        let first = list(1, None).unwrap();
        assert_eq!(
            Owners::parse(first.as_bytes()).unwrap().now.keys,
            std::slice::from_ref(&key)
        );
        assert!(list(2, None).is_err(), "nobody could sign");
        let until = "2027-03-01T00:00:00Z".parse().unwrap();
        let replacing = |before: &[u8], layouts: &[Vec<u8>]| {
            let replaced = ReplacedList {
                list: before,
                until,
                layouts,
            };
            list(1, Some(replaced))
        };
        assert!(replacing(b"x", &[]).is_err());
        assert!(replacing(first.as_bytes(), &[]).is_err(), "no layout still counts");
        let layouts = [br#"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}"#.to_vec()];
        let second = replacing(first.as_bytes(), &layouts).unwrap();
        let third = replacing(second.as_bytes(), &layouts).unwrap();
        let former = Owners::parse(third.as_bytes()).unwrap().former;
        assert_eq!(former.len(), 2, "those before are kept");
        assert_eq!(former[0].layouts, former[1].layouts);
        assert!(replacing(first.as_bytes(), &[b"{}".to_vec()]).is_err(), "no layout");
    }

    #[test]
    fn one_private_key_in_two_forms_is_one_owner() {
        let export = include_bytes!("../../../../intoto-core/src/key/openpgp/samples/owner.asc");
        let certificate = OpenPgpCertificate::read_all(export).unwrap().remove(0);
        let key = PublicKey::OpenPgp(certificate.key.unwrap());
        let texts = [public_key_text(&key), key.to_spki_pem()];
        for (texts, is_good) in [(&texts[..], false), (&texts[..1], true), (&texts[1..], true)] {
            assert_eq!(Group::parse(texts, &[], 1).is_ok(), is_good);
        }
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
