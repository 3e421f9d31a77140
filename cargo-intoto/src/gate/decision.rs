//! The decision: were exactly these bytes made by the verified chain, as this version of this crate, for this registry?

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::to_hex;
use intoto_core::layout::Parameters;
use intoto_core::limits::Limits;
use intoto_core::verdict::{Outcome, Verdict};
use intoto_core::verify::CommandDifference;

use super::{Registry, Whom};
use crate::error::CliError;
use crate::finding::{CargoCode, CargoFinding};
use crate::foreign::{self, ForeignDirectory};
use crate::signing::load_certificates;
use crate::trust::{Scope, Store, identity_verifier};
use crate::ui::Ui;
use crate::verification::identities::{Beside, Identities};
use crate::verification::owners::{GpgOwners, Older, Owners, Signed};
use crate::verification::{self, Artifact, Commands, ReferenceTime, Report, Request, hostile_tree, subject};

/// A `.crate` that is about to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    name: String,
    version: String,
    sha256: [u8; 32],
}

impl Upload {
    /// The crate with this name and version, and these bytes.
    ///
    /// # Errors
    /// When no `.crate` can be called that.
    pub fn new(name: &str, version: &str, sha256: [u8; 32]) -> Result<Self, CliError> {
        // What is joined to a file name below must come apart in the same way, and holds no separator then.
        if subject::split(&format!("{name}-{version}")) != Some((name, version)) {
            return Err(CliError::cannot_decide(format!(
                "`{}` in version `{}` is no crate that cargo would package",
                name.escape_debug(),
                version.escape_debug()
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            sha256,
        })
    }

    /// The crate's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The sha256 of the bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// `NAME-VERSION.crate`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }
}

/// By what is decided.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The root of the tree, which is looked at for what would run in our place.
    pub root: Utf8PathBuf,
    /// The signed layout.
    pub layout: Utf8PathBuf,
    /// The directory with the links.
    pub links: Utf8PathBuf,
    /// Who must have signed the layout, and by which root of Sigstore; with nobody named, the trust store says who.
    pub whom: Whom,
    /// Certificates of authorities between the layout's roots and a functionary.
    pub intermediates: Vec<Utf8PathBuf>,
    /// Whether a command that the layout does not expect is refused.
    pub exact_commands: bool,
}

/// What is to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Where the crates are to be uploaded.
    pub registry: &'a Registry,
    /// The crates. The layout's owner must be trusted for all of them in this registry.
    pub uploads: &'a [Upload],
    /// Crates that will follow, of which some may go elsewhere: they must stand the same test, and somebody must be trusted for each in
    /// some registry.
    pub following: &'a [Upload],
    /// Where their files lie: for each, the first file of its name with its bytes counts.
    pub directories: &'a [Utf8PathBuf],
    /// By what is decided.
    pub terms: &'a Terms,
}

/// Decides. The crates may be uploaded if, and only if, the report's outcome is "verified".
///
/// # Errors
/// When something cannot be read, is not there, or nobody is trusted. Nothing may be uploaded then either.
pub fn decide(question: &Question<'_>, ui: &Ui) -> Result<Report, CliError> {
    let limits = Limits::default();
    let terms = question.terms;
    let layout = foreign::read(&terms.layout, limits.json_bytes)
        .map_err(|unread| unread.about(format_args!("the layout {}", terms.layout)))?;
    let links = ForeignDirectory::open(&terms.links).map_err(|error| {
        CliError::cannot_decide(format!("failed to open the link directory {}", terms.links)).because(error)
    })?;
    let uploads: Vec<&Upload> = question.uploads.iter().chain(question.following).collect();
    let artifacts = uploads
        .iter()
        .map(|upload| locate(upload, question.directories, ui))
        .collect::<Result<Vec<_>, _>>()?;
    let mut findings = hostile_tree::examine(&terms.root);
    let time = ReferenceTime::now()?;
    let beside = Beside::File(terms.layout.clone());
    let whom = &terms.whom;
    let verifier = identity_verifier(whom.trusted_root.as_deref(), &whom.trust)?;
    let named = whom.owners.identities()?;
    let signed = Signed {
        layout: &layout,
        beside: &beside,
        verifier: &*verifier,
        older: Older::Refused,
    };
    let owners = if whom.keys.is_empty() && named.is_empty() {
        let store = whom.trust.load()?;
        for upload in question.following {
            findings.extend(trusted_for_nobody(&store, question.registry, upload)?);
        }
        let purls: Vec<String> = question
            .uploads
            .iter()
            .map(|upload| question.registry.purl(&upload.name, &upload.version).to_string())
            .collect();
        Owners::of_store(store, &purls, &signed, time.timestamp(), &limits)?
    } else {
        let nobody = GpgOwners {
            ids: &[],
            pubring: None,
            home: None,
        };
        Owners::named(&whom.keys, &nobody)?.and_identities(named)
    };
    let mut intermediates = Vec::new();
    for path in &terms.intermediates {
        intermediates.extend(load_certificates(path)?);
    }
    let beside = beside.read_for(&owners, &layout, time.timestamp(), &limits)?;
    let mut report = verification::verify(Request {
        layout_name: terms.layout.to_string(),
        layout,
        owners: owners.keys.clone(),
        identities: Identities {
            owners: owners.identities.clone(),
            beside,
            verifier,
        },
        links: std::sync::Arc::new(links),
        bundle: None,
        intermediates,
        artifacts,
        time,
        signed_before: owners.signed_before(),
        parameters: Parameters::default(),
        command_difference: if terms.exact_commands {
            CommandDifference::Refuse
        } else {
            CommandDifference::Warn
        },
        commands: Commands::NotRun,
        findings,
    })?;
    let unmade: Vec<CargoFinding> = uploads
        .iter()
        .filter_map(|upload| unmade(upload, &report.verdict))
        .collect();
    report.findings.extend(unmade);
    if let Err(error) = owners.settle(&mut report, Older::Refused) {
        // What was verified stays verified; only a later, older layout would not be noticed.
        ui.warn(format!("the trust store does not remember this layout: {error}"));
    }
    Ok(report)
}

