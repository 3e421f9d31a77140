//! Redaction of words: known directories, other absolute paths, user info in URLs.

/// Characters between which a path may stand in a word: `--out=/x`, `a:/b`, `["-L/x"]`.
const DELIMITERS: &[char] = &[
    '=', ',', ';', '"', '\'', '[', ']', '(', ')', '<', '>', '|', '&', ' ', '\t', '\n', '\r',
];

/// Replaces what must not leave this machine. `replacements` are (path, placeholder), longest path first.
pub(super) fn redact(word: &str, replacements: &[(String, &'static str)]) -> String {
    let mut result = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if DELIMITERS.contains(&first) {
            result.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(DELIMITERS).unwrap_or(rest.len());
        token(&rest[..end], replacements, &mut result);
        rest = &rest[end..];
    }
    // Paths with delimiters in them were taken apart above; whatever then still shows a known directory is dropped whole.
    if replacements.iter().any(|(path, _)| find_path(&result, path).is_some()) {
        return "{outside}".to_owned();
    }
    result
}

/// One stretch without delimiters.
fn token(token: &str, replacements: &[(String, &'static str)], result: &mut String) {
    if let Some(colon) = token.find("://") {
        return url(token, colon, replacements, result);
    }
    // A search path, `host:/path` and the like.
    for (index, part) in token.split(':').enumerate() {
        if index > 0 {
            result.push(':');
        }
        path(part, replacements, result);
    }
}

fn url(token: &str, colon: usize, replacements: &[(String, &'static str)], result: &mut String) {
    let (scheme, rest) = (&token[..colon], &token[colon + 3..]);
    result.push_str(scheme);
    result.push_str("://");
    if scheme.ends_with("file") {
        return path(rest, replacements, result);
    }
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    result.push_str(match rest[..authority].rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    });
}

fn path(text: &str, replacements: &[(String, &'static str)], result: &mut String) {
    // `-L/x`, `@/x`: the path starts at the first slash; `a/b` is relative and stays.
    let start = match text.find('/') {
        Some(slash) if slash == 0 || text.starts_with(['-', '@', '+']) => slash,
        _ if text.starts_with("..") => 0,
        _ => return result.push_str(text),
    };
    let (flag, path) = text.split_at(start);
    result.push_str(flag);
    let path = squeeze(path);
    for (root, placeholder) in replacements {
        if let Some(rest) = path.strip_prefix(root.as_str()) {
            if rest.is_empty() {
                return result.push_str(placeholder);
            }
            if rest.starts_with('/') && !rest.split('/').any(|part| part == "..") {
                if *placeholder == "{outside}" {
                    break;
                }
                result.push_str(placeholder);
                return result.push_str(rest);
            }
        }
    }
    result.push_str("{outside}");
    if let Some(name) = path.rsplit('/').find(|name| !matches!(*name, "" | "." | ".."))
        && path.matches('/').count() > 1
    {
        result.push('/');
        result.push_str(name);
    }
}

/// Drops empty and `.` parts, which would hide a known directory from a comparison of texts.
fn squeeze(path: &str) -> String {
    let mut result = String::with_capacity(path.len());
    for (index, part) in path.split('/').enumerate() {
        if index == 0 {
            result.push_str(part);
        } else if !matches!(part, "" | ".") {
            result.push('/');
            result.push_str(part);
        }
    }
    if result.is_empty() { "/".to_owned() } else { result }
}

/// Where `path` stands in `text` as a whole path or the beginning of one.
fn find_path(text: &str, path: &str) -> Option<usize> {
    text.match_indices(path).map(|(index, _)| index).find(|index| {
        let after = text[index + path.len()..].chars().next();
        after.is_none_or(|c| c == '/' || !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn replacements() -> Vec<(String, &'static str)> {
        vec![
            ("/home/alice/code/ws/build dir".to_owned(), "{build}"),
            ("/home/alice/code/ws".to_owned(), "{workspace}"),
            ("/home/alice/.cargo".to_owned(), "{cargo-home}"),
            ("/home/alice".to_owned(), "{outside}"),
        ]
    }

    #[test]
    fn words_lose_what_is_of_this_machine() {
        for (word, expected) in [
            ("build", "build"),
            ("--features=a/b", "--features=a/b"),
            ("src/main.rs", "src/main.rs"),
            (
                "--manifest-path=/home/alice/code/ws/Cargo.toml",
                "--manifest-path={workspace}/Cargo.toml",
            ),
            ("/home/alice/code/ws", "{workspace}"),
            ("/home/alice/code/ws2/x", "{outside}/x"),
            ("-L/home/alice/.cargo/lib", "-L{cargo-home}/lib"),
            ("-L/opt/secret/lib", "-L{outside}/lib"),
            (
                "--remap-path-prefix=/home/alice/code/ws=/x",
                "--remap-path-prefix={workspace}={outside}",
            ),
            (
                "dependency=/opt/a:/home/alice/code/ws/b",
                "dependency={outside}/a:{workspace}/b",
            ),
            (
                "build.rustflags=[\"-L/opt/a/b\"]",
                "build.rustflags=[\"-L{outside}/b\"]",
            ),
            (
                "path+file:///home/alice/code/ws#a@1.0.0",
                "path+file://{outside}/ws#a@1.0.0",
            ),
            ("https://alice:token@host/x", "https://host/x"),
            ("git+ssh://git@host/x", "git+ssh://host/x"),
            ("../../alice/x", "{outside}/x"),
            ("/home//alice/./code/ws/x", "{workspace}/x"),
            ("/home/alice/code/ws/../notes", "{outside}/notes"),
            ("/home/alice", "{outside}"),
            ("x/home/alice/y", "{outside}"),
            ("", ""),
        ] {
            assert_eq!(redact(word, &replacements()), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_known_directory_survives(
            before in "[-a-zA-Z=:@\"'\\[ /.]{0,12}",
            root in prop::sample::select(vec!["/home/alice/code/ws", "/home/alice/.cargo", "/home/alice"]),
            after in "(/[-a-z .=:\"]{0,12}){0,3}",
        ) {
            let word = format!("{before}{root}{after}");
            let redacted = redact(&word, &replacements());
            prop_assert!(!redacted.contains(root), "{word:?} became {redacted:?}");
        }

        #[test]
        fn passwords_are_cut(user in "[A-Z]{3,8}", password in "[a-zA-Z0-9]{8,12}", path in "[a-z/]{0,8}") {
            let redacted = redact(&format!("--index=https://{user}:{password}@host.example/{path}"), &replacements());
            prop_assert!(!redacted.contains(&password) && !redacted.contains(&format!("{user}:")), "{redacted}");
        }
    }
}
