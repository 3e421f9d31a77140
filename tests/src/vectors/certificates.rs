//! Links by the keys of certificates (ITE-7).

use serde_json::{Value, json};

use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::x509::Certificate;

use super::chain::{
    Person, alice, bob, carol, dsse, dsse_under, layout, link, mallory, metablock, sources, text, write_link,
};
use super::{Vector, chain, with};
use crate::certificates::{
    ALTERNATIVE_NAMES, CODE_SIGNING, ISSUING, NAME_CONSTRAINTS, SERVER_AUTHENTICATION, Template, UNKNOWN_EXTENSION,
    foreign_key, intermediate, lower_key, pem, root, sequence, tlv,
};

fn alice_key() -> SecretKey {
    SecretKey::ed25519_from_seed([2; 32])
}

fn carol_key() -> SecretKey {
    SecretKey::ed25519_from_seed([4; 32])
}

/// Alice's certificate, as the step asks for it.
fn functionary() -> Template {
    Template {
        emails: vec!["alice@example.com"],
        uris: vec!["spiffe://example.com/write"],
        ..Template::functionary("alice", alice_key)
    }
}

/// Another one who meets [`anybody`].
fn other_functionary() -> Template {
    Template {
        uris: vec!["spiffe://example.com/write/2"],
        ..Template::functionary("carol", carol_key)
    }
}

fn constraint() -> Value {
    json!({
        "common_name": "alice",
        "dns_names": [],
        "emails": ["alice@example.com"],
        "organizations": ["Example"],
        "roots": ["*"],
        "uris": ["spiffe://example.com/write"],
    })
}

/// A constraint that every certificate of the root meets.
fn anybody() -> Value {
    json!({ "common_name": "*", "dns_names": ["*"], "emails": ["*"], "organizations": ["*"], "roots": ["*"], "uris": ["*"] })
}

/// An authority as a layout lists it, under the legacy id of its key.
fn listed(authority: &Template, issuer: &Template) -> (String, Value) {
    let certificate = Certificate::from_der(&authority.issued_by(issuer)).expect("the template makes a certificate");
    let (id, authority) = intoto_core::layout::Authority::of(certificate);
    let roots = [(id.clone(), authority)].into();
    let layout = intoto_core::layout::Layout::new(
        vec![],
        vec![intoto_core::layout::Inspection {
            name: "x".parse().expect("a name"),
            run: vec!["true".into()],
            expected_materials: vec![],
            expected_products: vec![],
        }],
        [].into(),
        intoto_core::time::Timestamp::from_unix(0),
        "",
    )
    .and_then(|layout| layout.with_authorities(roots, [].into()))
    .expect("a layout");
    let value: Value =
        serde_json::from_str(&intoto_core::encoding::to_json(&layout.to_value())).expect("core writes JSON");
    (id.as_str().to_owned(), value["rootcas"][id.as_str()].clone())
}

/// The chain whose step `write` counts certificates by these authorities, in place of alice's key.
fn layout_of(roots: &[(&Template, &Template)], intermediates: &[(&Template, &Template)]) -> Value {
    let all = |authorities: &[(&Template, &Template)]| -> Value {
        let listed = authorities.iter().map(|(authority, issuer)| listed(authority, issuer));
        Value::Object(listed.collect())
    };
    let layout = with(layout(), "/rootcas", all(roots));
    let layout = with(layout, "/intermediatecas", all(intermediates));
    let layout = with(layout, "/steps/0/pubkeys", json!([]));
    with(layout, "/steps/0/cert_constraints", json!([constraint()]))
}

fn usual_layout() -> Value {
    layout_of(&[(&root(), &root())], &[(&intermediate(), &root())])
}

/// A link in DSSE, with a certificate beside the signature.
fn certified(payload: &[u8], by: &Person, certificate: &str) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(&dsse(payload, &[by])).expect("JSON");
    file["signatures"][0]["cert"] = certificate.into();
    text(&file)
}

