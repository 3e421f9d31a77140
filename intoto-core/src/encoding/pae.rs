//! The pre-authentication encoding of DSSE: the bytes that are signed in place of the payload.
//!
//! Specification: DSSE 1.0, "Signature Definition".
//!
//! ```
//! assert_eq!(intoto_core::encoding::pae("text/plain", b"hello"), b"DSSEv1 10 text/plain 5 hello");
//! ```

use alloc::format;
use alloc::vec::Vec;

/// `DSSEv1`, then the type and the payload, each preceded by its length in bytes, all separated by one blank.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut bytes = Vec::with_capacity(head.len() + payload.len());
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(payload);
    bytes
}
