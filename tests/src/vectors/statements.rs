//! Statements in place of links, and metadata of forms that are not known.

use serde_json::{Value, json};

use super::chain::{Person, alice, bob, carol, digests, dsse, layout, metablock, package_link, text, write_link};
use super::{Vector, with};

const V0_1: &str = "https://in-toto.io/Statement/v0.1";
const V1: &str = "https://in-toto.io/Statement/v1";
const LINK_V0_2: &str = "https://in-toto.io/Link/v0.2";
const LINK_V0_3: &str = "https://in-toto.io/attestation/link/v0.3";

/// The link as a statement of today's version.
pub fn statement(link: &Value) -> Value {
    json!({
        "_type": V1,
        "subject": descriptors(&link["products"]),
        "predicateType": LINK_V0_3,
        "predicate": {
            "name": link["name"],
            "command": link["command"],
            "materials": descriptors(&link["materials"]),
            "byproducts": link["byproducts"],
            "environment": link["environment"],
        },
    })
}

fn descriptors(artifacts: &Value) -> Value {
    let artifacts = artifacts.as_object().into_iter().flatten();
    artifacts
        .map(|(name, digest)| json!({ "name": name, "digest": digest }))
        .collect()
}

/// As ITE-6 shows it: the older predicate, its materials an object and its command one text.
fn older(version: &str, link: &Value) -> Value {
    let predicate = json!({
        "name": link["name"],
        "command": "write",
        "materials": link["materials"],
        "byproducts": {},
        "environment": {},
    });
    json!({ "_type": version, "subject": descriptors(&link["products"]), "predicateType": LINK_V0_2, "predicate": predicate })
}

fn put(vector: Vector, statement: &Value, by: &Person) -> Vector {
    vector.file(by.link_file("write"), dsse(&text(statement), &[by]))
}

fn two_writers(threshold: u32) -> Value {
    let layout = with(layout(), &format!("/keys/{}", carol().id()), carol().in_layout());
    let layout = with(layout, "/steps/0/pubkeys", json!([alice().id(), carol().id()]));
    with(layout, "/steps/0/threshold", threshold.into())
}

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = accepted();
    vectors.extend(refused());
    vectors.extend(beside_links());
    vectors.extend(unknown_forms());
    vectors
}

fn accepted() -> Vec<Vector> {
    let good = statement(&write_link());
    let further = with(
        with(good.clone(), "/subject/0/digest/gitBlob", "ab".into()),
        "/subject/0/annotations",
        json!({ "size": 3 }),
    );
    let extended = with(good.clone(), "/predicate/https:~1~1example.com~1note", 1.into());
    let with_statement = |name, about, statement: &Value| put(Vector::new(name, about), statement, &alice());
    vec![
        with_statement(
            "verified--statement",
            "a statement stands in the place of a link",
            &good,
        )
        .file(
            bob().link_file("package"),
            dsse(&text(&statement(&package_link())), &[&bob()]),
        ),
        with_statement(
            "verified--statement-v0-1",
            "a statement of the older version, with the older predicate",
            &older(V0_1, &write_link()),
        ),
        with_statement(
            "verified--statement-older-predicate",
            "a statement of the present version with the older predicate, as ITE-6 shows it",
            &older(V1, &write_link()),
        ),
        with_statement(
            "verified--statement-further-digests",
            "a subject has a digest that is not compared here beside one that is, and annotations",
            &further,
        ),
        with_statement(
            "verified--statement-extension",
            "the predicate is extended by a member that is named by a URI, which is to be passed over",
            &extended,
        ),
        with_statement(
            "verified--statement-without-empty-members",
            "what is empty is absent, as encoders of Protocol Buffers write it",
            &with(
                with(good, "/predicate/materials", Value::Null),
                "/predicate/byproducts",
                Value::Null,
            ),
        ),
    ]
}

