//! Certificates of fixed keys and times, made by hand, so that each can be wrong in just one way.

use intoto_core::key::{SecretKey, Signer as _};
use intoto_core::x509::Certificate;

use crate::fixed;

/// What a certificate is to say.
#[derive(Clone)]
pub struct Template {
    /// The key that it is about.
    pub key: fn() -> SecretKey,
    /// The subject's common name.
    pub common_name: &'static str,
    /// The subject's organizations.
    pub organizations: Vec<&'static str>,
    /// Alternative names.
    pub dns_names: Vec<&'static str>,
    /// Alternative names.
    pub emails: Vec<&'static str>,
    /// Alternative names.
    pub uris: Vec<&'static str>,
    /// The first and the last second of its validity, as `YYMMDDhhmmss`.
    pub validity: (&'static str, &'static str),
    /// Whether it is an authority's, and how many may stand below it.
    pub authority: Option<Option<u8>>,
    /// The octet of its key usage.
    pub key_usage: Option<u8>,
    /// Its extended key usage.
    pub purposes: Vec<&'static str>,
    /// Further extensions: identifier, whether critical, DER.
    pub others: Vec<(&'static str, bool, Vec<u8>)>,
    /// The algorithm that is said to have signed it, in place of the issuer's own.
    pub algorithm: Option<&'static str>,
}

/// `digitalSignature`
pub const SIGNING: u8 = 0x80;
/// `keyCertSign` and `cRLSign`
pub const ISSUING: u8 = 0x06;
/// Extended key usage.
pub const SERVER_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.1";
/// Extended key usage.
pub const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
/// An extension of nobody.
pub const UNKNOWN_EXTENSION: &str = "1.3.6.1.4.1.99999.1";
/// The extension with alternative names, for those of kinds that [`Template`] does not have.
pub const ALTERNATIVE_NAMES: &str = "2.5.29.17";
/// The extension that restricts an authority's names.
pub const NAME_CONSTRAINTS: &str = "2.5.29.30";

impl Template {
    /// A functionary's certificate, good for a year.
    pub fn functionary(common_name: &'static str, key: fn() -> SecretKey) -> Self {
        Self {
            key,
            common_name,
            organizations: vec!["Example"],
            dns_names: Vec::new(),
            emails: Vec::new(),
            uris: Vec::new(),
            validity: ("260601000000", "270601000000"),
            authority: None,
            key_usage: Some(SIGNING),
            purposes: Vec::new(),
            others: Vec::new(),
            algorithm: None,
        }
    }

    /// An authority's certificate, good for ten years.
    pub fn authority(common_name: &'static str, key: fn() -> SecretKey) -> Self {
        Self {
            validity: ("250101000000", "350101000000"),
            authority: Some(None),
            key_usage: Some(ISSUING),
            ..Self::functionary(common_name, key)
        }
    }

    /// The certificate, issued by `issuer`.
    ///
    /// # Panics
    /// When the key in memory does not sign.
    pub fn issued_by(&self, issuer: &Self) -> Vec<u8> {
        let key = (issuer.key)();
        let spki = (self.key)().public_key().to_spki_der();
        // Ed25519 has a shorter SubjectPublicKeyInfo than any other kind of key.
        let own = if key.public_key().to_spki_der().len() == 44 {
            "1.3.101.112"
        } else {
            "1.2.840.10045.4.3.2"
        };
        let algorithm = sequence(&[oid(self.algorithm.unwrap_or(own))]);
        let (from, until) = self.validity;
        let time = |text: &str| tlv(0x17, format!("{text}Z").as_bytes());
        let signed = sequence(&[
            tlv(0xa0, &[2, 1, 2]),
            tlv(2, &[self.common_name.len().max(1) as u8 & 0x7f]),
            algorithm.clone(),
            issuer.subject(),
            sequence(&[time(from), time(until)]),
            self.subject(),
            spki,
            tlv(0xa3, &sequence(&self.extensions())),
        ]);
        let signature = key.sign(&signed).expect("keys in memory sign");
        sequence(&[signed, algorithm, tlv(3, &[&[0], signature.as_slice()].concat())])
    }

