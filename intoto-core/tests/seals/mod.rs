//! Bundles that are sealed with the digest of everything in them, and a verifier who believes the seal.

use intoto_core::digest::{sha256, to_hex};
use intoto_core::encoding::{Object, Value, base64, pae, strict_json, to_json};
use intoto_core::envelope::PAYLOAD_TYPE;
use intoto_core::identity::{
    Bound, IdentityFacts, IdentityFault, IdentityProblem, IdentityVerifier, Subject, TimeSource, TrustedTime, Validity,
};
use intoto_core::key::{Extension, SkippableCheck};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;

use crate::{ISSUER, NOW, WORKFLOW};

/// Who signs, as the certificate says it.
#[derive(Clone)]
pub(crate) struct Signatory {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) extensions: Vec<(Extension, String)>,
    pub(crate) times: Vec<i64>,
    pub(crate) validity: (i64, i64),
    pub(crate) skipped: Vec<SkippableCheck>,
}

impl Signatory {
    pub(crate) fn workflow() -> Self {
        let extensions = [
            (Extension::SourceRepositoryUri, "https://github.com/acme/hello"),
            (Extension::SourceRepositoryIdentifier, "42"),
            (Extension::SourceRepositoryOwnerIdentifier, "7"),
            (Extension::SourceRepositoryRef, "refs/tags/v1"),
            (Extension::BuildTrigger, "push"),
        ];
        Self {
            issuer: ISSUER.into(),
            subject: WORKFLOW.into(),
            extensions: extensions.map(|(extension, text)| (extension, text.to_owned())).into(),
            times: vec![NOW - 100],
            validity: (NOW - 200, NOW + 400),
            skipped: Vec::new(),
        }
    }

    pub(crate) fn person(subject: &str) -> Self {
        Self {
            issuer: "https://accounts.example".into(),
            subject: subject.into(),
            extensions: Vec::new(),
            ..Self::workflow()
        }
    }

    pub(crate) fn with(mut self, extension: Extension, text: &str) -> Self {
        self.extensions.retain(|(other, _)| *other != extension);
        self.extensions.push((extension, text.into()));
        self
    }

    fn material(&self) -> Value<'static> {
        let texts = |texts: Vec<String>| Value::Array(texts.into_iter().map(Value::from).collect());
        let extensions = self
            .extensions
            .iter()
            .map(|(extension, text)| (extension.name(), Value::from(text.clone())));
        Value::Object(Object::from_iter([
            ("issuer", Value::from(self.issuer.clone())),
            ("subject", Value::from(self.subject.clone())),
            ("extensions", Value::Object(extensions.collect())),
            ("times", texts(self.times.iter().map(i64::to_string).collect())),
            ("from", Value::from(self.validity.0.to_string())),
            ("to", Value::from(self.validity.1.to_string())),
            (
                "skipped",
                texts(self.skipped.iter().map(SkippableCheck::to_string).collect()),
            ),
        ]))
    }

    /// A bundle of a statement, as tools that know Sigstore make it.
    pub(crate) fn seals(&self, payload: &[u8]) -> Bundle {
        self.seals_as(payload, PAYLOAD_TYPE)
    }

    pub(crate) fn seals_as(&self, payload: &[u8], payload_type: &str) -> Bundle {
        let material = self.material();
        let sealed = seal(&pae(payload_type, payload), &material);
        let signature = Value::Object(Object::from_iter([("sig", Value::from(sealed))]));
        Bundle(Object::from_iter([
            (
                "mediaType",
                Value::from("application/vnd.dev.sigstore.bundle.v0.3+json"),
            ),
            ("verificationMaterial", material),
            (
                "dsseEnvelope",
                Value::Object(Object::from_iter([
                    ("payload", Value::from(base64::encode(payload))),
                    ("payloadType", Value::from(payload_type.to_owned())),
                    ("signatures", Value::Array(vec![signature])),
                ])),
            ),
        ]))
    }

    /// A bundle beside a file.
    pub(crate) fn seals_file(&self, file: &[u8]) -> Bundle {
        let material = self.material();
        let sealed = seal(file, &material);
        Bundle(Object::from_iter([
            (
                "mediaType",
                Value::from("application/vnd.dev.sigstore.bundle.v0.3+json"),
            ),
            ("verificationMaterial", material),
            (
                "messageSignature",
                Value::Object(Object::from_iter([
                    ("signature", Value::from(sealed)),
                    ("digest", Value::from(to_hex(&sha256(file)))),
                ])),
            ),
        ]))
    }
}

