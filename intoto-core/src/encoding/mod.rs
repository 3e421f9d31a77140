//! Encodings of metadata: strict JSON in, canonical and ordinary JSON out, and the bytes that DSSE signs.
//!
//! ```
//! use intoto_core::encoding::{strict_json, to_canonical};
//! use intoto_core::limits::Limits;
//!
//! let value = strict_json::parse(br#"{ "b": "x\ny", "a": -0 }"#, &Limits::default()).unwrap();
//! assert_eq!(to_canonical(&value).unwrap(), b"{\"a\":0,\"b\":\"x\ny\"}");
//! ```

pub mod base64;
pub mod canonical_json;
pub mod json_text;
pub mod pae;
mod scan;
pub mod strict_json;
pub mod value;

pub use canonical_json::{CanonicalError, to_canonical};
pub use json_text::{to_json, to_json_pretty, to_json_spaced};
pub use pae::pae;
pub use strict_json::{JsonError, JsonErrorKind};
pub use value::{Object, Value};
