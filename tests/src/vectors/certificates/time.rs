//! Certificates that are over, or have not begun.

use super::{by, functionary, under, unmet};
use crate::certificates::{Template, intermediate, root};
use crate::vectors::Vector;

pub(super) fn vectors() -> Vec<Vector> {
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
