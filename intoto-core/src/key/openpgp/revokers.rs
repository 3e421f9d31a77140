//! Whom a key appointed to revoke it. Specification: RFC 4880, 5.2.3.15.

use alloc::collections::BTreeSet;

use super::CertificateError;
use super::self_signature::{CERTIFICATIONS, DIRECT, signature_type};
use super::subpackets::{ISSUER, ISSUER_FINGERPRINT, REVOCATION_KEY, hashed_subpackets, subpackets};
use crate::name::KeyId;

/// The fingerprints of those whom a key appointed.
#[derive(Debug, Default)]
pub(super) struct Revokers<'a> {
    fingerprints: BTreeSet<&'a [u8]>,
}

impl<'a> Revokers<'a> {
    /// How many one key may appoint; GnuPG's users have one, if any, and each is compared with each signature.
    const MAX: usize = 16;

    /// Adds those whom one of the key's own signatures appoints. Whether it holds is not asked, as with revocations: it may have been made with
    /// SHA-1, and whoever could add one that does not hold could add a revocation.
    pub(super) fn appoint(&mut self, primary: &KeyId, body: &'a [u8]) -> Result<(), CertificateError> {
        let kind = signature_type(body);
        if kind != DIRECT && !CERTIFICATIONS.contains(&kind) {
            return Ok(());
        }
        for content in hashed_subpackets(body, REVOCATION_KEY) {
            // A class, an algorithm, and the fingerprint of a version 4 key.
            if let [_, _, fingerprint @ ..] = content
                && fingerprint.len() == 20
            {
                self.fingerprints.insert(fingerprint);
            }
        }
        if self.fingerprints.len() > Self::MAX {
            return Err(CertificateError::TooMany {
                fingerprint: primary.clone(),
                what: "appointed revokers",
                limit: Self::MAX,
            });
        }
        Ok(())
    }

    /// Whether a signature says that one of them made it.
    pub(super) fn issued(&self, body: &[u8]) -> bool {
        if self.fingerprints.is_empty() {
            return false;
        }
        let by_id = subpackets(body, ISSUER);
        let by_fingerprint = subpackets(body, ISSUER_FINGERPRINT).map(|content| content.get(1..).unwrap_or_default());
        by_id
            .chain(by_fingerprint)
            .filter(|issuer| !issuer.is_empty())
            .any(|issuer| self.fingerprints.iter().any(|known| known.ends_with(issuer)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::{CertificateError, OpenPgpCertificate, OpenPgpKey, armor, packet};
    use crate::digest::from_hex;

    /// Made with GnuPG: Fay appointed Gil, who revoked Fay's key. Packets: the key, Gil's revocation, Fay's appointment, a user id, what Fay says with
    /// it, a subkey that may sign, Fay's word for it.
    const REVOKED: &[u8] = include_bytes!("samples/revoked-by-appointed.asc");
    const GIL: &str = "48992ac93f3a6c4795149c513fe02ff67034732b";

    fn read(packets: &[Vec<u8>]) -> Result<OpenPgpKey, CertificateError> {
        let export = packets.concat();
        let [certificate] = <[_; 1]>::try_from(OpenPgpCertificate::read_all(&export)?).expect("one key");
        certificate.key
    }

    fn packets(export: &[u8]) -> Vec<Vec<u8>> {
        let binary = armor::decode(export).expect("our own sample");
        let mut rest = &*binary;
        let mut packets = Vec::new();
        while !rest.is_empty() {
            let (_, after) = packet::split_first(rest).expect("our own sample");
            packets.push(rest[..rest.len() - after.len()].to_vec());
            rest = after;
        }
        packets
    }

    /// A signature of that kind in the name of somebody, which nobody made.
    fn forged(kind: u8, subpacket: u8, issuer: &str) -> Vec<u8> {
        let issuer = from_hex(issuer).expect("our own digits");
        let length = u8::try_from(issuer.len() + 1).expect("short");
        let unhashed = [&[length, subpacket][..], &issuer].concat();
        let mut body = alloc::vec![4, kind, 22, 8, 0, 0, 0, length + 1];
        body.extend(unhashed);
        body.extend([0, 0]);
        [&[0xc0 | 2, u8::try_from(body.len()).expect("short")][..], &body].concat()
    }

    #[test]
    fn an_appointed_revoker_is_heeded() {
        let all = packets(REVOKED);
        let fingerprint = read(&[&all[..1], &all[2..]].concat())
            .expect("not revoked")
            .fingerprint()
            .clone();
        assert_eq!(read(&all), Err(CertificateError::Revoked { fingerprint }));
        // Whoever was not appointed has nothing to say.
        assert!(read(&[&all[..2], &all[3..]].concat()).is_ok());
    }

    #[test]
    fn each_kind_of_revocation_counts_in_its_place() {
        let mut all = packets(REVOKED);
        all.remove(1);
        let with = |place: usize, packet: Vec<u8>| {
            let mut changed = all.clone();
            changed.insert(place, packet);
            read(&changed)
        };
        let subkeys = |key: Result<OpenPgpKey, CertificateError>| key.map(|key| key.subkey_ids().count()).ok();
        let long_id = &GIL[24..];
        let by_fingerprint = alloc::format!("04{GIL}");
        // Behind the primary key, its subkey's binding, its user id's certification: by whom, and how many subkeys are left.
        for (place, packet, expected) in [
            (1, forged(0x20, 16, long_id), None),
            (1, forged(0x20, 33, &by_fingerprint), None),
            (1, forged(0x20, 16, "0123456789abcdef"), Some(1)),
            (1, forged(0x28, 16, long_id), Some(1)),
            (6, forged(0x28, 16, long_id), Some(0)),
            (6, forged(0x28, 16, "0123456789abcdef"), Some(1)),
            (6, forged(0x20, 16, long_id), Some(1)),
            // The key has said something directly as well.
            (4, forged(0x30, 16, long_id), Some(1)),
        ] {
            let shown = alloc::format!("{place} {packet:?}");
            assert_eq!(subkeys(with(place, packet)), expected, "{shown}");
        }
    }

    /// The end of this key is set with its user id, and a direct signature that appoints a revoker is silent about it.
    #[test]
    fn a_revoked_user_id_still_limits() {
        let all = packets(include_bytes!("samples/appointed-revoker.asc"));
        let revoked = forged(0x30, 16, "ff47b46bbbc9a764");
        let ends = |packets: &[Vec<u8>]| read(packets).expect("a key").expires();
        let end = ends(&all);
        assert!(end.is_some());
        assert_eq!(ends(&[&all[..4], &[revoked], &all[4..]].concat()), end);
        let own = forged(0x30, 16, "43be0b8ed5cafa20");
        assert_eq!(ends(&[&all[..4], &[own], &all[4..]].concat()), end);
    }

    #[test]
    fn revokers_are_bounded() {
        let all = packets(REVOKED);
        for (count, expected) in [(16, true), (17, false)] {
            let mut hashed = Vec::new();
            for number in 0..count {
                hashed.extend([23, 12, 0x80, 22]);
                hashed.extend([number; 20]);
            }
            let mut body = alloc::vec![4, 0x1f, 22, 8];
            body.extend(u16::try_from(hashed.len()).expect("short").to_be_bytes());
            body.extend(hashed);
            body.extend([0, 0, 0, 0]);
            let mut appointment = alloc::vec![0xc0 | 2, 255];
            appointment.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
            appointment.extend(body);
            let found = read(&[&all[..1], &[appointment], &all[3..]].concat());
            assert_eq!(found.is_ok(), expected, "{count}");
        }
    }
}
