//! All faults of a file at once, each behind a question that is asked when the tests run: so they are compiled once, not each anew.
//!
//! Nothing of the original text is removed: in front of an expression stands `(match chosen() { 7 => …, _ => (`, and `) })` behind it.

use std::collections::BTreeMap;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::fault::{Fault, Genre, Place};
use crate::failure::{Context as _, Failure};

/// What a file has become.
#[derive(Debug)]
pub(super) struct Switched {
    pub(super) text: String,
    /// Where each fault's own text is, by its number.
    pub(super) places: Vec<(u32, Range<usize>)>,
    /// Where the text came from: pairs of an offset in it, and one in the original.
    steps: Vec<(usize, usize)>,
}

/// The question. Faults count from 1, so that there is one for none.
const ASK: &str = "crate::chosen_fault::get()";

/// Added to the crate's root.
pub(super) const MODULE: &str = r#"
#[doc(hidden)]
pub mod chosen_fault {
    extern crate std;
    static CHOSEN: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| std::env::var("CHOSEN_FAULT").map_or(0, |text| text.parse().unwrap()));
    #[inline]
    pub fn get() -> u32 {
        *CHOSEN
    }
}
"#;

/// The variable in which the module above looks.
pub(super) const VARIABLE: &str = "CHOSEN_FAULT";

/// Puts faults of one file into its text, each with its number. Those for which there is no place are left out.
pub(super) fn switch(text: &str, faults: &[(u32, &Fault)]) -> Result<Switched, Failure> {
    let file = syn::parse_file(text).context("parse it")?;
    let mut wanted: BTreeMap<(Place, Genre), Vec<(u32, &Fault)>> = BTreeMap::new();
    for (number, fault) in faults {
        wanted
            .entry((fault.span.start, fault.genre))
            .or_default()
            .push((*number, fault));
    }
    let mut visitor = Visitor {
        text,
        lines: line_starts(text),
        wanted,
        inserts: Vec::new(),
    };
    visitor.visit_file(&file);
    Ok(visitor.write())
}

impl Switched {
    /// The offset in the original of one in this text.
    pub(super) fn original(&self, offset: usize) -> usize {
        let at = self.steps.partition_point(|(own, _)| *own <= offset);
        at.checked_sub(1).map_or(offset, |at| {
            let (own, original) = self.steps[at];
            original + (offset - own)
        })
    }
}

/// A text put in before an offset.
#[derive(Debug)]
struct Insert {
    at: usize,
    /// Ends stand before beginnings; of several ends the innermost is the first, of several beginnings the outermost.
    order: (bool, isize),
    text: String,
    /// Parts of it that are one fault's own.
    places: Vec<(u32, Range<usize>)>,
}

struct Visitor<'a> {
    text: &'a str,
    lines: Vec<usize>,
    wanted: BTreeMap<(Place, Genre), Vec<(u32, &'a Fault)>>,
    inserts: Vec<Insert>,
}

