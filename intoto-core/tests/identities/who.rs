//! Who counts: constraints on a certificate, and thresholds over people and keys.

use super::*;

#[test]
fn constraints_pin_what_a_name_does_not() {
    let pinned = |extension: Extension, text: &str| tags(|all| all.with(extension, text).unwrap());
    let good = Signatory::workflow();
    let cases = [
        (pinned(Extension::SourceRepositoryIdentifier, "42"), good.clone(), None),
        (
            // Registered again by somebody else, under the name that the owner gave up.
            pinned(Extension::SourceRepositoryIdentifier, "42"),
            good.clone().with(Extension::SourceRepositoryIdentifier, "43"),
            Some(FindingCode::IdentityRepositoryDiffers),
        ),
        (
            pinned(Extension::SourceRepositoryOwnerIdentifier, "7"),
            good.clone().with(Extension::SourceRepositoryOwnerIdentifier, "8"),
            Some(FindingCode::IdentityRepositoryDiffers),
        ),
        (
            // A workflow of the project that anybody can call from a repository of their own.
            tags(|all| all),
            good.clone()
                .with(Extension::SourceRepositoryUri, "https://github.com/evil/hello"),
            Some(FindingCode::IdentityRepositoryDiffers),
        ),
        (
            pinned(Extension::SourceRepositoryRef, "refs/tags/*"),
            good.clone().with(Extension::SourceRepositoryRef, "refs/heads/main"),
            Some(FindingCode::IdentityRefDiffers),
        ),
        (
            pinned(Extension::BuildTrigger, "push"),
            good.clone().with(Extension::BuildTrigger, "pull_request_target"),
            Some(FindingCode::IdentityConstraintUnmet),
        ),
        (
            pinned(Extension::RunnerEnvironment, "github-hosted"),
            good.clone(),
            Some(FindingCode::IdentityConstraintUnmet),
        ),
        (
            tags(|all| all.allowing(SkippableCheck::TransparencyLog)),
            Signatory {
                skipped: vec![SkippableCheck::TransparencyLog],
                ..good.clone()
            },
            None,
        ),
        (
            tags(|all| all.allowing(SkippableCheck::TransparencyLog)),
            Signatory {
                skipped: vec![SkippableCheck::TransparencyLog, SkippableCheck::CertificateTransparency],
                ..good.clone()
            },
            Some(FindingCode::IdentityCheckSkipped),
        ),
    ];
    for (identity, signatory, code) in cases {
        let files = evidence(&identity, &good.seals(&build()), &signatory.seals(&package()));
        // The step before it is by the same identity, and may fail by the same constraint.
        let verdict = verify(&signed(&layout(&identities(&[identity]), 1)), &[], policy(), &files);
        match code {
            None if verdict.outcome() == Outcome::Undecided => panic!("{:?}", verdict.findings()),
            None => expect("good", &verdict, Outcome::Verified, None),
            Some(code) => expect(code.as_str(), &verdict, Outcome::Refused, Some(code)),
        }
    }
}

/// What a CI service attests of an artifact without cargo-intoto: only somebody whom the layout names for it, and no other predicate.

#[test]
fn thresholds_count_people_and_keys() {
    let alice = FulcioIdentity::exact("https://accounts.example", "alice@example.com").unwrap();
    let good = Signatory::workflow();
    let key = SecretKey::ed25519_from_seed([5; 32]);
    let key_id = key.public_key().key_id(KeyIdStyle::Legacy);
    let link_by_key = |step: &str, bytes: &[u8]| {
        let value = strict_json::parse(bytes, &Limits::default()).unwrap().into_owned();
        let file = sign(&value, &[(&key, key_id.clone())], Container::Dsse).unwrap();
        (format!("{step}.{}.link", key_id.short()), file)
    };
    let by = |identity: &FulcioIdentity, signatory: &Signatory| {
        let name = format!("package.{}.sigstore.json", identity.key_id().short());
        (name, signatory.seals(&package()).bytes())
    };
    let both = identities(&[ci(), tags(|all| all)]);
    let people = identities(&[ci(), alice.clone()]);
    let mixed = [
        identities(&[ci()]),
        vec![LayoutKey::Supported(key.public_key().clone())],
    ]
    .concat();
    let person = Signatory::person("alice@example.com");
    let cases = [
        (
            "two identities, one workflow",
            &both,
            vec![by(&ci(), &good), by(&tags(|all| all), &good)],
            Some(FindingCode::ThresholdUnmet),
        ),
        (
            "a workflow and a person",
            &people,
            vec![by(&ci(), &good), by(&alice, &person)],
            None,
        ),
        (
            "a workflow in a person's place",
            &people,
            vec![by(&ci(), &good), by(&alice, &good)],
            Some(FindingCode::IdentityIssuerDiffers),
        ),
        (
            "a workflow and a key",
            &mixed,
            vec![by(&ci(), &good), link_by_key("package", &package())],
            None,
        ),
    ];
    for (name, functionaries, files, code) in cases {
        let mut files: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
        let build_by = format!("build.{}.sigstore.json", ci().key_id().short());
        files.insert(build_by, good.seals(&build()).bytes());
        let verdict = verify(&signed(&layout(functionaries, 2)), &[], policy(), &files);
        match code {
            None => expect(name, &verdict, Outcome::Verified, None),
            Some(code) => expect(name, &verdict, Outcome::Refused, Some(code)),
        }
    }
}
