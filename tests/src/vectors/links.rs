//! Links that must not count: missing, of somebody else, of something else, or in disagreement.

use serde_json::{Value, json};

use super::chain::{
    Person, alice, bob, carol, digests, dsse, dsse_under, layout, link, mallory, owner, package_link, rules, sources,
    text, write_link,
};
use super::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = missing();
    vectors.extend(signers());
    vectors.extend(digests_of_nothing());
    vectors.extend(contents());
    vectors.extend(disagreements());
    vectors.extend(limits());
    vectors
}

/// A layout whose first step is carried out by these, with a threshold.
fn written_by(by: &[&Person], threshold: u32) -> Value {
    let ids: Vec<String> = by.iter().map(|person| person.id()).collect();
    let mut layout = with(
        with(layout(), "/steps/0/pubkeys", ids.into()),
        "/steps/0/threshold",
        threshold.into(),
    );
    for person in by {
        layout = with(layout, &format!("/keys/{}", person.id()), person.in_layout());
    }
    layout
}

fn signed(link: &Value, by: &Person) -> Vec<u8> {
    dsse(&text(link), &[by])
}

/// Digests that do not say what they seem to.
fn digests_of_nothing() -> Vec<Vector> {
    // The step modifies what it was given, by its rules.
    let modifying = with(
        with(
            layout(),
            "/steps/1/expected_products",
            rules(&["MODIFY src/lib.rs", "CREATE out/*", "DISALLOW *"]),
        ),
        "/steps/1/expected_materials",
        rules(&["MATCH * WITH PRODUCTS FROM write", "DISALLOW *"]),
    );
    let packaged = |digests: Value| {
        let link = with(package_link(), "/products/src~1lib.rs", digests);
        (bob().link_file("package"), signed(&link, &bob()))
    };
    let before = write_link()["products"]["src/lib.rs"]["sha256"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let more = json!({ "sha256": before.clone(), "sha512": "0".repeat(128) });
    let unknown = with(
        write_link(),
        "/products/src~1lib.rs",
        json!({ "md5": "00", "gitBlob": "00" }),
    );
    let modified = |name, about, digests| {
        let (file, link) = packaged(digests);
        Vector::new(name, about).layout(&modifying).file(file, link)
    };
    vec![
        modified(
            "verified--modify",
            "a step modifies a file, as its rule allows",
            digests("another"),
        ),
        modified(
            "rule-failed--modify-other-letters",
            "the digest of a file is written in capitals: nothing was modified",
            json!({ "sha256": before.to_uppercase() }),
        )
        .refused(&["rule-failed"]),
        modified(
            "rule-failed--modify-more-digests",
            "a file has another digest besides the same one: nothing was modified",
            more,
        )
        .refused(&["rule-failed"]),
        Vector::new(
            "feature-unsupported--digests",
            "an artifact has digests of algorithms only that nobody knows",
        )
        .refused(&["feature-unsupported", "threshold-unmet"])
        .file(alice().link_file("write"), signed(&unknown, &alice())),
    ]
}

fn missing() -> Vec<Vector> {
    vec![
        Vector::new("link-missing--write", "the link of a step is not there")
            .undecided(&["link-missing"])
            .without(alice().link_file("write")),
        Vector::new("link-missing--one-of-two", "two keys must sign, and one did")
            .undecided(&["link-missing"])
            .layout(&written_by(&[&alice(), &carol()], 2)),
        Vector::new("verified--one-of-two-keys", "either of two keys may sign, and one did")
            .layout(&written_by(&[&carol(), &alice()], 1)),
        Vector::new("verified--threshold-two", "two keys must sign, and did")
            .layout(&written_by(&[&alice(), &carol()], 2))
            .file(carol().link_file("write"), signed(&write_link(), &carol())),
        Vector::new(
            "link-unreadable--permissions",
            "the link of a step is there and cannot be read",
        )
        .undecided(&["link-missing", "link-unreadable"])
        .says("unreadable", json!([alice().link_file("write")])),
        Vector::new(
            "signature-missing--link-unsigned",
            "the link has an empty list of signatures",
        )
        .refused(&["signature-missing", "threshold-unmet"])
        .file(alice().link_file("write"), dsse(&text(&write_link()), &[])),
    ]
}

fn signers() -> Vec<Vector> {
    let edited = with(write_link(), "/products/src~1main.rs", digests("evil"));
    let mut graft: Value = serde_json::from_slice(&signed(&write_link(), &alice())).expect("an envelope is JSON");
    graft["payload"] = intoto_core::encoding::base64::encode(&text(&edited)).into();
    let refused = |name: &'static str, about| {
        let code = name.split_once("--").expect("names of vectors have two parts").0;
        Vector::new(name, about).refused(&[code, "threshold-unmet"])
    };
    let write = |vector: Vector, content| vector.file(alice().link_file("write"), content);
    let both_steps = with(
        written_by(&[&bob()], 1),
        "/steps/0/expected_products",
        json!([["ALLOW", "*"]]),
    );
    vec![
        write(
            refused(
                "signature-invalid--link-edited",
                "a digest in the link was changed after it was signed",
            ),
            text(&graft),
        ),
        write(
            refused(
                "signature-invalid--link-under-another-keys-id",
                "a stranger signed under the key id of the functionary",
            ),
            dsse_under(&text(&edited), &[(&mallory(), &alice().id())]),
        ),
        write(
            refused("key-not-authorised-for-step--stranger", "a stranger signed the link"),
            signed(&write_link(), &mallory()),
        ),
        write(
            refused(
                "key-not-authorised-for-step--key-of-another-step",
                "the functionary of another step signed the link",
            ),
            signed(&write_link(), &bob()),
        ),
        write(
            refused(
                "key-not-authorised-for-step--owner",
                "the layout's owner, who is no functionary, signed the link",
            ),
            signed(&write_link(), &owner()),
        ),
        write(
            refused(
                "key-not-authorised-for-step--other-id-of-the-key",
                "the functionary signed under an id that the layout does not list",
            ),
            signed(&write_link(), &alice().under_python_id()),
        ),
        Vector::new(
            "key-not-authorised-for-step--extra",
            "a stranger's link lies beside a good one",
        )
        .warned(&["key-not-authorised-for-step"])
        .layout(&written_by(&[&alice(), &carol()], 1))
        .file(carol().link_file("write"), signed(&edited, &mallory())),
        Vector::new("json-invalid--extra", "a broken link lies beside a good one")
            .warned(&["json-invalid"])
            .layout(&written_by(&[&alice(), &carol()], 1))
            .file(carol().link_file("write"), b"{".to_vec()),
        Vector::new(
            "verified--second-signature",
            "a stranger signed the link as well, which changes nothing",
        )
        .file(
            alice().link_file("write"),
            dsse(&text(&write_link()), &[&mallory(), &alice()]),
        ),
        refused(
            "link-name-mismatch--renamed",
            "a functionary of two steps signed a link for one, and it was renamed for the other",
        )
        .layout(&both_steps)
        .file(bob().link_file("write"), signed(&package_link(), &bob())),
    ]
}

