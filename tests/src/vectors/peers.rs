//! What one of the other implementations takes, or takes for something else.

use serde_json::{Value, json};

use super::chain::{
    alice, bob, carol, dsse, dsse_under, inspection, layout, metablock, package_link, step, text, write_link,
};
use super::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = signatures();
    vectors.extend(spellings());
    vectors.extend(names());
    vectors
}

/// A signed file whose list of signatures is changed.
fn resigned(file: &[u8], change: impl FnOnce(&mut Vec<Value>)) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(file).expect("an envelope is JSON");
    change(
        file["signatures"]
            .as_array_mut()
            .expect("an envelope has a list of signatures"),
    );
    text(&file)
}

fn signatures() -> Vec<Vector> {
    let link = text(&write_link());
    let id = alice().id();
    let write = |vector: Vector, content: Vec<u8>| vector.file(alice().link_file("write"), content);
    let strangers = |file: Vec<u8>, first: bool| {
        resigned(&file, |signatures| {
            let mut forged = signatures[0].clone();
            // Of the right form, and over something else.
            let hex = forged["sig"].as_str().is_some_and(|sig| sig.len() == 128);
            forged["sig"] = if hex {
                "00".repeat(64).into()
            } else {
                intoto_core::encoding::base64::encode(&[0; 64]).into()
            };
            signatures.insert(usize::from(!first), forged);
        })
    };
    let (in_dsse, in_metablock) = (dsse(&link, &[&alice()]), metablock(&write_link(), &[&alice()]));
    let upper = |file: &[u8], member: &'static str| {
        resigned(file, |signatures| {
            let text = signatures[0][member].as_str().expect("a text").to_uppercase();
            signatures[0][member] = text.into();
        })
    };
    let url_safe = String::from_utf8(in_dsse.clone()).expect("JSON is text");
    let mut url_safe: Value = serde_json::from_str(&url_safe).expect("an envelope is JSON");
    for pointer in ["/payload", "/signatures/0/sig"] {
        let member = url_safe.pointer_mut(pointer).expect("it is there");
        *member = member
            .as_str()
            .expect("a text")
            .replace('+', "-")
            .replace('/', "_")
            .into();
    }
    vec![
        write(
            Vector::new("verified--dsse-forged-signature-first", "a forged signature under the functionary's id stands before the good one"),
            strangers(in_dsse.clone(), true),
        ),
        write(
            Vector::new("verified--metablock-forged-signature-last", "a forged signature under the functionary's id stands behind the good one"),
            strangers(in_metablock.clone(), false),
        ),
        write(
            Vector::new(
                "signature-invalid--metablock-first-decides",
                "a forged signature under the functionary's id stands before the good one, which both peers then do not look at",
            )
            .refused(&["signature-invalid", "threshold-unmet"]),
            strangers(in_metablock.clone(), true),
        ),
        write(Vector::new("verified--signature-in-upper-case", "the signature's hexadecimal digits are capitals"), upper(&in_metablock, "sig")),
        write(
            Vector::new("key-not-authorised-for-step--id-in-upper-case", "the key id is spelled in capitals; ids are compared as text")
                .refused(&["key-not-authorised-for-step", "threshold-unmet"]),
            upper(&in_metablock, "keyid"),
        ),
        write(
            Vector::new("key-not-authorised-for-step--empty-id", "the signature names no key, which Go takes for any")
                .refused(&["key-not-authorised-for-step", "threshold-unmet"]),
            dsse_under(&link, &[(&alice(), "")]),
        ),
        write(
            Vector::new("key-not-authorised-for-step--truncated-id", "the signature names the key as file names do")
                .refused(&["key-not-authorised-for-step", "threshold-unmet"]),
            dsse_under(&link, &[(&alice(), &id[..8])]),
        ),
        write(Vector::new("verified--base64-url", "the other alphabet of base64, which both peers read"), text(&url_safe)),
    ]
}

