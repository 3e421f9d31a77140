//! What is refused, and why: each difference of the matrix, once.

use super::{CERTIFICATE, Cell, GPG, Who};

/// Cells that somebody refuses.
pub(super) struct Note {
    pub(super) applies: fn(Who, Cell) -> bool,
    /// What stands in the refusal of each judge, in their order; of ours, the finding code.
    pub(super) says: [&'static str; 3],
    pub(super) why: &'static str,
}

/// The first that applies counts. None of them verifies what another refuses for a reason: `docs/differences.md` has those.
pub(super) const NOTES: &[Note] = &[
    Note {
        applies: |_, cell| cell.writer == Who::Go && cell.container == "dsse" && is_pem(cell),
        says: ["json-invalid", "", "invalid character"],
        why: "in-toto-golang writes PEM keys with raw line ends into the JSON of a DSSE payload, which nobody can read, itself included (json-invalid)",
    },
    Note {
        applies: |judge, cell| cell.writer == Who::Go && is_other_curve(cell) && judge != Who::Go,
        says: ["key-invalid", "SignatureVerificationError", ""],
        why: "in-toto-golang calls the keys of every curve P-256, in the layout and in their ids (key-invalid)",
    },
    Note {
        applies: |judge, cell| cell.writer == Who::Ours && is_other_curve(cell) && judge == Who::Go,
        says: ["", "", "ignature"],
        why: "in-toto-golang calls the owner's key P-256 and looks for an id made of that",
    },
    Note {
        applies: |judge, cell| cell.kind == GPG && judge == Who::Go,
        says: ["", "", "unknown field"],
        why: "in-toto-golang has no OpenPGP keys",
    },
    Note {
        applies: |judge, cell| {
            cell.kind == CERTIFICATE && cell.container == "dsse" && cell.writer == Who::Go && judge != Who::Python
        },
        says: ["key-not-authorised-for-step", "", "empty Certificate"],
        why: "in-toto-golang loses the certificate when it signs an envelope (key-not-authorised-for-step)",
    },
    Note {
        applies: |judge, cell| cell.kind == CERTIFICATE && cell.container == "dsse" && judge == Who::Go,
        says: ["", "", "empty Certificate"],
        why: "in-toto-golang loses the certificate when it reads an envelope",
    },
    Note {
        applies: |judge, cell| cell.kind == CERTIFICATE && judge == Who::Python,
        says: ["", "", ""],
        why: "in-toto (Python) knows no certificates",
    },
    Note {
        applies: |judge, cell| cell.feature == "statements" && judge == Who::Python,
        says: ["", "InvalidMetadata", ""],
        why: "in-toto (Python) takes links alone for evidence",
    },
    Note {
        applies: |judge, cell| cell.feature == "statements" && judge == Who::Go,
        says: ["", "", "requires '1' link metadata file(s), found '0'"],
        why: "in-toto-golang takes links alone for evidence",
    },
];

fn is_pem(cell: Cell) -> bool {
    is_other_curve(cell) || matches!(cell.kind, "p256" | "rsa-2048")
}

fn is_other_curve(cell: Cell) -> bool {
    matches!(cell.kind, "p384" | "p521")
}
