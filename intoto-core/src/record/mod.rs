//! From what was observed of a step to its link, and from the link to the files that carry it, as a link or as a statement.
//!
//! Specification: in-toto 1.0, 4.4. Whoever observed the step has read the files and run the command; here nothing is read or run.
//!
//! ```
//! use intoto_core::digest::{DigestSet, sha256};
//! use intoto_core::envelope::Container;
//! use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
//! use intoto_core::record::{Observation, link_files};
//!
//! let mut observed = Observation::of("build".parse().unwrap());
//! observed.command = vec!["make".to_string()];
//! observed.products.insert("hello".parse().unwrap(), DigestSet::from_sha256(sha256(b"")));
//!
//! let secret = SecretKey::ed25519_from_seed([7; 32]);
//! let key_id = secret.public_key().key_id(KeyIdStyle::Legacy);
//! let files = link_files(&observed.into_link(), &[(&secret, key_id.clone())], Container::Dsse).unwrap();
//! assert_eq!(files[0].name, format!("build.{}.link", key_id.short()));
//! ```

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::DigestSet;
use crate::encoding::{Object, Value};
use crate::envelope::{Container, SignError, sign};
use crate::key::Signer;
use crate::link::Link;
use crate::name::{KeyId, StepName};
use crate::path::ArtifactPath;
use crate::statement::Statement;

/// What was observed while a step was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The step.
    pub step: StepName,
    /// The command as it was run; empty when none was.
    pub command: Vec<String>,
    /// What was there before the command ran.
    pub materials: BTreeMap<ArtifactPath, DigestSet>,
    /// What was there after the command ran.
    pub products: BTreeMap<ArtifactPath, DigestSet>,
    /// What else came out: return value, streams, counts. Without floats, which cannot be signed.
    pub byproducts: Object<'static>,
    /// Where the command ran. Without floats.
    pub environment: Object<'static>,
}

impl Observation {
    /// An observation of that step in which nothing has been seen yet.
    pub fn of(step: StepName) -> Self {
        Self {
            step,
            command: Vec::new(),
            materials: BTreeMap::new(),
            products: BTreeMap::new(),
            byproducts: Object::new(),
            environment: Object::new(),
        }
    }

    /// The link that reports it.
    pub fn into_link(self) -> Link {
        Link {
            name: self.step,
            materials: self.materials.into(),
            products: self.products.into(),
            command: self.command,
            byproducts: Value::Object(self.byproducts),
            environment: Value::Object(self.environment),
        }
    }
}

/// The forms in which a link is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LinkForm {
    /// As the link itself, in either container: what every implementation reads.
    Link(Container),
    /// As a statement with a link predicate (ITE-6), in DSSE: what verifiers of attestations read.
    Statement,
}

impl LinkForm {
    /// The container that it is signed in.
    pub fn container(self) -> Container {
        match self {
            Self::Link(container) => container,
            Self::Statement => Container::Dsse,
        }
    }

    /// What is signed.
    pub fn payload(self, link: &Link) -> Value<'static> {
        match self {
            Self::Link(_) => link.to_value(),
            Self::Statement => Statement::of_link(link.clone()).to_value(),
        }
    }
}

impl From<Container> for LinkForm {
    fn from(container: Container) -> Self {
        Self::Link(container)
    }
}

/// A link file, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFile {
    /// The name under which verifiers look for it: `{step}.{first eight characters of the key id}.link`.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Signs a link: one file for each signer, named by the id it signs under, because verifiers look for one file per key.
pub fn link_files(
    link: &Link,
    signers: &[(&dyn Signer, KeyId)],
    form: impl Into<LinkForm>,
) -> Result<Vec<LinkFile>, SignError> {
    let form = form.into();
    let payload = form.payload(link);
    let file = |signer: &(&dyn Signer, KeyId)| {
        let bytes = sign(&payload, core::slice::from_ref(signer), form.container())?;
        Ok(LinkFile {
            name: link.name.link_file(&signer.1),
            bytes,
        })
    };
    signers.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::envelope::Envelope;
    use crate::key::SecretKey;
    use crate::limits::Limits;
    use crate::payload::Payload;

    #[test]
    fn a_file_for_each_key_holds_the_same_link() {
        let mut observed = Observation::of("build".parse().unwrap());
        observed.command = ["cargo", "build"].map(String::from).to_vec();
        observed
            .materials
            .insert("src/lib.rs".parse().unwrap(), DigestSet::from_sha256(sha256(b"a")));
        observed.products.insert(
            "target/release/x".parse().unwrap(),
            DigestSet::from_sha256(sha256(b"b")),
        );
        observed.byproducts.insert("return-value", Value::from(0));
        observed.environment.insert("commit", Value::from("é"));
        let link = observed.into_link();
        let limits = Limits::default();

        let (first, second) = (
            SecretKey::ed25519_from_seed([1; 32]),
            SecretKey::p256_from_scalar([2; 32]).unwrap(),
        );
        let signers: [(&dyn Signer, KeyId); 2] = [
            (&first, "11111111aa".parse().unwrap()),
            (&second, "22222222bb".parse().unwrap()),
        ];
        let forms = [
            LinkForm::Link(Container::Dsse),
            LinkForm::Link(Container::Metablock),
            LinkForm::Statement,
        ];
        for form in forms {
            let files = link_files(&link, &signers, form).unwrap();
            for (file, (signer, key_id)) in files.iter().zip(&signers) {
                assert_eq!(file.name, alloc::format!("build.{}.link", key_id.short()));
                let envelope = Envelope::parse(&file.bytes, &limits).unwrap();
                let verified = envelope
                    .verify(signer.public_key(), core::slice::from_ref(key_id))
                    .unwrap();
                let payload = Payload::from_value(&verified.value().unwrap(), &limits).unwrap();
                assert_eq!(payload.link(), Some(&link));
                assert_eq!(matches!(payload, Payload::Statement(_)), form == LinkForm::Statement);
            }
        }
    }
}