/// The chain with this layout, and alice's link with this certificate.
fn chain_of(name: &'static str, about: &'static str, layout: &Value, certificate: &str) -> Vector {
    Vector::new(name, about).layout(layout).file(
        alice().link_file("write"),
        certified(&text(&write_link()), &alice(), certificate),
    )
}

/// The usual layout and issuer, with another certificate.
fn by(name: &'static str, about: &'static str, certificate: &Template) -> Vector {
    chain_of(name, about, &usual_layout(), &certificate.pem_by(&intermediate()))
}

/// The usual certificate, with other authorities.
fn under(name: &'static str, about: &'static str, root: &Template, intermediate: &Template) -> Vector {
    let layout = layout_of(&[(root, root)], &[(intermediate, root)]);
    chain_of(name, about, &layout, &functionary().pem_by(intermediate))
}

fn unmet(code: &'static str) -> [&'static str; 2] {
    [code, "threshold-unmet"]
}

pub(super) fn vectors() -> Vec<Vector> {
    [good(), time(), trust(), form(), names(), counting()]
        .into_iter()
        .flatten()
        .collect()
}

fn good() -> Vec<Vector> {
    let usual = || functionary().pem_by(&intermediate());
    let any = with(usual_layout(), "/steps/0/cert_constraints", json!([anybody()]));
    let second = Template::authority("Second Root", foreign_key);
    let two_roots = layout_of(&[(&root(), &root()), (&second, &second)], &[(&intermediate(), &root())]);
    let (root_id, _) = listed(&root(), &root());
    let one_of_two = with(two_roots, "/steps/0/cert_constraints/0/roots", json!([root_id]));
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

fn time() -> Vec<Vector> {
    let over = ("250101000000", "261121235959");
    vec![
        by(
            "certificate-expired--functionary",
            "the functionary's certificate was over one second before",
            &Template {
                validity: over,
                ..functionary()
            },
        ),
        by(
            "certificate-expired--not-yet-valid",
            "the functionary's certificate begins one second later",
            &Template {
                validity: ("261122000001", "270601000000"),
                ..functionary()
            },
        ),
        under(
            "certificate-expired--intermediate",
            "the certificate of the authority that issued the functionary's is over",
            &root(),
            &Template {
                validity: over,
                ..intermediate()
            },
        ),
        under(
            "certificate-expired--root",
            "the root's certificate is over",
            &Template {
                validity: over,
                ..root()
            },
            &intermediate(),
        ),
    ]
    .into_iter()
    .map(|vector| vector.refused(&unmet("certificate-expired")))
    .chain([
        by(
            "verified--certificate-last-second",
            "the functionary's certificate is over one second later",
            &Template {
                validity: ("250101000000", "261122000000"),
                ..functionary()
            },
        ),
        by(
            "verified--certificate-first-second",
            "the functionary's certificate has just begun",
            &Template {
                validity: ("261122000000", "270601000000"),
                ..functionary()
            },
        ),
    ])
    .collect()
}

fn trust() -> Vec<Vector> {
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

fn form() -> Vec<Vector> {
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

fn names() -> Vec<Vector> {
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

fn counting() -> Vec<Vector> {
    let usual = || functionary().pem_by(&intermediate());
    let twice = with(
        with(usual_layout(), "/steps/0/threshold", 2.into()),
        "/steps/0/cert_constraints",
        json!([anybody()]),
    );
    let keyed = with(twice.clone(), "/steps/0/pubkeys", json!([bob().id()]));
    let bobs = || dsse(&text(&write_link()), &[&bob()]);
    let carols =
        |certificate: &Template| certified(&text(&write_link()), &carol(), &certificate.pem_by(&intermediate()));
    let renewed = Template {
        key: carol_key,
        ..functionary()
    };
    let same_uri = Template {
        uris: functionary().uris,
        ..other_functionary()
    };
    let other_letters = Template {
        emails: vec!["Alice@Example.COM"],
        ..other_functionary()
    };
    let nobody = |key| Template {
        organizations: Vec::new(),
        ..Template::functionary("", key)
    };
    let of_address = |key| Template {
        others: vec![(ALTERNATIVE_NAMES, true, sequence(&[tlv(0x87, &[192, 0, 2, 1])]))],
        ..nobody(key)
    };
    let python = || {
        SecretKey::p256_from_scalar([3; 32])
            .expect("a scalar")
            .public_key()
            .key_id(KeyIdStyle::Python)
    };
    let own = Template::functionary("bob", || SecretKey::p256_from_scalar([3; 32]).expect("a scalar"));
    let bob_again = || {
        let id = python();
        let mut file: Value =
            serde_json::from_slice(&dsse_under(&text(&write_link()), &[(&bob(), id.as_str())])).expect("JSON");
        file["signatures"][0]["cert"] = own.pem_by(&intermediate()).into();
        (format!("write.{}.link", id.short()), text(&file))
    };
    let changed: Value = with(write_link(), "/products/src~1lib.rs", chain::digests("evil"));
    let forged = {
        let mut file: Value =
            serde_json::from_slice(&certified(&text(&write_link()), &alice(), &usual())).expect("JSON");
        file["payload"] = intoto_core::encoding::base64::encode(&text(&changed)).into();
        text(&file)
    };
    let (again_name, again) = bob_again();
    vec![
        chain_of(
            "verified--certificates-of-two",
            "two functionaries with a certificate each meet a threshold of two",
            &twice,
            &usual(),
        )
        .file(carol().link_file("write"), carols(&other_functionary())),
        chain_of(
            "verified--certificate-and-key",
            "a key and a certificate meet a threshold of two; in-toto-golang does not look at certificates after a key",
            &keyed,
            &usual(),
        )
        .file(bob().link_file("write"), bobs()),
        chain_of(
            "threshold-unmet--certificates-of-one",
            "one functionary has two certificates, for two keys",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&renewed)),
        chain_of(
            "threshold-unmet--certificates-of-one-name",
            "two certificates have a name in common",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&same_uri)),
        chain_of(
            "threshold-unmet--certificates-of-one-spelling",
            "two certificates have a name in common, in other letters",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&other_letters)),
        chain_of(
            "threshold-unmet--certificates-of-one-address",
            "two certificates have a name in common that no layout can speak of",
            &twice,
            &of_address(alice_key).pem_by(&intermediate()),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&of_address(carol_key))),
        chain_of(
            "threshold-unmet--certificates-of-nobody",
            "a certificate has no name at all, so that it may be anybody's second",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&nobody(carol_key))),
        Vector::new(
            "threshold-unmet--certificate-of-listed-key",
            "one key counts by itself, and once more by its certificate, under another id",
        )
        .refused(&["threshold-unmet"])
        .layout(&keyed)
        .file(bob().link_file("write"), bobs())
        .without(alice().link_file("write"))
        .file(again_name, again),
        by(
            "signature-invalid--certificate",
            "the link was changed after it was signed",
            &functionary(),
        )
        .refused(&unmet("signature-invalid"))
        .file(alice().link_file("write"), forged),
        by(
            "link-name-mismatch--certificate",
            "the link is of another step",
            &functionary(),
        )
        .refused(&unmet("link-name-mismatch"))
        .file(
            alice().link_file("write"),
            certified(&text(&with(write_link(), "/name", "draft".into())), &alice(), &usual()),
        ),
        by(
            "link-missing--certificate",
            "there is no link with a certificate",
            &functionary(),
        )
        .undecided(&["link-missing"])
        .without(alice().link_file("write"))
        .without(alice().link_file("write")),
        by(
            "key-not-authorised-for-step--no-certificate",
            "the link is by a key that no one knows, without a certificate",
            &functionary(),
        )
        .undecided(&["key-not-authorised-for-step", "link-missing"])
        .file(alice().link_file("write"), dsse(&text(&write_link()), &[&alice()])),
        by(
            "limit-exceeded--found-links",
            "more files than are looked at may be links with certificates",
            &functionary(),
        )
        .undecided(&["limit-exceeded", "link-missing"])
        .says("limits", json!({ "found_links": 1 }))
        .file("write.00000000.link", b"{".to_vec()),
    ]
}
