//! Bundles that others have made at the public-good instance, verified offline by the root in this program: what CI services attest, as evidence of a step.

use std::fs;

use camino::Utf8PathBuf;
use cargo_intoto::trust::sigstore::TrustedRoots;
use cargo_intoto_tests::{Sandbox, fixed};
use intoto_core::digest::sha256;
use intoto_core::encoding::base64;
use intoto_core::identity::{IdentityFacts, IdentityVerifier as _, TimeSource};
use intoto_core::key::{Extension, Signer as _};
use intoto_core::time::Timestamp;
use serde_json::Value;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const NOW: Timestamp = Timestamp::from_unix(fixed::TIME);

fn read(name: &str) -> Vec<u8> {
    let path = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/sigstore/public")
        .join(name);
    fs::read(path).expect("a fixture")
}

fn facts(name: &str) -> IdentityFacts {
    let bytes = read(name);
    let bundle: Value = serde_json::from_slice(&bytes).expect("JSON");
    let digest: [u8; 32] = match bundle["dsseEnvelope"]["payload"].as_str() {
        Some(payload) => sha256(&base64::decode(payload).expect("base64")),
        None => {
            let digest = bundle["messageSignature"]["messageDigest"]["digest"].as_str();
            let digest = base64::decode(digest.expect("a digest")).expect("base64");
            digest.try_into().expect("32 bytes")
        }
    };
    TrustedRoots::shipped()
        .expect("they are in the program")
        .check(&bytes, &digest, NOW)
        .unwrap_or_else(|problem| panic!("{name}: {problem}"))
}

/// Bundles of the versions 0.1 to 0.3, with entries of the kinds `intoto`, `hashedrekord` and `dsse`.
#[test]
fn what_npm_python_and_actions_sign_is_read() {
    for (name, media_type, kind, subject, repository) in [
        (
            "npm-provenance.sigstore.json",
            "application/vnd.dev.sigstore.bundle+json;version=0.1",
            "intoto",
            "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
            "https://github.com/sigstore/sigstore-js",
        ),
        (
            "python-wheel.sigstore.json",
            "application/vnd.dev.sigstore.bundle+json;version=0.2",
            "hashedrekord",
            "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2",
            "https://github.com/trailofbits/rfc8785.py",
        ),
        (
            "actions-attest.sigstore.json",
            "application/vnd.dev.sigstore.bundle.v0.3+json",
            "dsse",
            "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main",
            "https://github.com/prefix-dev/sigstore-example",
        ),
    ] {
        let bundle: Value = serde_json::from_slice(&read(name)).expect("JSON");
        assert_eq!(bundle["mediaType"], media_type);
        let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
        assert_eq!(entry["kindVersion"]["kind"], kind);
        let facts = facts(name);
        assert_eq!(
            (facts.issuer.as_str(), facts.subject.as_str()),
            (ISSUER, subject),
            "{name}"
        );
        let found = facts.extensions.get(&Extension::SourceRepositoryUri);
        assert_eq!(found.map(String::as_str), Some(repository), "{name}");
        assert!(facts.skipped.is_empty(), "{name}");
        assert!(facts.times.iter().any(|time| time.source == TimeSource::Log), "{name}");
    }
}

/// Years after the certificate was over, because a log saw it in time. The root is the one in this program.
#[test]
fn an_attestation_of_a_ci_service_is_evidence_of_a_step() {
    for (bundle, product, predicate, repository, id) in [
        (
            "actions-attest.sigstore.json",
            "signed-package-*.conda",
            "https://schemas.conda.org/attestations-publish-1.schema.json",
            "https://github.com/prefix-dev/sigstore-example",
            "",
        ),
        (
            "npm-provenance.sigstore.json",
            "pkg:npm/sigstore@2.0.0",
            "https://slsa.dev/provenance/v1",
            "https://github.com/sigstore/sigstore-js",
            ", repository-id = \"495574555\", owner-id = \"71096353\", ref = \"refs/heads/*\"",
        ),
    ] {
        let sandbox = Sandbox::new();
        let project = sandbox.project("demo");
        sandbox.private("owner.key", fixed::ed25519("owner").to_pkcs8_pem().as_bytes());
        sandbox.write("owner.pub", fixed::ed25519("owner").public_key().to_spki_pem());
        let verify = |predicate: &str, repository: &str| {
            project.file("links/README", "").file(
                "layouts/release.toml",
                format!(
                    "format = 1\nexpires = 2048-01-01T00:00:00Z\n\n[keys.ci]\nsigstore = {{ issuer = {ISSUER:?}, repository = {repository:?}{id}, predicate-type = {predicate:?} }}\n\n[[step]]\nname = \"package\"\nby = [\"ci\"]\nmaterials = [\"DISALLOW *\"]\nproducts = [\"CREATE {product}\", \"DISALLOW *\"]\n"
                ),
            );
            project
                .intoto(&["layout", "sign", "layouts/release.toml", "--key", "../owner.key"])
                .succeeds();
            let words = ["verify", "--layout", "layouts/release.layout", "--link-dir", "links"];
            let words = [&words[..], &["--key", "../owner.pub"]].concat();
            let missing = project.intoto(&words).exits(3);
            let name = missing
                .stdout
                .split('`')
                .find(|word| word.ends_with(".sigstore.json"))
                .expect("what is missing is named");
            fs::write(project.path(format!("links/{name}")), read(bundle)).expect("written");
            let output = project.intoto(&words);
            fs::remove_file(project.path(format!("links/{name}"))).expect("it was there");
            output
        };
        verify(predicate, repository)
            .succeeds()
            .prints("the root of the public-good instance in this program")
            .prints("whose newest part is of 2025-");
        verify("https://slsa.dev/provenance/v0.2", repository)
            .exits(1)
            .prints("predicate-unexpected");
        verify(predicate, "https://github.com/evil/sigstore-example")
            .exits(1)
            .prints("identity-repository-differs");
    }
}
