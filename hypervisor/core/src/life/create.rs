//! How a VM is made of what the bundle says of it: its memory, its tables, its firmware registers, its filter.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::firmware::{STD_TRNG, VENDOR_HYP_PTP};
use portcullis_abi::map;
use portcullis_arch::timer;
use portcullis_board::device::Device;
use portcullis_board::{Range, Regions, vm_memory};
use portcullis_bundle::assignment::Assignments;
use portcullis_bundle::links::transport;
use portcullis_bundle::{FirmwareConfig, VmConfig};
use portcullis_gate::{Conduits, FilterError, Register, Row, Rule, SetError, Support};

use super::flash::{self, FlashError};
use super::shared_memory::{self, SharedMemory, SharedMemoryError};
use crate::devices::gpio::Gpio;
use crate::devices::{clock_is_replaced, wires_are_replaced};
use crate::links::Links;
use crate::memory::stage2::{Access, Stage2};
use crate::serial::SERIAL;
use crate::vm::generation::Generation;
use crate::vm::{Parts, Vm, pv_time, ram_of, support};

/// What VMs are made of.
pub struct Stock<'a> {
    /// What the board can serve.
    pub support: &'a Support,
    /// What a VM gets for its GICC.
    pub interface: Option<Range>,
    /// The devices that are given to VMs.
    pub assignments: Assignments,
    /// The controllers of the VMs' wires, by VM.
    pub wires: Vec<Option<&'static Gpio>>,
    /// The memory that VMs share.
    pub shared: Vec<SharedMemory>,
    /// The free RAM.
    pub free: Regions,
    /// What connects VMs.
    pub links: &'static Links,
}

/// Why a VM cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateError {
    /// It asks for more memory than is left.
    NoMemory {
        /// The VM.
        vm: &'static str,
        /// Bytes that it asks for.
        wanted: u64,
        /// Bytes that are left.
        free: u64,
    },
    /// A range cannot be mapped.
    Unmappable(Range),
    /// It asks for a clock, and there is no time to show, and nobody to tell it before it starts.
    NoTime(&'static str),
    /// The device given to it is where its clock would be, or has its interrupt.
    NoClock(&'static str),
    /// It has wires, and the device given to it is where their controller would be, or has its interrupt.
    NoWires(&'static str),
    /// It has a device in a virtio transport in whose place it is given a device of the board.
    NoTransport {
        /// The VM.
        vm: &'static str,
        /// The transport.
        slot: usize,
    },
    /// It cannot have the memory that it shares.
    SharedMemory {
        /// The VM.
        vm: &'static str,
        /// Why not.
        error: SharedMemoryError,
    },
    /// It cannot have its flash.
    Flash {
        /// The VM.
        vm: &'static str,
        /// Why not.
        error: FlashError,
    },
    /// Its manifest sets a firmware register to what this board cannot serve.
    Register {
        /// The VM.
        vm: &'static str,
        /// Which value of which register.
        error: SetError,
    },
    /// A range of its filter cannot be had here.
    Filter {
        /// The VM.
        vm: &'static str,
        /// The first function identifier of the range.
        base: u32,
        /// Why not.
        error: FilterError,
    },
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory { vm, wanted, free } => {
                write!(f, "{vm} wants {} MiB of memory in one piece; {} MiB are free in all", wanted >> 20, free >> 20)
            }
            Self::Unmappable(range) => {
                write!(f, "{:#x} to {:#x} cannot be mapped; addresses up to 512 GiB can", range.start, range.end)
            }
            Self::NoTime(vm) => write!(
                f,
                "{vm} asks for a real-time clock (rtc = true), and this board does not know the time; leave rtc out, or have the \
                 control VM set the time and then start {vm} (autostart = false)"
            ),
            Self::NoClock(vm) => write!(
                f,
                "{vm} asks for a real-time clock (rtc = true), and is given a device of the board in its place; leave one out"
            ),
            Self::NoTransport { vm, slot } => write!(
                f,
                "{vm} has a virtio device in transport {slot} with interrupt {}, and is given a device of the board in its place; leave one \
                 of them out (`scripts/run` numbers transports over what is left, by the device tree of QEMU)",
                map::VIRTIO_INTID as usize + slot
            ),
            Self::NoWires(vm) => write!(
                f,
                "{vm} has wires, and is given a device of the board in place of the PL061 at {:#x} with interrupt {} at which they end; \
                 leave one out",
                map::GPIO,
                map::GPIO_INTID
            ),
            Self::SharedMemory { vm, error } => write!(f, "{vm}: {error}"),
            Self::Flash { vm, error } => write!(f, "{vm}: {error}"),
            Self::Register { vm, error } => {
                write!(f, "{vm}: [vm.firmware]: {error}{}", lacks(error))
            }
            Self::Filter { vm, base, error } => write!(f, "{vm}: filter range {base:#010x}: {error}"),
        }
    }
}

