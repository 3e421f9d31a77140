//! Where a crate's manifest says that evidence about it is found: `[package.metadata.intoto] evidence = "URL"`.
//!
//! Nothing is downloaded, and nothing is believed for it: it tells people where to look.

use toml::{Table, Value};

use crate::collect::crate_file::CrateFile;

/// No URL that people use is longer.
const MOST_BYTES: usize = 2048;

/// The URL in a crate's own manifest with name and version filled in, if there is one.
///
/// # Errors
/// When there is one that cannot be used, in words about the manifest.
pub fn of_crate(crate_file: &CrateFile) -> Result<Option<String>, String> {
    let content = crate_file.get("Cargo.toml").and_then(|entry| entry.content.as_deref());
    match content.and_then(|bytes| std::str::from_utf8(bytes).ok()) {
        Some(manifest) => of_manifest(manifest),
        None => Ok(None),
    }
}

/// As [`of_crate`], of the text of a manifest. What is no manifest has none.
///
/// # Errors
/// When there is one that cannot be used.
pub fn of_manifest(manifest: &str) -> Result<Option<String>, String> {
    let Ok(manifest) = manifest.parse::<Table>() else {
        return Ok(None);
    };
    let Some(package) = manifest.get("package") else {
        return Ok(None);
    };
    let template = package
        .get("metadata")
        .and_then(|metadata| metadata.get("intoto"))
        .and_then(|intoto| intoto.get("evidence"));
    let Some(template) = template else { return Ok(None) };
    let template = template
        .as_str()
        .ok_or("`package.metadata.intoto.evidence` is no text")?;
    let text = |name| package.get(name).and_then(Value::as_str).unwrap_or_default();
    fill(template, text("name"), text("version"))
        .map(Some)
        .map_err(|why| format!("`package.metadata.intoto.evidence` {why}"))
}

fn fill(template: &str, name: &str, version: &str) -> Result<String, String> {
    let mut url = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        url.push_str(&rest[..at]);
        rest = &rest[at..];
        let (value, length) = match rest {
            _ if rest.starts_with("{name}") => (name, 6),
            _ if rest.starts_with("{version}") => (version, 9),
            _ => return Err("has braces around something other than `{name}` or `{version}`".to_owned()),
        };
        url.push_str(&encoded(value));
        rest = &rest[length..];
    }
    url.push_str(rest);
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err("is no https URL".to_owned());
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if url.len() > MOST_BYTES || !url.bytes().all(is_plain) {
        return Err("is no URL: it is too long, or has a character that URLs encode".to_owned());
    }
    Ok(url)
}

/// The `+` of build metadata means a blank in some places of a URL.
fn encoded(value: &str) -> String {
    value.replace('%', "%25").replace('+', "%2B")
}

#[cfg(test)]
mod tests {
    use super::of_manifest;

    #[test]
    fn templates_are_filled_in() {
        let of = |template: &str| {
            let text = "[package]\nname = \"a-b\"\nversion = \"1.0.0+c\"\n[package.metadata.intoto]\nevidence = ";
            of_manifest(&format!("{text}{template}\n"))
        };
        assert_eq!(
            of("'https://e.example/{name}/{version}/{name}-{version}.intoto.tar'"),
            Ok(Some(
                "https://e.example/a-b/1.0.0%2Bc/a-b-1.0.0%2Bc.intoto.tar".to_owned()
            ))
        );
        for bad in [
            "'https://e.example/{crate}'",
            "'https://e.example/{name'",
            "'https://e.example/}'",
            "'https://e.example/a b'",
            "\"https://e.example/\\u202e\"",
            "\"https://e.example/\\n\"",
            "'ftp://e.example'",
            "'javascript:x'",
            "'{name}'",
            "3",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert!(of(&format!("'https://{}'", "e".repeat(2048))).is_err());
        for none in [
            "",
            "[package]\nname = 'a'\n",
            "not toml",
            "[package.metadata.intoto]\nother = 1\n",
        ] {
            assert_eq!(of_manifest(none), Ok(None), "{none}");
        }
    }
}
