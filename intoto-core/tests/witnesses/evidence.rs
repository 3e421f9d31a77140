//! Bundles by keys as evidence of a step.

use super::*;

#[test]
fn a_bundle_by_a_key_is_evidence_with_a_time() {
    let ci = key(5);
    let good = Bundle::of_statement(&ci, &statement(3));
    let digest = sha256(&ci.public_key().to_spki_der());
    let hints = [
        good.hint.clone(),
        None,
        Some(String::new()),
        Some(base64::encode(&digest)),
        Some(ci.public_key().key_id(KeyIdStyle::Python).to_string()),
    ];
    for hint in hints {
        let bundle = good.clone().with(|bundle| bundle.hint = hint);
        let files = BTreeMap::from([bundle_of(&ci, &bundle)]);
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy(), &files);
        expect("good", &verdict, None);
        let step = &verdict.layout().unwrap().steps[0];
        assert_eq!(step.links.len(), 2, "the link that is not there, and the bundle");
        let witness = step.links[1].witness.as_ref().unwrap();
        assert_eq!(witness.times[0].time, Timestamp::from_unix(NOW - 100));
        assert!(matches!(step.links[0].state, LinkState::Absent));
    }
}

#[test]
fn each_attack_on_a_bundle_by_a_key_is_refused_with_its_code() {
    let (ci, other) = (key(5), key(6));
    let good = Bundle::of_statement(&ci, &statement(3));
    let by_other = Bundle::of_statement(&other, &statement(3));
    let cases: Vec<(&str, Bundle, FindingCode)> = vec![
        ("another key", by_other.clone(), FindingCode::KeyNotAuthorised),
        (
            "another key under the right hint",
            by_other.clone().with(|bundle| bundle.hint.clone_from(&good.hint)),
            FindingCode::SignatureInvalid,
        ),
        (
            "a wrong hint",
            good.clone().with(|bundle| bundle.hint.clone_from(&by_other.hint)),
            FindingCode::KeyNotAuthorised,
        ),
        (
            "a hint that is nobody's",
            good.clone().with(|bundle| bundle.hint = Some("ci".into())),
            FindingCode::KeyNotAuthorised,
        ),
        (
            "the payload exchanged",
            good.clone().with(|bundle| bundle.payload = Some(statement(4))),
            FindingCode::SignatureInvalid,
        ),
        (
            "the witness of another",
            good.clone().with(|bundle| bundle.seen = by_other.seen.clone()),
            FindingCode::LogEntryDiffers,
        ),
        (
            "no time",
            good.clone().with(|bundle| bundle.times.clear()),
            FindingCode::TrustedTimeMissing,
        ),
        (
            "one time of the future",
            good.clone().with(|bundle| bundle.times.push(NOW + 61)),
            FindingCode::TrustedTimeInFuture,
        ),
        (
            "a file's",
            Bundle::of_file(&ci, &statement(3)),
            FindingCode::SignedContentDiffers,
        ),
        (
            "another artifact's",
            Bundle::of_statement(&ci, &statement(9)),
            FindingCode::ArtifactUnbound,
        ),
    ];
    for (name, bundle, code) in cases {
        let files = BTreeMap::from([bundle_of(&ci, &bundle)]);
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy(), &files);
        expect(name, &verdict, refused(code));
    }
}

/// Each key of a step may be refused for a reason of its own.
#[test]
fn a_refusal_names_the_key_that_did_not_sign() {
    let ci = key(5);
    let exchanged = Bundle::of_statement(&ci, &statement(3)).with(|bundle| bundle.payload = Some(statement(4)));
    let verdict = verify(
        &signed(&layout(&[&ci], 1)),
        &[],
        policy(),
        &BTreeMap::from([bundle_of(&ci, &exchanged)]),
    );
    let refusal = verdict
        .findings()
        .iter()
        .find(|finding| finding.code == FindingCode::SignatureInvalid)
        .unwrap();
    let named = format!("key `{}`: ", id(&ci));
    assert!(refusal.message.starts_with(&named), "{}", refusal.message);
}

#[test]
fn what_the_witness_bound_is_compared() {
    let ci = key(5);
    let files = BTreeMap::from([bundle_of(&ci, &Bundle::of_statement(&ci, &statement(3)))]);
    for binds in [Bound::Dsse([0; 32]), Bound::Message(sha256(&statement(3)))] {
        let mut policy = policy();
        policy.identity_verifier = Some(Arc::new(Seen { binds: Some(binds) }));
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy, &files);
        expect("confused", &verdict, refused(FindingCode::SignedContentDiffers));
    }
}