fn contents() -> Vec<Vector> {
    let content = |name: &'static str, about, link: &Value| {
        let code = name.split_once("--").expect("names of vectors have two parts").0;
        Vector::new(name, about)
            .refused(&[code, "threshold-unmet"])
            .file(alice().link_file("write"), signed(link, &alice()))
    };
    let product = |name: &'static str, about, artifact: &str| {
        let products = with(
            sources(),
            &format!("/{}", artifact.replace('~', "~0").replace('/', "~1")),
            digests("x"),
        );
        content(name, about, &with(write_link(), "/products", products))
    };
    let digest =
        |name, about, digests: Value| content(name, about, &with(write_link(), "/products/src~1main.rs", digests));
    vec![
        content(
            "metadata-invalid--link-unknown-member",
            "the link has a member that nobody knows",
            &with(write_link(), "/note", "x".into()),
        ),
        content(
            "metadata-invalid--link-products-missing",
            "the link has no products",
            &with(write_link(), "/products", Value::Null),
        ),
        content(
            "metadata-invalid--link-materials-list",
            "the link's materials are a list",
            &with(write_link(), "/materials", json!([])),
        ),
        digest(
            "metadata-invalid--digest-not-hexadecimal",
            "a digest is not hexadecimal",
            json!({ "sha256": "zz" }),
        ),
        digest(
            "metadata-invalid--digest-length",
            "a digest is one byte short",
            json!({ "sha256": "00".repeat(31) }),
        ),
        digest(
            "metadata-invalid--no-digest",
            "an artifact has no digest, so that any bytes would be equal",
            json!({}),
        ),
        product(
            "artifact-name-unclean--dot-slash",
            "a name begins with the directory itself",
            "./src/main.rs",
        ),
        product(
            "artifact-name-unclean--parent",
            "a name leads through the directory above",
            "x/../src/main.rs",
        ),
        product(
            "artifact-name-unclean--double-slash",
            "a name has an empty part",
            "src//main.rs",
        ),
        product(
            "artifact-name-unclean--trailing-slash",
            "a name ends as a directory",
            "src/",
        ),
        product(
            "artifact-name-unclean--backslash",
            "a name has a separator of another system",
            "src\\main.rs",
        ),
        product("artifact-name-unclean--absolute", "a name is absolute", "/src/main.rs"),
        product(
            "artifact-name-unclean--control",
            "a name has a control character",
            "src/ma\u{1b}in.rs",
        ),
        product("artifact-name-unclean--empty", "a name is empty", ""),
        product(
            "artifact-name-unclean--after-scheme",
            "a name is unclean behind its scheme",
            "file:src/../main.rs",
        ),
        product(
            "artifact-name-unclean--package-url",
            "a package URL is not in its canonical form",
            "pkg:Cargo/serde@1.0.0",
        ),
        content(
            "step-name-invalid--link",
            "the link is for a step whose name leads elsewhere",
            &with(write_link(), "/name", "../write".into()),
        ),
        Vector::new(
            "verified--environment-absent",
            "the link has no environment, as other tools write it",
        )
        .file(
            alice().link_file("write"),
            signed(&with(write_link(), "/environment", Value::Null), &alice()),
        ),
        Vector::new(
            "verified--environment-of-another-kind",
            "the link's commit is no text: another tool's business",
        )
        .file(
            alice().link_file("write"),
            signed(&with(write_link(), "/environment/commit", 5.into()), &alice()),
        ),
    ]
}

