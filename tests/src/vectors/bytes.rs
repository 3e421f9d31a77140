//! Files that are not metadata at all, or not in an envelope, or not signed by whom they should be.

use serde_json::json;

use super::chain::{
    alice, bob, carol, dsse, dsse_under, layout, mallory, metablock, metablock_of, owned, owner, package_link, text,
    write_link,
};
use super::{LAYOUT, Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = json_text();
    vectors.extend(envelopes());
    vectors.extend(owners());
    vectors
}

/// The write link's file in place of the base's.
fn write_file(vector: Vector, content: Vec<u8>) -> Vector {
    vector.file(alice().link_file("write"), content)
}

/// Signed by the right person, and still not to be read.
fn payload(vector: Vector, payload: &[u8]) -> Vector {
    write_file(vector, dsse(payload, &[&alice()]))
}

fn json_text() -> Vec<Vector> {
    let link = write_link().to_string();
    let broken = |codes: &'static str, name, about| Vector::new(name, about).undecided(&[codes, "link-missing"]);
    let invalid = |name, about| broken("json-invalid", name, about);
    let twice = |name, about| broken("json-duplicate-key", name, about);
    let mut not_utf8 = link.clone().into_bytes();
    let at = link.find("src/lib.rs").expect("the link has it");
    not_utf8[at] = 0xff;
    vec![
        Vector::new("json-invalid--layout-truncated", "the layout's file ends too early")
            .undecided(&["json-invalid"])
            .file(LAYOUT, owned(&layout())[..100].to_vec()),
        Vector::new("json-invalid--layout-empty-file", "the layout's file is empty")
            .undecided(&["json-invalid"])
            .file(LAYOUT, Vec::new()),
        write_file(
            invalid(
                "json-invalid--trailing-text",
                "there is a second value behind the envelope",
            ),
            [dsse(link.as_bytes(), &[&alice()]), b" {}".to_vec()].concat(),
        ),
        payload(
            invalid("json-invalid--invalid-utf8", "a name in the signed link is not UTF-8"),
            &not_utf8,
        ),
        payload(
            invalid(
                "json-invalid--lone-surrogate",
                "a name in the signed link is half of a surrogate pair",
            ),
            link.replace("src/lib.rs", "src/\\ud800.rs").as_bytes(),
        ),
        payload(
            invalid(
                "json-invalid--nan",
                "the signed link has a `NaN`, which Python's parser takes",
            ),
            link.replace("\"return-value\":0", "\"return-value\":NaN").as_bytes(),
        ),
        payload(
            invalid(
                "json-invalid--byte-order-mark",
                "the signed link begins with a byte order mark",
            ),
            [b"\xef\xbb\xbf", link.as_bytes()].concat().as_slice(),
        ),
        payload(
            twice(
                "json-duplicate-key--products",
                "the signed link has two lists of products; Python takes the last",
            ),
            link.replacen("{\"_type\"", "{\"products\":{},\"_type\"", 1).as_bytes(),
        ),
        payload(
            twice(
                "json-duplicate-key--escaped",
                "the second member of that name is spelled with an escape",
            ),
            link.replacen("{\"_type\"", "{\"\\u0070roducts\":{},\"_type\"", 1)
                .as_bytes(),
        ),
        Vector::new(
            "json-duplicate-key--layout-steps",
            "the signed layout has two lists of steps",
        )
        .undecided(&["json-duplicate-key"])
        .file(
            LAYOUT,
            dsse(
                layout()
                    .to_string()
                    .replacen("{\"_type\"", "{\"steps\":[],\"_type\"", 1)
                    .as_bytes(),
                &[&owner()],
            ),
        ),
        Vector::new(
            "json-duplicate-key--metablock-signed",
            "the file has two signed objects, one of them authentic",
        )
        .undecided(&["json-duplicate-key"])
        .file(
            LAYOUT,
            [
                b"{\"signed\":{\"_type\":\"layout\"},",
                metablock(&layout(), &[&owner()])[1..].to_vec().as_slice(),
            ]
            .concat(),
        ),
        write_file(
            broken(
                "limit-exceeded",
                "limit-exceeded--deep-json",
                "100,000 arrays within each other",
            ),
            vec![b'['; 100_000],
        ),
        write_file(
            broken(
                "limit-exceeded",
                "limit-exceeded--file-size",
                "the file is larger than the limit",
            )
            .says("limits", json!({ "json_bytes": 4000 })),
            dsse(
                text(&with(write_link(), "/byproducts/stdout", "x".repeat(4000).into())).as_slice(),
                &[&alice()],
            ),
        ),
    ]
}

