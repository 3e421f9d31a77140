//! The places in a pipeline's text, filled in.

use std::collections::{BTreeMap, BTreeSet};

/// What fills the places.
#[derive(Debug, Default)]
pub(super) struct Filling {
    values: BTreeMap<&'static str, Vec<String>>,
    flags: BTreeSet<&'static str>,
}

impl Filling {
    /// `@name@` becomes this text.
    pub(super) fn value(&mut self, name: &'static str, text: impl Into<String>) -> &mut Self {
        self.lines(name, vec![text.into()])
    }

    /// `@name@`, alone in its line, becomes these lines, each as far in as the place.
    pub(super) fn lines(&mut self, name: &'static str, lines: Vec<String>) -> &mut Self {
        self.values.insert(name, lines);
        self
    }

    /// `#@if name` holds.
    pub(super) fn flag(&mut self, name: &'static str) -> &mut Self {
        self.flags.insert(name);
        self
    }
}

/// `text` with its places filled in.
///
/// # Panics
/// When it has a place that nothing fills; the tests render every pipeline there is.
pub(super) fn fill(text: &str, filling: &Filling) -> String {
    let mut filled = String::with_capacity(text.len() * 2);
    // Whether the section that a line lies in is kept, from the outermost.
    let mut sections: Vec<bool> = Vec::new();
    for line in text.lines() {
        if let Some(word) = line.trim_start().strip_prefix("#@") {
            match word.split_once(' ') {
                Some(("if", name)) => sections.push(filling.flags.contains(name)),
                None if word == "else" => {
                    let section = sections.last_mut().expect("`else` stands in a section");
                    *section = !*section;
                }
                None if word == "end" => {
                    sections.pop().expect("`end` ends a section");
                }
                _ => panic!("`{line}` is none of if, else and end"),
            }
            continue;
        }
        if !sections.iter().all(|is_kept| *is_kept) {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        match place(line.trim()) {
            Some((0, name, "")) => {
                for value in lines(filling, name) {
                    filled.push_str(if value.is_empty() { "" } else { indent });
                    filled.push_str(value);
                    filled.push('\n');
                }
            }
            _ => {
                let mut rest = line;
                while let Some((at, name, after)) = place(rest) {
                    filled.push_str(&rest[..at]);
                    filled.push_str(&lines(filling, name).join(" "));
                    rest = after;
                }
                filled.push_str(rest);
                filled.push('\n');
            }
        }
    }
    assert!(sections.is_empty(), "every section ends");
    filled
}

fn lines<'f>(filling: &'f Filling, name: &str) -> &'f [String] {
    filling
        .values
        .get(name)
        .unwrap_or_else(|| panic!("nothing fills `@{name}@`"))
}

/// The first place in `text`: where it begins, its name, and what follows it. The `@` of an address or a pinned action is none.
fn place(text: &str) -> Option<(usize, &str, &str)> {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    text.match_indices('@').find_map(|(at, _)| {
        let (name, after) = text[at + 1..].split_once('@')?;
        is_name(name).then_some((at, name, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_sections_kept_or_left_out() {
        let mut filling = Filling::default();
        filling
            .value("word", "w")
            .lines("many", vec!["a".to_owned(), String::new(), "b".to_owned()])
            .flag("on");
        for (text, expected) in [
            ("x: @word@, @word@!", "x: w, w!\n"),
            ("  @many@", "  a\n\n  b\n"),
            ("cp @many@ .", "cp a  b .\n"),
            ("uses: a/b@0123 # c@d.example", "uses: a/b@0123 # c@d.example\n"),
            ("#@if on\n1\n#@else\n2\n#@end\n3", "1\n3\n"),
            ("#@if off\n1\n#@if on\n2\n#@end\n#@else\n3\n#@end", "3\n"),
        ] {
            assert_eq!(fill(text, &filling), expected, "{text}");
        }
    }

    #[test]
    #[should_panic(expected = "nothing fills `@other@`")]
    fn a_place_that_nothing_fills_is_no_text() {
        fill("@other@", &Filling::default());
    }
}
