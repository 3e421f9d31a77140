//! Certificates by which a link counts.

use intoto_core::key::SecretKey;
use serde_json::{Value, json};

use super::{anybody, by, certified, chain_of, functionary, layout_of, listed, other_functionary, under, usual_layout};
use crate::certificates::{CODE_SIGNING, SERVER_AUTHENTICATION, Template, foreign_key, intermediate, root};
use crate::vectors::chain::{
    self, alice, bob, carol, dsse, link, mallory, metablock, package_link, sources, text, write_link,
};
use crate::vectors::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let usual = || functionary().pem_by(&intermediate());
    let any = with(usual_layout(), "/steps/0/cert_constraints", json!([anybody()]));
    let second = Template::authority("Second Root", foreign_key);
    let two_roots = layout_of(&[(&root(), &root()), (&second, &second)], &[(&intermediate(), &root())]);
    let (root_id, _) = listed(&root(), &root());
    let one_of_two = with(two_roots.clone(), "/steps/0/cert_constraints/0/roots", json!([root_id]));
    let either_root = with(two_roots, "/steps/0/cert_constraints", json!([anybody()]));
    // The first root is one by itself, and stands below the second, so that two ways lead from whom it issued a certificate.
    let crossed = layout_of(&[(&root(), &root()), (&second, &second)], &[(&root(), &second)]);
    let (second_id, _) = listed(&second, &second);
    let crossed = with(crossed, "/steps/0/cert_constraints/0/roots", json!([second_id]));
    let both_steps = with(any.clone(), "/steps/1/pubkeys", json!([]));
    let both_steps = with(both_steps, "/steps/1/cert_constraints", json!([anybody()]));
    let packager = Template::functionary("bob", || SecretKey::p256_from_scalar([3; 32]).expect("a scalar"));
    let mut block: Value = serde_json::from_slice(&metablock(&write_link(), &[&alice()])).expect("JSON");
    block["signatures"][0]["cert"] = usual().into();
    let sublayout = json!({
        "_type": "layout",
        "expires": "2030-01-01T00:00:00Z",
        "readme": "",
        "keys": { carol().id(): carol().in_layout() },
        "steps": [chain::step("draft", &[&carol()], &["write"], &["DISALLOW *"], &["CREATE src/*", "DISALLOW *"])],
        "inspect": [],
    });
    let draft = format!("write.{}/{}", &alice().id()[..8], carol().link_file("draft"));
    vec![
        by(
            "verified--certificate",
            "a link counts by the certificate of its key",
            &functionary(),
        ),
        chain_of(
            "verified--certificate-metablock",
            "the same in a Metablock, as in-toto-golang writes it",
            &usual_layout(),
            &usual(),
        )
        .file(alice().link_file("write"), text(&block)),
        chain_of(
            "verified--certificate-of-anybody",
            "a step asks for no name at all, and the root itself issued the certificate",
            &any,
            &functionary().pem_by(&root()),
        ),
        by(
            "verified--certificate-for-servers",
            "a certificate is good for servers, which in-toto-golang asks for",
            &Template {
                purposes: vec![CODE_SIGNING, SERVER_AUTHENTICATION],
                ..functionary()
            },
        ),
        chain_of(
            "verified--certificate-one-root-of-two",
            "a step names one of the layout's two roots; in-toto-golang wants all of them named",
            &one_of_two,
            &usual(),
        ),
        chain_of(
            "verified--certificate-cross-signed",
            "a step names one root, below which stands another that issued the certificate",
            &crossed,
            &functionary().pem_by(&root()),
        ),
        chain_of(
            "limit-exceeded--certificate-signatures",
            "the way to the root that a step names takes more signatures than are verified",
            &crossed,
            &functionary().pem_by(&root()),
        )
        .undecided(&["limit-exceeded", "link-missing"])
        .says("limits", json!({ "certificate_signatures": 1 })),
        chain_of(
            "verified--certificates-of-two-roots",
            "two functionaries have certificates of a root each",
            &either_root,
            &functionary().pem_by(&root()),
        )
        .file(
            carol().link_file("write"),
            certified(&text(&write_link()), &carol(), &other_functionary().pem_by(&second)),
        ),
        chain_of(
            "verified--certificates-in-two-steps",
            "two steps count certificates",
            &both_steps,
            &usual(),
        )
        .file(
            bob().link_file("package"),
            certified(&text(&package_link()), &bob(), &packager.pem_by(&intermediate())),
        ),
        under(
            "verified--certificate-path-length",
            "the root allows one authority below itself",
            &Template {
                authority: Some(Some(1)),
                ..root()
            },
            &Template {
                authority: Some(Some(0)),
                ..intermediate()
            },
        ),
        by(
            "certificate-expired--beside-a-good-one",
            "one functionary's certificate is over, and another's link is enough",
            &Template {
                validity: ("260101000000", "260601000000"),
                ..functionary()
            },
        )
        .warned(&["certificate-expired"])
        .layout(&any)
        .file(
            carol().link_file("write"),
            certified(
                &text(&write_link()),
                &carol(),
                &other_functionary().pem_by(&intermediate()),
            ),
        ),
        by(
            "json-invalid--beside-a-certificate",
            "files of nobody lie beside the link, and harm it not",
            &functionary(),
        )
        .warned(&["json-invalid", "key-not-authorised-for-step"])
        .file("write.00000000.link", b"{".to_vec())
        .file(mallory().link_file("write"), dsse(&text(&write_link()), &[&mallory()])),
        by(
            "verified--certificate-sublayout",
            "who has a certificate delegated the step",
            &functionary(),
        )
        .file(
            alice().link_file("write"),
            certified(&text(&sublayout), &alice(), &usual()),
        )
        .file(
            draft,
            dsse(&text(&link("draft", &["write"], json!({}), sources())), &[&carol()]),
        ),
    ]
}
