//! The statement that a release is out: which bytes the registry serves as it, said by whoever saw them.
//!
//! Its file is a bundle of the attestation framework: one envelope per line, under the name `NAME-VERSION.intoto.jsonl`. By an identity it is
//! said in a Sigstore bundle of its own, `NAME-VERSION.intoto.ID.sigstore.json`.

use camino::Utf8Path;
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::DigestSet;
use intoto_core::encoding::Value;
use intoto_core::envelope::{self, Container, Envelope};
use intoto_core::key::Signer;
use intoto_core::limits::Limits;
use intoto_core::name::KeyId;
use intoto_core::path::ArtifactPath;
use intoto_core::predicate::Release;
use intoto_core::statement::Statement;

use crate::error::CliError;
use crate::foreign;
use crate::signing::StepSigner;
use crate::store::{LinkDirectory, LinkStore};
use crate::workspace::Purl;

/// The file of the statement about `stem`, which is `NAME-VERSION`.
pub fn file_name(stem: &str) -> String {
    format!("{stem}.intoto.jsonl")
}

/// The file of a Sigstore bundle of the statement about `stem`, by whoever is named by that id.
pub fn bundle_name(stem: &str, key_id: &KeyId) -> String {
    format!("{stem}.intoto.{}.sigstore.json", key_id.short())
}

/// What is said: the release `purl` consists of `NAME-VERSION.crate` with this sha256.
///
/// # Errors
/// When the file's name cannot be an artifact's.
pub fn release_statement(stem: &str, purl: &Purl, sha256: [u8; 32]) -> Result<Value<'static>, CliError> {
    let failed = || CliError::failure(format!("failed to write the statement about {stem}"));
    let name = ArtifactPath::try_from(format!("{stem}.crate").as_str()).map_err(|error| failed().because(error))?;
    let artifacts: Artifacts = [(name, DigestSet::from_sha256(sha256))].into_iter().collect();
    let release = Release::new(purl.as_str(), artifacts).map_err(|error| failed().because(error))?;
    Ok(Statement::of_release(release).to_value())
}

/// Writes the statement into `directory`, signed by all `signers`; says whether it was not there before, said and signed the same.
///
/// # Errors
/// When it cannot be signed or written; an earlier file is kept aside.
pub fn write_statement(
    directory: &Utf8Path,
    stem: &str,
    statement: &Value<'_>,
    signers: &[StepSigner],
) -> Result<bool, CliError> {
    let name = file_name(stem);
    let limits = Limits::default();
    if let Ok(bytes) = foreign::read(&directory.join(&name), limits.json_bytes)
        && is_same(&bytes, statement, signers, &limits)
    {
        return Ok(false);
    }
    let signers: Vec<(&dyn Signer, KeyId)> = signers
        .iter()
        .map(|signer| (signer.signer(), signer.key_id().clone()))
        .collect();
    let mut bytes = envelope::sign(statement, &signers, Container::Dsse)
        .map_err(|error| CliError::failure(format!("failed to sign the statement about {stem}")).because(error))?;
    bytes.push(b'\n');
    LinkDirectory::new(directory).write(&name, &bytes)?;
    Ok(true)
}

/// Whether the file says this already, with a good signature by each of the signers.
fn is_same(bytes: &[u8], statement: &Value<'_>, signers: &[StepSigner], limits: &Limits) -> bool {
    let Ok(envelope) = Envelope::parse(bytes, limits) else {
        return false;
    };
    let says_it = envelope.payload_value().is_ok_and(|value| *value == *statement);
    let is_signed = |signer: &StepSigner| {
        let id = std::slice::from_ref(signer.key_id());
        envelope.verify(signer.public_key(), id).is_ok()
    };
    says_it && signers.iter().all(is_signed)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use intoto_core::key::{KeyIdStyle, SecretKey};

    use super::*;
    use crate::testing::Scratch;
    use crate::workspace::Source;

    fn signer(seed: u8) -> StepSigner {
        let key: Rc<dyn Signer> = Rc::new(SecretKey::ed25519_from_seed([seed; 32]));
        let id = key.key_id(KeyIdStyle::Legacy);
        StepSigner::new(key, id)
    }

    #[test]
    fn a_statement_is_one_line_and_is_not_written_twice() {
        let scratch = Scratch::new();
        let purl = Purl::new("a", "1.0.0", &Source::Path);
        let statement = release_statement("a-1.0.0", &purl, [7; 32]).unwrap();
        let write = |statement: &Value<'_>, signers: &[StepSigner]| {
            write_statement(scratch.path(), "a-1.0.0", statement, signers).unwrap()
        };
        assert!(write(&statement, &[]));
        assert!(!write(&statement, &[]));
        assert!(write(&statement, &[signer(1)]));
        assert!(!write(&statement, &[signer(1)]));
        assert!(write(&statement, &[signer(2)]));
        let path = scratch.path().join("a-1.0.0.intoto.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1);
        let other = release_statement("a-1.0.0", &purl, [8; 32]).unwrap();
        assert!(write(&other, &[signer(2)]));
        let kept = scratch.path().join("superseded").read_dir_utf8().unwrap().count();
        assert_eq!(kept, 3);
    }
}
