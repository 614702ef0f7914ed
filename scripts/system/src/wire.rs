//! `[[wire]]`: a line that one VM drives and another one sees.

use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::map::GPIO_LINES;
use portcullis_bundle::is_name;
use portcullis_bundle::links::WireEnd;
use toml::Spanned;

use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::section::Section;
use super::system;

/// A wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Its name.
    pub name: String,
    /// Who drives it.
    pub from: WireEnd,
    /// Who sees what is driven.
    pub to: WireEnd,
}

/// A `[[wire]]` as it stands in the manifest. What is none was missing or wrong, and that has been reported, or it is optional.
pub struct WireDraft {
    span: Span,
    name: Option<Spanned<String>>,
    from: End,
    to: End,
}

/// One end of it.
struct End {
    vm: Option<Spanned<String>>,
    line: Option<Spanned<u64>>,
}

impl End {
    fn read(section: &Section<'_>, vm: &str, line: &str, diagnostics: &mut Diagnostics<'_>) -> Self {
        section.require(vm, diagnostics);
        let line = section.number(line, diagnostics).filter(|line| {
            let right = *line.get_ref() < GPIO_LINES as u64;
            if !right {
                let message = format!("there is no line {}", line.get_ref());
                diagnostics.error(line.span(), message, format!("lines are 0 to {}", GPIO_LINES - 1));
            }
            right
        });
        Self { vm: section.string(vm, diagnostics), line }
    }

    /// Number of its VM.
    fn vm(&self, vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Option<usize> {
        system::vm_of(self.vm.as_ref()?, vms, diagnostics)
    }
}

impl WireDraft {
    /// Reads `section`; whatever is wrong inside it is reported.
    pub fn read(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Self {
        section.require("name", diagnostics);
        Self {
            span: section.span.clone(),
            name: name(section, diagnostics),
            from: End::read(section, "from", "from-line", diagnostics),
            to: End::read(section, "to", "to-line", diagnostics),
        }
    }
}

/// The name of a link.
pub fn name(section: &Section<'_>, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<String>> {
    let name = section.string("name", diagnostics)?;
    if !is_name(name.get_ref()) {
        let message = format!("the name {:?} is wrong", name.get_ref().escape_debug().to_string());
        let help = format!("it is 1 to {NAME_MAX} characters of a-z, 0-9 and '-', the first one a letter");
        diagnostics.error(name.span(), message, help);
        return None;
    }
    Some(name)
}

/// Reports each of `names`, of links that are called `what`, that is there twice.
pub fn once<'a>(what: &str, names: impl Iterator<Item = &'a Spanned<String>>, diagnostics: &mut Diagnostics<'_>) {
    let mut seen: Vec<&Spanned<String>> = Vec::new();
    for name in names {
        match seen.iter().find(|other| other.get_ref() == name.get_ref()) {
            Some(first) => {
                let line = diagnostics.line(&first.span());
                let message = format!("a second {what} of the name {:?}; the first is in line {line}", name.get_ref());
                diagnostics.error(name.span(), message, "give each one a name of its own");
            }
            None => seen.push(name),
        }
    }
}

/// The wires between `vms`. A line that is not named is the first one that no wire of its VM has. Whatever does not fit is
/// reported.
pub fn wires(drafts: &[WireDraft], vms: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Vec<Wire> {
    once("wire", drafts.iter().filter_map(|draft| draft.name.as_ref()), diagnostics);
    let ends: Vec<[Option<usize>; 2]> =
        drafts.iter().map(|draft| [&draft.from, &draft.to].map(|end| end.vm(vms, diagnostics))).collect();
    // By VM and line: where it was taken.
    let mut taken: Vec<[Option<Span>; GPIO_LINES]> = vec![[const { None }; GPIO_LINES]; vms.len()];
    for (draft, ends) in drafts.iter().zip(&ends) {
        if let [Some(from), Some(to)] = ends
            && from == to
            && let Some(vm) = &draft.to.vm
        {
            let message = format!("both ends of this wire are those of {:?}", vm.get_ref());
            diagnostics.error(vm.span(), message, "a wire leads to another VM");
        }
        for (end, vm) in [&draft.from, &draft.to].into_iter().zip(ends) {
            let (Some(line), Some(vm)) = (&end.line, vm) else { continue };
            let place = &mut taken[*vm][*line.get_ref() as usize];
            if let Some(first) = place {
                let first = diagnostics.line(first);
                let message = format!("line {} of this VM has a wire already, that of line {first}", line.get_ref());
                diagnostics.error(line.span(), message, "give each wire a line of its own, or leave the line out");
            }
            *place = Some(line.span());
        }
    }
    let mut wires = Vec::new();
    for (draft, ends) in drafts.iter().zip(&ends) {
        let mut place = |end: &End, vm: Option<usize>| {
            let vm = vm?;
            let line = match &end.line {
                Some(line) => *line.get_ref() as usize,
                None => {
                    let Some(line) = taken[vm].iter().position(Option::is_none) else {
                        let message = format!("{} has more than {GPIO_LINES} ends of wires", vms[vm].title());
                        diagnostics.error(draft.span.clone(), message, "leave this wire out, or lead it to another VM");
                        return None;
                    };
                    taken[vm][line] = Some(draft.span.clone());
                    line
                }
            };
            Some(WireEnd { vm, line })
        };
        let (from, to) = (place(&draft.from, ends[0]), place(&draft.to, ends[1]));
        if let (Some(name), Some(from), Some(to)) = (&draft.name, from, to) {
            wires.push(Wire { name: name.get_ref().clone(), from, to });
        }
    }
    wires
}
