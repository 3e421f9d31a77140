//! `ssh-agent:`: Ed25519 keys that an SSH agent keeps. Exactly two requests of its protocol are spoken: list identities, and sign
//! (draft-ietf-sshm-ssh-agent, 3.5 and 3.6; the key and signature formats are those of RFC 8709).

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use intoto_core::encoding::base64;
use intoto_core::key::{Ed25519Key, PublicKey, SignError, Signer};
use sha2::{Digest as _, Sha256};

use crate::error::CliError;
use crate::escape;
use crate::signing::other::time_limit;

/// OpenSSH's agent takes and sends no longer messages.
const MAX_MESSAGE: usize = 256 << 10;
/// More keys than any agent offers to a server that lets one try six.
const MAX_KEYS: usize = 1024;
const ED25519: &[u8] = b"ssh-ed25519";

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// An Ed25519 key that an agent keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentKey {
    key: PublicKey,
    blob: Vec<u8>,
    limit: Duration,
}

impl AgentKey {
    /// Finds the key that is named by its fingerprint (`SHA256:…`) or its comment, or the only Ed25519 key when nothing is said.
    pub fn find(text: &str) -> Result<Self, CliError> {
        let limit = time_limit()?;
        let failed = |why: String| CliError::cannot_decide(format!("failed to list the keys of the SSH agent: {why}"));
        let answer = ask(&[REQUEST_IDENTITIES], limit)
            .map_err(|why| failed(why).hint("`ssh-add -l` shows the keys of the agent that SSH_AUTH_SOCK names"))?;
        let identities = identities(&answer).ok_or_else(|| failed("its answer is malformed".to_owned()))?;
        let mut fitting = identities.iter().filter(|identity| identity.fits(text));
        let chosen = match (fitting.next(), fitting.next()) {
            (Some(only), None) => only,
            (None, _) => {
                let what = if text.is_empty() {
                    String::new()
                } else {
                    format!(" `{text}`")
                };
                return Err(CliError::usage(format!("the SSH agent has no Ed25519 key{what}"))
                    .hint("`ssh-add -l` shows its keys; other kinds than Ed25519 cannot be used"));
            }
            (Some(_), Some(_)) => {
                let known: Vec<String> = identities
                    .iter()
                    .filter(|identity| identity.fits(text))
                    .map(|identity| identity.fingerprint())
                    .collect();
                return Err(
                    CliError::usage("several Ed25519 keys of the SSH agent fit").hint(format!(
                        "name one by its fingerprint: ssh-agent:{}",
                        known.join(", ssh-agent:")
                    )),
                );
            }
        };
        let key = Ed25519Key::from_bytes(&chosen.point)
            .map_err(|error| CliError::cannot_decide("the key of the SSH agent cannot be used").because(error))?;
        Ok(Self {
            key: PublicKey::Ed25519(key),
            blob: chosen.blob(),
            limit,
        })
    }

    /// The URI, with the fingerprint.
    pub fn name(&self) -> String {
        format!("ssh-agent:{}", fingerprint(&self.blob))
    }
}

impl Signer for AgentKey {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signed = || {
            let mut request = vec![SIGN_REQUEST];
            put(&mut request, &self.blob)?;
            put(&mut request, message)?;
            // No flags: those are for RSA.
            request.extend([0; 4]);
            if request.len() > MAX_MESSAGE {
                return Err(format!(
                    "what is signed has {} bytes, and SSH agents take no more than {MAX_MESSAGE} (Ed25519 signs the whole); sign with another kind of key",
                    message.len()
                ));
            }
            let answer = ask(&request, self.limit)?;
            let signature = signature(&answer).ok_or("its answer is malformed")?;
            self.key
                .verify(message, &signature)
                .map_err(|_| "its signature is not one by the key that was asked for")?;
            Ok(signature)
        };
        signed().map_err(|why| SignError::Failed {
            reason: format!("the SSH agent failed: {why}"),
        })
    }
}

struct Identity {
    point: [u8; 32],
    comment: Vec<u8>,
}