impl core::error::Error for CreateError {}

/// What is to be said of a register that is refused: what the board lacks for it, and what would be right.
fn lacks(error: &SetError) -> &'static str {
    let SetError::Unsupported { register, value, supported } = *error else { return "" };
    match register {
        Register::Std if value & !supported == STD_TRNG => {
            ": this board has no source of entropy for \"trng\"; leave it out, or take a board or firmware with one (docs/firmware.md)"
        }
        Register::VendorHyp if value & !supported == VENDOR_HYP_PTP => {
            ": this board does not know the time for \"ptp\"; leave it out, or have the control VM set the time and then the bit"
        }
        _ if register.is_bitmap() => "; leave the others out",
        _ => "",
    }
}

/// Makes VM `index` of the bundle, whose firmware registers are in `row`: its memory, its tables, its registers. `control`: it
/// manages the others. Its vCPUs are yet to be added.
///
/// # Errors
///
/// [`CreateError`]: what there is not enough of, or cannot be mapped.
pub fn create(
    index: usize,
    config: VmConfig<'static>,
    row: &'static Row,
    control: bool,
    stock: &mut Stock<'_>,
) -> Result<Vm, CreateError> {
    SERIAL.add_vm(config.name);
    let memory = vm_memory::take(&mut stock.free, config.memory, config.settings.trust_dma)
        .ok_or_else(|| CreateError::NoMemory { vm: config.name, wanted: config.memory, free: stock.free.free() })?;
    let page: &'static pv_time::Page = Box::leak(Box::default());
    let pv_time = pv_time::PvTime::new(page, timer::frequency());
    let movable = config.settings.movable;
    let generation = movable.then(|| Generation::new(Box::leak(Box::default())));
    let devices = stock.assignments.take(config.name);
    let wires = stock.wires.get(index).copied().flatten();
    if wires.is_some() && wires_are_replaced(&devices) {
        return Err(CreateError::NoWires(config.name));
    }
    let mut stage2 = Stage2::new();
    let interface = stock.interface.map(|interface| (map::GICC, interface, Access::Device));
    let fixed = [(ram_of(&config, memory), memory, Access::Ram), (map::PV_TIME, pv_time.range(), Access::ReadOnly)];
    let given = devices.iter().flat_map(Device::pages).map(|page| (page.start, page, Access::Device));
    let told = generation.as_ref().map(|told| (map::VM_GENERATION, told.range(), Access::ReadOnly));
    for (ipa, range, access) in fixed.into_iter().chain(interface).chain(told).chain(given) {
        stage2.map(ipa, range, access).map_err(|_| CreateError::Unmappable(range))?;
    }
    let flash = flash::create(&config, &devices, &mut stage2, &mut stock.free)
        .map_err(|error| CreateError::Flash { vm: config.name, error })?;
    let links = stock.links.backplane(index);
    if let Some(slot) =
        links.iter().flat_map(|links| links.slots()).find(|slot| transport::is_replaced(*slot, &devices))
    {
        return Err(CreateError::NoTransport { vm: config.name, slot });
    }
    let ram = Range::sized(ram_of(&config, memory), memory.size());
    let taken: Vec<Range> = [ram].into_iter().chain(devices.iter().flat_map(Device::pages)).collect();
    let shared = shared_memory::share(&stock.shared, index, &mut stage2, &taken)
        .map_err(|error| CreateError::SharedMemory { vm: config.name, error })?;
    make_row(row, &config, control, stock.support);
    if let Some(firmware) = config.firmware {
        set_registers(&config, row, stock.support, &firmware)
            .map_err(|error| CreateError::Register { vm: config.name, error })?;
    }
    let cores = config.cores.as_slice();
    log::info!("{:<width$} {:>5} MiB, cores {cores:?}", config.name, config.memory >> 20, width = NAME_MAX / 2);
    if config.settings.trust_dma || !devices.is_empty() {
        report(&config, memory, &devices);
    }
    Ok(Vm::new(
        index,
        config,
        row,
        Parts { memory, stage2, pv_time, generation, devices, flash, wires, shared, links },
        control,
    ))
}

