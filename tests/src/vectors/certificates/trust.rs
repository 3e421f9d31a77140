//! Certificates that lead to no root that the layout trusts.

use serde_json::json;

use super::{by, chain_of, functionary, layout_of, under, unmet, usual_layout};
use crate::certificates::{
    CODE_SIGNING, ISSUING, NAME_CONSTRAINTS, Template, UNKNOWN_EXTENSION, foreign_key, intermediate, lower_key, root,
    sequence, tlv,
};
use crate::vectors::Vector;

pub(super) fn vectors() -> Vec<Vector> {
    let usual = || functionary().pem_by(&intermediate());
    let impostor = Template {
        key: foreign_key,
        ..root()
    };
    let lower = Template::authority("Example Lower", lower_key);
    let colleague = Template {
        key_usage: None,
        ..Template::functionary("Example Colleague", lower_key)
    };
    let below =
        |top: &Template, middle: &Template, last: &Template| layout_of(&[(top, top)], &[(middle, top), (last, middle)]);
    let short = |limit| Template {
        authority: Some(Some(limit)),
        ..root()
    };
    vec![
        chain_of(
            "certificate-untrusted--other-root",
            "a root of the trusted one's name, but with another key, issued it",
            &layout_of(&[(&root(), &root())], &[]),
            &functionary().pem_by(&impostor),
        ),
        chain_of(
            "certificate-untrusted--no-root",
            "the authority that issued it stands below a root that the layout does not name",
            &layout_of(
                &[(
                    &Template::authority("Second Root", foreign_key),
                    &Template::authority("Second Root", foreign_key),
                )],
                &[(&intermediate(), &root())],
            ),
            &usual(),
        ),
        chain_of(
            "certificate-untrusted--no-intermediate",
            "nobody has the certificate of the authority between",
            &layout_of(&[(&root(), &root())], &[]),
            &usual(),
        ),
        chain_of(
            "certificate-untrusted--self-signed",
            "the functionary issued it",
            &usual_layout(),
            &functionary().pem_by(&functionary()),
        ),
        under(
            "certificate-untrusted--intermediate-no-authority",
            "the certificate that issued it does not say that it is an authority's",
            &root(),
            &Template {
                authority: None,
                ..intermediate()
            },
        ),
        under(
            "certificate-untrusted--root-no-authority",
            "the root does not say that it is an authority",
            &Template {
                authority: None,
                ..root()
            },
            &intermediate(),
        ),
        under(
            "certificate-untrusted--intermediate-may-not-issue",
            "the key of the authority that issued it may sign data, not certificates",
            &root(),
            &Template {
                key_usage: Some(0x80),
                ..intermediate()
            },
        ),
        chain_of(
            "certificate-untrusted--functionary-as-authority",
            "another functionary issued it",
            &below(&root(), &intermediate(), &colleague),
            &functionary().pem_by(&colleague),
        ),
        chain_of(
            "certificate-untrusted--path-length",
            "the root allows one authority below itself, and there are two",
            &below(&short(1), &intermediate(), &lower),
            &functionary().pem_by(&lower),
        ),
        under(
            "certificate-untrusted--path-length-zero",
            "the root allows no authority below itself",
            &short(0),
            &intermediate(),
        ),
        by(
            "certificate-untrusted--authority-as-functionary",
            "an authority signed the link with its own certificate",
            &Template {
                authority: Some(None),
                key_usage: Some(0x80 | ISSUING),
                ..functionary()
            },
        ),
        by(
            "certificate-untrusted--unknown-critical",
            "the certificate has a critical extension that nobody knows",
            &Template {
                others: vec![(UNKNOWN_EXTENSION, true, tlv(5, &[]))],
                ..functionary()
            },
        ),
        under(
            "certificate-untrusted--unknown-critical-above",
            "the authority's certificate has a critical extension that nobody knows",
            &root(),
            &Template {
                others: vec![(UNKNOWN_EXTENSION, true, tlv(5, &[]))],
                ..intermediate()
            },
        ),
        under(
            "certificate-untrusted--name-constraints",
            "the authority may speak for some names only, which is not enforced here",
            &root(),
            &Template {
                others: vec![(
                    NAME_CONSTRAINTS,
                    false,
                    sequence(&[tlv(0xa0, &sequence(&[tlv(0x82, b"example.com")]))]),
                )],
                ..intermediate()
            },
        ),
        by(
            "certificate-untrusted--may-not-sign",
            "the key may encipher, not sign",
            &Template {
                key_usage: Some(0x20),
                ..functionary()
            },
        ),
        by(
            "certificate-untrusted--purpose",
            "the certificate is for code alone, which in-toto-golang refuses",
            &Template {
                purposes: vec![CODE_SIGNING],
                ..functionary()
            },
        ),
        under(
            "certificate-untrusted--purpose-of-authority",
            "the authority's certificate is for code alone",
            &root(),
            &Template {
                purposes: vec![CODE_SIGNING],
                ..intermediate()
            },
        ),
    ]
    .into_iter()
    .map(|vector| vector.refused(&unmet("certificate-untrusted")))
    .chain([
        by(
            "verified--certificate-uncritical-extension",
            "an extension that nobody knows is not critical",
            &Template {
                others: vec![(UNKNOWN_EXTENSION, false, tlv(5, &[]))],
                ..functionary()
            },
        ),
        by(
            "key-unsupported--certificate-algorithm",
            "the certificate is signed over SHA-1",
            &Template {
                algorithm: Some("1.2.840.10045.4.1"),
                ..functionary()
            },
        )
        .undecided(&["key-unsupported", "link-missing"]),
        chain_of(
            "limit-exceeded--certificate-path",
            "the way to the root is longer than is allowed",
            &below(&root(), &intermediate(), &lower),
            &functionary().pem_by(&lower),
        )
        .undecided(&["limit-exceeded", "link-missing"])
        .says("limits", json!({ "certificate_path": 3 })),
    ])
    .collect()
}
