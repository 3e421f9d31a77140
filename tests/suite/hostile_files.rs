//! One broken, foreign or malicious file among the links never changes the verdict on the others: whatever lies in a place that nobody trusted has
//! filled changes nothing but warnings.
#![expect(
    clippy::unwrap_used,
    reason = "files that the test makes itself are as it makes them"
)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_intoto_tests::fixed;
use cargo_intoto_tests::vectors::chain::{
    self, Person, alice, bob, carol, dsse, dsse_under, mallory, metablock, owner, text,
};
use cargo_intoto_tests::vectors::statements::statement;
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::key::PublicKey;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{LinkState, Outcome, Severity, StepReport, Verdict};
use intoto_core::verify::{EvidenceFile, Policy, Progress, Session, Subject};
use proptest::prelude::*;
use serde_json::{Value, json};

type Files = BTreeMap<String, Vec<u8>>;

/// What lies in a place: bytes, or nothing that can be read.
#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Unreadable,
}

/// A chain that passes: every step may be done by carol or somebody else, who did it. `write` is delegated to a sublayout of the same kind.
struct Chain {
    layout: Vec<u8>,
    files: Files,
    /// Where files are looked for that nobody has put there.
    free: Vec<String>,
}

impl Chain {
    fn passing() -> Self {
        let with_carol = |mut layout: Value| {
            layout["keys"][carol().id()] = carol().in_layout();
            for step in layout["steps"].as_array_mut().unwrap() {
                step["pubkeys"].as_array_mut().unwrap().push(carol().id().into());
            }
            layout
        };
        let sublayout = with_carol(json!({
            "_type": "layout",
            "expires": "2030-01-01T00:00:00Z",
            "readme": "",
            "keys": { bob().id(): bob().in_layout() },
            "steps": [chain::step("draft", &[&bob()], &["write"], &["DISALLOW *"], &["CREATE src/*", "DISALLOW *"])],
            "inspect": [],
        }));
        let draft = chain::link("draft", &["write"], json!({}), chain::sources());
        let within = format!("write.{}", &alice().id()[..8]);
        let package = statement(&chain::package_link());
        let files = Files::from([
            (alice().link_file("write"), dsse(&text(&sublayout), &[&alice()])),
            (
                format!("{within}/{}", bob().link_file("draft")),
                dsse(&text(&draft), &[&bob()]),
            ),
            (bob().link_file("package"), dsse(&text(&package), &[&bob()])),
        ]);
        let free = vec![
            carol().link_file("write"),
            carol().link_file("package"),
            format!("{within}/{}", carol().link_file("draft")),
        ];
        Self {
            layout: chain::owned(&with_carol(chain::layout())),
            files,
            free,
        }
    }

    fn verify(&self, more: &[(String, Content)]) -> Verdict {
        let key = PublicKey::from_spki_pem(&owner().pem()).unwrap();
        let mut policy = Policy::new(vec![key], Timestamp::from_unix(fixed::TIME));
        let digests = DigestSet::from_sha256(sha256(b"crate"));
        policy.artifacts = vec![Subject {
            name: "hello-1.0.crate".into(),
            digests: digests.clone(),
        }];
        let in_hand: Artifacts = [("hello-1.0.crate".parse().unwrap(), digests)].into_iter().collect();
        let mut asked = Vec::new();
        let mut progress = Session::begin(&self.layout, policy);
        loop {
            progress = match progress {
                Progress::Evidence(gathering) => {
                    let wanted = gathering.request().files();
                    asked.extend(wanted.iter().map(path));
                    let admit = |file: &EvidenceFile| match more.iter().find(|(place, _)| *place == path(file)) {
                        Some((_, Content::Bytes(bytes))) => Some(file.admit(bytes)),
                        Some((_, Content::Unreadable)) => Some(file.unreadable("permission denied")),
                        None => self.files.get(&path(file)).map(|bytes| file.admit(bytes)),
                    };
                    let files: Vec<_> = wanted.iter().filter_map(admit).collect();
                    gathering.supply(files).unwrap()
                }
                Progress::Inspections(inspecting) => {
                    assert!(self.free.iter().all(|place| asked.contains(place)), "{asked:?}");
                    let answers = inspecting.requests().iter();
                    let answers: Vec<_> = answers
                        .map(|wanted| wanted.done(0, in_hand.clone(), in_hand.clone()))
                        .collect();
                    return inspecting.supply(answers).unwrap();
                }
                Progress::Decided(verdict) => return verdict,
            };
        }
    }

