//! Mistakes in a text file, shown where they stand.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use camino::Utf8Path;

/// Whether a problem stops the use of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but the file probably does not mean what it seems to.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// The stable code, for what has one.
    pub code: Option<String>,
    /// Where, in bytes of the text; `None` when no single place is wrong.
    pub span: Option<Range<usize>>,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What is wrong with this very place.
    pub label: String,
    /// What would fix it.
    pub help: Option<String>,
}

impl Problem {
    /// A mistake at `span`.
    pub fn error(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: None,
            span: Some(span),
            message: message.into(),
            label: label.into(),
            help: None,
        }
    }

    /// Says what would fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The problems as text, each with the lines of `source` it is about; `path` is how the file is called. Nothing is coloured, and
/// control and bidirectional characters of the source are shown as symbols.
pub fn render(path: &Utf8Path, source: &str, problems: &[Problem]) -> String {
    let renderer = Renderer::plain().decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    for problem in problems {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&report(path.as_str(), source, problem)));
        out.push('\n');
    }
    out
}

fn report<'a>(path: &'a str, source: &'a str, problem: &'a Problem) -> Vec<Group<'a>> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut title = level.primary_title(problem.message.as_str());
    if let Some(code) = &problem.code {
        title = title.id(code.as_str());
    }
    let mut group = match &problem.span {
        Some(span) => title.element(
            Snippet::source(source).path(path).annotation(
                AnnotationKind::Primary
                    .span(within(source, span))
                    .label(problem.label.as_str()),
            ),
        ),
        None => Group::with_title(title).element(annotate_snippets::Origin::path(path)),
    };
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    vec![group]
}

/// The span, cut to its first line and to whole characters: a table's span runs over its body, and nobody wants it underlined.
fn within(source: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    let first_line = source[start..end].find('\n').map_or(end, |newline| start + newline);
    start..first_line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_where_it_stands() {
        let source = "a = 1\nb = \"é\u{202e}\"\n";
        let start = source.find('b').unwrap();
        let problem = Problem::error(start..source.len(), "what is wrong", "here").help("do it right");
        let text = render(Utf8Path::new("x.toml"), source, &[problem]);
        assert!(text.contains("error: what is wrong"), "{text}");
        assert!(text.contains("--> x.toml:2:1"), "{text}");
        assert!(text.contains("^ here"), "{text}");
        assert!(text.contains("help: do it right"), "{text}");
        assert!(!text.contains('\u{202e}'), "{text}");
    }

    #[test]
    fn spans_outside_the_text_do_no_harm() {
        for span in [0..99, 99..120, 2..3, 0..0] {
            let problem = Problem::error(span, "m", "l");
            assert!(render(Utf8Path::new("x"), "é", &[problem]).contains('m'));
        }
        let nowhere = Problem {
            span: None,
            ..Problem::error(0..0, "m", "l")
        };
        assert!(render(Utf8Path::new("x"), "", &[nowhere]).contains("error: m"));
    }
}
