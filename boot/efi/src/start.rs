//! From the firmware to the hypervisor.

use portcullis_board::{Range, Regions};
use portcullis_bundle::Bundle;
use portcullis_platform::facts::Facts;
use uefi_raw::Status;

use crate::firmware::{Firmware, Table};
use crate::refusal::Refusal;
use crate::time::{self, Moment};
use crate::{memory, search};

/// Longest device tree, as boot has it.
const LONGEST_TREE: usize = 2 << 20;
/// How often boot services are left with a newer map. A key is an old one if something has allocated memory since, such as a timer's
/// handler; the first attempt stops those (UEFI 7.4.6).
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

/// Does all that is to be done while the firmware is there, and leaves it. `image` is where the image lies, as long as it is in memory.
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
    let chosen = Facts::from_tree(tree).map_err(Refusal::Facts)?.bundle;
    let (usable, _) = memory::read(firmware).map_err(Refusal::NoMap)?;
    let (source, bytes) = search::find(firmware, chosen, &usable)?;
    memory::check_reach(firmware, "the bundle", place(bytes))?;
    let bundle = Bundle::parse(bytes).map_err(|error| Refusal::Bundle { source, error })?;

    let taken = [place(tree), place(bytes)];
    let (usable, _) = memory::read(firmware).map_err(Refusal::NoMap)?;
    memory::check(&usable, image, &taken, &bundle)?;
    firmware.say(format_args!("EFI: the bundle comes {source}, {} bytes", bytes.len()));
    let told = firmware.time();
    let time = told.and_then(|(time, count)| Some(Moment { nanoseconds: time::nanoseconds(&time)?, count }));
    let usable = leave(firmware)?;
    Ok(Handover { tree: place(tree).start, bundle: place(bytes), usable, time })
}

/// Leaves boot services. Returns the RAM that is free then.
fn leave(firmware: &mut impl Firmware) -> Result<Regions, Refusal> {
    let mut last = Status::INVALID_PARAMETER;
    for _ in 0..ATTEMPTS {
        // After the first attempt nothing else may be asked than for memory and for the map.
        let (usable, key) = memory::read(firmware).map_err(Refusal::NotLeft)?;
        match firmware.exit(key) {
            Ok(()) => return Ok(usable),
            Err(status @ Status::INVALID_PARAMETER) => last = status,
            Err(status) => return Err(Refusal::NotLeft(status)),
        }
    }
    Err(Refusal::NotLeft(last))
}
