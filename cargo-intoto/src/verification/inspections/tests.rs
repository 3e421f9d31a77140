//! What the inspections of a verification may take together, and what becomes of those behind one that failed.

use std::time::Duration;

use camino::Utf8PathBuf;
use intoto_core::encoding::strict_json;
use intoto_core::envelope::{self, Container};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{InspectionState, Outcome, Verdict};
use intoto_core::verify::{Policy, Progress, Session};

use super::*;

/// In hand: an archive of two files with eight bytes together.
struct Hand {
    _guard: tempfile::TempDir,
    artifact: Artifact,
    /// The archive's length.
    bytes: u64,
}

impl Hand {
    fn new() -> Self {
        let mut builder = tar::Builder::new(Vec::new());
        for name in ["src/a.rs", "src/b.rs"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(4);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &b"text"[..]).expect("memory");
        }
        let archive = builder.into_inner().expect("memory");
        let guard = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::try_from(guard.path().join("a.tar")).expect("UTF-8");
        std::fs::write(&path, &archive).expect("written");
        Self {
            _guard: guard,
            artifact: Artifact {
                path,
                name: "a.tar".into(),
                sha256: intoto_core::digest::sha256(&archive),
            },
            bytes: archive.len() as u64,
        }
    }

    /// The verdict on a layout that has these inspections, each a command, and no step.
    fn inspected(&self, commands: &[&str], budget: Budget) -> Verdict {
        let owner = SecretKey::ed25519_from_seed([1; 32]);
        let inspections: Vec<_> = (commands.iter().enumerate())
            .map(|(number, command)| {
                serde_json::json!({
                    "_type": "inspection",
                    "name": format!("i{number}"),
                    "run": command.split(' ').collect::<Vec<_>>(),
                    "expected_materials": [["ALLOW", "*"]],
                    "expected_products": [["ALLOW", "*"]],
                })
            })
            .collect();
        let layout = serde_json::json!({
            "_type": "layout",
            "expires": "2030-01-01T00:00:00Z",
            "readme": "",
            "keys": {},
            "steps": [],
            "inspect": inspections,
        });
        let layout = layout.to_string();
        let payload = strict_json::parse(layout.as_bytes(), &Limits::default()).expect("JSON");
        let id = owner.public_key().key_id(KeyIdStyle::Legacy);
        let file = envelope::sign(&payload, &[(&owner as &dyn Signer, id)], Container::Dsse).expect("signed");
        let policy = Policy::new(vec![owner.public_key().clone()], Timestamp::from_unix(1_800_000_000));
        let Progress::Inspections(inspecting) = Session::begin(&file, policy) else {
            panic!("there is nothing but inspections");
        };
        let commands = Commands::Run {
            limit: Duration::from_secs(60),
        };
        let artifacts = std::slice::from_ref(&self.artifact);
        let answers = within(budget, inspecting.requests(), artifacts, commands).expect("a machine that works");
        inspecting.supply(answers).expect("answers to what was asked")
    }

    /// The outcome, and the codes of what was found.
    fn outcome(&self, commands: &[&str], names: usize, bytes: u64) -> (Outcome, Vec<&'static str>) {
        let verdict = self.inspected(commands, Budget::of(names, bytes));
        let codes = verdict.findings().iter().map(|finding| finding.code.as_str());
        (verdict.outcome(), codes.collect())
    }
}

const MANY: usize = usize::MAX;

#[test]
fn every_list_is_taken_from_the_budget() {
    let hand = Hand::new();
    let verified = (Outcome::Verified, vec![]);
    assert_eq!(hand.outcome(&["true"; 3], 6, 0), verified);
    let (outcome, codes) = hand.outcome(&["true"; 3], 5, 0);
    assert_eq!((outcome, codes), (Outcome::Undecided, vec!["limit-exceeded"]));
    let (outcome, codes) = hand.outcome(&["true"; 3], 1, 0);
    let expected = vec!["limit-exceeded", "inspection-not-run", "inspection-not-run"];
    assert_eq!((outcome, codes), (Outcome::Undecided, expected));
}

/// What lies there is hashed when something may have changed it, and only then.
#[test]
fn what_cannot_have_changed_is_not_hashed_again() {
    let hand = Hand::new();
    let least = |commands: &[&str]| {
        let (mut few, mut enough) = (0, 1 << 20);
        while few < enough {
            let bytes = (few + enough) / 2;
            match hand.outcome(commands, MANY, bytes).0 {
                Outcome::Verified => enough = bytes,
                _ => few = bytes + 1,
            }
        }
        enough
    };
    let untar = least(&["tar xf a.tar"]);
    // Before and after that, and to unpack it.
    assert!(untar > 3 * hand.bytes, "{untar}");
    assert_eq!(least(&["true", "tar xf a.tar", "true", "true"]), untar);
    // Somebody else's command may leave something behind that goes on.
    assert_eq!(least(&["touch b"]), 2 * hand.bytes);
    assert_eq!(least(&["touch b", "true", "true"]), 6 * hand.bytes);
}

#[test]
fn what_an_inspection_left_is_seen_by_the_next() {
    let hand = Hand::new();
    let verdict = hand.inspected(&["true", "tar xf a.tar", "true", "touch b", "true"], Budget::default());
    let counts: Vec<_> = (verdict.inspections().iter())
        .map(|inspection| {
            (
                inspection.materials.artifact_count(),
                inspection.products.artifact_count(),
            )
        })
        .collect();
    assert_eq!(counts, [(1, 1), (1, 3), (3, 3), (3, 4), (4, 4)]);
}

/// The reference implementation ends there; whoever signs a sublayout could have thousands carried out in vain.
#[test]
fn nothing_is_carried_out_behind_one_that_failed() {
    let hand = Hand::new();
    for commands in [["true", "tar xf b.tar", "true"], ["true", "false", "true"]] {
        let verdict = hand.inspected(&commands, Budget::default());
        assert_eq!(verdict.outcome(), Outcome::Refused);
        let states = verdict.inspections().iter().map(|inspection| &inspection.state);
        let done: Vec<bool> = states
            .map(|state| matches!(state, InspectionState::Done { .. }))
            .collect();
        assert_eq!(done, [true, true, false], "{commands:?}");
    }
    // What is not run has not failed, and the rest is worth telling.
    let verdict = hand.inspected(&["no-such-program-anywhere", "tar xf b.tar"], Budget::default());
    assert_eq!(verdict.outcome(), Outcome::Refused);
}