impl Visitor<'_> {
    fn write(mut self) -> Switched {
        self.inserts.sort_by_key(|insert| (insert.at, insert.order));
        let mut switched = Switched {
            text: String::new(),
            places: Vec::new(),
            steps: Vec::new(),
        };
        let mut from = 0;
        for insert in self.inserts {
            switched.text.push_str(&self.text[from..insert.at]);
            from = insert.at;
            let start = switched.text.len();
            for (number, place) in insert.places {
                switched.places.push((number, start + place.start..start + place.end));
            }
            switched.text.push_str(&insert.text);
            switched.steps.push((switched.text.len(), from));
        }
        switched.text.push_str(&self.text[from..]);
        switched
    }

    fn take(&mut self, span: proc_macro2::Span, genre: Genre) -> Vec<(u32, Fault)> {
        let start = span.start();
        let place = Place {
            line: start.line,
            column: start.column + 1,
        };
        let found = self.wanted.remove(&(place, genre)).unwrap_or_default();
        found
            .into_iter()
            .map(|(number, fault)| (number, fault.clone()))
            .collect()
    }

    fn range(&self, span: proc_macro2::Span) -> Range<usize> {
        self.offset(span.start())..self.offset(span.end())
    }

    fn offset(&self, place: proc_macro2::LineColumn) -> usize {
        let start = self.lines[place.line - 1];
        let line = &self.text[start..];
        let within = line.char_indices().nth(place.column).map_or(line.len(), |(at, _)| at);
        start + within
    }

    fn insert(&mut self, at: usize, is_start: bool, text: String, places: Vec<(u32, Range<usize>)>) {
        let sequence = isize::try_from(self.inserts.len()).expect("there are few");
        let order = (is_start, if is_start { sequence } else { -sequence });
        self.inserts.push(Insert {
            at,
            order,
            text,
            places,
        });
    }

    /// Offers other texts in the place of an expression.
    fn choose(&mut self, whole: Range<usize>, others: &[(u32, String)]) {
        if others.is_empty() {
            return;
        }
        let mut text = format!("(match {ASK} {{ ");
        let mut places = Vec::new();
        for (number, other) in others {
            text += &format!("{number} => (");
            let start = text.len();
            text += other;
            places.push((*number, start..text.len()));
            text += "), ";
        }
        text += "_ => (";
        self.insert(whole.start, true, text, places);
        self.insert(whole.end, false, ") })".to_owned(), Vec::new());
    }

    /// A body is left at once with another value.
    fn body(&mut self, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        let at = self.range(first.span()).start;
        for (number, fault) in self.take(first.span(), Genre::FnValue) {
            let text = format!("if {ASK} == {number} {{ return {}; }} ", fault.replacement);
            let place = 0..text.len();
            self.insert(at, true, text, vec![(number, place)]);
        }
    }

    /// The operators of an expression, as far as no brackets are around them, each with its faults: what is around an operator decides what
    /// another one in its place binds.
    fn operators(&mut self, node: &syn::ExprBinary, others: &mut Vec<(u32, Range<usize>, String)>) {
        let place = self.range(node.op.span());
        for (number, fault) in self.take(node.op.span(), Genre::BinaryOperator) {
            others.push((number, place.clone(), fault.replacement));
        }
        for side in [&node.left, &node.right] {
            if let syn::Expr::Binary(side) = &**side {
                self.operators(side, others);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        if node.sig.constness.is_none() {
            self.body(&node.block);
            visit::visit_item_fn(self, node);
        }
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        if node.sig.constness.is_none() {
            self.body(&node.block);
            visit::visit_impl_item_fn(self, node);
        }
    }

    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        if let Some(block) = &node.default {
            self.body(block);
        }
        visit::visit_trait_item_fn(self, node);
    }

    // These are worked out when the crate is compiled.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        // What binds names cannot stand within brackets, but its parts can.
        if !has_let(node) {
            let whole = self.range(node.span());
            let mut others = Vec::new();
            self.operators(node, &mut others);
            let texts: Vec<_> = others
                .into_iter()
                .map(|(number, place, operator)| {
                    let (before, after) = (&self.text[whole.start..place.start], &self.text[place.end..whole.end]);
                    (number, format!("{before}{operator}{after}"))
                })
                .collect();
            self.choose(whole, &texts);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        let whole = self.range(node.span());
        let behind = self.range(node.op.span()).end;
        let rest = self.text[behind..whole.end].to_owned();
        let texts: Vec<_> = self
            .take(node.op.span(), Genre::UnaryOperator)
            .into_iter()
            .map(|(number, _)| (number, rest.clone()))
            .collect();
        self.choose(whole, &texts);
        visit::visit_expr_unary(self, node);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        if let Some((_, guard)) = &node.guard {
            let texts: Vec<_> = self
                .take(guard.span(), Genre::MatchArmGuard)
                .into_iter()
                .map(|(number, fault)| (number, fault.replacement))
                .collect();
            let whole = self.range(guard.span());
            self.choose(whole, &texts);
        } else {
            let at = self.range(node.pat.span()).end;
            for (number, _) in self.take(node.span(), Genre::MatchArm) {
                let text = format!(" if {ASK} != {number}");
                let place = 0..text.len();
                self.insert(at, true, text, vec![(number, place)]);
            }
        }
        visit::visit_arm(self, node);
    }
}