impl Identity {
    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        for part in [ED25519, &self.point] {
            blob.extend((part.len() as u32).to_be_bytes());
            blob.extend(part);
        }
        blob
    }

    fn fingerprint(&self) -> String {
        fingerprint(&self.blob())
    }

    fn fits(&self, text: &str) -> bool {
        match text.strip_prefix("SHA256:") {
            Some(_) => self.fingerprint() == text,
            None => text.is_empty() || self.comment == text.as_bytes(),
        }
    }
}

/// A fingerprint as OpenSSH prints it.
fn fingerprint(blob: &[u8]) -> String {
    let digest = base64::encode(Sha256::digest(blob).as_slice());
    format!("SHA256:{}", digest.trim_end_matches('='))
}

/// The Ed25519 keys in an answer; keys of other kinds are passed over. `None` when it is malformed.
fn identities(answer: &[u8]) -> Option<Vec<Identity>> {
    let mut rest = answer.strip_prefix(&[IDENTITIES_ANSWER])?;
    let count = number(&mut rest)? as usize;
    if count > MAX_KEYS {
        return None;
    }
    let mut found = Vec::new();
    for _ in 0..count {
        let mut blob = string(&mut rest)?;
        let comment = string(&mut rest)?.to_vec();
        if string(&mut blob)? == ED25519 {
            let point = string(&mut blob)?.try_into().ok()?;
            if !blob.is_empty() {
                return None;
            }
            found.push(Identity { point, comment });
        }
    }
    rest.is_empty().then_some(found)
}

/// The 64 bytes of an Ed25519 signature in an answer.
fn signature(answer: &[u8]) -> Option<Vec<u8>> {
    let mut rest = answer.strip_prefix(&[SIGN_RESPONSE])?;
    let mut blob = string(&mut rest)?;
    let (kind, bytes) = (string(&mut blob)?, string(&mut blob)?);
    (kind == ED25519 && blob.is_empty() && rest.is_empty()).then(|| bytes.to_vec())
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest)? as usize;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

fn put(request: &mut Vec<u8>, bytes: &[u8]) -> Result<(), String> {
    let length = u32::try_from(bytes.len()).map_err(|_| "what is signed is too long")?;
    request.extend(length.to_be_bytes());
    request.extend(bytes);
    Ok(())
}

/// Sends one request over `stream` and reads its answer. `before_read` is called before each read, to say how long it may take.
fn exchange<S: Read + Write>(
    stream: &mut S,
    request: &[u8],
    before_read: impl Fn(&S) -> Result<(), String>,
) -> Result<Vec<u8>, String> {
    let mut frame = Vec::with_capacity(request.len() + 4);
    put(&mut frame, request)?;
    stream
        .write_all(&frame)
        .map_err(|error| format!("it does not read: {error}"))?;
    let mut head = [0; 4];
    fill(stream, &mut head, &before_read)?;
    let length = u32::from_be_bytes(head) as usize;
    if !(1..=MAX_MESSAGE).contains(&length) {
        return Err(format!("it announces an answer of {length} bytes"));
    }
    let mut answer = vec![0; length];
    fill(stream, &mut answer, &before_read)?;
    match answer.first() {
        Some(&FAILURE) => Err("it refuses: the key may be gone, locked, or not confirmed".to_owned()),
        _ => Ok(answer),
    }
}

fn fill<S: Read>(
    stream: &mut S,
    mut buffer: &mut [u8],
    before_read: &impl Fn(&S) -> Result<(), String>,
) -> Result<(), String> {
    while !buffer.is_empty() {
        before_read(stream)?;
        match stream.read(buffer) {
            Ok(0) => return Err("it closed the connection".to_owned()),
            Ok(read) => buffer = &mut buffer[read..],
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // A time limit shows as either.
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                return Err(TOO_SLOW.to_owned());
            }
            Err(error) => return Err(format!("it does not answer: {error}")),
        }
    }
    Ok(())
}

const TOO_SLOW: &str = "it has not answered in time";

