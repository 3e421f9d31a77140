//! Evidence bundles: everything that a verifier of an artifact needs, in one tar archive. `docs/bundles.md` describes the format.
//!
//! A bundle is foreign. It is read as a whole or not at all: one name twice, one member that the manifest does not list, one byte
//! behind the end, and none of it is looked at. That it is whole says nothing about who made it. Nothing in it is believed but
//! what keys from elsewhere have signed.

mod archive;
mod links;
mod manifest;
mod names;

use std::fmt;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};
use intoto_core::limits::Limits;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign;

pub use links::BundleLinks;
pub use manifest::Subject;
use manifest::{Listed, Manifest};

/// What the name of a bundle ends in.
pub const SUFFIX: &str = ".intoto.tar";
/// Bytes of a bundle, which is read into memory. A chain of a thousand packages has some megabytes; one link has 64 MiB at most.
pub const MOST_BYTES: usize = 256 << 20;

/// The first member.
const MANIFEST: &str = "manifest.json";
/// What the maker's verification found.
const VERDICT: &str = "verdict.json";

/// What members are, by the directory that they lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reports and other files that links name as products.
    Byproduct,
    /// Certificates of authorities between the layout's roots and functionaries.
    Certificate,
    /// Public keys that the maker says are the owners'.
    Key,
    /// The signed layout: exactly one.
    Layout,
    /// Links, and below a directory per sublayout the links of that.
    Link,
    /// Sigstore bundles beside the layout, by which owners signed it who are identities.
    Signature,
    /// Other signed statements.
    Statement,
}

impl Role {
    /// Every role, in the order of their directories.
    pub const ALL: [Self; 7] = [
        Self::Byproduct,
        Self::Certificate,
        Self::Key,
        Self::Layout,
        Self::Link,
        Self::Signature,
        Self::Statement,
    ];

    /// The directory.
    pub fn directory(self) -> &'static str {
        match self {
            Self::Byproduct => "byproducts",
            Self::Certificate => "certificates",
            Self::Key => "keys",
            Self::Layout => "layout",
            Self::Link => "links",
            Self::Signature => "signatures",
            Self::Statement => "statements",
        }
    }

    /// How deep files may lie in it, themselves counted.
    fn depth(self) -> usize {
        match self {
            // Sublayouts nest, up to the limits of verification, and byproducts keep their paths.
            Self::Link | Self::Byproduct => 16,
            _ => 1,
        }
    }

    /// The role and the name below its directory.
    fn of(name: &str) -> Option<(Self, &str)> {
        let (directory, rest) = name.split_once('/')?;
        let role = Self::ALL.into_iter().find(|role| role.directory() == directory)?;
        (rest.split('/').count() <= role.depth()).then_some((role, rest))
    }
}

/// A bundle whose every byte was read and found in order.
#[derive(Debug)]
pub struct Bundle {
    path: Utf8PathBuf,
    bytes: Vec<u8>,
    top: String,
    subjects: Vec<Subject>,
    /// Sorted by name; the manifest is none of them.
    members: Vec<(String, Range<usize>)>,
}

impl Bundle {
    /// Reads the bundle at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is not in order from its first to its last byte.
    pub fn open(path: &Utf8Path) -> Result<Self, CliError> {
        let bytes = foreign::read(path, MOST_BYTES).map_err(|unread| match unread {
            foreign::Unread::TooLarge { .. } => unread
                .about(format_args!("the bundle {path}"))
                .with_code(CargoCode::BundleTooLarge),
            _ => unread.about(format_args!("the bundle {path}")),
        })?;
        Self::parse(path, bytes).map_err(|error| {
            CliError::cannot_decide(format!("the bundle {path} is refused"))
                .with_code(error.code)
                .because(error)
                .hint("get it again, or have it made again with `cargo intoto bundle create`; it is used as a whole or not at all")
        })
    }

    /// Reads a bundle from memory; `path` is what it is called.
    ///
    /// # Errors
    /// When it is not in order from its first to its last byte.
    pub fn parse(path: &Utf8Path, bytes: Vec<u8>) -> Result<Self, BundleError> {
        let (top, entries) = below_top(archive::read(&bytes)?)?;
        let mut entries = entries.into_iter();
        let manifest = match entries.next() {
            Some((name, at)) if name == MANIFEST => Manifest::read(&bytes[at], &Limits::default())?,
            _ => return Err(BundleError::malformed(format!("its first member is not {MANIFEST}"))),
        };
        let members: Vec<(String, Range<usize>)> = entries.collect();
        if !members.is_sorted_by(|(first, _), (second, _)| first < second) {
            return Err(BundleError::malformed(
                "its members are not in the order of their names",
            ));
        }
        for (name, _) in &members {
            if name != VERDICT && Role::of(name).is_none() {
                return Err(BundleError::malformed(format!(
                    "member {name:?} is of no kind that bundles have"
                )));
            }
        }
        compare(&manifest.members, &members, &bytes)?;
        let bundle = Self {
            path: path.to_owned(),
            top,
            subjects: manifest.subjects,
            members,
            bytes,
        };
        match bundle.of_role(Role::Layout).count() {
            1 => Ok(bundle),
            found => Err(BundleError::malformed(format!("it holds {found} layouts, not one"))),
        }
    }

    /// Where it was read.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The folder that all members lie in.
    pub fn top(&self) -> &str {
        &self.top
    }

