//! What stands for certificates in a build without them: a layout that counts any is refused when it is read.

use alloc::sync::Arc;

use crate::envelope::{Envelope, Verified};
use crate::key::{KeyKind, PublicKey};
use crate::name::KeyId;
use crate::verdict::CertificateReport;

use super::problem::Problem;

/// Nothing judges certificates.
#[derive(Debug)]
pub(super) enum Judge {}

/// Nobody is known by a certificate.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    pub(super) key_id: KeyId,
    pub(super) key: Arc<PublicKey>,
    nobody: core::convert::Infallible,
}

impl Bearer {
    pub(super) fn is_same_as(&self, _: &Self) -> bool {
        match self.nobody {}
    }

    pub(super) fn is_nameless(&self) -> bool {
        match self.nobody {}
    }

    pub(super) fn report(&self) -> CertificateReport {
        match self.nobody {}
    }
}

impl Judge {
    pub(super) fn examine<'e, 'a>(
        &self,
        _: &'e Envelope<'a>,
        _: &str,
    ) -> Result<(Bearer, KeyKind, Verified<&'e Envelope<'a>>), Problem> {
        match *self {}
    }
}
