//! Trusted roots: the authorities and logs of an instance, as they were pinned.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::time::Timestamp;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{SigstoreInstance, TrustedRoot};

use crate::error::CliError;
use crate::foreign::{self, Unread};

/// The public instance's has seven thousand bytes.
const MAX_BYTES: usize = 4 << 20;

/// The roots that bundles are verified by; one of them has to know whoever issued the certificate.
#[derive(Debug)]
pub struct TrustedRoots {
    roots: Vec<Root>,
}

/// One instance's root, ready to verify by.
pub struct Root {
    origin: RootOrigin,
    trusted: TrustedRoot,
    verifier: Verifier,
    has_vouched: AtomicBool,
}

/// Where a root is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootOrigin {
    /// The public-good instance's, shipped in this program.
    PublicGood,
    /// That of GitHub's own instance, which signs for private repositories; shipped in this program.
    GitHub,
    /// A file that the user named.
    File(Utf8PathBuf),
    /// Something else that the user has pinned, by its name.
    Pinned(String),
}

impl fmt::Display for RootOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublicGood => f.write_str("the root of the public-good instance in this program"),
            Self::GitHub => f.write_str("the root of GitHub's instance in this program"),
            Self::File(path) => write!(f, "the trusted root `{path}`"),
            Self::Pinned(name) => write!(f, "the trusted root of `{name}`"),
        }
    }
}

impl TrustedRoots {
    /// The roots that are shipped: of the public-good instance, and of GitHub's.
    ///
    /// # Errors
    /// When they cannot be read, which is a fault of this program.
    pub fn shipped() -> Result<Self, CliError> {
        let instances = [
            (RootOrigin::PublicGood, SigstoreInstance::PublicGood),
            (RootOrigin::GitHub, SigstoreInstance::GitHub),
        ];
        let roots = instances
            .into_iter()
            .map(|(origin, instance)| Root::parse(origin, instance.embedded_trusted_root_json()))
            .collect::<Result<_, _>>()?;
        Ok(Self { roots })
    }

    /// The root in a file.
    ///
    /// # Errors
    /// When it cannot be read, or nobody could verify by it.
    pub fn from_file(path: &Utf8Path) -> Result<Self, CliError> {
        let what = format!("the trusted root `{path}`");
        let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
            Unread::Missing => CliError::cannot_decide(format!("there is no trusted root at `{path}`")),
            _ => unread.about(&what),
        })?;
        Self::from_bytes(RootOrigin::File(path.to_owned()), &bytes)
    }

    /// A root that was read elsewhere.
    ///
    /// # Errors
    /// When nobody could verify by it.
    pub fn from_bytes(origin: RootOrigin, bytes: &[u8]) -> Result<Self, CliError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| CliError::cannot_decide(format!("{origin} is not text")).because(error))?;
        Ok(Self {
            roots: vec![Root::parse(origin, text)?],
        })
    }

    /// The root in that file, or those that are shipped.
    ///
    /// # Errors
    /// When the file's cannot be used.
    pub fn of(file: Option<&Utf8Path>) -> Result<Self, CliError> {
        file.map_or_else(Self::shipped, Self::from_file)
    }

    /// These and the others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.roots.extend(others.roots);
        self
    }

    /// Every root.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }
}

impl Root {
    fn parse(origin: RootOrigin, text: &str) -> Result<Self, CliError> {
        let failed = || {
            CliError::cannot_decide(format!("{origin} cannot be used"))
                .hint("a trusted root is a JSON file, trusted_root.json in the instance's TUF repository")
        };
        let trusted = TrustedRoot::from_json(text).map_err(|error| failed().because(error))?;
        // One without authorities, certificate or timestamp, verifies nothing; it is rather another file.
        if trusted.certificate_authorities.is_empty()
            && trusted.tlogs.is_empty()
            && trusted.timestamp_authorities.is_empty()
        {
            return Err(failed().because("it names no authority and no log"));
        }
        let verifier = Verifier::new(&trusted).map_err(|error| failed().because(error))?;
        Ok(Self {
            origin,
            trusted,
            verifier,
            has_vouched: AtomicBool::new(false),
        })
    }

    /// Notes that a bundle was verified by it.
    pub(super) fn vouched(&self) {
        self.has_vouched.store(true, Ordering::Relaxed);
    }

    /// Whether a bundle was verified by it.
    pub fn has_vouched(&self) -> bool {
        self.has_vouched.load(Ordering::Relaxed)
    }

    /// Where it is from.
    pub fn origin(&self) -> &RootOrigin {
        &self.origin
    }

    /// When the newest of its authorities and logs began: it knows of nothing later.
    pub fn newest(&self) -> Option<Timestamp> {
        let authorities = self
            .trusted
            .certificate_authorities
            .iter()
            .map(|authority| authority.valid_for);
        let timestamps = self
            .trusted
            .timestamp_authorities
            .iter()
            .map(|authority| authority.valid_for);
        let logs = self.trusted.tlogs.iter().map(|log| log.public_key.valid_for);
        let certificate_logs = self.trusted.ctlogs.iter().map(|log| log.public_key.valid_for);
        authorities
            .chain(timestamps)
            .chain(logs)
            .chain(certificate_logs)
            .flatten()
            .map(|window| Timestamp::from_unix(window.start.as_second()))
            .max()
    }

    /// Whether its instance publishes no certificates.
    pub(super) fn has_no_certificate_log(&self) -> bool {
        self.trusted.ctlogs.is_empty()
    }

    /// Whether its instance publishes no signatures.
    pub(super) fn has_no_log(&self) -> bool {
        self.trusted.tlogs.is_empty()
    }

    pub(super) fn trusted(&self) -> &TrustedRoot {
        &self.trusted
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
