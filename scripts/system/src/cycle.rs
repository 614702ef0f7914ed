//! One `[[core]]` as it stands in the manifest: what could be read of it, with its places.

use portcullis_bundle::limit::{FRAME, START, WINDOW, WINDOWS};
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::section::Section;
use super::{duration, firmware, key};

/// How a core divides its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schedule {
    RoundRobin,
    Cyclic,
}

const SCHEDULES: &[(&str, Schedule)] = &[("round-robin", Schedule::RoundRobin), ("cyclic", Schedule::Cyclic)];

/// A core under construction. What is none was missing or wrong, and that has been reported, or it is optional.
pub struct CoreDraft {
    /// Where the header stands.
    pub span: Span,
    /// The core's number.
    pub number: Option<Spanned<u64>>,
    /// Its frame; none also for a core that is scheduled round robin.
    pub cycle: Option<Cycle>,
}

/// The frame of a core with a cyclic schedule.
pub struct Cycle {
    /// Its length in microseconds.
    pub frame: Option<u32>,
    /// The windows in the manifest's order.
    pub windows: Vec<WindowDraft>,
    /// The names in `background`.
    pub background: Vec<Spanned<String>>,
}

/// A window under construction.
pub struct WindowDraft {
    /// Where it stands.
    pub span: Span,
    /// The name of its VM.
    pub vm: Option<Spanned<String>>,
    /// Where it starts, in microseconds from the frame's start; none if it starts where the one before it ends.
    pub at: Option<Spanned<u32>>,
    /// Its length in microseconds.
    pub length: Option<u32>,
}

impl CoreDraft {
    /// Reads `section`; whatever is wrong inside it is reported.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Self {
        section.require("number", diagnostics);
        let number = section.number("number", diagnostics);
        let schedule = section.string("schedule", diagnostics);
        let is_wrong = section.value("schedule").is_some();
        let schedule = match schedule {
            Some(word) => firmware::choice("schedule", "schedule", &word, SCHEDULES, diagnostics),
            None if is_wrong => None,
            None => Some(Schedule::RoundRobin),
        };
        let cycle = match schedule {
            Some(Schedule::Cyclic) => Some(cycle(section, diagnostics)),
            Some(Schedule::RoundRobin) => {
                no_cycle(section, diagnostics);
                None
            }
            None => None,
        };
        Self { span: section.span.clone(), number, cycle }
    }
}

/// Reports what only a cyclic schedule has.
fn no_cycle(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) {
    for key in ["frame", "windows", "background"] {
        if let Some(value) = section.value(key) {
            let help = "add schedule = \"cyclic\", or leave the line out";
            diagnostics.error(value.span(), format!("`{key}` on a core without a cyclic schedule"), help);
        }
    }
}

fn cycle(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Cycle {
    for key in ["frame", "windows"] {
        section.require(key, diagnostics);
    }
    let frame = section.value("frame").and_then(|value| duration::read(section, "frame", value, FRAME, diagnostics));
    let windows = section.sections("windows", &key::WINDOW, diagnostics);
    if let Some((list, span)) =
        section.value("windows").and_then(|list| Some((list.get_ref().as_array()?, list.span())))
        && let Err(error) = WINDOWS.check(list.len())
    {
        diagnostics.of_bundle(span, error);
    }
    Cycle {
        frame: frame.map(Spanned::into_inner),
        windows: windows.iter().map(|window| self::window(window, diagnostics)).collect(),
        background: background(section, diagnostics),
    }
}

fn window(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> WindowDraft {
    for key in ["vm", "length"] {
        section.require(key, diagnostics);
    }
    let vm = section.string("vm", diagnostics);
    let at = section.value("at");
    let at = at.and_then(|value| duration::read(section, "at", value, START, diagnostics));
    let length =
        section.value("length").and_then(|value| duration::read(section, "length", value, WINDOW, diagnostics));
    WindowDraft { span: section.span.clone(), vm, at, length: length.map(Spanned::into_inner) }
}

fn background(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Vec<Spanned<String>> {
    let mut names: Vec<Spanned<String>> = Vec::new();
    for name in section.strings("background", diagnostics).iter().flat_map(|list| list.get_ref()) {
        if names.iter().any(|other| other.get_ref() == name.get_ref()) {
            let message = format!("{:?} is listed twice in `background`", name.get_ref());
            diagnostics.error(name.span(), message, "list it once");
        }
        names.push(Spanned::new(name.span(), (*name.get_ref()).to_owned()));
    }
    names
}