    /// What it says that it is about.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// Names below the top folder, and bytes, of all members but the manifest.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.members
            .iter()
            .map(|(name, at)| (name.as_str(), &self.bytes[at.clone()]))
    }

    /// Names below the role's directory, and bytes, of the members with this role.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = (&str, &[u8])> {
        self.members().filter_map(move |(name, bytes)| match Role::of(name)? {
            (found, rest) if found == role => Some((rest, bytes)),
            _ => None,
        })
    }

    /// The layout with its file name.
    pub fn layout(&self) -> (&str, &[u8]) {
        self.of_role(Role::Layout)
            .next()
            .expect("a bundle without a layout is not read")
    }

    /// What its maker's verification found, as JSON. Nobody signed it.
    pub fn verdict(&self) -> Option<&[u8]> {
        self.members()
            .find(|(name, _)| *name == VERDICT)
            .map(|(_, bytes)| bytes)
    }

    fn member(&self, name: &str) -> Option<&[u8]> {
        let at = self
            .members
            .binary_search_by(|(found, _)| found.as_str().cmp(name))
            .ok()?;
        Some(&self.bytes[self.members[at].1.clone()])
    }
}

/// What a bundle is made of.
#[derive(Debug, Default)]
pub struct Draft {
    /// The folder that all members will lie in.
    pub top: String,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// The files: role, name below the role's directory, bytes.
    pub files: Vec<(Role, String, Vec<u8>)>,
    /// What the maker's verification found.
    pub verdict: Option<Vec<u8>>,
}

impl Draft {
    /// The bytes of the bundle: the same for the same contents, in whatever order they were given.
    ///
    /// # Errors
    /// When no reader would take it: a name twice or one that is not clean, no layout, too large.
    pub fn pack(&self) -> Result<Vec<u8>, BundleError> {
        let mut members: Vec<(String, &[u8])> = self
            .files
            .iter()
            .map(|(role, name, bytes)| (format!("{}/{name}", role.directory()), bytes.as_slice()))
            .collect();
        members.extend(self.verdict.as_deref().map(|bytes| (VERDICT.to_owned(), bytes)));
        members.sort();
        let mut subjects = self.subjects.clone();
        subjects.sort_by(|first, second| first.name.cmp(&second.name));
        let manifest = Manifest {
            subjects,
            members: members
                .iter()
                .map(|(name, bytes)| Listed {
                    name: name.clone(),
                    size: bytes.len() as u64,
                    sha256: sha256(bytes),
                })
                .collect(),
        }
        .write();
        members.insert(0, (MANIFEST.to_owned(), manifest.as_bytes()));
        for (name, _) in &mut members {
            *name = format!("{}/{name}", self.top);
        }
        let bytes = archive::write(&members)?;
        if bytes.len() > MOST_BYTES {
            let message = format!("it would be larger than {MOST_BYTES} bytes");
            return Err(BundleError::new(CargoCode::BundleTooLarge, message));
        }
        // What we would not read ourselves is not handed out.
        Bundle::parse(Utf8Path::new(&self.top), bytes).map(|bundle| bundle.bytes)
    }
}

/// Takes the one top folder off all names.
fn below_top(entries: Vec<archive::Entry>) -> Result<(String, Vec<archive::Entry>), BundleError> {
    let top = match entries.first().map(|(name, _)| name.split_once('/')) {
        Some(Some((top, _))) => top.to_owned(),
        Some(None) => String::new(),
        None => return Err(BundleError::malformed("it is empty")),
    };
    let below = |(name, at): archive::Entry| match name.split_once('/') {
        Some((found, rest)) if found == top => Ok((rest.to_owned(), at)),
        _ => Err(BundleError::new(
            CargoCode::BundleEntryName,
            format!("the name {name:?} is not below one folder with all others"),
        )),
    };
    let entries = entries.into_iter().map(below).collect::<Result<_, _>>()?;
    Ok((top, entries))
}

/// Holds what is there against what the manifest lists.
fn compare(listed: &[Listed], members: &[(String, Range<usize>)], bytes: &[u8]) -> Result<(), BundleError> {
    let wrong = |message: String| Err(BundleError::new(CargoCode::BundleManifestMismatch, message));
    let mut listed: Vec<&Listed> = listed.iter().collect();
    listed.sort_by(|first, second| first.name.cmp(&second.name));
    let find = |name: &str| {
        listed
            .binary_search_by(|listed| listed.name.as_str().cmp(name))
            .map(|at| listed[at])
    };
    for (name, at) in members {
        let Ok(expected) = find(name) else {
            return wrong(format!("member {name:?} is there, and its manifest does not list it"));
        };
        let found = &bytes[at.clone()];
        if found.len() as u64 != expected.size {
            return wrong(format!(
                "member {name:?} has {} bytes, and its manifest says {}",
                found.len(),
                expected.size
            ));
        }
        if sha256(found) != expected.sha256 {
            return wrong(format!(
                "member {name:?} has the sha256 {}, and its manifest says {}",
                to_hex(&sha256(found)),
                to_hex(&expected.sha256)
            ));
        }
    }
    let is_there = |listed: &&&Listed| members.binary_search_by(|(name, _)| name.cmp(&listed.name)).is_ok();
    match listed.iter().find(|listed| !is_there(listed)) {
        Some(missing) => wrong(format!("its manifest lists {:?}, which is not there", missing.name)),
        None => Ok(()),
    }
}

/// Why a bundle was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleError {
    code: CargoCode,
    message: String,
}

impl BundleError {
    fn new(code: CargoCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(CargoCode::BundleMalformed, message)
    }

    /// The stable code.
    pub fn code(&self) -> CargoCode {
        self.code
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BundleError {}

#[cfg(test)]
mod tests;
