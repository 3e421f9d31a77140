//! `cargo-intoto --cargo-plugin`: the conversation with cargo.

use std::io::{self, BufRead, Read};

use anstream::ColorChoice;
use camino::Utf8PathBuf;
use intoto_core::digest::from_hex;
use zeroize::Zeroizing;

use super::arguments::GateArgs;
use super::protocol::{self, Answer, MAX_LINE, Operation, Request};
use super::setting::words_of_tree;
use super::token::{Purpose, Token, has_token, token};
use super::{Place, Question, Refusal, Registry, Upload, ahead, decide};
use crate::error::CliError;
use crate::exec::process_group;
use crate::exit::Exit;
use crate::ui::{Ui, Verbosity, count};

/// Answers cargo until it closes the connection. Standard output is cargo's; people read standard error.
///
/// Whatever was answered, the program ends with 0: the answer is what counts, and with any other code cargo would show that
/// instead of the reason for a refusal.
pub fn provide() -> Exit {
    let ui = Ui::new(ColorChoice::Auto, Verbosity::Normal);
    process_group::forbid_inspection();
    match converse(&mut io::stdin().lock(), &ui) {
        Ok(()) => Exit::Success,
        Err(error) => {
            ui.error(&error);
            error.exit()
        }
    }
}

fn converse(input: &mut impl BufRead, ui: &Ui) -> Result<(), CliError> {
    say(&protocol::hello(), ui)?;
    loop {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        let failed = |error| CliError::failure("failed to read cargo's request").because(error);
        input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > MAX_LINE {
            // What follows is the rest of it, and no request.
            let refusal = Refusal::new(format!("cargo's request is longer than {MAX_LINE} bytes"));
            return say(&Answer::refusal(&refusal).to_line(), ui);
        }
        say(&answer(&line, ui), ui)?;
    }
}

fn say(line: &str, ui: &Ui) -> Result<(), CliError> {
    ui.data(&Zeroizing::new(format!("{line}\n")))
}

fn answer(line: &[u8], ui: &Ui) -> Zeroizing<String> {
    let granted = match Request::parse(line) {
        Ok(request) => grant(&request, ui),
        Err(problem) => Err(Refusal::new(problem)),
    };
    Zeroizing::new(match granted {
        Ok(Some(token)) => Answer::token(token.text()).to_line(),
        Ok(None) => Answer::unsupported().to_line(),
        Err(refusal) => Answer::refusal(&refusal).to_line(),
    })
}

/// The token for a request; none for what this provider does not do.
fn grant(request: &Request, ui: &Ui) -> Result<Option<Token>, Refusal> {
    let registry = Registry::new(&request.index_url, request.registry.as_deref());
    let args = || GateArgs::parse(&request.arguments).map_err(|error| Refusal::of_error(&error));
    let found = |purpose: Purpose| {
        let found = token(&registry, &args()?, purpose);
        found.map_err(|error| Refusal::of_error(&error))
    };
    match &request.operation {
        // The default registry is read by anybody: nothing that could serve for an upload is handed out before an upload is decided.
        // Others may want a token for reading, of which cargo does not always tell us.
        Operation::Read => {
            let args = args()?;
            let has_token = has_token(&registry, &args);
            match request.was_asked || (has_token && !registry.is_default()) {
                true => found(Purpose::Read).map(Some),
                false => Ok(Some(Token::empty())),
            }
        }
        // Without a layout: an emergency must work.
        Operation::Manage => found(Purpose::Manage).map(Some),
        Operation::Publish {
            name,
            version,
            checksum,
        } => {
            let refused = format!(
                "{name} {version} must not be uploaded to {}",
                registry.name().unwrap_or_else(|| registry.url())
            );
            let decided = publish(&registry, &request.arguments, &args()?, (name, version, checksum), ui);
            decided.map_err(|refusal| refusal.under(&refused))?;
            found(Purpose::Publish)
                .map(Some)
                .map_err(|refusal| refusal.under(format!("{name} {version} is verified, and there is no token for it")))
        }
        Operation::Other(_) => Ok(None),
    }
}

