//! Certificates of others than the step asks for.

use serde_json::json;

use super::{by, chain_of, constraint, functionary, layout_of, listed, unmet, usual_layout};
use crate::certificates::{Template, foreign_key, intermediate, root};
use crate::vectors::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let (root_id, _) = listed(&root(), &root());
    let second = Template::authority("Second Root", foreign_key);
    let two_roots = layout_of(&[(&root(), &root()), (&second, &second)], &[(&intermediate(), &root())]);
    let only_first = with(two_roots, "/steps/0/cert_constraints/0/roots", json!([root_id]));
    let packager = with(constraint(), "/uris", json!(["spiffe://example.com/package"]));
    let other_step = with(usual_layout(), "/steps/1/cert_constraints", json!([constraint()]));
    let other_step = with(other_step, "/steps/0/cert_constraints", json!([packager]));
    let two = with(
        usual_layout(),
        "/steps/0/cert_constraints/0/uris",
        json!(["spiffe://example.com/write", "spiffe://example.com/more"]),
    );
    let no_roots = with(usual_layout(), "/steps/0/cert_constraints/0/roots", json!([]));
    let usual = functionary().pem_by(&intermediate());
    let halves = json!([
        with(constraint(), "/roots", json!([])),
        with(constraint(), "/common_name", "carol".into())
    ]);
    let halves = with(usual_layout(), "/steps/0/cert_constraints", halves);
    vec![
        chain_of(
            "certificate-constraint-unmet--missing",
            "the certificate has one of two names",
            &two,
            &usual,
        ),
        by(
            "certificate-constraint-unmet--extra",
            "the certificate has a further name",
            &Template {
                uris: vec!["spiffe://example.com/write", "spiffe://example.com/package"],
                ..functionary()
            },
        ),
        by(
            "certificate-constraint-unmet--unasked",
            "the certificate has a host name where none is asked for",
            &Template {
                dns_names: vec!["build.example.com"],
                ..functionary()
            },
        ),
        by(
            "certificate-constraint-unmet--common-name",
            "the certificate is somebody else's",
            &Template {
                common_name: "Alice",
                ..functionary()
            },
        ),
        by(
            "certificate-constraint-unmet--organization",
            "the certificate is another organization's",
            &Template {
                organizations: vec!["Example", "Other"],
                ..functionary()
            },
        ),
        chain_of(
            "certificate-constraint-unmet--other-step",
            "the certificate is what another step asks for",
            &other_step,
            &usual,
        ),
        chain_of(
            "certificate-constraint-unmet--other-root",
            "the certificate leads to a root of the layout that the step does not name",
            &only_first,
            &functionary().pem_by(&second),
        ),
        chain_of(
            "certificate-constraint-unmet--halves",
            "one constraint has the names of the certificate and another its root",
            &halves,
            &usual,
        ),
        chain_of(
            "certificate-constraint-unmet--no-root",
            "the step names no root",
            &no_roots,
            &usual,
        ),
    ]
    .into_iter()
    .map(|vector| vector.refused(&unmet("certificate-constraint-unmet")))
    .collect()
}
