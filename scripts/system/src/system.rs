//! Checks of the VMs against each other and against the board.

use std::collections::BTreeMap;

use portcullis_abi::bundle::MEMORY_UNIT;
use portcullis_abi::firmware::{SMCCC_VERSION, VENDOR_HYP_2, VENDOR_HYP_2_IMPL};
use portcullis_abi::function::SMCCC_VERSION_1_2;
use portcullis_abi::id_register::number;
use portcullis_abi::map::MAX_VMS;
use portcullis_bundle::image::Kernel;
use toml::Spanned;

use super::bundle::images::Images;
use super::cpu::{self, Shown};
use super::diagnostic::{Diagnostics, Span};
use super::draft::Draft;
use super::key::nearest;
use super::piece::Piece;
use super::{Action, Board, Filter, Image, memory, ram};

/// Bytes of RAM set aside for the hypervisor itself, the board's firmware and the gaps that alignment leaves.
pub const HYPERVISOR_MEMORY: u64 = 16 << 20;

/// Reports what does not fit together.
pub fn check(control: Option<&Spanned<String>>, drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    count(drafts, diagnostics);
    names(drafts, diagnostics);
    control_name(control, drafts, diagnostics);
    cores(drafts, board, diagnostics);
    firmware(drafts, board, diagnostics);
    devices(drafts, diagnostics);
    clocks(control.is_some(), drafts, board, diagnostics);
    loaded(control, drafts, diagnostics);
    cpus(drafts, board, diagnostics);
    if control.is_none() {
        untold(drafts, diagnostics);
    }
}

/// Reports what a VM would be told if it were offered the call, which nobody is there to grant it.
fn untold(drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    for draft in drafts {
        let granted = |id| draft.firmware.as_ref().and_then(|firmware| firmware.register(id)).unwrap_or_default();
        if let Some(list) = &draft.implementations
            && granted(VENDOR_HYP_2) & VENDOR_HYP_2_IMPL != VENDOR_HYP_2_IMPL
        {
            let message = format!("{} cannot ask for its `implementations`", draft.title());
            let help = r#"add vendor-hyp-2 = ["impl-ver", "impl-cpus"] under its [vm.firmware]"#;
            diagnostics.error(list.span(), message, help);
        }
        if let Some(soc) = &draft.soc
            && granted(SMCCC_VERSION) < SMCCC_VERSION_1_2.into()
        {
            let message = format!("{} cannot ask for its `soc-id`, which SMCCC 1.1 has no call for", draft.title());
            diagnostics.error(soc.span(), message, r#"add smccc = "1.2" under its [vm.firmware]"#);
        }
    }
}

/// Reports VMs without an image into which nobody could load one.
fn loaded(control: Option<&Spanned<String>>, drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    for draft in drafts {
        let Some(store) = &draft.store else { continue };
        let is_control =
            |control: &&Spanned<String>| draft.name.as_ref().map(Spanned::get_ref) == Some(control.get_ref());
        let message = match control {
            None => format!("nobody can load an image into {}", draft.title()),
            Some(_) if control.as_ref().is_some_and(is_control) => {
                format!("{} is the control VM, into which nobody else can load an image", draft.title())
            }
            Some(_) => continue,
        };
        let help = "name a control VM that has an image: [machine] with control = \"...\"";
        diagnostics.error(store.image.clone(), message, help);
    }
}

fn count(drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    if let Some(draft) = drafts.get(MAX_VMS) {
        let message = format!("{} VMs are more than a system can have", drafts.len());
        diagnostics.error(draft.span.clone(), message, format!("keep {MAX_VMS} of them at the most"));
    }
}

fn names(drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    let mut seen: BTreeMap<&str, &Spanned<String>> = BTreeMap::new();
    for name in drafts.iter().filter_map(|draft| draft.name.as_ref()) {
        match seen.get(name.get_ref().as_str()) {
            Some(first) => {
                let line = diagnostics.line(&first.span());
                let message = format!("a second VM of the name {:?}; the first is in line {line}", name.get_ref());
                diagnostics.error(name.span(), message, "give each VM a name of its own");
            }
            None => _ = seen.insert(name.get_ref(), name),
        }
    }
}

fn control_name(control: Option<&Spanned<String>>, drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    let Some(control) = control else { return };
    let is_meant = |draft: &Draft| draft.name.as_ref().is_some_and(|name| name.get_ref() == control.get_ref());
    if !drafts.iter().any(is_meant) {
        no_vm(control, drafts, diagnostics);
    }
}

/// The control VM and where its port is asked for, if it is. A port of nobody's is reported.
pub fn control_port(
    control: Option<&Spanned<String>>,
    port: Option<&Spanned<bool>>,
    drafts: &[Draft],
    diagnostics: &mut Diagnostics<'_>,
) -> Option<(usize, Span)> {
    let port = port.filter(|port| *port.get_ref())?;
    let Some(control) = control else {
        let help = "add control = \"...\", or leave `control-port` out";
        diagnostics.error(port.span(), "there is no control VM that could have the port", help);
        return None;
    };
    Some((position(control, drafts)?, port.span()))
}

/// Number of the VM called `name`, if there is one.
pub fn position(name: &Spanned<String>, drafts: &[Draft]) -> Option<usize> {
    let is_meant = |draft: &Draft| draft.name.as_ref().is_some_and(|known| known.get_ref() == name.get_ref());
    drafts.iter().position(is_meant)
}

/// Number of the VM called `name`; none, which is reported, if there is no such.
pub fn vm_of(name: &Spanned<String>, drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) -> Option<usize> {
    let found = position(name, drafts);
    if found.is_none() {
        no_vm(name, drafts, diagnostics);
    }
    found
}

/// Reports that no VM is called `name`.
pub fn no_vm(name: &Spanned<String>, drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    let names: Vec<&str> = drafts.iter().filter_map(|draft| Some(draft.name.as_ref()?.get_ref().as_str())).collect();
    let help = match nearest(name.get_ref(), &names) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "name one of the VMs of this file".to_owned(),
    };
    diagnostics.error(name.span(), format!("there is no VM {:?}", name.get_ref()), help);
}