/// Puts into `row` the firmware registers of a VM that was just created, as they are by default.
pub(super) fn make_row(row: &Row, config: &VmConfig<'_>, control: bool, board: &Support) {
    let support = &support::of_vm(config, board);
    let conduits = Conduits::from_bits(config.settings.conduits).unwrap_or(Conduits::NONE);
    if control {
        row.create_control(support, conduits);
    } else {
        row.create(support, conduits);
    }
    if config.settings.suspend {
        row.permit_suspend();
    }
}

/// Sets a VM's firmware registers as the manifest says.
///
/// # Errors
///
/// The first register, in their order, that the board cannot serve so. A guest that is shown less than its manifest says would find
/// out by what it lacks.
fn set_registers(
    config: &VmConfig<'_>,
    row: &Row,
    board: &Support,
    firmware: &FirmwareConfig<'_>,
) -> Result<(), SetError> {
    let support = &support::of_vm(config, board);
    // What is not named is cleared, or keeps its default.
    if firmware.keep { row.set_rule(Rule::Keep) } else { row.clear_all() }?;
    // What the VM's other keys give it they say of the register, too.
    row.set(Register::Sip, support.limit(Register::Sip), support)?;
    let mut named = firmware.named().filter_map(|(id, value)| Some((Register::from_id(id)?, value)));
    named.try_for_each(|(register, value)| row.set(register, value, support))
}

/// Says what a VM with the RAM `memory` can do beyond what others can.
fn report(config: &VmConfig<'_>, memory: Range, devices: &[Device]) {
    let vm = config.name;
    for Device { path, registers, interrupts, .. } in devices {
        let address = registers.first().map_or(0, |region| region.start);
        let interrupts = interrupts.iter().map(|interrupt| interrupt.physical).collect::<Vec<_>>();
        log::info!("{vm}: has {path} at {address:#x}, interrupts {interrupts:?}");
    }
    if config.settings.trust_dma {
        log::warn!(
            "{vm}: trust-dma: through its devices it can read and write all memory, the hypervisor's and other VMs' too; \
             its RAM is at {:#x}",
            memory.start
        );
    }
}

/// Checks that there is a time for the clock of a VM that asks for one, or will be. `known`: the board knows the time.
/// `controlled`: there is a control VM, which may set it.
///
/// # Errors
///
/// [`CreateError::NoClock`] and [`CreateError::NoTime`].
pub fn check_clock(vm: &Vm, known: bool, controlled: bool) -> Result<(), CreateError> {
    if vm.config.settings.rtc != Some(true) {
        return Ok(());
    }
    if clock_is_replaced(&vm.devices) {
        return Err(CreateError::NoClock(vm.name()));
    }
    if !known && (vm.config.settings.autostart || !controlled) {
        return Err(CreateError::NoTime(vm.name()));
    }
    Ok(())
}

/// Gives a VM the range filter that the manifest says. `forward` tells whether a call can go to EL3 on this board: a range that is
/// to go there must have somewhere to go.
///
/// # Errors
///
/// [`CreateError::Filter`].
pub fn set_filter(vm: &Vm, forward: bool) -> Result<(), CreateError> {
    let Some(mut lock) = vm.manager_lock() else { return Ok(()) };
    for range in vm.config.firmware.iter().flat_map(|firmware| firmware.ranges.iter()) {
        let add = lock.add_range(&range, forward);
        add.map_err(|error| CreateError::Filter { vm: vm.name(), base: range.base, error })?;
    }
    Ok(())
}
