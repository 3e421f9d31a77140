//! Bundles by keys beside a layout.

use super::*;

#[test]
fn a_layout_is_signed_by_a_key_beside_it() {
    let (owner, ci) = (key(1), key(5));
    let files = BTreeMap::from([link_of(&ci, 3)]);
    let plain = unsigned(&layout(&[&ci], 1).to_value(), Container::Dsse).unwrap();
    let laxer = unsigned(&layout(&[&ci, &key(6)], 1).to_value(), Container::Dsse).unwrap();
    let good = Bundle::of_file(&owner, &plain);
    type Row<'a> = (&'a str, &'a [u8], Bundle, Option<(Outcome, FindingCode)>);
    let cases: Vec<Row<'_>> = vec![
        ("good", &plain, good.clone(), None),
        (
            "another layout",
            &laxer,
            good.clone(),
            refused(FindingCode::SignatureInvalid),
        ),
        (
            "another key",
            &plain,
            Bundle::of_file(&ci, &plain),
            refused(FindingCode::KeyNotAuthorised),
        ),
        (
            "another key under the right hint",
            &plain,
            Bundle::of_file(&ci, &plain).with(|bundle| bundle.hint.clone_from(&good.hint)),
            refused(FindingCode::SignatureInvalid),
        ),
        (
            "no time",
            &plain,
            good.clone().with(|bundle| bundle.times.clear()),
            refused(FindingCode::TrustedTimeMissing),
        ),
        (
            "a time of the future",
            &plain,
            good.clone().with(|bundle| bundle.times.push(NOW + 61)),
            refused(FindingCode::TrustedTimeInFuture),
        ),
        (
            "the witness of another",
            &plain,
            good.clone().with(|bundle| bundle.seen = vec![0; 64]),
            refused(FindingCode::LogEntryDiffers),
        ),
        (
            "an envelope",
            &plain,
            Bundle::of_statement(&owner, &statement(3)),
            refused(FindingCode::SignatureMissing),
        ),
    ];
    for (name, layout, bundle, expected) in cases {
        let verdict = verify(layout, &[&bundle.bytes()], policy(), &files);
        expect(name, &verdict, expected);
    }
    let verdict = verify(&plain, &[], policy(), &files);
    expect("nothing beside it", &verdict, refused(FindingCode::SignatureMissing));
    let mut without = policy();
    without.identity_verifier = None;
    let verdict = verify(&plain, &[&good.bytes()], without, &files);
    let undecided = Some((Outcome::Undecided, FindingCode::IdentityUnverifiable));
    expect("no verifier", &verdict, undecided);
    // What lies beside a layout that its owner signed in the file says nothing against it.
    let spoilt = good.with(|bundle| bundle.times.clear());
    let verdict = verify(&signed(&layout(&[&ci], 1)), &[&spoilt.bytes()], policy(), &files);
    expect("beside a signed layout", &verdict, None);
}

/// Cannot tell of bundles with the time 7, and judges others as [`Seen`] does.
#[derive(Debug)]
struct Unsure;

impl IdentityVerifier for Unsure {
    fn check(&self, bundle: &[u8], bound: &[u8; 32], at: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        Seen { binds: None }.check(bundle, bound, at)
    }

    fn check_by_key(
        &self,
        bundle: &[u8],
        key: &PublicKey,
        signed: &[u8],
        at: Timestamp,
    ) -> Result<KeyFacts, IdentityProblem> {
        if str::from_utf8(bundle).unwrap().contains(r#""times":["7"]"#) {
            return Err(IdentityProblem::undecided(UndecidedIdentity::NoRoot, "no root"));
        }
        Seen { binds: None }.check_by_key(bundle, key, signed, at)
    }
}

/// So many are looked at and no more; of several that do not hold, the first of the gravest reasons is told.
#[test]
fn what_keys_signed_beside_a_layout_is_bounded_and_weighed() {
    let (owner, ci) = (key(1), key(5));
    let files = BTreeMap::from([link_of(&ci, 3)]);
    let plain = unsigned(&layout(&[&ci], 1).to_value(), Container::Dsse).unwrap();
    let good = Bundle::of_file(&owner, &plain);
    let by_another = Bundle::of_file(&ci, &plain).bytes();
    let policy = || {
        let mut policy = policy();
        policy.identity_verifier = Some(Arc::new(Unsure));
        policy.limits.signatures = 2;
        policy
    };
    let undecided = |code| Some((Outcome::Undecided, code));
    for (others, expected) in [
        (0, None),
        (1, None),
        (2, undecided(FindingCode::LimitExceeded)),
        (3, undecided(FindingCode::LimitExceeded)),
    ] {
        let good = good.bytes();
        let beside = [vec![&by_another[..]; others], vec![&good[..]]].concat();
        expect("bounded", &verify(&plain, &beside, policy(), &files), expected);
    }
    let unsure = good.clone().with(|bundle| bundle.times = vec![7]).bytes();
    let untimed = good.clone().with(|bundle| bundle.times.clear()).bytes();
    let (unsure, untimed, by_another): (&[u8], &[u8], &[u8]) = (&unsure, &untimed, &by_another);
    for (beside, expected) in [
        ([unsure, unsure], undecided(FindingCode::TrustedRootMissing)),
        ([unsure, untimed], refused(FindingCode::TrustedTimeMissing)),
        ([untimed, unsure], refused(FindingCode::TrustedTimeMissing)),
        ([untimed, by_another], refused(FindingCode::TrustedTimeMissing)),
        ([by_another, untimed], refused(FindingCode::KeyNotAuthorised)),
    ] {
        expect("weighed", &verify(&plain, &beside, policy(), &files), expected);
    }
}
