//! Escaping of foreign text: what comes out of a layout, a link, an archive or a file name never reaches a terminal as it is.

use std::borrow::Cow;
use std::fmt::Write;

/// Text for people: one line, with everything that a terminal or an editor would obey or hide shown as an escape.
///
/// A backslash is doubled, so that an escape in the output always stands for the character it names.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, needs_escape)
}

/// A message of our own that may hold foreign text, some of it escaped already: as [`plain`], but backslashes stay.
pub fn message(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character != '\\' && needs_escape(character))
}

fn escaped(text: &str, needs_escape: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&needs_escape) && !text.contains("##") && !text.trim_start().starts_with("::") {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            // What runs our commands may obey lines that begin with `::`, and `##` before a bracket anywhere in a line.
            ':' if escaped.trim_start().is_empty() && text.trim_start().starts_with("::") => {
                escaped.push_str("\\u{3a}")
            }
            '#' if escaped.ends_with('#') => escaped.push_str("\\u{23}"),
            '\\' if needs_escape('\\') => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ if needs_escape(character) => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Valid JSON text made ASCII: every character beyond it as `\uXXXX`, so that no bidi control, invisible or unusual line
/// separator of a name acts in the terminal, the log or the script that shows it. The value is the same to any JSON parser.
pub fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        if character == '#' && escaped.ends_with('#') {
            escaped.push_str("\\u0023");
        } else if character.is_ascii() && character != '\u{7f}' {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// A shell word that stands for exactly `text`, for commands that a user may copy.
pub fn shell(text: &str) -> Cow<'_, str> {
    let harmless = |character: char| character.is_ascii_alphanumeric() || "-_./=:,@%+".contains(character);
    if !text.is_empty() && text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    if text.contains(needs_escape) || text.contains("##") {
        // `$'…'` is understood by bash, zsh and ksh; plain quotes would put the control character itself on the screen.
        let mut escaped = String::from("$'");
        for character in text.chars() {
            match character {
                '\\' | '\'' => {
                    escaped.push('\\');
                    escaped.push(character);
                }
                _ if needs_escape(character) || character == '#' && escaped.ends_with('#') => {
                    let _ = write!(escaped, "\\U{:08x}", u32::from(character));
                }
                _ => escaped.push(character),
            }
        }
        escaped.push('\'');
        return Cow::Owned(escaped);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', "'\\''")))
}

/// Whether a character is obeyed, hidden or mistaken for nothing by what shows it.
fn needs_escape(character: char) -> bool {
    character == '\\'
        || character.is_control()
        || matches!(character,
            // Soft hyphen, combining grapheme joiner, and letters that show as nothing.
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            // Mongolian separators and selectors.
            | '\u{180b}'..='\u{180f}'
            // Bidi controls, zero-width characters, line and paragraph separators, invisible operators.
            | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Blanks other than the ordinary one, which would hide where a name ends.
            | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{2800}'
            // Variation selectors, byte order mark, annotations, noncharacters, tags.
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        // Private use, where a font may show anything.
        || matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::{json, message, plain, shell};

    #[test]
    fn plain_text_obeys_nothing() {
        let cases = [
            ("target/package/hello-1.0.0.crate", "target/package/hello-1.0.0.crate"),
            ("naïve/日本語.rs", "naïve/日本語.rs"),
            ("a\nVerified", "a\\nVerified"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("evil\u{202e}sr.exe", "evil\\u{202e}sr.exe"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("back\\slash", "back\\\\slash"),
            ("\r\t\u{7f}\0", "\\r\\t\\u{7f}\\u{0}"),
            ("\u{2028}", "\\u{2028}"),
            ("\u{e0041}", "\\u{e0041}"),
            ("a::b # c", "a::b # c"),
            ("::error::x", "\\u{3a}:error::x"),
            (" ::error::x", " \\u{3a}:error::x"),
            ("a##[group]###", "a#\\u{23}[group]#\\u{23}#"),
        ];
        for (foreign, shown) in cases {
            assert_eq!(plain(foreign), shown);
        }
    }

    #[test]
    fn messages_keep_their_backslashes() {
        assert_eq!(message("C:\\x \\u{1b} \u{1b}"), "C:\\x \\u{1b} \\u{1b}");
        assert_eq!(message("a\nVerified"), "a\\nVerified");
    }

    #[test]
    fn json_is_ascii_and_the_same_value() {
        let foreign = "naïve \u{202e} \u{1f600} \u{7f} \n \"quoted\" ##[group]";
        let text = serde_json::to_string(foreign).expect("text is JSON");
        let escaped = json(&text);
        assert!(escaped.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{escaped}");
        assert!(!escaped.contains("##"), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("still JSON"), foreign);
    }

    #[test]
    fn shell_words_are_one_word() {
        let cases = [
            ("keys/owner.pub", "keys/owner.pub"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$(rm)", "'$(rm)'"),
            ("a\nb'", "$'a\\U0000000ab\\''"),
            ("##[x]", "$'#\\U00000023[x]'"),
        ];
        for (foreign, word) in cases {
            assert_eq!(shell(foreign), word);
        }
    }
}