fn seal(signed: &[u8], material: &Value<'_>) -> String {
    base64::encode(&sha256(&[signed, to_json(material).as_bytes()].concat()))
}

#[derive(Clone)]
pub(crate) struct Bundle(Object<'static>);

impl Bundle {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        to_json(&Value::Object(self.0.clone())).into_bytes()
    }

    pub(crate) fn set(mut self, member: &'static str, value: Value<'static>) -> Self {
        self.0.insert(member, value);
        self
    }

    /// The same with a member of its envelope replaced.
    pub(crate) fn set_envelope(self, change: impl FnOnce(&mut Object<'static>)) -> Self {
        let mut envelope = self.0.get("dsseEnvelope").and_then(Value::as_object).unwrap().clone();
        change(&mut envelope);
        self.set("dsseEnvelope", Value::Object(envelope))
    }
}

/// Believes what is sealed, as it reads it itself.
#[derive(Debug)]
pub(crate) struct Seals;

impl IdentityVerifier for Seals {
    fn check(&self, bundle: &[u8], digest: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        let value = strict_json::parse(bundle, &Limits::default()).unwrap().into_owned();
        let root = value.as_object().unwrap();
        let object = |object: &Object<'static>, name: &str| object.get(name).and_then(Value::as_object).cloned();
        let text = |object: &Object<'static>, name: &str| object.get(name).and_then(Value::as_str).unwrap().to_owned();
        let material = object(root, "verificationMaterial").unwrap();
        let (signed, found, bound) = if let Some(envelope) = object(root, "dsseEnvelope") {
            let payload = base64::decode(&text(&envelope, "payload")).unwrap();
            let signature = envelope.get("signatures").and_then(Value::as_array).unwrap()[0].clone();
            let found = text(signature.as_object().unwrap(), "sig");
            let bound = Bound::Dsse(sha256(&payload));
            (
                seal(&pae(PAYLOAD_TYPE, &payload), &Value::Object(material.clone())),
                found,
                bound,
            )
        } else {
            // Only the digest of the file is at hand, so that the file is believed to be there by its digest.
            let message = object(root, "messageSignature").unwrap();
            let found = text(&message, "digest");
            (to_hex(digest), found, Bound::Message(*digest))
        };
        if signed != found {
            return Err(IdentityProblem::refused(
                IdentityFault::SignatureInvalid,
                "the seal is broken",
            ));
        }
        let words = |name: &str| -> Vec<String> {
            let words = material.get(name).and_then(Value::as_array).unwrap().iter();
            words.map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let subject = text(&material, "subject");
        let subject = match subject.contains("://") {
            true => Subject::Uri(subject),
            false => Subject::Email(subject),
        };
        let mut facts = IdentityFacts::new(text(&material, "issuer"), subject);
        let extensions = object(&material, "extensions").unwrap();
        facts.extensions = (extensions.iter())
            .map(|(name, value)| (Extension::from_name(name).unwrap(), value.as_str().unwrap().to_owned()))
            .collect();
        let time = |text: &str| Timestamp::from_unix(text.parse().unwrap());
        let times = words("times");
        facts.times = (times.iter())
            .map(|text| TrustedTime {
                time: time(text),
                source: TimeSource::Log,
            })
            .collect();
        facts.validity = Some(Validity {
            not_before: time(&text(&material, "from")),
            not_after: time(&text(&material, "to")),
        });
        let skipped = words("skipped");
        facts.skipped = skipped
            .iter()
            .map(|name| SkippableCheck::from_name(name).unwrap())
            .collect();
        facts.bound = Some(bound);
        Ok(facts)
    }
}
