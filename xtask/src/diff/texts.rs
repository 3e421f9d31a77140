//! Patterns beside `fnmatch.fnmatchcase`, and canonical JSON beside securesystemslib's `encode_canonical`.

use intoto_core::encoding::{JsonError, JsonErrorKind, base64, strict_json, to_canonical};
use intoto_core::limits::Limits;
use intoto_core::pattern::Pattern;
use serde_json::json;

use super::Args;
use super::peer::Peer;
use super::random::Random;
use crate::failure::Failure;
use crate::say;

/// How many questions one line holds.
const BATCH: usize = 1000;

/// Compares what patterns match, ten for each chain; says how many differ.
pub(super) fn patterns(args: &Args, peer: &mut Peer) -> Result<usize, Failure> {
    let mut random = Random::new(args.seed, u64::MAX);
    let (mut matched, mut wrong) = (0, Vec::new());
    let count = usize::try_from(args.cases).unwrap_or(usize::MAX).saturating_mul(10);
    for start in (0..count).step_by(BATCH) {
        let cases: Vec<(String, String)> = (start..count.min(start + BATCH))
            .map(|_| pattern_and_name(&mut random))
            .collect();
        let answer = peer.ask(&json!({ "op": "patterns", "cases": cases }))?;
        for (index, (pattern, name)) in cases.iter().enumerate() {
            let theirs = answer["matches"][index].as_bool();
            let ours = Pattern::compile(pattern).matches(name);
            matched += usize::from(ours);
            if theirs != Some(ours) {
                wrong.push(format!(
                    "pattern {pattern:?} and name {name:?}: ours {ours}, theirs {theirs:?}"
                ));
            }
        }
    }
    say::row(format!(
        "patterns {count:>26}\n  matching {matched:>24}\n  unexplained {:>21}",
        wrong.len()
    ));
    wrong.iter().take(10).for_each(|line| say::row(format!("    {line}")));
    Ok(wrong.len())
}

fn pattern_and_name(random: &mut Random) -> (String, String) {
    const OF_PATTERNS: [&str; 22] = [
        "*", "*", "?", "[", "]", "!", "-", "^", "a", "b", "c", "/", ".", "é", "\\", "[!", "[a-c]", "[!a]", "[]", "\n",
        "~", "😀",
    ];
    let pattern: String = (0..random.below(7)).map(|_| *random.pick(&OF_PATTERNS)).collect();
    let own: Vec<char> = pattern
        .chars()
        .filter(|letter| *letter != '*')
        .chain("ab/é".chars())
        .collect();
    let name = if random.percent(60) {
        // What the pattern says, with something in place of its wildcards.
        pattern
            .chars()
            .flat_map(|letter| match letter {
                '*' => (0..random.below(3)).map(|_| *random.pick(&own)).collect::<Vec<_>>(),
                '?' => vec![*random.pick(&own)],
                '[' | ']' | '!' if random.percent(40) => Vec::new(),
                other => vec![other],
            })
            .collect()
    } else {
        (0..random.below(6)).map(|_| *random.pick(&own)).collect()
    };
    (pattern, name)
}

/// Compares canonical forms, ten for each chain; says how many differ.
pub(super) fn canonical_forms(args: &Args, peer: &mut Peer) -> Result<usize, Failure> {
    let mut random = Random::new(args.seed, u64::MAX - 1);
    let (mut formed, mut stricter, mut wrong) = (0, 0, Vec::new());
    let count = usize::try_from(args.cases).unwrap_or(usize::MAX).saturating_mul(10);
    for start in (0..count).step_by(BATCH) {
        let cases: Vec<String> = (start..count.min(start + BATCH))
            .map(|_| json_text(&mut random))
            .collect();
        let encoded: Vec<String> = cases.iter().map(|text| base64::encode(text.as_bytes())).collect();
        let answer = peer.ask(&json!({ "op": "canonical", "cases": encoded }))?;
        for (index, text) in cases.iter().enumerate() {
            let theirs = answer["forms"][index].as_str();
            let parsed = strict_json::parse(text.as_bytes(), &Limits::default());
            let ours = parsed.as_ref().ok().and_then(|value| to_canonical(value).ok());
            let ours = ours.and_then(|bytes| String::from_utf8(bytes).ok());
            formed += usize::from(ours.is_some() && ours.as_deref() == theirs);
            match (&ours, theirs) {
                (Some(ours), Some(theirs)) if ours == theirs => {}
                (None, None) => {}
                (None, Some(_))
                    if parsed
                        .as_ref()
                        .err()
                        .is_some_and(|error| is_about_duplicates(text, error)) =>
                {
                    stricter += 1
                }
                _ => wrong.push(format!("{text}: ours {ours:?} ({:?}), theirs {theirs:?}", parsed.err())),
            }
        }
    }
    say::row(format!(
        "canonical JSON {count:>20}\n  the same form {formed:>19}\n  a member twice {stricter:>18}\n  unexplained {:>21}",
        wrong.len()
    ));
    wrong.iter().take(10).for_each(|line| say::row(format!("    {line}")));
    Ok(wrong.len())
}