/// Decides on an upload and on what cargo staged beside it.
fn publish(
    registry: &Registry,
    words: &[String],
    args: &GateArgs,
    (name, version, checksum): (&str, &str, &str),
    ui: &Ui,
) -> Result<(), Refusal> {
    let decided = || {
        let sha256: [u8; 32] = from_hex(checksum)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| CliError::cannot_decide(format!("cargo's checksum of {name} {version} is no sha256")))?;
        let upload = Upload::new(name, version, sha256)?;
        let place = Place::find(&here()?, args)?;
        if args.say_whom_to_trust() {
            check_words(words)?;
        }
        let terms = place.terms(args)?;
        let staging = place.staging();
        let following = ahead(&staging, &upload, &terms.links, ui)?;
        let question = Question {
            registry,
            uploads: std::slice::from_ref(&upload),
            following: &following,
            directories: std::slice::from_ref(&staging),
            terms: &terms,
        };
        let report = decide(&question, ui)?;
        Ok((report, upload, following, staging))
    };
    let (report, upload, following, staging) = decided().map_err(|error: CliError| Refusal::of_error(&error))?;
    if let Some(refusal) = Refusal::of_report(&report) {
        return Err(match following.is_empty() {
            true => refusal,
            false => refusal.because(format!(
                "hint: what cargo staged in {staging} since the release was recorded counts as part of it; remove what is not"
            )),
        });
    }
    let beside = match following.len() {
        0 => String::new(),
        number => format!(", with {} staged beside it", count(number, "crate")),
    };
    ui.status(
        "Verified",
        format_args!("{} by {}{beside}", upload.file_name(), report.layout_name),
    );
    Ok(())
}

/// What lies in a tree says nothing about whose layout counts for it, and cargo takes the nearest file of its configuration.
fn check_words(words: &[String]) -> Result<(), CliError> {
    match words_of_tree(&here()?, words)? {
        None => Ok(()),
        Some(file) => Err(CliError::cannot_decide(format!(
            "{file} says whose layouts count, and it is a file of the tree that is to be judged"
        ))
        .hint("take `--key` and `--trust-store` out of it; `cargo intoto trust add` or your own cargo configuration says whom you trust")),
    }
}

/// Cargo's own current directory, which is ours.
fn here() -> Result<Utf8PathBuf, CliError> {
    let failed = || CliError::failure("failed to find the current directory");
    let path = std::env::current_dir().map_err(|error| failed().because(error))?;
    Utf8PathBuf::from_path_buf(path).map_err(|path| failed().because(format!("{} is not UTF-8", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(rest: &str) -> String {
        let ui = Ui::new(ColorChoice::Never, Verbosity::Quiet);
        let line = format!(r#"{{"v":1,"registry":{{"index-url":"sparse+https://r.example/i/","name":"r"}},{rest}}}"#);
        answer(line.as_bytes(), &ui).to_string()
    }

    #[test]
    fn reading_gets_a_token_that_is_none_and_is_forgotten() {
        let expected = r#"{"Ok":{"kind":"get","token":"","cache":"never","operation_independent":false}}"#;
        assert_eq!(answered(r#""kind":"get","operation":"read""#), expected);
    }

    #[test]
    fn what_is_not_a_known_get_is_not_supported() {
        for rest in [
            r#""kind":"login","token":"x""#,
            r#""kind":"logout""#,
            r#""kind":"get","operation":"transfer""#,
        ] {
            assert_eq!(
                answered(rest),
                r#"{"Err":{"kind":"operation-not-supported"}}"#,
                "{rest}"
            );
        }
    }

    #[test]
    fn an_upload_that_cannot_be_decided_on_is_refused_for_good() {
        let publish = r#""kind":"get","operation":"publish","name":"a","vers":"1.0.0","cksum""#;
        for rest in [
            format!(r#"{publish}:"00""#),
            format!(r#"{publish}:"{}""#, "zz".repeat(32)),
            format!(r#"{publish}:"{}","args":["--allow-everything"]"#, "00".repeat(32)),
            format!(r#"{publish}:"{}","args":["--layout","/nowhere"]"#, "00".repeat(32)),
            r#""kind":"get","operation":"publish","name":"a","vers":"1.0.0""#.to_owned(),
            r#""kind":"get","operation":"publish","name":"../a","vers":"1.0.0","cksum":"00""#.to_owned(),
        ] {
            let answer = answered(&rest);
            // `not-found` and `url-not-supported` would make cargo ask somebody else.
            assert!(
                answer.starts_with(r#"{"Err":{"kind":"other","message":""#),
                "{rest}: {answer}"
            );
        }
    }

    #[test]
    fn a_request_without_end_is_not_read_to_its_end() {
        let ui = Ui::new(ColorChoice::Never, Verbosity::Quiet);
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        converse(&mut endless, &ui).expect("answered and left");
        converse(&mut io::empty(), &ui).expect("nothing is asked");
    }
}
