//! Functionaries and owners by identity, from the layout source to the verdict, with bundles that a private Sigstore made.

use std::fs;

use camino::Utf8PathBuf;
use cargo_intoto_tests::{Output, Project, Sandbox, fixed};
use intoto_core::key::{FulcioIdentity, Signer as _};
use serde_json::Value;

const JOB: &str = "https://github.com/example/demo/.github/workflows/release.yml@refs/tags/v0.1.0";
const PERSON: &str = "dev@example.com";

pub(super) fn fixture(name: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/sigstore")
        .join(name)
}

pub(super) fn read(name: &str) -> String {
    fs::read_to_string(fixture(name)).expect("a fixture")
}

pub(super) fn issuer(of: &str) -> String {
    let issuers: Value = serde_json::from_str(&read("issuers.json")).expect("JSON");
    issuers[of].as_str().expect("an issuer").to_owned()
}

/// The two identities that bundles of the fixtures are by.
fn identities() -> (FulcioIdentity, FulcioIdentity) {
    let person = FulcioIdentity::exact(&issuer("person"), PERSON).expect("an identity");
    let job = FulcioIdentity::exact(&issuer("job"), JOB).expect("an identity");
    (person, job)
}

fn exact(identity: &FulcioIdentity) -> String {
    let who = identity.identity().expect("exact");
    format!("issuer = {:?}, identity = {who:?}", identity.issuer())
}

/// A layout of the one step `package`, by these.
fn source(functionaries: &[(&str, &str)], threshold: usize) -> String {
    let mut text = "format = 1\nexpires = 2048-01-01T00:00:00Z\n\n[keys]\n".to_owned();
    for (name, sigstore) in functionaries {
        text.push_str(&format!("{name} = {{ sigstore = {{ {sigstore} }} }}\n"));
    }
    let by: Vec<&str> = functionaries.iter().map(|(name, _)| *name).collect();
    text.push_str(&format!(
        "\n[[step]]\nname = \"package\"\nby = {by:?}\nthreshold = {threshold}\nmaterials = [\"DISALLOW *\"]\nproducts = [\"CREATE demo-*.crate\", \"DISALLOW *\"]\n"
    ));
    text
}

/// The id under which the signed layout lists the functionary whose record has this text in it.
fn id_of(project: &Project<'_>, text: &str) -> String {
    listed(&project.read("layouts/release.layout"), text)
}

/// The same, in the text of a layout's file.
pub(super) fn listed(layout: &str, text: &str) -> String {
    let envelope: Value = serde_json::from_str(layout).expect("JSON");
    let payload = cargo_intoto_tests::base64(envelope["payload"].as_str().expect("a payload"));
    let layout: Value = serde_json::from_slice(&payload).expect("a layout");
    let keys = layout["keys"].as_object().expect("keys");
    let (id, _) = (keys.iter().find(|(_, key)| key.to_string().contains(text))).expect("the functionary");
    id.clone()
}

struct World<'s> {
    project: Project<'s>,
}

impl<'s> World<'s> {
    fn new(sandbox: &'s Sandbox, layout: &str) -> Self {
        let project = sandbox.project("demo");
        let owner = fixed::ed25519("owner");
        sandbox.private("owner.key", owner.to_pkcs8_pem().as_bytes());
        sandbox.write("owner.pub", owner.public_key().to_spki_pem());
        sandbox.write("root.json", read("trusted_root.json"));
        sandbox.write(
            "demo-0.1.0.crate",
            fs::read(fixture("demo-0.1.0.crate")).expect("a fixture"),
        );
        project.file("layouts/release.toml", layout).file("links/README", "");
        project
            .intoto(&["layout", "sign", "layouts/release.toml", "--key", "../owner.key"])
            .succeeds()
            .says("identity-needs-sigstore");
        Self { project }
    }

    fn link(&self, id: &str, bundle: &str) {
        let name = format!("links/package.{}.sigstore.json", &id[..8]);
        fs::write(self.project.path(name), read(bundle)).expect("written");
    }

    fn verify(&self, more: &[&str]) -> Output {
        let words = [
            &["verify", "--layout", "layouts/release.layout", "--link-dir", "links"][..],
            &["--trusted-root", "../root.json"],
            more,
        ];
        self.project.intoto(&words.concat())
    }
}

const BY_OWNER: &[&str] = &["--key", "../owner.pub"];

