//! What a bundle says of itself: shown beside the verdict, for comparison, and never believed.

use camino::Utf8PathBuf;
use intoto_core::encoding::{Value, strict_json};
use intoto_core::key::PublicKey;
use intoto_core::limits::Limits;

use crate::finding::{CargoCode, CargoFinding};
use crate::signing::parse_public_key;
use crate::store::Bundle;
use crate::store::bundle::Role;
pub use crate::store::bundle::Subject;
use crate::verification::Artifact;
use crate::verification::subject::split;

/// What a bundle says of itself.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The bundle.
    pub path: Utf8PathBuf,
    /// The folder that its members unpack to.
    pub top: String,
    /// How many members it has, the manifest not counted.
    pub members: usize,
    /// The keys in it.
    pub keys: Vec<ClaimedKey>,
    /// The outcome that its maker wrote into it.
    pub outcome: Option<String>,
    /// The artifacts that it says it is about.
    pub subjects: Vec<Subject>,
}

/// A key that a bundle says is an owner's.
#[derive(Debug, Clone)]
pub struct ClaimedKey {
    /// Its file's name.
    pub name: String,
    /// The key, if it is one.
    pub key: Option<PublicKey>,
}

impl Claims {
    /// Those of a bundle.
    pub fn of(bundle: &Bundle) -> Self {
        let keys = bundle.of_role(Role::Key).map(|(name, bytes)| ClaimedKey {
            name: name.to_owned(),
            key: std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| parse_public_key(text, name).ok()),
        });
        Self {
            path: bundle.path().to_owned(),
            top: bundle.top().to_owned(),
            members: bundle.members().len(),
            keys: keys.collect(),
            outcome: bundle.verdict().and_then(outcome),
            subjects: bundle.subjects().to_vec(),
        }
    }

    /// Refuses a `.crate` that the bundle is not about, and any file that it calls another one. The layout binds name and digest of a file; which
    /// registry a crate of that name is of, only the bundle says. So where it says another one than the user, they are not talking of one crate.
    pub fn compare(&self, artifacts: &[Artifact], purls: &[String], findings: &mut Vec<CargoFinding>) {
        for artifact in artifacts {
            if let Some(message) = self.contradiction(artifact, purls) {
                let finding = CargoFinding::refusal(CargoCode::BundleCrateMismatch, message).about(&artifact.name);
                findings.push(finding.hint("`cargo intoto bundle show FILE` shows which crates a bundle is about"));
            }
        }
    }

    fn contradiction(&self, artifact: &Artifact, purls: &[String]) -> Option<String> {
        let Some(subject) = self.subjects.iter().find(|subject| subject.name == artifact.name) else {
            // Programs are often left out.
            let is_crate = artifact.stem().is_some();
            return is_crate.then(|| format!("the bundle {} is not about {}", self.path, artifact.name));
        };
        if subject.sha256 != artifact.sha256 {
            return Some(format!("the bundle {} is about another {}", self.path, artifact.name));
        }
        let purl = subject.purl.as_ref()?;
        if let Some((name, version)) = artifact.stem().and_then(split)
            && !covers(&with_registry_of(purl, name, version), purl)
        {
            return Some(format!(
                "the bundle {} says of {} that it is {purl}",
                self.path, artifact.name
            ));
        }
        let is_wanted = purls.iter().any(|wanted| covers(wanted, purl));
        (!is_wanted).then(|| {
            format!(
                "the bundle {} is about {purl}, and {} was asked for",
                self.path,
                purls.join(", ")
            )
        })
    }
}

/// The package URL of a `.crate` of that name, in the registry of another one.
fn with_registry_of(purl: &str, name: &str, version: &str) -> String {
    let plain = format!("pkg:cargo/{name}@{version}");
    match purl.split_once('?') {
        Some((_, qualifiers)) => format!("{plain}?{qualifiers}"),
        None => plain,
    }
}

