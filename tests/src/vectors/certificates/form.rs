//! What is no certificate, or contradicts itself, in a link or in the layout.

use serde_json::json;

use super::{anybody, chain_of, functionary, other_functionary, unmet, usual_layout};
use crate::certificates::{Template, intermediate, pem, tlv};
use crate::vectors::chain::bob;
use crate::vectors::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let other = other_functionary().pem_by(&intermediate());
    let twice = Template {
        others: vec![("2.5.29.15", true, tlv(3, &[7, 0x80]))],
        ..functionary()
    };
    let crowded = Template {
        dns_names: vec!["a.example"; 128],
        ..functionary()
    };
    let usual = functionary().issued_by(&intermediate());
    let mut trailing = usual.clone();
    trailing.push(0);
    let mut broken = usual_layout();
    for authority in broken["rootcas"].as_object_mut().expect("an object").values_mut() {
        authority["keyval"]["certificate"] = pem(&[0x30, 0]).into();
    }
    let mut contradicting = usual_layout();
    for authority in contradicting["rootcas"]
        .as_object_mut()
        .expect("an object")
        .values_mut()
    {
        authority["keyval"]["public"] = bob().pem().trim_end().into();
    }
    let undefined = with(usual_layout(), "/steps/0/cert_constraints/0/roots", json!(["00"]));
    let unknown = with(usual_layout(), "/steps/0/cert_constraints/0/ips", json!(["*"]));
    vec![
        chain_of(
            "certificate-invalid--other-key",
            "the certificate beside the signature is about another key",
            &usual_layout(),
            &other,
        )
        .refused(&unmet("certificate-invalid")),
        chain_of(
            "certificate-invalid--text",
            "what stands beside the signature is no certificate",
            &usual_layout(),
            "alice, by root",
        )
        .refused(&unmet("certificate-invalid")),
        chain_of(
            "certificate-invalid--trailing",
            "there are bytes after the certificate",
            &usual_layout(),
            &pem(&trailing),
        )
        .refused(&unmet("certificate-invalid")),
        chain_of(
            "certificate-invalid--extension-twice",
            "the certificate says twice what its key may do",
            &usual_layout(),
            &pem(&twice.issued_by(&intermediate())),
        )
        .refused(&unmet("certificate-invalid")),
        chain_of(
            "certificate-invalid--names",
            "the certificate has more names than anybody needs",
            &with(usual_layout(), "/steps/0/cert_constraints", json!([anybody()])),
            &pem(&crowded.issued_by(&intermediate())),
        )
        .refused(&unmet("certificate-invalid")),
        chain_of(
            "certificate-invalid--in-layout",
            "a root of the layout is no certificate",
            &broken,
            &pem(&usual),
        )
        .refused(&["certificate-invalid"]),
        chain_of(
            "certificate-invalid--contradiction-in-layout",
            "beside a root's certificate the layout has another key",
            &contradicting,
            &pem(&usual),
        )
        .refused(&["certificate-invalid"]),
        chain_of(
            "key-invalid--undefined-root",
            "a step names a root that the layout has not",
            &undefined,
            &pem(&usual),
        )
        .refused(&["key-invalid"]),
        chain_of(
            "metadata-invalid--unknown-constraint",
            "a step asks for a kind of name that nobody knows",
            &unknown,
            &pem(&usual),
        )
        .refused(&["metadata-invalid"]),
    ]
}