/// Whether our refusal of a text of which the other side has a canonical form comes from a member that is there twice. What Python
/// alone takes for JSON, and can write in no canonical form, was in one of the two that it dropped.
fn is_about_duplicates(text: &str, error: &JsonError) -> bool {
    match error.kind() {
        JsonErrorKind::DuplicateKey { .. } | JsonErrorKind::LoneSurrogate => true,
        JsonErrorKind::Unexpected { .. } => text
            .get(error.offset()..)
            .is_some_and(|rest| rest.starts_with("Infinity")),
        _ => false,
    }
}

/// JSON, or nearly.
fn json_text(random: &mut Random) -> String {
    let mut text = String::new();
    value(random, &mut text, 0);
    if random.percent(10) {
        let letters: Vec<char> = text.chars().collect();
        let at = random.below(letters.len());
        let odd = *random.pick(&["", ",", "\"", "\\", "}", "0", "e1", " ", "\u{feff}"]);
        text = letters[..at]
            .iter()
            .chain(&odd.chars().collect::<Vec<_>>())
            .chain(&letters[at + 1..])
            .collect();
    }
    text
}

fn value(random: &mut Random, out: &mut String, depth: usize) {
    let kinds = if depth > 3 { 4 } else { 7 };
    match random.below(kinds) {
        0 => out.push_str(random.text(&["null", "true", "false"])),
        1 => out.push_str(random.text(&[
            "0",
            "-0",
            "1",
            "-17",
            "9007199254740993",
            "18446744073709551616",
            "-340282366920938463463374607431768211456",
            "1.0",
            "1e2",
            "-0.0",
            "1E400",
            "01",
            "+1",
            ".5",
            "1.",
            "0x10",
            "Infinity",
        ])),
        2 | 3 => string(random, out),
        4 => {
            out.push('[');
            for index in 0..random.below(4) {
                out.push_str(if index > 0 { random.text(&[",", " , "]) } else { "" });
                value(random, out, depth + 1);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..random.below(5) {
                out.push_str(if index > 0 { random.text(&[",", ",\n\t"]) } else { "" });
                string(random, out);
                out.push_str(random.text(&[":", " : "]));
                value(random, out, depth + 1);
            }
            out.push('}');
        }
    }
}

fn string(random: &mut Random, out: &mut String) {
    const PARTS: [&str; 24] = [
        "a",
        "b",
        "Z",
        "é",
        "～",
        "😀",
        " ",
        "/",
        "\\/",
        "\\\\",
        "\\\"",
        "\\n",
        "\\t",
        "\\u0000",
        "\\u00e9",
        "\\uff5e",
        "\\ud83d\\ude00",
        "\u{7f}",
        "\u{2028}",
        "\\b\\f",
        "__",
        "\\u0041",
        "1",
        "\\r",
    ];
    const RARE: [&str; 5] = ["\\ud800", "\n", "\\x", "\u{1}", "\\u12"];
    out.push('"');
    for _ in 0..random.below(5) {
        out.push_str(random.text(&PARTS));
    }
    if random.percent(2) {
        out.push_str(random.text(&RARE));
    }
    out.push('"');
}
