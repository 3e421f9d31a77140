//! What services said when they did not do as they were asked, for people.

use std::fmt::Display;

use crate::error::CliError;
use crate::escape;
use crate::signing::sigstore::requests::Problem;

/// Servers answer with pages; what matters stands in front.
const MAX_SHOWN: usize = 400;

/// The certificate authority's.
pub(super) fn of_authority(problem: &Problem, url: &str, token: &str) -> CliError {
    let failed = CliError::failure(format!("the certificate authority {url} issued no certificate"))
        .because(shown(problem, token));
    match problem {
        Problem::Status { status: 400..=403, .. } => failed
            .hint("the token may be over, meant for somebody else (its audience must be `sigstore`), or from an issuer that this authority does not know"),
        _ => failed.hint(AGAIN),
    }
}

/// The log's.
pub(super) fn of_log(problem: &Problem, url: &str) -> CliError {
    let failed = CliError::failure(format!("the transparency log {url} took no entry")).because(shown(problem, ""));
    match problem {
        Problem::Unexpected(_) => failed.hint("nothing was stored"),
        _ => failed.hint(AGAIN),
    }
}

/// The timestamp authority's.
pub(super) fn of_timestamps(problem: &Problem, url: &str) -> CliError {
    CliError::failure(format!("the timestamp authority {url} gave no timestamp"))
        .because(shown(problem, ""))
        .hint(AGAIN)
}

const AGAIN: &str = "nothing was stored; try again when the service is well: what was recorded is still there, and `cargo intoto sign` signs it";

/// The text, escaped and short, without the token that the server may have sent back.
fn shown(error: &dyn Display, token: &str) -> String {
    let mut text = error.to_string();
    if !token.is_empty() {
        text = text.replace(token, "(token)");
        // Parts of it are as good as the whole: the claims name people, the signature completes a copy.
        for part in token.split('.').filter(|part| part.len() > 8) {
            text = text.replace(part, "(token)");
        }
    }
    let mut text: String = escape::plain(&text).to_string();
    if text.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_words_are_cut_and_hold_no_token() {
        let token = "eyJhbGciOiJ.eyJpc3MiOiJp.c2lnbmF0dXJl";
        let text = shown(&format!("bad token {token}, part c2lnbmF0dXJl\u{1b}[31m"), token);
        assert!(
            !text.contains("c2lnbmF0dXJl") && !text.contains("eyJpc3MiOiJp") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(shown(&"é".repeat(5000), "").len() < MAX_SHOWN + 8);
    }
}