#[cfg(unix)]
fn ask(request: &[u8], limit: Duration) -> Result<Vec<u8>, String> {
    use std::os::unix::net::UnixStream;

    let path = std::env::var_os("SSH_AUTH_SOCK")
        .filter(|path| !path.is_empty())
        .ok_or("there is none: SSH_AUTH_SOCK is not set")?;
    let shown = path.to_string_lossy();
    let mut stream = UnixStream::connect(&path)
        .map_err(|error| format!("nobody listens at `{}`: {error}", escape::plain(&shown)))?;
    let deadline = Instant::now() + limit;
    let set = |error: std::io::Error| format!("no time limit can be set: {error}");
    stream.set_write_timeout(Some(limit)).map_err(set)?;
    exchange(&mut stream, request, |stream| {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TOO_SLOW.to_owned());
        }
        stream.set_read_timeout(Some(left)).map_err(set)
    })
}

#[cfg(not(unix))]
fn ask(_request: &[u8], _limit: Duration) -> Result<Vec<u8>, String> {
    Err("agents are reached on Unix alone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in parts {
            put(&mut bytes, part).unwrap();
        }
        bytes
    }

    fn listing(count: u32, parts: &[&[u8]]) -> Vec<u8> {
        [&[IDENTITIES_ANSWER][..], &count.to_be_bytes(), &strings(parts)].concat()
    }

    #[test]
    fn the_keys_of_other_kinds_are_passed_over() {
        let ours = strings(&[ED25519, &[7; 32]]);
        let other = strings(&[b"ssh-rsa", &[1; 3], &[2; 300]]);
        let found = identities(&listing(2, &[&other, b"me", &ours, b"you"])).expect("well formed");
        assert_eq!(found.len(), 1);
        assert!(found[0].fits("you") && found[0].fits("") && !found[0].fits("me"));
        assert!(found[0].fits(&found[0].fingerprint()) && !found[0].fits("SHA256:"));
        assert_eq!(found[0].blob(), ours);
    }

    #[test]
    fn malformed_answers_are_refused() {
        let ours = strings(&[ED25519, &[7; 32]]);
        let short = strings(&[ED25519, &[7; 31]]);
        let more = strings(&[ED25519, &[7; 32], b"x"]);
        let good = listing(1, &[&ours, b"c"]);
        for bad in [
            Vec::new(),
            vec![IDENTITIES_ANSWER],
            vec![SIGN_RESPONSE, 0, 0, 0, 0],
            listing(2, &[&ours, b"c"]),
            listing(0, &[&ours, b"c"]),
            listing(u32::MAX, &[]),
            listing(1, &[&short, b"c"]),
            listing(1, &[&more, b"c"]),
            good[..good.len() - 1].to_vec(),
        ] {
            assert!(identities(&bad).is_none(), "{bad:?}");
        }
        assert!(identities(&good).is_some());
        let response = |blob: &[u8]| [&[SIGN_RESPONSE][..], &strings(&[blob])].concat();
        let blob = strings(&[ED25519, &[9; 64]]);
        assert_eq!(signature(&response(&blob)), Some(vec![9; 64]));
        for bad in [
            strings(&[b"ssh-rsa", &[9; 64]]),
            strings(&[ED25519]),
            [&blob[..], b"x"].concat(),
        ] {
            assert!(signature(&response(&bad)).is_none());
        }
    }

    struct Wire<'a>(&'a [u8]);

    impl Read for Wire<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            // One byte at a time, as a slow agent may send.
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    impl Write for Wire<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn answers_are_bounded_before_they_are_read() {
        for (bytes, expected) in [
            (&[0, 0, 0, 1, 12][..], Ok(vec![12])),
            (&[0, 0, 0, 1, 5], Err("refuses")),
            (&[0, 0, 0, 0], Err("0 bytes")),
            (&[0, 4, 0, 1], Err("262145 bytes")),
            (&[255, 255, 255, 255], Err("4294967295 bytes")),
            (&[0, 0, 0, 2, 12], Err("closed")),
            (&[0, 0], Err("closed")),
        ] {
            let answer = exchange(&mut Wire(bytes), &[REQUEST_IDENTITIES], |_| Ok(()));
            match expected {
                Ok(expected) => assert_eq!(answer, Ok(expected)),
                Err(part) => assert!(answer.clone().unwrap_err().contains(part), "{answer:?}"),
            }
        }
        let late = exchange(&mut Wire(&[0, 0, 0, 1, 12]), &[], |_| Err(TOO_SLOW.to_owned()));
        assert_eq!(late, Err(TOO_SLOW.to_owned()));
    }
}