    /// Everything that anybody without a key of the steps can find or make.
    fn hostile(&self) -> Vec<Content> {
        let link = text(&chain::write_link());
        let signed = |payload: &Value| dsse(&text(payload), &[&mallory()]);
        let posing = |payload: &[u8], as_whom: &Person| dsse_under(payload, &[(&mallory(), &as_whom.id())]);
        let mut unknown = statement(&chain::write_link());
        unknown["predicateType"] = "https://slsa.dev/provenance/v1".into();
        let mut flood: Value = serde_json::from_slice(&posing(&link, &carol())).unwrap();
        flood["signatures"] = vec![flood["signatures"][0].clone(); 10_000].into();
        let mut found: Vec<Vec<u8>> = self.files.values().cloned().collect();
        found.extend([
            self.layout.clone(),
            Vec::new(),
            b"{".to_vec(),
            b"[".repeat(200_000),
            b"\xff\xfe\0".to_vec(),
            b"null".to_vec(),
            link.clone(),
            text(&flood),
            signed(&chain::write_link()),
            signed(&unknown),
            signed(&chain::layout()),
            metablock(&chain::write_link(), &[&mallory()]),
            posing(&link, &carol()),
            posing(&text(&unknown), &carol()),
            posing(&text(&chain::layout()), &carol()),
            posing(b"[[[[", &carol()),
            dsse(&link, &[]),
            dsse(&link, &[&owner(), &alice(), &bob(), &mallory()]),
            dsse_under(&link, &[(&carol(), "")]),
            dsse_under(&link, &[(&carol(), &alice().id())]),
        ]);
        let mut found: Vec<Content> = found.into_iter().map(Content::Bytes).collect();
        found.push(Content::Unreadable);
        found
    }
}

fn path(file: &EvidenceFile) -> String {
    let directories = file.directory().iter().map(String::as_str);
    directories.chain([file.name()]).collect::<Vec<_>>().join("/")
}

/// What a verdict decided: everything of it but what is told of files that do not count.
fn decided(verdict: &Verdict) -> impl PartialEq + std::fmt::Debug {
    let step = |step: &StepReport| {
        let counting = step.links.iter().filter(|link| link.state == LinkState::Admitted);
        (
            step.distinct_keys,
            step.represented_by.clone(),
            step.command.clone(),
            format!("{:?} {:?}", step.materials, step.products),
            counting.cloned().collect::<Vec<_>>(),
        )
    };
    let layers = verdict.layers().iter().map(|layer| {
        let steps: Vec<_> = layer.steps.iter().map(step).collect();
        (layer.path.clone(), steps, format!("{:?}", layer.inspections))
    });
    (
        verdict.outcome(),
        layers.collect::<Vec<_>>(),
        format!("{:?}", verdict.artifacts()),
    )
}

/// Made once, however many files are tried.
static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::passing);
static HOSTILE: LazyLock<Vec<Content>> = LazyLock::new(|| CHAIN.hostile());
static WITHOUT: LazyLock<Verdict> = LazyLock::new(|| {
    let without = CHAIN.verify(&[]);
    assert_eq!(without.outcome(), Outcome::Verified, "{:?}", without.findings());
    without
});

fn check(more: &[(String, Content)]) {
    let with = CHAIN.verify(more);
    assert_eq!(decided(&WITHOUT), decided(&with), "{:?}", with.findings());
    for finding in with.findings() {
        assert!(finding.severity <= Severity::Warning, "{finding:?}");
    }
    // And it is told.
    assert_eq!(with.findings().len(), more.len(), "{:?}", with.findings());
}

#[test]
fn everything_hostile_everywhere() {
    for content in &*HOSTILE {
        for place in &CHAIN.free {
            check(&[(place.clone(), content.clone())]);
        }
        let everywhere = CHAIN.free.iter().map(|place| (place.clone(), content.clone()));
        check(&everywhere.collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any of it, cut, changed in places, or followed by any of it.
    #[test]
    fn whatever_is_made_of_it(
        which: prop::sample::Index,
        second: prop::sample::Index,
        keep: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        place: prop::sample::Index,
        join: bool,
    ) {
        let bytes = |index: &prop::sample::Index| match index.get(&HOSTILE) {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Unreadable => Vec::new(),
        };
        let mut made = bytes(&which);
        if !made.is_empty() {
            for (at, byte) in &changes {
                let at = at.index(made.len());
                made[at] ^= byte;
            }
            made.truncate(keep.index(made.len() + 1));
        }
        if join {
            made.extend(bytes(&second));
        }
        check(&[(place.get(&CHAIN.free).clone(), Content::Bytes(made))]);
    }

    #[test]
    fn whatever_bytes_there_are(bytes: Vec<u8>, place: prop::sample::Index) {
        check(&[(place.get(&CHAIN.free).clone(), Content::Bytes(bytes))]);
    }
}