/// The file with the upload's bytes, under its name.
fn locate(upload: &Upload, directories: &[Utf8PathBuf], ui: &Ui) -> Result<Artifact, CliError> {
    let name = upload.file_name();
    let mut others = Vec::new();
    for directory in directories {
        let path = directory.join(&name);
        if !path.is_file() {
            continue;
        }
        let artifact = Artifact::read(&path, ui)?;
        if artifact.sha256 == upload.sha256 {
            return Ok(artifact);
        }
        others.push(format!("{path} has the sha256 {}", to_hex(&artifact.sha256)));
    }
    let searched: Vec<&str> = directories.iter().map(|path| path.as_str()).collect();
    let error = CliError::cannot_decide(format!(
        "no {name} with the sha256 {} lies in {}, so its files cannot be accounted for",
        to_hex(&upload.sha256),
        searched.join(" or ")
    ));
    Err(if others.is_empty() {
        error
    } else {
        error.because(others.join(", "))
    })
}

/// Beside the binding that the layout's rules make: some step of the chain must have made this very file.
fn unmade(upload: &Upload, verdict: &Verdict) -> Option<CargoFinding> {
    let file = upload.file_name();
    let mut others = Vec::new();
    let mut crates = Vec::new();
    for step in verdict.steps() {
        for product in step.products.artifacts() {
            let name = Utf8Path::new(product.path.as_str()).file_name().unwrap_or_default();
            match product.digests.sha256() {
                Some(sha256) if name == file && sha256 == upload.sha256 => return None,
                Some(sha256) if name == file => {
                    others.push(format!(
                        "step `{}` made {file} with the sha256 {}",
                        step.name,
                        to_hex(&sha256)
                    ));
                }
                _ if name.ends_with(".crate") => crates.push(name.to_owned()),
                _ => {}
            }
        }
    }
    // A chain of which too little is there to have made anything has reasons of its own against it.
    if crates.is_empty() && others.is_empty() && verdict.outcome() != Outcome::Verified {
        return None;
    }
    let finding = if others.is_empty() {
        crates.dedup();
        let made = if crates.is_empty() {
            "it made none".to_owned()
        } else {
            format!("it made {}", crates.join(", "))
        };
        CargoFinding::refusal(
            CargoCode::UploadNotRecorded,
            format!("no step of the chain made {file}; {made}"),
        )
    } else {
        CargoFinding::refusal(
            CargoCode::UploadDiffers,
            format!(
                "{}; what would be uploaded has the sha256 {}",
                others.join(", "),
                to_hex(&upload.sha256)
            ),
        )
    };
    let finding = finding.about(&file);
    Some(finding.hint("record this state of the tree with `cargo intoto release`, then publish"))
}

/// Whether nobody at all is trusted for a crate that follows, so that its own turn would end in a refusal.
fn trusted_for_nobody(store: &Store, registry: &Registry, upload: &Upload) -> Result<Option<CargoFinding>, CliError> {
    let here = Scope::of_purl(registry.purl(&upload.name, &upload.version).as_str())?;
    let mut scopes = store.entries().iter().flat_map(|entry| &entry.scope);
    Ok(if scopes.any(|scope| *scope == here || scope.name() == upload.name) {
        None
    } else {
        Some(
            CargoFinding::undecided(
                CargoCode::OwnerUnknown,
                format!("nobody is trusted for {here}, whose .crate is staged, too"),
            )
            .about(upload.file_name()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_a_crate_that_cargo_would_package() {
        for (name, version) in [("hello", "1.0.0"), ("a-b_c", "0.1.0-rc.1+x-2"), ("foo-2", "1.0.0")] {
            let upload = Upload::new(name, version, [0; 32]).expect("sound");
            assert_eq!(upload.file_name(), format!("{name}-{version}.crate"));
        }
        for (name, version) in [
            ("", "1.0.0"),
            ("hello", ""),
            ("hello", "x"),
            ("../hello", "1.0.0"),
            ("hello", "1.0.0/../../x"),
            ("hello", "1/0.0"),
            ("hel lo", "1.0.0"),
            ("hello\n", "1.0.0"),
            // Which of two crates this is must be clear from the name of the file.
            ("hello", "2-1.0.0"),
        ] {
            assert!(Upload::new(name, version, [0; 32]).is_err(), "{name:?} {version:?}");
        }
    }
}