fn has_let(node: &syn::ExprBinary) -> bool {
    [&node.left, &node.right].into_iter().any(|side| match &**side {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(side) => has_let(side),
        _ => false,
    })
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.char_indices().filter(|(_, letter)| *letter == '\n');
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fault::Span;
    use super::*;

    /// A fault where a text begins.
    fn fault(text: &str, at: &str, replacement: &str, genre: Genre) -> Fault {
        let offset = text.find(at).unwrap();
        let before = &text[..offset];
        let start = Place {
            line: before.matches('\n').count() + 1,
            column: before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1,
        };
        Fault {
            name: at.to_owned(),
            file: "a.rs".to_owned(),
            function: None,
            span: Span { start, end: start },
            replacement: replacement.to_owned(),
            genre,
        }
    }

    fn switched(text: &str, faults: &[(&str, &str, Genre)]) -> String {
        let faults: Vec<Fault> = faults
            .iter()
            .map(|(at, replacement, genre)| fault(text, at, replacement, *genre))
            .collect();
        let numbered: Vec<(u32, &Fault)> = (1..).zip(&faults).collect();
        let switched = switch(text, &numbered).unwrap();
        syn::parse_file(&switched.text).unwrap();
        for (offset, letter) in text.char_indices() {
            let mut found = switched.text.char_indices();
            let is_there = found.any(|(own, other)| other == letter && switched.original(own) == offset);
            assert!(is_there, "{offset}");
        }
        switched.text.replace(ASK, "N")
    }

    #[test]
    fn each_fault_stands_beside_what_it_replaces() {
        use Genre::{BinaryOperator, FnValue, MatchArm, MatchArmGuard, UnaryOperator};
        assert_eq!(
            switched(
                "fn f(a: u8) -> bool {\n    a == 1\n}",
                &[("a == 1", "true", FnValue), ("==", "!=", BinaryOperator)]
            ),
            "fn f(a: u8) -> bool {\n    if N == 1 { return true; } (match N { 2 => (a != 1), _ => (a == 1) })\n}"
        );
        // An operator in the place of another binds what is around it as it would there.
        assert_eq!(
            switched(
                "fn f() { g(!é || b && c) }",
                &[
                    ("||", "&&", BinaryOperator),
                    ("&&", "||", BinaryOperator),
                    ("!é", "", UnaryOperator)
                ]
            ),
            "fn f() { g((match N { 1 => (!é && b && c), 2 => (!é || b || c), _ => ((match N { 3 => (é), _ => (!é) }) || b && c) })) }"
        );
        assert_eq!(
            switched(
                "fn f() { match a { 1 | 2 => b, _ if c => d, _ => e } }",
                &[("1 | 2", "", MatchArm), ("c =>", "true", MatchArmGuard),]
            ),
            "fn f() { match a { 1 | 2 if N != 1 => b, _ if (match N { 2 => (true), _ => (c) }) => d, _ => e } }"
        );
    }

    #[test]
    fn what_cannot_be_switched_is_left_alone() {
        use Genre::{BinaryOperator, FnValue};
        for (text, at, genre) in [
            ("fn f() { if let A = b && c {} }", "&&", BinaryOperator),
            ("const fn f() -> u8 { 1 + 1 }", "+", BinaryOperator),
            ("const fn f() -> u8 { 1 + 1 }", "1 +", FnValue),
            ("const A: u8 = 1 + 1;", "+", BinaryOperator),
            ("fn f() -> [u8; 1 + 1] {}", "+", BinaryOperator),
        ] {
            assert_eq!(switched(text, &[(at, "", genre)]), text);
        }
        let text = "fn f() { if let A = b && c == d {} }";
        let found = switched(text, &[("==", "!=", BinaryOperator)]);
        assert_eq!(
            found,
            "fn f() { if let A = b && (match N { 1 => (c != d), _ => (c == d) }) {} }"
        );
    }
}