fn cores(drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    let lacking = |core: &&Spanned<u64>| *core.get_ref() >= u64::from(board.cores);
    for core in drafts.iter().flat_map(|draft| &draft.cores).filter(lacking) {
        no_core(core, board, diagnostics);
    }
}

/// Reports that the board lacks `core`.
pub fn no_core(core: &Spanned<u64>, board: &Board, diagnostics: &mut Diagnostics<'_>) {
    let help = match board.cores {
        1 => format!("{} has 1 core: core 0", board.name),
        cores => format!("{} has {cores} cores: 0 to {}", board.name, cores.saturating_sub(1)),
    };
    diagnostics.error(core.span(), format!("there is no core {} on {}", core.get_ref(), board.name), help);
}

fn firmware(drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    let forwards = |filter: &&Spanned<Filter>| !board.forwards && filter.get_ref().action == Action::Forward;
    for filter in drafts.iter().filter_map(|draft| draft.filters.iter().find(forwards)) {
        let message = format!("{} has no firmware at EL3 to forward to", board.name);
        let help = "run it with --el3 tf-a, or write action = \"deny\" or action = \"handle\"";
        diagnostics.error(filter.span(), message, help);
    }
}

fn devices(drafts: &[Draft], diagnostics: &mut Diagnostics<'_>) {
    let mut owners: BTreeMap<&str, (String, usize)> = BTreeMap::new();
    for draft in drafts {
        for device in &draft.devices {
            if let Some((owner, line)) = owners.get(device.get_ref().as_str()) {
                let message = format!("the device {:?} is already given to {owner} in line {line}", device.get_ref());
                diagnostics.error(device.span(), message, "a device belongs to one VM: list it once");
            } else {
                owners.insert(device.get_ref(), (draft.title(), diagnostics.line(&device.span())));
            }
        }
    }
}