/// Whether a package URL that may leave the version out means the one with version.
fn covers(wanted: &str, purl: &str) -> bool {
    let parts = |text: &str| {
        let (name, qualifiers) = match text.split_once('?') {
            Some((name, qualifiers)) => (name.to_owned(), qualifiers.to_owned()),
            None => (text.to_owned(), String::new()),
        };
        let (name, version) = match name.split_once('@') {
            Some((name, version)) => (name.to_owned(), Some(version.replace("%2B", "+"))),
            None => (name, None),
        };
        (name, version, qualifiers)
    };
    let (wanted, found) = (parts(wanted), parts(purl));
    wanted.0 == found.0 && wanted.2 == found.2 && (wanted.1.is_none() || wanted.1 == found.1)
}

fn outcome(verdict: &[u8]) -> Option<String> {
    let value = strict_json::parse(verdict, &Limits::default()).ok()?;
    let outcome = value.as_object()?.get("outcome").and_then(Value::as_str)?;
    Some(outcome.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::{Claims, Subject, covers};
    use crate::verification::Artifact;

    /// What a bundle says of each file in hand, and whether that contradicts what is asked for.
    #[test]
    fn each_file_is_compared_with_what_is_said_of_it() {
        let subject = |name: &str, digest: u8, purl: Option<&str>| Subject {
            name: name.to_owned(),
            sha256: [digest; 32],
            purl: purl.map(str::to_owned),
            evidence: None,
        };
        let purls = ["pkg:cargo/a@1.0.0".to_owned(), "pkg:cargo/b@1.0.0".to_owned()];
        for (file, said, is_refused) in [
            (
                "a-1.0.0.crate",
                subject("a-1.0.0.crate", 1, Some("pkg:cargo/a@1.0.0")),
                false,
            ),
            ("a-1.0.0.crate", subject("a-1.0.0.crate", 1, None), false),
            (
                "a-1.0.0.crate",
                subject("a-1.0.0.crate", 2, Some("pkg:cargo/a@1.0.0")),
                true,
            ),
            ("a-1.0.0.crate", subject("other-1.0.0.crate", 1, None), true),
            (
                "a-1.0.0.crate",
                subject("a-1.0.0.crate", 1, Some("pkg:cargo/b@1.0.0")),
                true,
            ),
            (
                "a-1.0.0.crate",
                subject("a-1.0.0.crate", 1, Some("pkg:cargo/a@1.0.0?repository_url=r")),
                true,
            ),
            (
                "a-1.0.0.crate",
                subject("a-1.0.0.crate", 1, Some("pkg:cargo/c@1.0.0")),
                true,
            ),
            ("a", subject("a", 1, None), false),
            ("a", subject("a", 2, None), true),
            ("a", subject("a-1.0.0.crate", 2, None), false),
            ("a", subject("a", 1, Some("pkg:cargo/c")), true),
        ] {
            let claims = Claims {
                path: "x.intoto.tar".into(),
                top: "x".to_owned(),
                members: 0,
                keys: Vec::new(),
                outcome: None,
                subjects: vec![said.clone()],
            };
            let artifact = Artifact {
                path: file.into(),
                name: file.to_owned(),
                sha256: [1; 32],
            };
            let mut findings = Vec::new();
            claims.compare(&[artifact], &purls, &mut findings);
            assert_eq!(!findings.is_empty(), is_refused, "{file} {said:?}");
        }
    }

    #[test]
    fn crates_are_compared_with_their_registry() {
        for (wanted, purl, expected) in [
            ("pkg:cargo/a@1.0.0", "pkg:cargo/a@1.0.0", true),
            ("pkg:cargo/a", "pkg:cargo/a@1.0.0", true),
            ("pkg:cargo/a@1.0.0+b", "pkg:cargo/a@1.0.0%2Bb", true),
            ("pkg:cargo/a@1.0.1", "pkg:cargo/a@1.0.0", false),
            ("pkg:cargo/b@1.0.0", "pkg:cargo/a@1.0.0", false),
            (
                "pkg:cargo/a@1.0.0",
                "pkg:cargo/a@1.0.0?repository_url=https://r.example",
                false,
            ),
            (
                "pkg:cargo/a?repository_url=https://r.example",
                "pkg:cargo/a@1.0.0",
                false,
            ),
            (
                "pkg:cargo/a?repository_url=https://r.example",
                "pkg:cargo/a@1.0.0?repository_url=https://r.example",
                true,
            ),
        ] {
            assert_eq!(covers(wanted, purl), expected, "{wanted} {purl}");
        }
    }
}