fn disagreements() -> Vec<Vector> {
    let other = with(write_link(), "/products/src~1main.rs", digests("other"));
    let more = with(write_link(), "/products/src~1more.rs", digests("more"));
    let commit = with(write_link(), "/environment/commit", "decade".into());
    let run = with(write_link(), "/environment/run", "000000000002".into());
    let command = link("write", &["write", "--evil"], json!({}), sources());
    let alone = |name, about| Vector::new(name, about).layout(&written_by(&[&alice(), &carol()], 1));
    vec![
        alone(
            "links-disagree--threshold-one",
            "either of two keys may sign; both did, and say different things",
        )
        .refused(&["links-disagree"])
        .file(carol().link_file("write"), signed(&other, &carol())),
        Vector::new(
            "links-disagree--threshold-two",
            "two keys must sign; both did, and say different things",
        )
        .refused(&["links-disagree"])
        .layout(&written_by(&[&alice(), &carol()], 2))
        .file(carol().link_file("write"), signed(&more, &carol())),
        Vector::new(
            "links-disagree--third",
            "two of three keys must sign; two agree and the third does not",
        )
        .refused(&["links-disagree"])
        .layout(&written_by(&[&alice(), &carol(), &bob()], 2))
        .file(carol().link_file("write"), signed(&write_link(), &carol()))
        .file(bob().link_file("write"), signed(&other, &bob())),
        Vector::new("commit-disagrees--mixed", "the links were recorded from two commits")
            .refused(&["commit-disagrees"])
            .file(alice().link_file("write"), signed(&commit, &alice())),
        Vector::new(
            "commit-disagrees--within-a-step",
            "two functionaries of one step worked on two commits",
        )
        .refused(&["commit-disagrees"])
        .layout(&written_by(&[&alice(), &carol()], 1))
        .file(carol().link_file("write"), signed(&commit, &carol())),
        Vector::new(
            "run-disagrees--mixed",
            "the links were recorded in two runs of one commit",
        )
        .refused(&["run-disagrees"])
        .file(alice().link_file("write"), signed(&run, &alice())),
        Vector::new(
            "command-differs--warned",
            "a functionary typed something else than was expected",
        )
        .warned(&["command-differs"])
        .file(alice().link_file("write"), signed(&command, &alice())),
        Vector::new(
            "command-differs--refused",
            "a functionary typed something else than was expected, and the verifier minds",
        )
        .refused(&["command-differs"])
        .says("command_difference", "refuse")
        .file(alice().link_file("write"), signed(&command, &alice())),
    ]
}

fn limits() -> Vec<Vector> {
    let beyond = |name, about, limits| Vector::new(name, about).says("limits", limits);
    vec![
        beyond(
            "limit-exceeded--total-links",
            "the layout wants more links than the verification takes",
            json!({ "total_links": 1 }),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--total-artifacts",
            "the links have more artifacts together than the verification takes",
            json!({ "total_artifacts": 3 }),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--total-bytes",
            "the links have more bytes together than the verification takes",
            json!({ "total_bytes": 1000 }),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--total-values",
            "the by-products, environments and commands of the links have more values together than the verification takes",
            json!({ "total_values": 16 }),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--artifacts",
            "a link has more artifacts than the verification takes",
            json!({ "artifacts": 1 }),
        )
        .undecided(&["limit-exceeded", "link-missing"]),
        beyond(
            "limit-exceeded--steps",
            "the layout has more steps than the verification takes",
            json!({ "steps": 1 }),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--signatures",
            "the layout has more signatures than the verification takes",
            json!({ "signatures": 0 }),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--rule-search",
            "a few rules look for a text in every place of a long name",
            json!({ "rule_work": 500 }),
        )
        .layout(&with(
            layout(),
            "/steps/0/expected_products",
            rules(&[["ALLOW *ab*"; 20].as_slice(), &["CREATE src/*", "DISALLOW *"]].concat()),
        ))
        .file(
            alice().link_file("write"),
            dsse(
                &text(&with(
                    write_link(),
                    &format!("/products/src~1b{}", "a".repeat(1000)),
                    digests("x"),
                )),
                &[&alice()],
            ),
        )
        .undecided(&["limit-exceeded"]),
        beyond(
            "limit-exceeded--rule-work",
            "the rules compare more names than the verification takes",
            json!({ "rule_work": 1 }),
        )
        .undecided(&["limit-exceeded"]),
    ]
}
