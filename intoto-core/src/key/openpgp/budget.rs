//! How much checking one export is worth: whoever writes it decides how many signatures there are, and how long they take.

use super::CertificateError;
use super::key::Part;

/// What is left for an export.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    /// In signatures of common keys over little: a second or so. GnuPG's users have some ten on each of their keys.
    pub(super) const MAX: usize = 8192;

    /// Hashing so many bytes takes about as long as a signature.
    const BYTES: usize = 32 << 10;

    pub(super) fn new() -> Self {
        Self { left: Self::MAX }
    }

    /// Takes off what checking a signature of `by` over `content` costs.
    pub(super) fn check(&mut self, by: &Part, content: &[u8]) -> Result<(), CertificateError> {
        let cost = by.material.check_cost() + content.len() / Self::BYTES;
        self.left = self
            .left
            .checked_sub(cost)
            .ok_or(CertificateError::TooMuch { limit: Self::MAX })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::{CertificateError, OpenPgpCertificate, armor};
    use super::Budget;
    use crate::name::KeyId;

    const OWNER: &[u8] = include_bytes!("samples/owner.asc");
    const BOB: &[u8] = include_bytes!("samples/bob.asc");

    /// An export whose last user id has so many more signatures, none of which holds.
    fn with_signatures(export: &[u8], count: usize) -> Vec<u8> {
        add_signatures(armor::decode(export).expect("our own sample").into_owned(), count)
    }

    fn add_signatures(mut binary: Vec<u8>, count: usize) -> Vec<u8> {
        for _ in 0..count {
            binary.extend([0xc0 | 2, 10, 4, 0x13, 22, 8, 0, 0, 0, 0, 0, 0]);
        }
        binary
    }

    /// How many keys are read of several exports, or that it is too much.
    fn read(exports: &[Vec<u8>]) -> Result<usize, CertificateError> {
        let keys = OpenPgpCertificate::read_all(&exports.concat())?;
        Ok(keys.iter().filter(|found| found.key.is_ok()).count())
    }

    #[test]
    fn an_export_is_checked_within_bounds() {
        // A key has one signature on itself, and may have so many more.
        let full = with_signatures(OWNER, 511);
        assert_eq!(read(core::slice::from_ref(&full)), Ok(1));
        assert_eq!(read(&[with_signatures(OWNER, 512)]), Ok(0));
        let keys = Budget::MAX / 512;
        let all = alloc::vec![full; keys];
        assert_eq!(read(&all), Ok(keys));
        let too_much = Err(CertificateError::TooMuch { limit: Budget::MAX });
        let more = [&all[..], &[with_signatures(OWNER, 0)]].concat();
        assert_eq!(read(&more), too_much);
        // What is not asked for costs nothing.
        let bob: KeyId = OpenPgpCertificate::read_all(BOB).expect("our own sample")[0]
            .fingerprint
            .clone()
            .expect("version 4");
        let with_bob = [&more[..], &[with_signatures(BOB, 0)]].concat().concat();
        let found = OpenPgpCertificate::read_chosen(&with_bob, |id| *id == bob).expect("one key is little");
        assert!(matches!(&found[..], [only] if only.key.is_ok()));
        assert!(
            OpenPgpCertificate::read_chosen(&with_bob, |_| false)
                .expect("no key")
                .is_empty()
        );
    }

    #[test]
    fn what_takes_longer_counts_more() {
        // DSA, and signatures over much.
        let dsa = alloc::vec![with_signatures(BOB, 150); 2];
        assert!(read(&dsa[..1]).is_ok());
        assert!(matches!(read(&dsa), Err(CertificateError::TooMuch { .. })));
        let mut photographs = Vec::new();
        for _ in 0..3 {
            photographs.extend(armor::decode(OWNER).expect("our own sample").iter());
            let length = 256_usize << 10;
            photographs.extend([0xc0 | 17, 255]);
            photographs.extend(u32::try_from(length).expect("short").to_be_bytes());
            photographs.resize(photographs.len() + length, 0);
            photographs = add_signatures(photographs, 400);
        }
        assert!(matches!(read(&[photographs]), Err(CertificateError::TooMuch { .. })));
    }
}
