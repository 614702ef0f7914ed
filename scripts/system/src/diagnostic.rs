//! Errors that point into the manifest, printed the way `rustc` prints its own.

use std::fmt;
use std::ops::Range;

/// Bytes of the manifest that an error is about.
pub type Span = Range<usize>;

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where; none if the manifest itself could not be read.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Collects everything that is wrong while a manifest is checked.
#[derive(Debug)]
pub struct Diagnostics<'a> {
    text: &'a str,
    list: Vec<Diagnostic>,
}

impl<'a> Diagnostics<'a> {
    /// An empty collection for the manifest `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, list: Vec::new() }
    }

    /// Adds an error at `span`.
    pub fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.list.push(Diagnostic { span: Some(span), message: message.into(), help: help.into() });
    }

    /// Adds an error at `span` that the hypervisor would report too: it says what is wrong, and behind a semicolon what would be
    /// right.
    pub fn of_bundle(&mut self, span: Span, error: impl fmt::Display) {
        let text = error.to_string();
        let (message, help) = text.split_once("; ").unwrap_or((&text, "correct it"));
        self.error(span, message, help);
    }

    /// True while nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of the line, counted from 1, on which `span` starts.
    pub fn line(&self, span: &Span) -> usize {
        Position::of(self.text, span.start).line
    }

    /// Ends the collection as a report on `file`, in the order of the lines.
    pub fn into_report(mut self, file: &str) -> Report {
        self.list.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
        Report { file: file.to_owned(), text: self.text.to_owned(), diagnostics: self.list }
    }
}

/// Everything that is wrong with one manifest. Displays as text for the terminal.
#[derive(Clone, Debug)]
pub struct Report {
    file: String,
    text: String,
    /// The errors in the order of the manifest's lines.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// A report of one error that has no place in the text: the manifest could not be read.
    pub fn unreadable(file: &str, message: String, help: &str) -> Self {
        let diagnostic = Diagnostic { span: None, message, help: help.to_owned() };
        Self { file: file.to_owned(), text: String::new(), diagnostics: vec![diagnostic] }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Diagnostic { span, message, help }) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match span {
                None => writeln!(f, "{}: error: {message}", self.file)?,
                Some(span) => {
                    let at = Position::of(&self.text, span.start);
                    writeln!(f, "{}:{}:{}: error: {message}", self.file, at.line, at.column)?;
                    excerpt(f, &self.text, span, &at)?;
                }
            }
            writeln!(f, "help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// A place in a text, for people: both numbers count from 1, the column in characters.
struct Position {
    line: usize,
    column: usize,
    line_start: usize,
}

impl Position {
    fn of(text: &str, offset: usize) -> Self {
        let before = &text[..boundary(text, offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1, line_start }
    }
}

/// The last place in `text`, up to `offset`, that is not inside a character.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Prints the line with carets under `span`, as far as the span lies on that line.
fn excerpt(f: &mut fmt::Formatter<'_>, text: &str, span: &Span, at: &Position) -> fmt::Result {
    let line = text[at.line_start..].lines().next().unwrap_or_default();
    let number = at.line.to_string();
    // A manifest may hold any character; none of them may act on the terminal.
    let shown: String = line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
    let margin: String = line.chars().take(at.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let end = boundary(text, span.end).min(at.line_start + line.len());
    let start = boundary(text, span.start);
    let carets = text.get(start..end).map_or(1, |marked| marked.chars().count().max(1));
    writeln!(f, " {number} | {shown}")?;
    writeln!(f, " {:width$} | {margin}{}", "", "^".repeat(carets), width = number.len())
}
