//! The manifest of a bundle: its first member, which lists all others with length and sha256, and says which artifacts it is about.

use std::collections::BTreeSet;

use intoto_core::digest::to_hex;
use intoto_core::encoding::{Object, Value, strict_json, to_json_pretty};
use intoto_core::limits::Limits;

use crate::finding::CargoCode;
use crate::store::bundle::BundleError;

const FORMAT: &str = "cargo-intoto-bundle";
const VERSION: i64 = 1;

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) subjects: Vec<Subject>,
    pub(super) members: Vec<Listed>,
}

/// An artifact that a bundle says it is about. Nobody signed that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The file's name.
    pub name: String,
    /// Its sha256.
    pub sha256: [u8; 32],
    /// The crate as a package URL with version and, unless it is the default one, registry.
    pub purl: Option<String>,
    /// Where the crate's manifest says that evidence is found, filled in.
    pub evidence: Option<String>,
}

/// A member as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// The name below the top folder.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
}

impl Manifest {
    pub(super) fn write(&self) -> String {
        let subjects = self.subjects.iter().map(|subject| {
            let mut object = Object::new();
            object.insert("name", subject.name.clone().into());
            object.insert("sha256", to_hex(&subject.sha256).into());
            for (name, text) in [("purl", &subject.purl), ("evidence", &subject.evidence)] {
                if let Some(text) = text {
                    object.insert(name, text.clone().into());
                }
            }
            Value::Object(object)
        });
        let members = self.members.iter().map(|member| {
            let mut object = Object::new();
            object.insert("name", member.name.clone().into());
            object.insert("sha256", to_hex(&member.sha256).into());
            object.insert("size", i64::try_from(member.size).unwrap_or(i64::MAX).into());
            Value::Object(object)
        });
        let mut object = Object::new();
        object.insert("format", FORMAT.into());
        object.insert("members", members.collect::<Vec<_>>().into());
        object.insert("subjects", subjects.collect::<Vec<_>>().into());
        object.insert("version", VERSION.into());
        to_json_pretty(&object.into()) + "\n"
    }

    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, BundleError> {
        let value = strict_json::parse(bytes, limits).map_err(|error| malformed(format!("is no JSON: {error}")))?;
        let object = object(&value, &["format", "members", "subjects", "version"])?;
        if object.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(malformed(format!("does not say that its format is {FORMAT}")));
        }
        match object.get("version").and_then(Value::as_i64) {
            Some(VERSION) => {}
            found => {
                return Err(malformed(format!(
                    "is of version {}, and this program reads version {VERSION}",
                    found.map_or_else(|| "?".to_owned(), |found| found.to_string())
                )));
            }
        }
        let members = list(object, "members")?
            .iter()
            .map(read_member)
            .collect::<Result<Vec<_>, _>>()?;
        let subjects = list(object, "subjects")?
            .iter()
            .map(read_subject)
            .collect::<Result<Vec<_>, _>>()?;
        let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
        if names.len() != members.len() {
            return Err(malformed("lists a member twice"));
        }
        let about: BTreeSet<&str> = subjects.iter().map(|subject: &Subject| subject.name.as_str()).collect();
        if about.len() != subjects.len() {
            return Err(malformed("says twice what one artifact is"));
        }
        Ok(Self { subjects, members })
    }
}

fn malformed(what: impl std::fmt::Display) -> BundleError {
    BundleError::new(CargoCode::BundleMalformed, format!("its manifest {what}"))
}

fn object<'v>(value: &'v Value<'v>, known: &[&str]) -> Result<&'v Object<'v>, BundleError> {
    let object = value
        .as_object()
        .ok_or_else(|| malformed(format!("has {} for an object", value.kind())))?;
    match object.keys().find(|key| !known.contains(key)) {
        Some(unknown) => Err(malformed(format!("has an unknown member {unknown:?}"))),
        None => Ok(object),
    }
}

