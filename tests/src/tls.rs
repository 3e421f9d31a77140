//! A server that speaks TLS on the loopback interface, and the authority that certifies it.

use std::sync::Arc;

use intoto_core::key::SecretKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::{self, ALTERNATIVE_NAMES, SERVER_AUTHENTICATION, Template, sequence, tlv};
use crate::fixed;
use crate::http::{self, Request, Response};

/// A server's certificate.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The address that it is for.
    pub address: [u8; 4],
    /// The first and the last second of its validity, as `YYMMDDhhmmss`.
    pub validity: (&'static str, &'static str),
}

impl Named {
    /// For this machine, and for as long as such a date can say.
    pub const GOOD: Self = Self {
        address: [127, 0, 0, 1],
        validity: ("250101000000", "491231235959"),
    };
}

/// The authority's certificate, as PEM.
#[must_use]
pub fn authority() -> String {
    let root = root();
    certificates::pem(&root.issued_by(&root))
}

/// Answers every request until the process ends; returns the port.
///
/// # Panics
/// When no loopback port is free.
pub fn serve(named: Named, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> u16 {
    let mut own = Template::functionary("server", server_key);
    own.validity = named.validity;
    own.purposes = vec![SERVER_AUTHENTICATION];
    own.others = vec![(ALTERNATIVE_NAMES, false, sequence(&[tlv(0x87, &named.address)]))];
    let chain = vec![CertificateDer::from(own.issued_by(&root()))];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key().to_pkcs8_der().to_vec()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the usual versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the key is the certificate's");
    let config = Arc::new(config);
    http::accept(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
        http::converse(StreamOwned::new(connection, stream), &answer)
    })
}

fn root() -> Template {
    let mut root = Template::authority("private-tls-root", || fixed::p256("tls root"));
    root.validity = Named::GOOD.validity;
    root
}

fn server_key() -> SecretKey {
    fixed::p256("tls server")
}
