//! The tests of the command line that ship in the reference implementation's source distribution, run with its program and with ours.

use std::collections::BTreeMap;

use super::Both;
use crate::failure::Failure;
use crate::say;

/// Tests that say nothing about a program that is not Python's, by a part of their names, with the reason.
const NOT_OURS: &[(&str, &str)] = &[(
    "TestInTotoMatchProducts",
    "they replace a function of the Python library under the command",
)];

/// Tests that fail with our program, by a part of their names, with the reason.
const KNOWN: &[(&str, &str)] = &[
    (
        "test_pkcs8_signing_key",
        "two of the keys are encrypted with DES under an MD5 (PBES1), which keeps nobody out; such keys are refused",
    ),
    ("test_main_with_specified_gpg_key", SHA1),
    ("test_main_with_default_gpg_key", SHA1),
    ("TestInTotoRecordTool.test_misc_options", SHA1),
    ("test_gpg_signed_layout_with_gpg_functionary_keys", SHA1),
    ("TestInTotoSignTool.test_fail_verification", SHA1),
    ("TestInTotoSignTool.test_sign_and_verify", SHA1),
    (
        "TestInTotoVerifySubjectPublicKeyInfoKeysAndUseDSSE.test_main_multiple_keys",
        NO_EXPIRY,
    ),
];

const NO_EXPIRY: &str = "the layout does not say when it expires, and Python makes that up; it is refused";

const SHA1: &str = "the OpenPGP keys certify themselves with SHA-1, and are refused";

/// Runs them twice and prints what came out; gives the number of tests that pass there and fail here without a reason.
pub(super) fn compare(both: &Both) -> Result<usize, Failure> {
    let theirs = outcomes(both, false)?;
    let ours = outcomes(both, true)?;
    let (mut same, mut not_ours, mut known, mut unexplained) = (0, 0, BTreeMap::new(), Vec::new());
    for (test, theirs) in &theirs {
        let reason =
            |table: &[(&str, &'static str)]| table.iter().find(|(part, _)| test.contains(part)).map(|row| row.1);
        match ours.get(test) {
            None => {}
            Some(_) if reason(NOT_OURS).is_some() => not_ours += 1,
            Some(ours) if ours == theirs => same += 1,
            Some(ours) => match reason(KNOWN) {
                Some(reason) => *known.entry(reason).or_insert(0) += 1,
                None => unexplained.push(format!("{test}: {theirs} with Python, {ours} with ours")),
            },
        }
    }
    say::status(
        "Compared",
        format!("{same} of in-toto's own tests have the same outcome with our program"),
    );
    for (reason, count) in known {
        say::status("Known", format!("{count} fail: {reason}"));
    }
    for (_, reason) in NOT_OURS {
        say::status("Left out", format!("{not_ours}: {reason}"));
    }
    for (part, _) in KNOWN {
        let differs = |(test, theirs): (&String, &String)| {
            test.contains(part) && ours.get(test).is_some_and(|ours| ours != theirs)
        };
        if !theirs.iter().any(differs) {
            unexplained.push(format!(
                "{part}: nothing is other any more, and still there is a reason for it"
            ));
        }
    }
    for line in &unexplained {
        say::row(line);
    }
    if same == 0 {
        return Err(Failure::new("no test ran"));
    }
    Ok(unexplained.len())
}

/// How each test ended.
fn outcomes(both: &Both, is_ours: bool) -> Result<BTreeMap<String, String>, Failure> {
    let mut script = both.world.script("drop_in.py").arg("suite").arg(&both.sources);
    if is_ours {
        script = script.arg(&both.ours);
    }
    let ended = script.succeed()?;
    Ok(ended
        .stdout
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(outcome, test)| (test.to_owned(), outcome.to_owned()))
        .collect())
}