#[test]
fn identities_sign_a_step() {
    let (person, job) = identities();
    for bundle in ["good-email-v1", "good-email-v2", "good-actions-v1", "good-actions-v2"] {
        let sandbox = Sandbox::new();
        let identity = if bundle.contains("email") { &person } else { &job };
        let world = World::new(&sandbox, &source(&[("ci", &exact(identity))], 1));
        world.link(identity.key_id().as_str(), &format!("{bundle}.sigstore.json"));
        world
            .verify(BY_OWNER)
            .succeeds()
            .prints("by identity")
            .prints(identity.identity().expect("exact"));
        let json = world.verify(&[BY_OWNER, &["--format", "json"]].concat()).succeeds();
        let verdict: Value = serde_json::from_str(&json.stdout).expect("JSON");
        let link = &verdict["layers"][0]["steps"][0]["links"][0];
        assert_eq!(
            link["identity"]["expected"]["identity"],
            link["identity"]["found"]["subject"]
        );
        let name = format!("links/package.{}.sigstore.json", identity.key_id().short());
        let show = [
            "show",
            &name,
            "--trusted-root",
            "../root.json",
            "--layout",
            "layouts/release.layout",
        ];
        world
            .project
            .intoto(&show)
            .succeeds()
            .prints("expected")
            .prints("signed at")
            .prints("demo-0.1.0.crate");
    }
}

#[test]
fn each_forged_bundle_is_refused_with_its_code() {
    let (person, job) = identities();
    let job_constrained = format!(
        "issuer = {:?}, identity = {JOB:?}, repository-id = \"1001\", owner-id = \"2002\", trigger = \"push\"",
        job.issuer()
    );
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox, &source(&[("dev", &exact(&person))], 1));
    let other = Sandbox::new();
    let of_job = World::new(&other, &source(&[("ci", &job_constrained)], 1));
    let id_of_job = id_of(&of_job.project, "repository-identifier");
    let id_of_person = person.key_id().as_str().to_owned();
    let mut seen = 0;
    for line in read("attacks/codes.tsv").lines() {
        let [name, code, twin] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let verify = |bundle: &str| {
            let (world, id) = match name.starts_with("job") {
                true => (&of_job, id_of_job.as_str()),
                false => (&world, id_of_person.as_str()),
            };
            world.link(id, bundle);
            world.verify(&[BY_OWNER, &["../demo-0.1.0.crate"]].concat())
        };
        // The same without what is wrong: it is that alone which is refused.
        verify(&format!("{twin}.sigstore.json")).succeeds();
        verify(&format!("attacks/{name}.sigstore.json"))
            .exits(1)
            .prints(&format!("[{code}]"));
        seen += 1;
    }
    assert!(seen > 40, "{seen} attacks");
}

#[test]
fn an_issuer_that_only_looks_like_the_right_one_is_another() {
    let right = issuer("person");
    for other in [
        format!("{right}.evil.example"),
        format!("{right}/"),
        right.replace("127.0.0.1", "localhost"),
    ] {
        let identity = FulcioIdentity::exact(&other, PERSON).expect("an identity");
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox, &source(&[("dev", &exact(&identity))], 1));
        world.link(identity.key_id().as_str(), "good-email-v2.sigstore.json");
        world
            .verify(BY_OWNER)
            .exits(1)
            .prints("identity-issuer-differs")
            .prints(&format!("expected {PERSON}, of {other}"))
            .prints(&format!("found    {PERSON} of {right}"));
    }
}

#[test]
fn a_root_of_another_instance_decides_nothing_for_anybody() {
    let (person, _) = identities();
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox, &source(&[("dev", &exact(&person))], 1));
    world.link(person.key_id().as_str(), "good-email-v2.sigstore.json");
    world.verify(BY_OWNER).succeeds();
    let shipped = [
        "verify",
        "--layout",
        "layouts/release.layout",
        "--link-dir",
        "links",
        "--key",
        "../owner.pub",
    ];
    world
        .project
        .intoto(&shipped)
        .exits(1)
        .prints("does not count")
        .prints("in this program");
}

#[test]
fn thresholds_count_people() {
    let (person, job) = identities();
    let both = [("dev", exact(&person)), ("ci", exact(&job))];
    let both: Vec<(&str, &str)> = both.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox, &source(&both, 2));
    world.link(person.key_id().as_str(), "good-email-v2.sigstore.json");
    world.verify(BY_OWNER).exits(3).prints("link-missing");
    world.link(job.key_id().as_str(), "good-email-v1.sigstore.json");
    world.verify(BY_OWNER).exits(1).prints("identity-issuer-differs");
    world.link(job.key_id().as_str(), "good-actions-v1.sigstore.json");
    world.verify(BY_OWNER).succeeds();
}

