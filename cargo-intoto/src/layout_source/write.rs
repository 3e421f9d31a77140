//! The TOML text of a drafted layout, with the comments that a person needs to edit it.

use std::fmt::Write;

use intoto_core::time::Timestamp;

/// A layout on its way to becoming a source.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) expires: Timestamp,
    pub(super) readme: String,
    pub(super) crates: Vec<String>,
    /// Names of functionaries, and who they are, as TOML.
    pub(super) keys: Vec<(String, String)>,
    pub(super) steps: Vec<DraftStep>,
    pub(super) inspections: Vec<DraftInspection>,
}

/// A step of a draft.
#[derive(Debug, Clone)]
pub(super) struct DraftStep {
    pub(super) name: &'static str,
    pub(super) comment: &'static str,
    pub(super) by: Vec<String>,
    pub(super) threshold: u32,
    pub(super) command: Vec<String>,
    pub(super) materials: Vec<Words>,
    pub(super) products: Vec<Words>,
}

/// An inspection of a draft.
#[derive(Debug, Clone)]
pub(super) struct DraftInspection {
    pub(super) name: &'static str,
    pub(super) comment: &'static str,
    pub(super) run: Vec<String>,
    pub(super) materials: Vec<Words>,
    pub(super) products: Vec<Words>,
}

/// A rule's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(pub(super) Vec<String>);

impl Words {
    /// A rule written as one string.
    pub(super) fn of(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(str::to_owned).collect())
    }

    /// `CREATE pattern` and the like, where the pattern is one word whatever is in it.
    pub(super) fn pair(keyword: &str, pattern: String) -> Self {
        Self(vec![keyword.to_owned(), pattern])
    }

    /// `MATCH pattern rest…`, where the pattern is one word whatever is in it.
    pub(super) fn matching(pattern: String, rest: &str) -> Self {
        let mut words = vec!["MATCH".to_owned(), pattern];
        words.extend(rest.split_ascii_whitespace().map(str::to_owned));
        Self(words)
    }

    fn to_toml(&self) -> String {
        let needs_array = self
            .0
            .iter()
            .any(|word| word.is_empty() || word.contains(|c: char| c.is_ascii_whitespace()));
        if needs_array {
            array(&self.0)
        } else {
            quote(&self.0.join(" "))
        }
    }
}

/// A functionary with a key in that file.
pub(super) fn file_toml(file: &str) -> String {
    format!("{{ file = {} }}", quote(file))
}

impl Draft {
    /// The text of the layout source.
    pub(super) fn to_toml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing to a string does not fail");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "# Who may do what, and what must hold. Edit, then run `cargo intoto layout sign`."
        )?;
        writeln!(out, "format = 1")?;
        writeln!(out, "expires = {}", self.expires)?;
        writeln!(out, "readme = {}", quote(&self.readme))?;
        writeln!(out, "crates = {}", array(&self.crates))?;
        writeln!(out, "\n[keys]")?;
        for (name, who) in &self.keys {
            writeln!(out, "{} = {who}", key(name))?;
        }
        for step in &self.steps {
            writeln!(out, "\n[[step]]{}", comment(step.comment))?;
            writeln!(out, "name = {}", quote(step.name))?;
            writeln!(out, "by = {}", array(&step.by))?;
            if step.threshold != 1 {
                writeln!(out, "threshold = {}", step.threshold)?;
            }
            writeln!(out, "command = {}", array(&step.command))?;
            rules(out, "materials", &step.materials)?;
            rules(out, "products", &step.products)?;
        }
        for inspection in &self.inspections {
            writeln!(out, "\n[[inspection]]{}", comment(inspection.comment))?;
            writeln!(out, "name = {}", quote(inspection.name))?;
            writeln!(out, "run = {}", array(&inspection.run))?;
            rules(out, "materials", &inspection.materials)?;
            rules(out, "products", &inspection.products)?;
        }
        Ok(())
    }
}

fn rules(out: &mut String, field: &str, rules: &[Words]) -> std::fmt::Result {
    writeln!(out, "{field} = [")?;
    for rule in rules {
        writeln!(out, "    {},", rule.to_toml())?;
    }
    writeln!(out, "]")
}

fn comment(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" # {text}")
    }
}

pub(super) fn array<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<String> = items.iter().map(|item| quote(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A TOML string.
pub(super) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A TOML key: bare when it may be.
fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { quote(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_blanks_become_arrays() {
        for (words, text) in [
            (Words::of("ALLOW *"), "\"ALLOW *\""),
            (Words::pair("CREATE", "a b".to_owned()), "[\"CREATE\", \"a b\"]"),
            (
                Words::matching("x\"y".to_owned(), "WITH PRODUCTS FROM build"),
                "'MATCH x\"y WITH PRODUCTS FROM build'",
            ),
        ] {
            assert_eq!(words.to_toml(), text);
        }
    }
}