/// Spellings that one parser takes for another.
fn spellings() -> Vec<Vector> {
    let link = write_link().to_string();
    let write =
        |vector: Vector, payload: &str| vector.file(alice().link_file("write"), dsse(payload.as_bytes(), &[&alice()]));
    let refused = |name: &'static str, about| {
        let code = name.split_once("--").expect("names of vectors have two parts").0;
        Vector::new(name, about).refused(&[code, "threshold-unmet"])
    };
    let at = |name: &'static str, about, pointer: &str, member: Value| {
        let code = name.split_once("--").expect("names of vectors have two parts").0;
        Vector::new(name, about)
            .refused(&[code])
            .layout(&with(layout(), pointer, member))
    };
    let exponent = link.replace("\"return-value\":0", "\"return-value\":0e0");
    vec![
        write(
            Vector::new("verified--white-space", "blanks and line ends between all tokens"),
            &serde_json::to_string_pretty(&write_link()).expect("JSON"),
        ),
        write(
            refused(
                "metadata-invalid--member-in-capitals",
                "a member is spelled in capitals, which Go takes for the same",
            ),
            &link.replace("\"products\"", "\"Products\""),
        ),
        write(
            refused(
                "metadata-invalid--second-spelling",
                "there are two lists of products, one in capitals; Go takes the last",
            ),
            &link.replacen("{", "{\"Products\":{},", 1),
        ),
        Vector::new(
            "float-in-metablock--exponent",
            "a number with an exponent, which Go takes for a whole one",
        )
        .undecided(&["float-in-metablock", "link-missing"])
        .file(
            alice().link_file("write"),
            super::chain::metablock_of(&exponent, &write_link(), &[&alice()]),
        ),
        Vector::new(
            "verified--expires-fraction",
            "the time of expiry has a fraction of a second, which Go takes",
        )
        .layout(&with(layout(), "/expires", "2030-01-01T00:00:00.5Z".into())),
        at(
            "layout-expired--fraction",
            "the layout expires within the second that it is judged at",
            "/expires",
            "2026-11-22T00:00:00.9Z".into(),
        ),
        at(
            "metadata-invalid--expires-zone",
            "the time of expiry is not in UTC",
            "/expires",
            "2030-01-01T00:00:00+01:00".into(),
        ),
        at(
            "metadata-invalid--step-type",
            "a step says that it is something else, which Python does not look at",
            "/steps/0/_type",
            "inspection".into(),
        ),
        at(
            "metadata-invalid--pubkeys-text",
            "a step's keys are one text, which Python takes for a list of letters",
            "/steps/0/pubkeys",
            alice().id().into(),
        ),
    ]
}

/// Names of steps that are patterns to Go, which looks for links with `filepath.Glob`.
fn names() -> Vec<Vector> {
    let renamed = |name: &str| {
        let layout = with(layout(), "/steps/0/name", name.into());
        with(layout, "/steps/1/expected_materials/0/5", name.into())
    };
    let link = |name: &str| with(write_link(), "/name", name.into());
    let (set, star) = ("write[1]", "write*");
    vec![
        Vector::new(
            "verified--step-name-is-no-pattern",
            "the name of a step has brackets, so that Go finds no link for it",
        )
        .layout(&renamed(set))
        .file(alice().link_file(set), dsse(&text(&link(set)), &[&alice()])),
        Vector::new(
            "link-missing--step-name-is-no-pattern",
            "the name of a step has a star, so that Go takes the links of others for it",
        )
        .undecided(&["link-missing"])
        .layout(&renamed(star))
        .file(alice().link_file("write2"), dsse(&text(&link(star)), &[&alice()])),
        Vector::new("name-clash--inspections", "two inspections have one name")
            .refused(&["name-clash"])
            .layout(&with(
                layout(),
                "/inspect",
                json!([
                    inspection("look", &["true"], &["ALLOW *"]),
                    inspection("look", &["true"], &["DISALLOW *"])
                ]),
            )),
        Vector::new(
            "verified--pattern-named-like-a-keyword",
            "patterns that are spelled like keywords are patterns",
        )
        .layout(&with(
            with(
                layout(),
                "/steps/0",
                step(
                    "write",
                    &[&alice()],
                    &["write"],
                    &["DISALLOW WITH"],
                    &["CREATE src/*", "DISALLOW FROM", "DISALLOW *"],
                ),
            ),
            "/steps/1/expected_materials/0",
            json!(["match", "*", "with", "products", "from", "write"]),
        ))
        .file(bob().link_file("package"), dsse(&text(&package_link()), &[&bob()])),
        Vector::new(
            "rule-failed--match-unclean-to-clean",
            "a rule's path leads through the directory above; Go cleans it, and the artifact passes",
        )
        .refused(&["rule-failed"])
        .layout(&with(
            layout(),
            "/steps/1/expected_materials/0",
            json!(["MATCH", "x/../src/*", "WITH", "PRODUCTS", "FROM", "write"]),
        )),
        Vector::new(
            "key-not-authorised-for-step--key-of-the-layout",
            "a key that the layout lists, and no step, signed the link",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .layout(&with(layout(), &format!("/keys/{}", carol().id()), carol().in_layout()))
        .file(alice().link_file("write"), dsse(&text(&write_link()), &[&carol()])),
    ]
}