#[test]
fn a_bundle_beside_something_else_is_no_owner() {
    let (person, _) = identities();
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox, &source(&[("dev", &exact(&person))], 1));
    world.link(person.key_id().as_str(), "good-email-v2.sigstore.json");
    let issuer = issuer("person");
    let by_person = ["--owner-identity", PERSON, "--owner-issuer", issuer.as_str()];
    world.verify(&by_person).exits(1).prints("signature-missing");
    let beside = world.project.path("layouts/release.layout.sigstore.json");
    fs::write(beside, read("good-email-v2.sigstore.json")).expect("written");
    world.verify(&by_person).exits(1).prints("signed-content-differs");
    world
        .verify(&["--owner-identity", PERSON])
        .exits(2)
        .says("--owner-issuer");

    let add = [
        &[
            "trust",
            "add",
            "demo",
            "--scope",
            "pkg:cargo/demo",
            "--identity",
            PERSON,
        ][..],
        &["--issuer", issuer.as_str()],
    ];
    world.project.intoto(&add.concat()).succeeds();
    world.project.intoto(&["trust", "list"]).succeeds().prints(PERSON);
    world
        .verify(&["../demo-0.1.0.crate"])
        .exits(1)
        .prints("signed-content-differs");
}

/// With a layout that a person signed by a private Sigstore; there is no evidence for its step.
#[test]
fn an_identity_owns_a_layout() {
    let data = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../cargo-intoto/src/trust/sigstore/testdata");
    let sandbox = Sandbox::new();
    for (name, from) in [
        ("root.json", "trusted_root.json"),
        ("release.layout", "detached.layout"),
        ("release.layout.sigstore.json", "detached-v2.sigstore.json"),
    ] {
        sandbox.write(format!("work/{name}"), fs::read(data.join(from)).expect("a sample"));
    }
    let verify = |identity: &str, issuer: &str| {
        let words = [
            &[
                "verify",
                "--layout",
                "release.layout",
                "--link-dir",
                ".",
                "--trusted-root",
                "root.json",
            ][..],
            &["--owner-identity", identity, "--owner-issuer", issuer],
        ];
        sandbox.intoto("work", &words.concat())
    };
    // The owner has signed; what is missing is missing after that.
    let output = verify("dev@stack.test", "http://127.0.0.1:5500");
    assert_ne!(output.code, Some(0), "{}", output.shown());
    output
        .prints("             signed by dev@stack.test (identity ")
        .prints("Step build");
    for (identity, issuer, code) in [
        ("dev@stack.tes", "http://127.0.0.1:5500", "identity-subject-differs"),
        ("dev@stack.test", "http://127.0.0.1:550", "identity-issuer-differs"),
    ] {
        verify(identity, issuer).exits(1).prints(code);
    }
    let show = ["show", "release.layout.sigstore.json", "--trusted-root", "root.json"];
    sandbox
        .intoto("work", &show)
        .succeeds()
        .prints("signed by dev@stack.test");
    let layout = sandbox
        .read("work/release.layout")
        .replace("\"signatures\": []", "\"signatures\":  []");
    sandbox.write("work/release.layout", layout);
    verify("dev@stack.test", "http://127.0.0.1:5500")
        .exits(1)
        .prints("signature-invalid");
}

#[test]
fn mistakes_in_a_source_stand_where_they_are() {
    let cases = [
        (
            "issuer = \"https://i\", identity = \"a*@b.c\"",
            "exact, letter by letter",
        ),
        ("issuer = \"https://i\", trigger = \"push\"", "must be exact"),
        (
            "issuer = \"https://i\", repository = \"https://github.com/acme/*\"",
            "always exact",
        ),
        (
            "issuer = \"https://i\", identity = \"a@b.c\", workflw = \"x\"",
            "did you mean `workflow`?",
        ),
        ("identity = \"a@b.c\"", "needs the field `issuer`"),
        (
            "issuer = \"https://i\", repository = \"https://h/o/r\", subject = \"https://h/*/r/.github/w@x\"",
            "in front of the end of its repository",
        ),
    ];
    for (sigstore, expected) in cases {
        let sandbox = Sandbox::new();
        let project = sandbox.project("demo");
        project.file("layouts/release.toml", source(&[("ci", sigstore)], 1));
        project
            .intoto(&["layout", "show", "layouts/release.toml"])
            .exits(2)
            .says(expected);
    }
}
