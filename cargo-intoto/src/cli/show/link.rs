//! A link, for people.

use std::fmt::Write;

use intoto_core::artifacts::Artifacts;
use intoto_core::encoding::{Value, to_json_pretty};
use intoto_core::link::Link;

use super::Detail;
use crate::escape::{self, plain, shell};
use crate::ui::count;

pub(super) fn describe(link: &Link, detail: Detail) -> String {
    // Writing to a string cannot fail, here and below.
    let mut text = format!("link of step {}\n", plain(link.name.as_str()));
    if link.command.is_empty() {
        text.push_str("no command\n");
    } else {
        let words: Vec<_> = link.command.iter().map(|word| shell(word)).collect();
        let _ = writeln!(text, "command {}", words.join(" "));
    }
    artifacts(&mut text, "material", &link.materials, detail);
    artifacts(&mut text, "product", &link.products, detail);
    object(&mut text, "byproducts", &link.byproducts);
    object(&mut text, "environment", &link.environment);
    text
}

fn artifacts(text: &mut String, noun: &str, artifacts: &Artifacts, detail: Detail) {
    let all: Vec<_> = artifacts.iter().collect();
    let _ = writeln!(text, "\n{}", count(all.len(), noun));
    let most = detail.most(all.len());
    for (path, digests) in &all[..most] {
        let digests: Vec<String> = digests
            .iter()
            .map(|(algorithm, hex)| format!("{}:{}", plain(algorithm), plain(&hex)))
            .collect();
        let _ = writeln!(text, "    {}  {}", plain(path.as_str()), digests.join(" "));
    }
    if most < all.len() {
        let _ = writeln!(text, "    and {} more, which -v shows", all.len() - most);
    }
}

pub(super) fn object(text: &mut String, what: &str, value: &Value<'_>) {
    if value.as_object().is_some_and(intoto_core::encoding::Object::is_empty) {
        return;
    }
    let _ = writeln!(text, "\n{what}");
    // JSON of ours is ASCII, with control characters escaped.
    for line in escape::json(&to_json_pretty(value)).lines() {
        let _ = writeln!(text, "    {line}");
    }
}