    /// The certificate as PEM.
    ///
    /// # Panics
    /// When the template makes none that can be read; use [`pem`] for one that is broken on purpose.
    pub fn pem_by(&self, issuer: &Self) -> String {
        Certificate::from_der(&self.issued_by(issuer))
            .expect("the template makes a certificate")
            .to_pem()
    }

    fn subject(&self) -> Vec<u8> {
        let attribute = |kind: &str, text: &str| {
            let value = tlv(0x0c, text.as_bytes());
            tlv(0x31, &sequence(&[oid(kind), value]))
        };
        let organizations = self.organizations.iter().map(|text| attribute("2.5.4.10", text));
        let common_name = (!self.common_name.is_empty()).then(|| attribute("2.5.4.3", self.common_name));
        sequence(&organizations.chain(common_name).collect::<Vec<_>>())
    }

    fn extensions(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        if let Some(path_length) = self.authority {
            let limit = path_length.map(|limit| tlv(2, &[limit]));
            let value = sequence(&[tlv(1, &[0xff]), limit.unwrap_or_default()]);
            all.push(extension("2.5.29.19", true, &value));
        }
        if let Some(usage) = self.key_usage {
            let unused = u8::try_from(usage.trailing_zeros()).unwrap_or(7);
            all.push(extension("2.5.29.15", true, &tlv(3, &[unused, usage])));
        }
        if !self.purposes.is_empty() {
            let purposes: Vec<Vec<u8>> = self.purposes.iter().map(|purpose| oid(purpose)).collect();
            all.push(extension("2.5.29.37", false, &sequence(&purposes)));
        }
        let names = |tag: u8, names: &[&str]| names.iter().map(|name| tlv(tag, name.as_bytes())).collect::<Vec<_>>();
        let names = [
            names(0x81, &self.emails),
            names(0x82, &self.dns_names),
            names(0x86, &self.uris),
        ]
        .concat();
        if !names.is_empty() {
            all.push(extension("2.5.29.17", false, &sequence(&names)));
        }
        all.extend(
            self.others
                .iter()
                .map(|(id, critical, value)| extension(id, *critical, value)),
        );
        all
    }
}

/// Any bytes as PEM that says it is a certificate.
pub fn pem(der: &[u8]) -> String {
    let base64 = intoto_core::encoding::base64::encode(der);
    let lines: Vec<&str> = (0..base64.len())
        .step_by(64)
        .map(|at| &base64[at..base64.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// The key of the root.
pub fn root_key() -> SecretKey {
    fixed::p256("root")
}

/// The key of the intermediate authority.
pub fn intermediate_key() -> SecretKey {
    fixed::ed25519("intermediate")
}

/// The key of an authority below the intermediate one.
pub fn lower_key() -> SecretKey {
    fixed::ed25519("lower")
}

/// The key of an authority that nobody trusts.
pub fn foreign_key() -> SecretKey {
    fixed::ed25519("foreign")
}

/// The root.
pub fn root() -> Template {
    Template::authority("Example Root", root_key)
}

/// The intermediate authority.
pub fn intermediate() -> Template {
    Template::authority("Example Builds", intermediate_key)
}

fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { tlv(1, &[0xff]) } else { Vec::new() };
    sequence(&[oid(id), critical, tlv(4, value)])
}

/// A DER sequence.
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Anything in DER.
pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(value);
    out
}

/// An object identifier.
pub fn oid(dotted: &str) -> Vec<u8> {
    let mut arcs = dotted.split('.').map(|arc| arc.parse::<u32>().expect("a number"));
    let (first, second) = (arcs.next().unwrap_or(0), arcs.next().unwrap_or(0));
    let mut bytes = vec![(first * 40 + second) as u8];
    for arc in arcs {
        let groups = (1..5).rev().filter(|group| arc >> (7 * group) != 0);
        bytes.extend(groups.map(|group| (arc >> (7 * group)) as u8 | 0x80));
        bytes.push(arc as u8 & 0x7f);
    }
    tlv(6, &bytes)
}
