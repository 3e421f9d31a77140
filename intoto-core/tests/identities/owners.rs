//! Layouts that identities have signed, beside them.

use super::*;

#[test]
fn layouts_are_signed_by_identities_beside_them() {
    let good = Signatory::workflow();
    let files = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let alice = FulcioIdentity::exact("https://accounts.example", "alice@example.com").unwrap();
    let person = Signatory::person("alice@example.com");
    let plain = unsigned(&layout(&identities(&[ci()]), 1).to_value(), Container::Dsse).unwrap();
    let laxer = unsigned(
        &layout(&identities(&[ci(), alice.clone()]), 1).to_value(),
        Container::Dsse,
    )
    .unwrap();
    let by_alice = person.seals_file(&plain).bytes();
    let by_ci = good.seals_file(&plain).bytes();
    let statement = person.seals(&package()).bytes();
    let owners = |keys: bool, identities: &[&FulcioIdentity]| {
        let mut policy = policy();
        if !keys {
            policy.owner_keys.clear();
        }
        policy.owner_identities = identities.iter().map(|&identity| identity.clone()).collect();
        policy
    };
    let refused = |code| Some((Outcome::Refused, code));
    type Case<'a> = (&'a str, &'a [u8], Vec<&'a [u8]>, Policy, Option<(Outcome, FindingCode)>);
    let cases: Vec<Case<'_>> = vec![
        ("good", &plain, vec![&by_alice], owners(false, &[&alice]), None),
        (
            "both",
            &plain,
            vec![&by_ci, &by_alice],
            owners(false, &[&alice, &ci()]),
            None,
        ),
        (
            "one of two",
            &plain,
            vec![&by_alice],
            owners(false, &[&alice, &ci()]),
            refused(FindingCode::IdentityIssuerDiffers),
        ),
        (
            "one for two",
            &plain,
            vec![&by_ci],
            owners(false, &[&ci(), &tags(|all| all)]),
            refused(FindingCode::ThresholdUnmet),
        ),
        (
            "nothing",
            &plain,
            vec![],
            owners(false, &[&alice]),
            refused(FindingCode::SignatureMissing),
        ),
        (
            "somebody else",
            &plain,
            vec![&by_ci],
            owners(false, &[&alice]),
            refused(FindingCode::IdentityIssuerDiffers),
        ),
        (
            "another layout",
            &laxer,
            vec![&by_alice],
            owners(false, &[&alice]),
            refused(FindingCode::SignatureInvalid),
        ),
        (
            "an envelope",
            &plain,
            vec![&statement],
            owners(false, &[&alice]),
            refused(FindingCode::SignedContentDiffers),
        ),
        (
            "no key's signature",
            &plain,
            vec![&by_alice],
            owners(true, &[&alice]),
            refused(FindingCode::SignatureMissing),
        ),
        (
            "nobody",
            &plain,
            vec![&by_alice],
            owners(false, &[]),
            Some((Outcome::Undecided, FindingCode::NoOwnerKey)),
        ),
    ];
    for (name, layout, beside, policy, expected) in cases {
        let verdict = verify(layout, &beside, policy, &files);
        match expected {
            None => expect(name, &verdict, Outcome::Verified, None),
            Some((outcome, code)) => expect(name, &verdict, outcome, Some(code)),
        }
    }
    let mut without = owners(false, &[&alice]);
    without.identity_verifier = None;
    let verdict = verify(&plain, &[&by_alice], without, &files);
    expect(
        "no verifier",
        &verdict,
        Outcome::Undecided,
        Some(FindingCode::IdentityUnverifiable),
    );
}

/// So many are looked at and no more; of several that do not hold, the first of the gravest reasons is told.
#[test]
fn what_lies_beside_a_layout_is_bounded_and_weighed() {
    let good = Signatory::workflow();
    let files = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let alice = FulcioIdentity::exact("https://accounts.example", "alice@example.com").unwrap();
    let person = Signatory::person("alice@example.com");
    let plain = unsigned(&layout(&identities(&[ci()]), 1).to_value(), Container::Dsse).unwrap();
    let by_alice = person.seals_file(&plain).bytes();
    let by_ci = good.seals_file(&plain).bytes();
    let statement = person.seals(&package()).bytes();
    let policy = || {
        let mut policy = policy();
        policy.owner_keys.clear();
        policy.owner_identities = vec![alice.clone()];
        policy.limits.signatures = 2;
        policy
    };
    for (others, outcome, code) in [
        (0, Outcome::Verified, None),
        (1, Outcome::Verified, None),
        (2, Outcome::Undecided, Some(FindingCode::LimitExceeded)),
        (3, Outcome::Undecided, Some(FindingCode::LimitExceeded)),
    ] {
        let beside = [vec![&by_ci[..]; others], vec![&by_alice[..]]].concat();
        expect("bounded", &verify(&plain, &beside, policy(), &files), outcome, code);
    }
    let (broken, by_ci, statement): (&[u8], &[u8], &[u8]) = (b"{", &by_ci, &statement);
    for (beside, outcome, code) in [
        (vec![broken], Outcome::Undecided, FindingCode::JsonInvalid),
        (
            vec![broken, by_ci],
            Outcome::Refused,
            FindingCode::IdentityIssuerDiffers,
        ),
        (
            vec![by_ci, broken],
            Outcome::Refused,
            FindingCode::IdentityIssuerDiffers,
        ),
        (
            vec![by_ci, statement],
            Outcome::Refused,
            FindingCode::IdentityIssuerDiffers,
        ),
        (
            vec![statement, by_ci],
            Outcome::Refused,
            FindingCode::SignedContentDiffers,
        ),
    ] {
        expect(
            "weighed",
            &verify(&plain, &beside, policy(), &files),
            outcome,
            Some(code),
        );
    }
}