/// A CPU is shown where each core has all of it, and a kernel's pages are among what it has.
fn cpus(drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    for draft in drafts {
        let Some(cpu) = &draft.cpu else { continue };
        let Shown { name, registers } = cpu.get_ref();
        if let Some(model) = board.cpu
            && let Some((register, fields)) = cpu::lacking(registers, model.name)
        {
            let message = format!("the cores of {} ({}) have less than {name} in {register}", board.name, model.name);
            let help = format!("name a CPU with no more than they have in its bits {fields:#x}, or several");
            diagnostics.error(cpu.span(), message, help);
        }
        let kernel = draft.kernel.as_ref().and_then(|image| Kernel::parse(&image.bytes).ok());
        let model = registers.features[number(7, 0)];
        if let Some(pages) = kernel.and_then(|kernel| kernel.pages).filter(|pages| !pages.is_in(model)) {
            let message = format!("{} is shown {name}, which lacks the pages of {pages} of its kernel", draft.title());
            diagnostics.error(cpu.span(), message, "name a kernel with pages of 4 KiB, or another CPU");
        }
    }
}

/// A clock that is asked for needs a time: the board's, or one that the control VM sets before it starts the VM.
fn clocks(controlled: bool, drafts: &[Draft], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    if board.time {
        return;
    }
    for draft in drafts {
        let Some(place) = draft.clock.clone().filter(|_| draft.settings.rtc == Some(true)) else { continue };
        let help = match (controlled, draft.settings.autostart) {
            (true, false) => continue,
            (true, true) => "write autostart = false: the control VM sets the time, then it starts this VM",
            (false, _) => "leave `rtc` out, or name a control VM, which can set the time and then start this VM",
        };
        let message =
            format!("{} asks for a real-time clock, and {} does not know the time", draft.title(), board.name);
        diagnostics.error(place, message, help);
    }
}

/// The VMs, what they have besides (`pieces`), the bundle with their images (from which they start again after a reset) and the
/// contents of disks, and the hypervisor share the RAM.
pub fn memory(drafts: &[Draft], pieces: &[Piece], disks: &[&Image], board: &Board, diagnostics: &mut Diagnostics<'_>) {
    let mut total = HYPERVISOR_MEMORY;
    let mut parts = Vec::new();
    for draft in drafts {
        let Some(amount) = &draft.memory else { continue };
        if *amount.get_ref() > board.memory {
            let message = format!("{} asks for {} of memory", draft.title(), memory::show(*amount.get_ref()));
            diagnostics.error(amount.span(), message, format!("{} has {}", board.name, memory::show(board.memory)));
            return;
        }
        total = total.saturating_add(*amount.get_ref());
        parts.push(format!("{} for {}", memory::show(*amount.get_ref()), draft.title()));
        if let Some(store) = draft.store.as_ref().filter(|store| store.bytes != 0) {
            total = total.saturating_add(store.bytes);
            parts.push(format!("{} for its store", memory::show(store.bytes)));
        }
        if let Some(flash) = &draft.flash {
            total = total.saturating_add(flash.memory());
            parts.push(format!("{} for its flash", memory::show(flash.memory())));
        }
    }
    for Piece { what, size, .. } in pieces {
        total = total.saturating_add(*size);
        parts.push(format!("{} for {what}", memory::show(*size)));
    }
    let mut images = Images::default();
    disks.iter().for_each(|image| _ = images.add(&image.bytes));
    for draft in drafts {
        let flash = draft.flash.iter().flat_map(|flash| &flash.files);
        for file in draft.kernel.iter().chain(&draft.ramdisk).chain(flash) {
            images.add(&file.bytes);
        }
    }
    let bundle = images.size().next_multiple_of(MEMORY_UNIT);
    total = total.saturating_add(bundle);
    let last = drafts.iter().filter_map(|draft| draft.memory.as_ref()).next_back();
    if let Some(last) = last.filter(|_| total > board.memory) {
        let message = format!(
            "the system needs {} of memory, but {} has {}",
            memory::show(total),
            board.name,
            memory::show(board.memory)
        );
        let help = format!(
            "give the VMs {} less: they have {}, their images take {} and the hypervisor {}",
            memory::show((total - board.memory).next_multiple_of(MEMORY_UNIT)),
            parts.join(", "),
            memory::show(bundle),
            memory::show(HYPERVISOR_MEMORY),
        );
        diagnostics.error(last.span(), message, help);
        return;
    }
    if let Some(ram) = &board.ram {
        ram::check(drafts, pieces, ram, images.size(), &board.name, diagnostics);
    }
}