fn envelopes() -> Vec<Vector> {
    let invalid = |name, about| Vector::new(name, about).undecided(&["envelope-invalid", "link-missing"]);
    let good = String::from_utf8(dsse(&text(&write_link()), &[&alice()])).expect("JSON is text");
    let float = write_link()
        .to_string()
        .replace("\"return-value\":0", "\"return-value\":0.0");
    vec![
        Vector::new("verified--metablock", "layout and links in the other container")
            .file(LAYOUT, metablock(&layout(), &[&owner()]))
            .file(alice().link_file("write"), metablock(&write_link(), &[&alice()]))
            .file(bob().link_file("package"), metablock(&package_link(), &[&bob()])),
        Vector::new(
            "verified--owner-under-python-id",
            "the owner signed under the key's other id",
        )
        .file(LAYOUT, dsse(&text(&layout()), &[&owner().under_python_id()])),
        Vector::new(
            "verified--float-in-dsse",
            "a number with a fraction in signed bytes that need no canonical form",
        )
        .file(alice().link_file("write"), dsse(float.as_bytes(), &[&alice()])),
        Vector::new(
            "envelope-invalid--layout-without-container",
            "the layout stands there without an envelope",
        )
        .undecided(&["envelope-invalid"])
        .file(LAYOUT, text(&layout())),
        write_file(
            invalid(
                "envelope-invalid--payload-type",
                "the payload is said to be something else",
            ),
            good.replace("in-toto+json", "example+json").into_bytes(),
        ),
        write_file(
            invalid("envelope-invalid--base64", "the payload is not base64"),
            good.replacen("\"payload\":\"", "\"payload\":\"!", 1).into_bytes(),
        ),
        write_file(
            invalid(
                "envelope-invalid--two-containers",
                "one file is both containers, and the two peers take different ones",
            ),
            good.replacen('{', "{\"signed\":{},", 1).into_bytes(),
        ),
        write_file(
            Vector::new(
                "float-in-metablock--byproducts",
                "the signed object has a number with a fraction; Go takes it for a whole one",
            )
            .undecided(&["float-in-metablock", "link-missing"]),
            metablock_of(&float, &write_link(), &[&alice()]),
        ),
    ]
}

fn owners() -> Vec<Vector> {
    let edited = with(layout(), "/steps/1/threshold", 1.into());
    let edited = with(edited, "/steps/1/pubkeys/0", mallory().id().into());
    let edited = with(edited, &format!("/keys/{}", mallory().id()), mallory().in_layout());
    let graft = |content: &serde_json::Value| {
        let mut file: serde_json::Value = serde_json::from_slice(&owned(&layout())).expect("an envelope is JSON");
        file["payload"] = intoto_core::encoding::base64::encode(&text(content)).into();
        text(&file)
    };
    let owner_id = owner().id();
    vec![
        Vector::new("no-owner-key--none", "no owner key is given")
            .undecided(&["no-owner-key"])
            .says("owners", json!([])),
        Vector::new(
            "signature-missing--layout-unsigned",
            "the layout has an empty list of signatures",
        )
        .refused(&["signature-missing"])
        .file(LAYOUT, dsse(&text(&layout()), &[])),
        Vector::new(
            "signature-missing--layout-by-stranger",
            "the layout is signed again, by somebody who owns nothing",
        )
        .refused(&["signature-missing"])
        .file(LAYOUT, dsse(&text(&edited), &[&mallory()])),
        Vector::new(
            "signature-missing--second-owner",
            "two owner keys are given, and one of them signed",
        )
        .refused(&["signature-missing"])
        .says("owners", json!(["owner.pub", "second.pub"]))
        .file("second.pub", carol().pem().into_bytes()),
        Vector::new("verified--two-owners", "two owner keys are given, and both signed")
            .says("owners", json!(["owner.pub", "second.pub"]))
            .file("second.pub", carol().pem().into_bytes())
            .file(LAYOUT, dsse(&text(&layout()), &[&owner(), &carol()])),
        Vector::new(
            "signature-invalid--layout-edited",
            "the layout was changed after it was signed",
        )
        .refused(&["signature-invalid"])
        .file(LAYOUT, graft(&edited)),
        Vector::new(
            "signature-invalid--metablock-layout-edited",
            "the layout was changed after it was signed",
        )
        .refused(&["signature-invalid"])
        .file(LAYOUT, metablock_of(&edited.to_string(), &layout(), &[&owner()])),
        Vector::new(
            "signature-invalid--metablock-unsigned-member",
            "a member was added after the layout was signed; Python drops it",
        )
        .refused(&["signature-invalid"])
        .file(
            LAYOUT,
            metablock_of(&with(layout(), "/note", "x".into()).to_string(), &layout(), &[&owner()]),
        ),
        Vector::new(
            "signature-invalid--layout-by-stranger-under-owners-id",
            "a stranger signed under the owner's key id",
        )
        .refused(&["signature-invalid"])
        .file(LAYOUT, dsse_under(&text(&edited), &[(&mallory(), &owner_id)])),
        Vector::new(
            "metadata-invalid--link-in-place-of-layout",
            "the owner signed a link, and it is given as the layout",
        )
        .refused(&["metadata-invalid"])
        .file(LAYOUT, owned(&write_link())),
    ]
}
