//! Version 1 of cargo's credential-provider protocol: what is said, in our own shapes.
//!
//! Cargo starts the provider, reads one line (the hello), writes one line per request and reads one line per answer. As in cargo's own
//! library, members that are not known are none of our business; an operation that is not known is, and is refused.

use serde::{Deserialize, Serialize};

use super::Refusal;

/// The version that is spoken here.
const VERSION: u32 = 1;
/// No request is longer: the longest parts are the headers with which a registry asked for a token.
pub(super) const MAX_LINE: usize = 256 << 10;

/// The first line, by which cargo knows that it talks to a provider.
pub(super) fn hello() -> String {
    format!("{{\"v\":[{VERSION}]}}")
}

/// A request as it is written.
#[derive(Debug, Deserialize)]
struct Line {
    v: u32,
    registry: RegistryLine,
    kind: String,
    operation: Option<String>,
    name: Option<String>,
    vers: Option<String>,
    cksum: Option<String>,
    #[serde(default)]
    args: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RegistryLine {
    index_url: String,
    name: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
}

/// What cargo wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The registry's index, as in cargo's configuration.
    pub(super) index_url: String,
    /// What the configuration calls the registry.
    pub(super) registry: Option<String>,
    /// Whether the registry demanded a token for this, and did not just take one.
    pub(super) was_asked: bool,
    /// For what the token is.
    pub(super) operation: Operation,
    /// The words that stand behind the provider in cargo's configuration.
    pub(super) arguments: Vec<String>,
}

/// For what a token is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// The index or a `.crate` is read.
    Read,
    /// A `.crate` is uploaded.
    Publish {
        name: String,
        version: String,
        checksum: String,
    },
    /// A version is yanked or unyanked, or the owners of a crate are read or changed.
    Manage,
    /// Logging in or out, and whatever cargo may invent.
    Other(String),
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is malformed, in another version, or lacks what its operation needs.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let line: Line =
            serde_json::from_slice(line).map_err(|error| format!("cargo's request is malformed: {error}"))?;
        if line.v != VERSION {
            return Err(format!(
                "cargo speaks version {} of the credential-provider protocol, and this program version {VERSION}",
                line.v
            ));
        }
        let operation = match (line.kind.as_str(), line.operation.as_deref()) {
            ("get", Some("read")) => Operation::Read,
            ("get", Some("publish")) => match (line.name, line.vers, line.cksum) {
                (Some(name), Some(version), Some(checksum)) => Operation::Publish {
                    name,
                    version,
                    checksum,
                },
                _ => return Err("cargo does not say which bytes of which crate it is about to upload".to_owned()),
            },
            ("get", Some("yank" | "unyank" | "owners")) => Operation::Manage,
            ("get", Some(other)) => Operation::Other(other.to_owned()),
            (kind, _) => Operation::Other(kind.to_owned()),
        };
        Ok(Self {
            index_url: line.registry.index_url,
            registry: line.registry.name,
            was_asked: !line.registry.headers.is_empty(),
            operation,
            arguments: line.args,
        })
    }
}

/// What cargo gets.
#[derive(Debug, Serialize)]
pub(super) enum Answer<'a> {
    Ok(Granted<'a>),
    Err(Denied<'a>),
}

/// A token for this one request: cargo is told to forget it, or the one for reading would serve for the upload, and nobody
/// would be asked.
#[derive(Debug, Serialize)]
pub(super) struct Granted<'a> {
    kind: &'static str,
    token: &'a str,
    cache: &'static str,
    // Written with an underscore, unlike all else in the protocol.
    operation_independent: bool,
}

/// A refusal, after which cargo stops. Never `not-found`: cargo would go on and ask the next provider.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Denied<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caused_by: Option<&'a [String]>,
}

impl<'a> Answer<'a> {
    /// This token, once.
    pub(super) fn token(token: &'a str) -> Self {
        Self::Ok(Granted {
            kind: "get",
            token,
            cache: "never",
            operation_independent: false,
        })
    }

