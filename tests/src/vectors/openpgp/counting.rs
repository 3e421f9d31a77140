//! Whose signatures count, and how often.

use serde_json::json;

use super::people::{Holder, Part, gina, only, part};
use super::{CREATED, by, with_plain, written_by};
use crate::vectors::chain::write_link;
use crate::vectors::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let gina = gina();
    let [first, second] = [&gina.subkeys[0], &gina.subkeys[1]];
    let named = with(written_by(&[&gina], 1), "/steps/0/pubkeys", json!([first.id()]));
    let ids = json!([first.id(), gina.primary.id(), second.id()]);
    let both_named = with(written_by(&[&gina], 1), "/steps/0/pubkeys", ids);
    // The same Ed25519 key as a subkey of two primary keys, with two times of creation and so two fingerprints.
    let shared = |primary, created| Holder {
        primary: part(primary),
        subkeys: vec![Part { created, ..part(26) }],
    };
    let (left, right) = (shared(24, CREATED), shared(25, CREATED + 1));
    let both_forms = with_plain(written_by(&[&only(part(21))], 2), &gina.primary);
    // The primary key a second time, with another time of creation and the other of the subkeys.
    let split = |created, subkey: &Part| Holder {
        primary: Part { created, ..part(21) },
        subkeys: vec![subkey.clone()],
    };
    let (early, late) = (split(CREATED, first), split(CREATED + 1, second));
    let one_twice = with_plain(written_by(&[&early, &late], 2), second);
    vec![
        by("verified--openpgp", "an OpenPGP key signed the link", &gina, &gina.primary),
        by("verified--openpgp-subkey", "a subkey signed, and its primary key is authorised", &gina, first),
        Vector::new("verified--openpgp-subkey-named", "the step names the subkey that signed")
            .layout(&named)
            .file(first.link_file(), first.metablock(&write_link())),
        Vector::new("verified--openpgp-subkey-and-key-named", "the step names a key, and before and after it its subkeys")
            .layout(&both_named)
            .file(first.link_file(), first.metablock(&write_link()))
            .file(second.link_file(), second.metablock(&write_link())),
        Vector::new("verified--openpgp-subkey-in-other-file", "a subkey signed the file of its primary key")
            .layout(&written_by(&[&gina], 1))
            .file(gina.primary.link_file(), first.metablock(&write_link())),
        Vector::new(
            "key-not-authorised-for-step--openpgp-primary-key",
            "the step names one subkey, and the primary key signed",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .layout(&named)
        .file(first.link_file(), gina.primary.metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-subkeys",
            "two keys must sign, and two subkeys of one key did",
        )
        .refused(&["threshold-unmet"])
        .layout(&written_by(&[&gina], 2))
        .file(first.link_file(), first.metablock(&write_link()))
        .file(second.link_file(), second.metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-shared-subkey",
            "two keys must sign, and one subkey that both claim did, under two fingerprints",
        )
        .refused(&["threshold-unmet"])
        .layout(&written_by(&[&left, &right], 2))
        .file(left.subkeys[0].link_file(), left.subkeys[0].metablock(&write_link()))
        .file(right.subkeys[0].link_file(), right.subkeys[0].metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-and-plain",
            "two keys must sign, and one did, listed as an OpenPGP key and as a plain one",
        )
        .refused(&["threshold-unmet"])
        .layout(&both_forms)
        .file(gina.primary.link_file(), gina.primary.metablock(&write_link()))
        .file(gina.primary.plain_link_file(), gina.primary.plain_metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-listed-twice",
            "two keys must sign, and one did with two subkeys: the primary key is listed twice with one each, and one of them as a plain key",
        )
        .refused(&["threshold-unmet"])
        .layout(&one_twice)
        .file(first.link_file(), first.metablock(&write_link()))
        .file(second.link_file(), second.metablock(&write_link()))
        .file(second.plain_link_file(), second.plain_metablock(&write_link())),
    ]
}