#[test]
fn a_key_counts_once_by_its_link_and_its_bundle() {
    let (ci, other) = (key(5), key(6));
    let bundle = |key: &SecretKey, product: u8| bundle_of(key, &Bundle::of_statement(key, &statement(product)));
    let both = layout(&[&ci, &other], 2);
    let one = layout(&[&ci, &other], 1);
    let broken = Bundle::of_statement(&ci, &statement(3)).with(|bundle| bundle.times.clear());
    let cases = [
        ("two bundles", &both, vec![bundle(&ci, 3), bundle(&other, 3)], None),
        (
            "a link and a bundle",
            &both,
            vec![link_of(&ci, 3), bundle(&other, 3)],
            None,
        ),
        (
            "one key twice",
            &both,
            vec![link_of(&ci, 3), bundle(&ci, 3)],
            Some((Outcome::Undecided, FindingCode::LinkMissing)),
        ),
        (
            "one key that says two things",
            &one,
            vec![link_of(&ci, 3), bundle(&ci, 4)],
            refused(FindingCode::LinksDisagree),
        ),
        (
            "a broken bundle beside a link",
            &one,
            vec![link_of(&ci, 3), bundle_of(&ci, &broken)],
            None,
        ),
    ];
    for (name, layout, files, expected) in cases {
        let verdict = verify(&signed(layout), &[], policy(), &files.into_iter().collect());
        expect(name, &verdict, expected);
    }
}

/// Unverified, as who asks for it has to know.
#[test]
fn a_bundle_shows_the_envelope_that_it_holds() {
    let ci = key(5);
    let bundles = [
        (Bundle::of_statement(&ci, &statement(3)), Some(Container::Dsse)),
        (Bundle::of_file(&ci, &statement(3)), None),
    ];
    for (bundle, expected) in bundles {
        let (bytes, limits) = (bundle.bytes(), Limits::default());
        let read = envelope::Bundle::parse(&bytes, &limits).unwrap();
        assert_eq!(read.envelope().map(Envelope::container), expected);
    }
}

#[test]
fn without_a_verifier_that_knows_keys_nothing_is_decided() {
    #[derive(Debug)]
    struct IdentitiesOnly;
    impl IdentityVerifier for IdentitiesOnly {
        fn check(&self, _: &[u8], _: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
            Err(IdentityProblem::undecided(UndecidedIdentity::NoRoot, "no root"))
        }
    }
    let ci = key(5);
    let files = BTreeMap::from([bundle_of(&ci, &Bundle::of_statement(&ci, &statement(3)))]);
    let undecided = |code| Some((Outcome::Undecided, code));
    let mut by_nobody = policy();
    by_nobody.identity_verifier = None;
    let verdict = verify(&signed(&layout(&[&ci], 1)), &[], by_nobody, &files);
    expect("none", &verdict, undecided(FindingCode::LinkMissing));
    let mut by_other = policy();
    by_other.identity_verifier = Some(Arc::new(IdentitiesOnly));
    let verdict = verify(&signed(&layout(&[&ci], 1)), &[], by_other, &files);
    expect("another", &verdict, undecided(FindingCode::IdentityUnverifiable));
}

/// A layout of former owners, or by a functionary's key that was stolen since, is believed for what existed by then.
#[test]
fn what_nobody_saw_in_time_does_not_count() {
    let ci = key(5);
    let good = Bundle::of_statement(&ci, &statement(3));
    let two = good.clone().with(|bundle| bundle.times.push(NOW - 50));
    let cases = [
        ("in time", vec![bundle_of(&ci, &good)], NOW - 99, None),
        (
            "at that very time",
            vec![bundle_of(&ci, &good)],
            NOW - 100,
            refused(FindingCode::SignedTooLate),
        ),
        (
            "one of two times later",
            vec![bundle_of(&ci, &two)],
            NOW - 50,
            refused(FindingCode::SignedTooLate),
        ),
        (
            "nobody's word",
            vec![link_of(&ci, 3)],
            NOW + 1,
            refused(FindingCode::SignedTooLate),
        ),
        (
            "a link beside a bundle",
            vec![link_of(&ci, 3), bundle_of(&ci, &good)],
            NOW - 99,
            None,
        ),
    ];
    for (name, files, before, expected) in cases {
        let mut policy = policy();
        policy.signed_before = Some(Timestamp::from_unix(before));
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy, &files.into_iter().collect());
        expect(name, &verdict, expected);
    }
}

#[test]
fn bundles_are_asked_for_where_somebody_can_judge_them() {
    let ci = key(5);
    let (link, _) = link_of(&ci, 3);
    let bundle = link.replace(".link", ".sigstore.json");
    for (verifier, expected) in [
        (None, vec![link.clone()]),
        (policy().identity_verifier, vec![link, bundle]),
    ] {
        let mut policy = policy();
        policy.identity_verifier = verifier;
        let Progress::Evidence(gathering) = Session::begin(&signed(&layout(&[&ci], 1)), policy) else {
            panic!("links are wanted");
        };
        let wanted = gathering.request().files().iter().map(|file| file.name().to_owned());
        assert_eq!(wanted.collect::<Vec<_>>(), expected);
    }
}