    /// No, and why.
    pub(super) fn refusal(refusal: &'a Refusal) -> Self {
        Self::Err(Denied {
            kind: "other",
            message: Some(refusal.message()),
            caused_by: Some(refusal.causes()),
        })
    }

    /// Not something that this provider does.
    pub(super) fn unsupported() -> Self {
        Self::Err(Denied {
            kind: "operation-not-supported",
            message: None,
            caused_by: None,
        })
    }

    /// The line.
    pub(super) fn to_line(&self) -> String {
        serde_json::to_string(self).expect("texts and booleans are always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Operation, String> {
        Request::parse(line.as_bytes()).map(|request| request.operation)
    }

    #[test]
    fn requests_are_read_as_cargo_writes_them() {
        let publish = Operation::Publish {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            checksum: "00".to_owned(),
        };
        for (rest, expected) in [
            (r#""kind":"get","operation":"read""#, Operation::Read),
            (
                r#""kind":"get","operation":"publish","name":"a","vers":"1.0.0","cksum":"00","more":[1]"#,
                publish,
            ),
            (
                r#""kind":"get","operation":"yank","name":"a","vers":"1.0.0""#,
                Operation::Manage,
            ),
            (
                r#""kind":"get","operation":"unyank","name":"a","vers":"1.0.0""#,
                Operation::Manage,
            ),
            (r#""kind":"get","operation":"owners","name":"a""#, Operation::Manage),
            (
                r#""kind":"get","operation":"transfer""#,
                Operation::Other("transfer".to_owned()),
            ),
            (r#""kind":"login","token":"x""#, Operation::Other("login".to_owned())),
            (r#""kind":"logout""#, Operation::Other("logout".to_owned())),
            (r#""kind":"get""#, Operation::Other("get".to_owned())),
            // Whatever else it names, what is not a `get` is no publish.
            (
                r#""kind":"sign","operation":"publish","name":"a","vers":"1","cksum":"0""#,
                Operation::Other("sign".to_owned()),
            ),
        ] {
            let line = format!(r#"{{"v":1,"registry":{{"index-url":"sparse+https://r.example/","x":0}},{rest}}}"#);
            assert_eq!(parse(&line), Ok(expected), "{line}");
        }
        let line = r#"{"v":1,"registry":{"index-url":"u","name":"n","headers":["h"]},"kind":"get","operation":"read","args":["--key","k"]}"#;
        let request = Request::parse(line.as_bytes()).expect("well formed");
        assert_eq!(
            (request.index_url.as_str(), request.registry.as_deref()),
            ("u", Some("n"))
        );
        assert!(request.was_asked);
        assert_eq!(request.arguments, ["--key", "k"]);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "",
            "{}",
            "[]",
            r#"{"v":2,"registry":{"index-url":"u"},"kind":"get","operation":"read"}"#,
            r#"{"v":1,"registry":{},"kind":"get","operation":"read"}"#,
            r#"{"v":1,"kind":"get","operation":"read"}"#,
            r#"{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"publish","name":"a","vers":"1.0.0"}"#,
            r#"{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"publish","name":"a","cksum":"00"}"#,
            r#"{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"publish","name":"a","name":"b","vers":"1","cksum":"0"}"#,
            r#"{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"read","operation":"publish"}"#,
            r#"{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"read"} x"#,
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn answers_are_what_cargo_reads() {
        assert_eq!(hello(), r#"{"v":[1]}"#);
        assert_eq!(
            Answer::token("t").to_line(),
            r#"{"Ok":{"kind":"get","token":"t","cache":"never","operation_independent":false}}"#
        );
        let refusal = Refusal::new("no").because("a").because("b\u{1b}[2J");
        assert_eq!(
            Answer::refusal(&refusal).to_line(),
            r#"{"Err":{"kind":"other","message":"no","caused-by":["a","b\\u{1b}[2J"]}}"#
        );
        assert_eq!(
            Answer::unsupported().to_line(),
            r#"{"Err":{"kind":"operation-not-supported"}}"#
        );
    }
}