fn list<'v>(object: &'v Object<'v>, name: &str) -> Result<&'v [Value<'v>], BundleError> {
    object
        .get(name)
        .and_then(Value::as_array)
        .ok_or_else(|| malformed(format!("has no list `{name}`")))
}

fn text<'v>(object: &'v Object<'v>, name: &str) -> Result<&'v str, BundleError> {
    object
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| malformed(format!("has an entry without the text `{name}`")))
}

fn optional_text(object: &Object<'_>, name: &str) -> Result<Option<String>, BundleError> {
    match object.get(name) {
        None => Ok(None),
        Some(_) => text(object, name).map(|text| Some(text.to_owned())),
    }
}

fn digest(object: &Object<'_>) -> Result<[u8; 32], BundleError> {
    let hex = text(object, "sha256")?;
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut digest = [0; 32];
    let pairs = hex.as_bytes().chunks_exact(2);
    let is_whole = hex.len() == 64;
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        match (nibble(pair[0]), nibble(pair[1])) {
            (Some(high), Some(low)) if is_whole => *byte = high << 4 | low,
            _ => return Err(malformed("has a sha256 that is none")),
        }
    }
    if is_whole {
        Ok(digest)
    } else {
        Err(malformed("has a sha256 that is none"))
    }
}

fn read_member(value: &Value<'_>) -> Result<Listed, BundleError> {
    let object = object(value, &["name", "sha256", "size"])?;
    let size = object
        .get("size")
        .and_then(Value::as_i64)
        .and_then(|size| u64::try_from(size).ok());
    Ok(Listed {
        name: text(object, "name")?.to_owned(),
        size: size.ok_or_else(|| malformed("has a member without a length"))?,
        sha256: digest(object)?,
    })
}

fn read_subject(value: &Value<'_>) -> Result<Subject, BundleError> {
    let object = object(value, &["evidence", "name", "purl", "sha256"])?;
    Ok(Subject {
        name: text(object, "name")?.to_owned(),
        sha256: digest(object)?,
        purl: optional_text(object, "purl")?,
        evidence: optional_text(object, "evidence")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            subjects: vec![Subject {
                name: "a-1.0.0.crate".into(),
                sha256: [0xab; 32],
                purl: Some("pkg:cargo/a@1.0.0".into()),
                evidence: None,
            }],
            members: vec![Listed {
                name: "verdict.json".into(),
                size: 3,
                sha256: [1; 32],
            }],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = manifest().write();
        assert_eq!(Manifest::read(text.as_bytes(), &Limits::default()), Ok(manifest()));
    }

    #[test]
    fn everything_else_is_refused() {
        let text = manifest().write();
        for (from, to) in [
            (FORMAT, "other"),
            ("\"version\": 1", "\"version\": 2"),
            ("\"size\": 3", "\"size\": -3"),
            ("\"size\": 3", "\"size\": \"3\""),
            ("\"size\": 3", "\"size\": 3, \"mode\": 1"),
            ("abab", "ABAB"),
            ("abab", "ab"),
            ("\"subjects\"", "\"objects\""),
            ("\"purl\": ", "\"purl\": 1, \"x\": "),
            ("}", ""),
        ] {
            assert!(text.contains(from), "{from}");
            let changed = text.replacen(from, to, 1);
            assert!(
                Manifest::read(changed.as_bytes(), &Limits::default()).is_err(),
                "{from} -> {to}"
            );
        }
        let mut twice = manifest();
        twice.members.push(twice.members[0].clone());
        assert!(Manifest::read(twice.write().as_bytes(), &Limits::default()).is_err());
        // Whoever looks for the first, and whoever looks for the last, would read two things.
        let mut contradicting = manifest();
        contradicting.subjects.push(Subject {
            sha256: [0; 32],
            ..contradicting.subjects[0].clone()
        });
        assert!(Manifest::read(contradicting.write().as_bytes(), &Limits::default()).is_err());
    }
}
