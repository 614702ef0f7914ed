//! The schedules of the cores against the VMs and the board.

use std::collections::BTreeMap;

use portcullis_abi::bundle::FRAME_MAX;
use portcullis_bundle::limit::{Misfit, place_window};
use toml::Spanned;

use super::cycle::{CoreDraft, Cycle};
use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::{Board, system};

/// A core with a cyclic schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Its number.
    pub number: u32,
    /// Microseconds of its frame.
    pub frame: u32,
    /// The windows in the order of their time.
    pub windows: Vec<Window>,
    /// Numbers of the VMs that may use what the windows leave.
    pub background: Vec<usize>,
}

/// The time of one VM in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of the VM.
    pub vm: usize,
    /// Microseconds from the frame's start to its own.
    pub start: u32,
    /// Its length in microseconds.
    pub length: u32,
}

/// The cyclic cores in the order of their numbers. Reports what does not fit together.
pub fn cores(cores: &[CoreDraft], drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) -> Vec<Core> {
    let mut seen: BTreeMap<u64, &Span> = BTreeMap::new();
    let mut cyclic = Vec::new();
    for core in cores {
        let Some(number) = &core.number else { continue };
        if let Some(first) = seen.get(number.get_ref()) {
            let line = diagnostics.line(first);
            let message = format!("a second [[core]] of the number {}; the first is in line {line}", number.get_ref());
            diagnostics.error(number.span(), message, "describe each core once");
            continue;
        }
        seen.insert(*number.get_ref(), &core.span);
        if is_used(number, drafts, board, diagnostics)
            && let (Some(cycle), Ok(number)) = (&core.cycle, u32::try_from(*number.get_ref()))
        {
            cyclic.extend(Timetable { number, drafts, span: &core.span }.finish(cycle, diagnostics));
        }
    }
    cyclic.sort_by_key(|core| core.number);
    cyclic
}

/// Whether the board has this core and a VM has a vCPU on it; if not, that is reported.
fn is_used(number: &Spanned<u64>, drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) -> bool {
    if *number.get_ref() >= u64::from(board.cores) {
        system::no_core(number, board, diagnostics);
        return false;
    }
    let used = drafts.iter().any(|draft| is_on(draft, *number.get_ref()));
    if !used {
        let help = "leave this [[core]] out, or name the core in the `cores` of a VM";
        diagnostics.error(number.span(), format!("no VM has a vCPU on core {}", number.get_ref()), help);
    }
    used
}

fn is_on(draft: &Draft, core: u64) -> bool {
    draft.cores.iter().any(|other| *other.get_ref() == core)
}

/// One cyclic core being checked.
struct Timetable<'a> {
    number: u32,
    drafts: &'a [Draft],
    span: &'a Span,
}

impl Timetable<'_> {
    /// The core, if nothing is wrong with it.
    fn finish(&self, cycle: &Cycle, diagnostics: &mut Diagnostics<'_>) -> Option<Core> {
        let owners: Vec<Option<usize>> =
            cycle.windows.iter().map(|window| self.vm(window.vm.as_ref()?, diagnostics)).collect();
        let background: Vec<Option<usize>> = cycle.background.iter().map(|name| self.vm(name, diagnostics)).collect();
        let times = times(cycle, diagnostics);
        let owners: Option<Vec<usize>> = owners.into_iter().collect();
        let background: Option<Vec<usize>> = background.into_iter().collect();
        // Without all names it would be a guess who is forgotten.
        let (owners, background) = (owners?, background?);
        self.forgotten(&owners, &background, diagnostics);
        let windows = owners.into_iter().zip(times?).map(|(vm, (start, length))| Window { vm, start, length });
        Some(Core { number: self.number, frame: cycle.frame?, windows: windows.collect(), background })
    }

    /// Number of the VM of this name, which has a vCPU on this core.
    fn vm(&self, name: &Spanned<String>, diagnostics: &mut Diagnostics<'_>) -> Option<usize> {
        let is_meant = |draft: &Draft| draft.name.as_ref().is_some_and(|known| known.get_ref() == name.get_ref());
        let Some(vm) = self.drafts.iter().position(is_meant) else {
            system::no_vm(name, self.drafts, diagnostics);
            return None;
        };
        if !self.drafts.get(vm).is_some_and(|draft| is_on(draft, self.number.into())) {
            let message = format!("VM {:?} has no vCPU on core {}", name.get_ref(), self.number);
            diagnostics.error(name.span(), message, "name a VM whose `cores` have this core");
            return None;
        }
        Some(vm)
    }

    /// Reports VMs on this core that would never run there.
    fn forgotten(&self, owners: &[usize], background: &[usize], diagnostics: &mut Diagnostics<'_>) {
        for (vm, draft) in self.drafts.iter().enumerate() {
            if is_on(draft, self.number.into()) && !owners.contains(&vm) && !background.contains(&vm) {
                let message = format!(
                    "{} has a vCPU on core {}, but neither a window nor a place in `background`: it could never run there",
                    draft.title(),
                    self.number
                );
                let help = "give it a window, or list it in `background`";
                diagnostics.error(self.span.clone(), message, help);
            }
        }
    }
}

/// Start and length of every window; none if one of them is not known.
fn times(cycle: &Cycle, diagnostics: &mut Diagnostics<'_>) -> Option<Vec<(u32, u32)>> {
    let frame = cycle.frame.unwrap_or(FRAME_MAX);
    let mut times: Vec<(u32, u32)> = Vec::new();
    let mut before: Option<(u32, &Span)> = None;
    for window in &cycle.windows {
        let length = window.length?;
        let free = before.map_or(0, |(end, _)| end);
        let start = window.at.as_ref().map_or(free, |at| *at.get_ref());
        let named = before.map_or_else(String::new, |(_, span)| format!("the one in line {}", diagnostics.line(span)));
        let mut end = place_window(start, length, free, frame);
        if let (Err(misfit @ Misfit::Overlap { .. }), Some(at)) = (end, &window.at) {
            diagnostics.of_bundle(at.span(), misfit.of("this window", &named));
            // What else is wrong with it, and with those behind it.
            end = place_window(start, length, start, frame);
        }
        match end {
            Ok(end) => before = Some((end, &window.span)),
            Err(misfit) => {
                diagnostics.of_bundle(window.span.clone(), misfit.of("this window", &named));
                return None;
            }
        }
        times.push((start, length));
    }
    Some(times)
}
