//! When keys and signatures hold.

use super::people::{Holder, Part, gina, only, part};
use super::{CREATED, MADE, NOW, by, with_headers};
use crate::vectors::Vector;

pub(super) fn vectors() -> Vec<Vector> {
    let expired = only(Part {
        validity: Some(NOW - CREATED),
        ..part(21)
    });
    let lasting = only(Part {
        validity: Some(NOW - CREATED + 1),
        ..part(21)
    });
    let subkey_expired = Holder {
        primary: part(21),
        subkeys: vec![Part {
            validity: Some(1),
            ..part(22)
        }],
    };
    let primary_expired = Holder {
        subkeys: vec![part(22)],
        ..expired.clone()
    };
    let unborn = only(Part {
        created: NOW + 1,
        ..part(21)
    });
    let subkey_unborn = Holder {
        primary: part(21),
        subkeys: vec![Part {
            created: NOW + 1,
            ..part(22)
        }],
    };
    let remade = |made: u32| move |_: Vec<u8>| gina().primary.headers(made, &[]);
    vec![
        by(
            "key-expired--functionary",
            "an OpenPGP key signed that ends at this second",
            &expired,
            &expired.primary,
        ),
        by(
            "verified--openpgp-last-second",
            "an OpenPGP key signed that ends in the next second",
            &lasting,
            &lasting.primary,
        ),
        by(
            "key-expired--subkey",
            "a subkey signed that has ended",
            &subkey_expired,
            &subkey_expired.subkeys[0],
        ),
        by(
            "key-expired--primary-key",
            "a subkey without an end signed, and its primary key has ended",
            &primary_expired,
            &primary_expired.subkeys[0],
        ),
        by(
            "key-not-yet-valid--functionary",
            "an OpenPGP key signed that is created in the future",
            &unborn,
            &unborn.primary,
        ),
        by(
            "key-not-yet-valid--subkey",
            "a subkey signed that is created in the future",
            &subkey_unborn,
            &subkey_unborn.subkeys[0],
        ),
        with_headers(
            "signature-time-invalid--future",
            "the OpenPGP signature says that it will be made in the next second",
            remade(NOW + 1),
        ),
        with_headers(
            "signature-time-invalid--before-key",
            "the OpenPGP signature says that it is older than its key",
            remade(CREATED - 1),
        ),
        with_headers(
            "signature-time-invalid--expired",
            "the OpenPGP signature says that it held for a day",
            |_| gina().primary.headers(MADE, &[5, 3, 0, 1, 0x51, 0x80]),
        ),
    ]
}
