//! From the firmware to the hypervisor.

use portcullis_board::{Range, Regions};
use portcullis_bundle::Bundle;
use portcullis_platform::facts::Facts;
use portcullis_platform::passthrough;
use uefi_raw::Status;

use crate::firmware::{Firmware, Table};
use crate::refusal::Refusal;
use crate::time::{self, Moment};
use crate::{memory, search};

/// Longest device tree, as boot has it.
const LONGEST_TREE: usize = 2 << 20;
/// How often boot services are left with a newer map. A key is an old one if something has allocated memory since, such as a
/// timer's handler; the first attempt stops those (UEFI 7.4.6).
const ATTEMPTS: usize = 8;

/// What the hypervisor is to know beside the device tree.
#[derive(Clone, Debug)]
pub struct Handover {
    /// Address of the device tree.
    pub tree: u64,
    /// Where the bundle is.
    pub bundle: Range,
    /// The RAM that is not the firmware's. Image, device tree and bundle lie in it.
    pub usable: Regions,
    /// The time of day, if the firmware knows it. It may keep the board's clock from then on.
    pub time: Option<Moment>,
}

/// Does all that is to be done while the firmware is there, and leaves it. `image` is where the image lies, as long as it is in
/// memory.
///
/// # Errors
///
/// [`Refusal`]: nothing was started, and the firmware, unless it was being left, is as it was.
pub fn start(firmware: &mut impl Firmware, image: Range) -> Result<Handover, Refusal> {
    let level = firmware.level();
    if level != 2 {
        return Err(Refusal::Level(level));
    }
    if !firmware.has_crc32() {
        return Err(Refusal::NoCrc);
    }
    let tree = firmware.tree(LONGEST_TREE).ok_or(Refusal::NoTree { acpi: firmware.has(Table::Acpi) })?;
    if tree.is_empty() {
        return Err(Refusal::NotATree);
    }
    let place = |bytes: &[u8]| Range::sized(bytes.as_ptr() as u64, bytes.len() as u64);
    memory::check_reach(firmware, "the image", image)?;
    memory::check_reach(firmware, "the device tree", place(tree))?;
    let mut facts = Facts::from_tree(tree).map_err(Refusal::Facts)?;
    let (usable, _) = memory::read(firmware, facts.bundle).map_err(Refusal::NoMap)?;
    let (source, bytes) = search::find(firmware, facts.bundle, &usable)?;
    memory::check_reach(firmware, "the bundle", place(bytes))?;
    let bundle = Bundle::parse(bytes).map_err(|error| Refusal::Bundle { source, error })?;
    facts.bundle = Some(place(bytes));
    check_board(firmware, &facts, tree, &bundle)?;

    let plan = Plan { facts: &facts, image, tree: place(tree), bundle: &bundle };
    let (usable, _) = plan.read(firmware).map_err(Refusal::NoMap)?;
    plan.check(&usable)?;
    firmware.say(format_args!("EFI: the bundle comes {source}, {} bytes", bytes.len()));
    let told = firmware.time();
    let time = told.and_then(|(time, count)| Some(Moment { nanoseconds: time::nanoseconds(&time)?, count }));
    let usable = leave(firmware, &plan)?;
    Ok(Handover { tree: place(tree).start, bundle: place(bytes), usable, time })
}

/// Checks that the board has what the bundle asks for, as far as the device tree and this core tell.
fn check_board(
    firmware: &impl Firmware,
    facts: &Facts,
    tree: &'static [u8],
    bundle: &Bundle<'static>,
) -> Result<(), Refusal> {
    let (model, cores) = (firmware.memory_model(), facts.cores.len());
    for vm in bundle.vms() {
        if let Some(pages) = vm.lacking_pages(model) {
            return Err(Refusal::Pages { vm: vm.name, pages });
        }
        if let Some(core) = vm.cores.as_slice().iter().map(|core| *core as usize).find(|core| *core >= cores) {
            return Err(Refusal::NoSuchCore { vm: vm.name, core, cores });
        }
    }
    passthrough::find(facts, tree, bundle).map(drop).map_err(Refusal::Device)
}

/// What there has to be memory for.
struct Plan<'a> {
    /// What the device tree tells, and where the bundle lies.
    facts: &'a Facts,
    image: Range,
    tree: Range,
    bundle: &'a Bundle<'static>,
}

impl Plan<'_> {
    /// Reads the newest map.
    fn read(&self, firmware: &mut impl Firmware) -> Result<(Regions, usize), Status> {
        memory::read(firmware, self.facts.bundle)
    }

    /// Checks that there is room.
    fn check(&self, usable: &Regions) -> Result<(), Refusal> {
        memory::check(usable, self.facts, self.image, self.tree, self.bundle)
    }
}

/// Leaves boot services. Returns the RAM that is free then, which is enough: what it takes to leave them may change the map.
fn leave(firmware: &mut impl Firmware, plan: &Plan<'_>) -> Result<Regions, Refusal> {
    let mut last = Status::INVALID_PARAMETER;
    for attempt in 0..ATTEMPTS {
        // After the first attempt nothing else may be asked than for memory and for the map, and nothing be said.
        let (usable, key) = plan.read(firmware).map_err(Refusal::NotLeft)?;
        plan.check(&usable)
            .map_err(|refusal| if attempt == 0 { refusal } else { Refusal::NotLeft(refusal.status()) })?;
        match firmware.exit(key) {
            Ok(()) => return Ok(usable),
            Err(status @ Status::INVALID_PARAMETER) => last = status,
            Err(status) => return Err(Refusal::NotLeft(status)),
        }
    }
    Err(Refusal::NotLeft(last))
}