fn refused() -> Vec<Vector> {
    let good = statement(&write_link());
    let content = |name: &'static str, about, statement: &Value| {
        let code = name.split_once("--").expect("names of vectors have two parts").0;
        put(
            Vector::new(name, about).refused(&[code, "threshold-unmet"]),
            statement,
            &alice(),
        )
    };
    let changed =
        |name, about, pointer: &str, member: Value| content(name, about, &with(good.clone(), pointer, member));
    let twice = |list: &str| {
        let other = json!({ "name": "src/lib.rs", "digest": digests("other") });
        with(
            good.clone(),
            list,
            json!([{ "name": "src/lib.rs", "digest": digests("lib") }, other]),
        )
    };
    vec![
        changed(
            "feature-unsupported--predicate",
            "a statement about the build that is no link",
            "/predicateType",
            "https://slsa.dev/provenance/v1".into(),
        ),
        changed(
            "feature-unsupported--predicate-version",
            "a link predicate of another version",
            "/predicateType",
            "https://in-toto.io/attestation/link/v0.4".into(),
        ),
        changed(
            "feature-unsupported--statement-version",
            "a statement of a version to come",
            "/_type",
            "https://in-toto.io/Statement/v2".into(),
        ),
        changed(
            "feature-unsupported--digest-algorithm",
            "a subject has digests only of algorithms that are not compared here",
            "/subject/0/digest",
            json!({ "md5": "00", "gitBlob": "00" }),
        ),
        changed(
            "metadata-invalid--statement-without-subject",
            "the statement has no subject",
            "/subject",
            Value::Null,
        ),
        changed(
            "metadata-invalid--statement-without-predicate",
            "the statement has no predicate, so that no step is named",
            "/predicate",
            Value::Null,
        ),
        changed(
            "metadata-invalid--subject-without-name",
            "a subject has no name, so that no rule can speak of it",
            "/subject/0/name",
            Value::Null,
        ),
        changed(
            "metadata-invalid--subject-without-digest",
            "a subject has no digest, so that any bytes would be equal",
            "/subject/0/digest",
            Value::Null,
        ),
        content(
            "metadata-invalid--subject-twice",
            "two subjects have one name and different digests",
            &twice("/subject"),
        ),
        content(
            "metadata-invalid--descriptor-twice",
            "two materials have one name and different digests",
            &twice("/predicate/materials"),
        ),
        changed(
            "metadata-invalid--statement-products",
            "the predicate has products beside the subject, and they disagree",
            "/predicate/products",
            json!({ "src/lib.rs": digests("other") }),
        ),
        changed(
            "metadata-invalid--predicate-misspelt",
            "a misspelt member would leave the step without materials",
            "/predicate/materails",
            json!([]),
        ),
        changed(
            "metadata-invalid--materials-object",
            "the materials have the form of the older predicate",
            "/predicate/materials",
            json!({}),
        ),
        changed(
            "artifact-name-unclean--subject",
            "the name of a subject begins with the directory itself",
            "/subject/0/name",
            "./src/lib.rs".into(),
        ),
        changed(
            "step-name-invalid--statement",
            "the statement is for a step whose name leads elsewhere",
            "/predicate/name",
            "../write".into(),
        ),
        changed(
            "link-name-mismatch--statement",
            "the statement is for another step",
            "/predicate/name",
            "package".into(),
        ),
        put(
            Vector::new(
                "rule-failed--subject",
                "the subject has a file that the rules do not allow",
            )
            .refused(&["rule-failed"]),
            &with(
                good.clone(),
                "/subject/-",
                json!({ "name": "evil", "digest": digests("evil") }),
            ),
            &alice(),
        ),
        put(
            Vector::new(
                "limit-exceeded--subjects",
                "the statement has more subjects than the limit",
            )
            .undecided(&["limit-exceeded", "link-missing"])
            .says("limits", json!({ "artifacts": 2 })),
            &with(
                good.clone(),
                "/subject/-",
                json!({ "name": "src/x", "digest": digests("x") }),
            ),
            &alice(),
        ),
        Vector::new(
            "feature-unsupported--statement-in-metablock",
            "a statement is signed in the container that the attestation framework does not have",
        )
        .refused(&["feature-unsupported", "threshold-unmet"])
        .file(alice().link_file("write"), metablock(&good, &[&alice()])),
        Vector::new(
            "key-not-authorised-for-step--statement",
            "a functionary of another step signed the statement",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .file(alice().link_file("write"), dsse(&text(&good), &[&bob()])),
    ]
}

fn beside_links() -> Vec<Vector> {
    let good = statement(&write_link());
    let slsa = with(good.clone(), "/predicateType", "https://slsa.dev/provenance/v1".into());
    let other = with(good.clone(), "/subject/0/digest", digests("other"));
    let beside = |name, about, threshold| Vector::new(name, about).layout(&two_writers(threshold));
    vec![
        put(
            beside(
                "verified--statement-and-link",
                "two keys must sign; one signed a link and one a statement",
                2,
            ),
            &good,
            &carol(),
        ),
        put(
            beside(
                "links-disagree--statement",
                "a link and a statement stand for one step, and say different things",
                1,
            )
            .refused(&["links-disagree"]),
            &other,
            &carol(),
        ),
        put(
            beside(
                "feature-unsupported--predicate-beside-a-link",
                "a statement that is no link lies beside a link that suffices",
                1,
            )
            .warned(&["feature-unsupported"]),
            &slsa,
            &carol(),
        ),
        put(
            beside(
                "feature-unsupported--predicate-counts-for-nothing",
                "two keys must sign, and one signed a statement that is no link",
                2,
            )
            .refused(&["feature-unsupported", "threshold-unmet"]),
            &slsa,
            &carol(),
        ),
    ]
}

fn unknown_forms() -> Vec<Vector> {
    let code = "feature-unsupported";
    let changed = |name, about, pointer: &str, member: Value| {
        Vector::new(name, about)
            .refused(&[code])
            .layout(&with(layout(), pointer, member))
    };
    vec![
        put(
            Vector::new(
                "feature-unsupported--link-type",
                "the link says that it is something else",
            )
            .refused(&[code, "threshold-unmet"]),
            &with(write_link(), "/_type", "receipt".into()),
            &alice(),
        ),
        changed(
            "feature-unsupported--layout-type",
            "the signed object is of a type that nobody knows",
            "/_type",
            "https://in-toto.io/Layout/v2".into(),
        ),
        changed(
            "feature-unsupported--expected-predicates",
            "a step wants other predicates, as ITE-10 has it",
            "/steps/0/expected_predicates",
            json!([{ "predicateType": "https://slsa.dev/provenance/v1", "functionaries": [alice().id()], "threshold": 1 }]),
        ),
        changed(
            "feature-unsupported--expected-attributes",
            "a step constrains what evidence says, as ITE-11 has it",
            "/steps/0/expectedAttributes",
            json!(["size(predicate.byproducts['stderr']) == 0"]),
        ),
        changed(
            "feature-unsupported--inspection-attributes",
            "an inspection constrains what evidence says, as ITE-11 has it",
            "/inspect/0/expectedAttributes",
            json!(["true"]),
        ),
        Vector::new(
            "metadata-invalid--statement-in-place-of-layout",
            "the owner signed a statement where a layout belongs",
        )
        .refused(&["metadata-invalid"])
        .layout(&statement(&write_link())),
    ]
}
