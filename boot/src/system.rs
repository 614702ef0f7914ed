//! From the device tree and the bundle to a machine with VMs.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::{bundle::NAME_MAX, map};
use portcullis_arch::{checksum, cpu, id, timer};
use portcullis_board::device::Device;
use portcullis_board::{Board, Entropy, WallClock};
use portcullis_board::{Range, Regions};
use portcullis_bundle::assignment::Assignments;
use portcullis_bundle::{Bundle, FirmwareConfig, VmConfig};
use portcullis_core::cpu::physical_core::Processor;
use portcullis_core::devices::{clock_is_replaced, flash_is_replaced};
use portcullis_core::machine::{Machine, TABLE, Usage};
use portcullis_core::memory::stage1;
use portcullis_core::memory::stage2::{Access, Stage2};
use portcullis_core::serial::TERMINAL;
use portcullis_core::vm::flash::{Flash, SECOND};
use portcullis_core::vm::{Parts, Vm, pv_time, ram_of};
use portcullis_gate::{Conduits, Register, Row, Rule, Support};
use portcullis_platform::boards::Entry;
use portcullis_platform::facts::{Facts, List, Text};
use portcullis_platform::{assemble, drivers::rate::Rate, firmware::Findings, support};

use crate::{cores, early, heap, image, memory, passthrough, secondary, stop::Stop};

static FACTS: spin::Once<Facts> = spin::Once::new();
static BOARD: spin::Once<Board> = spin::Once::new();

/// Ends a machine that cannot start, after the reason was printed: off if the board is known well enough, else halted.
pub fn end() -> ! {
    match Machine::if_assembled() {
        Some(machine) => machine.power_off(),
        None => match BOARD.get() {
            Some(board) => board.power.power_off(),
            None => cpu::halt(),
        },
    }
}

/// Does everything up to the first guest, which the other cores may already be starting when this returns.
pub fn bring_up(tree: usize) -> Result<&'static Processor, Stop> {
    let (facts, blob) = read_tree(tree)?;
    let tree = Range::sized(blob.as_ptr() as u64, blob.len() as u64);
    if !checksum::present() {
        return Err(Stop::NoCrc);
    }
    let mut free = memory::free(facts, tree)?;
    let heap = memory::heap(&mut free)?;
    early::map_memory(heap.start);
    // SAFETY: the heap was just taken out of the free RAM and is mapped.
    unsafe { heap::init(heap) };
    let (processors, guards) = processors(facts);
    memory::map(facts, tree, heap, &guards)?;

    let firmware = assemble::firmware(facts);
    // SAFETY: the facts come from the firmware's device tree, and the devices are mapped.
    let board = unsafe { assemble::board(facts, &firmware, stage1::with_page) }.map_err(Stop::Board)?;
    let support = support::support(&board);
    // SAFETY: as above.
    let rate = unsafe { assemble::rate(facts) };
    report_board(facts, &firmware, &board, rate);
    let board = BOARD.call_once(|| board);

    let region = facts.bundle.ok_or(Stop::NoBundle)?;
    // SAFETY: the bundle was loaded there, is mapped read-only and stays for as long as the machine runs.
    let data = unsafe { core::slice::from_raw_parts(region.start as *const u8, region.size() as usize) };
    let bundle = Bundle::parse(data).map_err(Stop::Bundle)?;

    let model = id::memory_model();
    if let Some((vm, pages)) = bundle.vms().find_map(|vm| Some((vm.name, vm.lacking_pages(model)?))) {
        return Err(Stop::Pages { vm, pages });
    }

    let given = portcullis_platform::passthrough::find(facts, blob, &bundle).map_err(Stop::Device)?;

    let here = processors.iter().find(|processor| processor.affinity == cpu::affinity());
    let here = here.ok_or(Stop::UnknownCore(cpu::affinity()))?;
    let mut stock = Stock { support: &support, interface: board.interrupts.virtual_interface(), given, free };
    let vms: Vec<Vm> = bundle
        .vms()
        .zip(&TABLE)
        .enumerate()
        .map(|(index, (config, row))| create(index, *config, row, bundle.control() == Some(index), &mut stock))
        .collect::<Result<_, _>>()?;
    let vms: &'static [Vm] = Vec::leak(vms);
    cores::assign(vms, processors, &bundle)?;
    check_clocks(vms, board, bundle.control().is_some())?;
    for vm in vms {
        set_filter(vm, board.firmware.is_some())?;
    }

    UNALLOCATED.store(stock.free.free(), Ordering::Relaxed);
    let machine = Machine::assemble(board, processors, vms, support, usage);
    secondary::take_up(here);
    if let Some(interrupt) = machine.board.serial.and_then(|serial| serial.interrupt()) {
        machine.board.interrupts.enable_shared(interrupt, here.affinity);
    }
    machine.start_clock(here);
    secondary::start_all(machine, here)?;
    machine.start();
    Ok(here)
}

/// Reads the device tree and connects the console, as early as anything can be said.
fn read_tree(tree: usize) -> Result<(&'static Facts, &'static [u8]), Stop> {
    const MAGIC: u32 = 0xd00d_feed;
    const LONGEST: usize = 2 << 20;
    const ATAG_CORE: u32 = 0x5441_0001;
    let header = tree as *const [u8; 8];
    // SAFETY: the early map has the GiB that x0 points into, unless x0 is null.
    let header = (tree != 0).then(|| unsafe { *header });
    let word = |bytes: Option<[u8; 4]>| bytes.map_or(0, u32::from_be_bytes);
    let magic = word(header.and_then(|header| header.first_chunk().copied()));
    let length = word(header.and_then(|header| header.last_chunk().copied())) as usize;
    // An ATAG list begins with its first tag's size in words and ATAG_CORE (Linux, arch/arm/include/uapi/asm/setup.h).
    let has_atags = header.is_some_and(|header| header.ends_with(&ATAG_CORE.to_le_bytes()));
    let mut compatible = List::<Text, 4>::default();
    let result = if magic == MAGIC && length <= LONGEST {
        // SAFETY: as above; a device tree does not reach into another GiB.
        let data = unsafe { core::slice::from_raw_parts(tree as *const u8, length) };
        let failed = |names: &[Text]| names.iter().for_each(|name| _ = compatible.push(*name));
        Facts::read(data, failed).map(|facts| FACTS.call_once(|| facts)).map_err(Stop::Facts)
    } else {
        Err(if has_atags { Stop::Atags(tree) } else { Stop::NoTree(tree) })
    };
    // SAFETY: the devices' addresses come from the tree, or from what is known of the board; they are mapped.
    let serial = unsafe {
        match &result {
            Ok(facts) => {
                facts.uart.iter().for_each(|uart| early::map_devices(uart.registers.start));
                assemble::serial(facts)
            }
            Err(_) => assemble::last_resort_serial(&Entry {
                image: image::whole().start,
                compatible: &compatible,
                has_atags,
                map: early::map_devices,
            }),
        }
    };
    if let Some(serial) = serial {
        TERMINAL.connect(serial);
    }
    // SAFETY: as above; there are facts, so it is a device tree, and it stays for as long as the machine runs.
    Ok((result?, unsafe { core::slice::from_raw_parts(tree as *const u8, length) }))
}

fn report_board(facts: &Facts, firmware: &Findings, board: &Board, rate: Option<Rate>) {
    let memory: u64 = facts.memory.iter().map(|region| region.size()).sum();
    let cores = facts.cores.len();
    log::info!("Portcullis {} on {}: {cores} cores, {} MiB", env!("CARGO_PKG_VERSION"), board.name, memory >> 20);
    firmware.report();
    let entropy = board.entropy.map_or("none, TRNG is not offered", Entropy::name);
    let clock = board.wall_clock.map_or("none, PTP is not offered", WallClock::name);
    log::info!("entropy: {entropy}; time of day: {clock}");
    if let Some(rate) = rate.filter(|rate| *rate != Rate::Right) {
        log::warn!("{rate}");
    }
}

/// The board's cores, each with its stacks, and the guard pages of these.
fn processors(facts: &Facts) -> (&'static [Processor], Vec<Range>) {
    let here = cpu::affinity();
    let mut guards = Vec::new();
    let cores = facts.cores.iter().enumerate().map(|(index, core)| {
        if core.mpidr == here {
            // The linker script has left its guard page out of every part that is mapped.
            return Processor::new(index, core.mpidr, image::boot_stack_end(), image::stacks().end);
        }
        let stacks = secondary::stacks();
        guards.push(stacks.guard);
        Processor::new(index, core.mpidr, stacks.stack, stacks.fault_stack)
    });
    let cores: Vec<_> = cores.collect();
    (Vec::leak(cores), guards)
}

/// What VMs are made of.
struct Stock<'a> {
    /// What the board can serve.
    support: &'a Support,
    /// What a VM gets for its GICC.
    interface: Option<Range>,
    /// The devices that are given to VMs.
    given: Assignments,
    /// The free RAM.
    free: Regions,
}

/// Makes a VM: its memory, its tables, its firmware registers.
fn create(
    index: usize,
    config: VmConfig<'static>,
    row: &'static Row,
    control: bool,
    stock: &mut Stock<'_>,
) -> Result<Vm, Stop> {
    TERMINAL.add_vm(config.name);
    let support = stock.support;
    let memory = memory::of_vm(&config, &mut stock.free)?;
    stage1::prepare(memory).map_err(|_| Stop::Unmappable(memory))?;
    let page: &'static pv_time::Page = Box::leak(Box::default());
    let pv_time = pv_time::PvTime::new(page, timer::frequency());
    let mut stage2 = Stage2::new();
    stage2.map(ram_of(&config, memory), memory, Access::Ram).map_err(|_| Stop::Unmappable(memory))?;
    stage2.map(map::PV_TIME, pv_time.range(), Access::ReadOnly).map_err(|_| Stop::Unmappable(pv_time.range()))?;
    if let Some(interface) = stock.interface {
        stage2.map(map::GICC, interface, Access::Device).map_err(|_| Stop::Unmappable(interface))?;
    }
    let devices = stock.given.take(config.name);
    let flash = flash(&config, &devices, &mut stage2, &mut stock.free)?;
    passthrough::map(&mut stage2, &devices)?;
    let conduits = Conduits::from_bits(config.conduits).unwrap_or(Conduits::NONE);
    if control {
        row.create_control(support, conduits);
    } else {
        row.create(support, conduits);
    }
    if let Some(firmware) = config.firmware {
        set_registers(config.name, row, support, &firmware);
    }
    let cores = config.cores.as_slice();
    log::info!("{:<width$} {:>5} MiB, cores {cores:?}", config.name, config.memory >> 20, width = NAME_MAX / 2);
    if config.trust_dma || !devices.is_empty() {
        passthrough::report(&config, memory, &devices);
    }
    Ok(Vm::new(index, config, row, Parts { memory, stage2, pv_time, devices, flash }, control))
}

/// Gives a VM its flash, if it has any: the memory behind it, mapped to be read.
fn flash(
    config: &VmConfig<'static>,
    devices: &[Device],
    stage2: &mut Stage2,
    free: &mut Regions,
) -> Result<Option<Flash>, Stop> {
    let Some(files) = config.flash else { return Ok(None) };
    if flash_is_replaced(devices) {
        return Err(Stop::NoFlash(config.name));
    }
    let banks = memory::of_flash(config.name, files, free)?;
    for bank in banks.iter() {
        stage1::prepare(bank).map_err(|_| Stop::Unmappable(bank))?;
    }
    for (ipa, bank) in banks.first.map(|first| (map::FLASH, first)).into_iter().chain([(SECOND, banks.second)]) {
        stage2.map(ipa, bank, Access::Rom).map_err(|_| Stop::Unmappable(bank))?;
    }
    Ok(Some(Flash::new(banks)))
}

/// Sets a VM's firmware registers as the manifest says. What the board cannot serve is left out, and said.
fn set_registers(name: &str, row: &Row, support: &Support, firmware: &FirmwareConfig) {
    // What is not named is cleared, or keeps its default. Nothing is frozen yet, so neither is refused.
    let prepared = if firmware.keep { row.set_rule(Rule::Keep) } else { row.clear_all() };
    debug_assert!(prepared.is_ok(), "not frozen yet");
    let wanted = [
        (Register::Std, firmware.std),
        (Register::StdHyp, firmware.std_hyp),
        (Register::VendorHyp, firmware.vendor_hyp),
    ];
    for (register, value) in wanted.into_iter().filter_map(|(register, value)| Some((register, value?))) {
        let served = value & support.limit(register);
        if served != value {
            log::warn!("{name}: {register} {value:#x} is more than this board can serve: {served:#x} is offered");
        }
        let set = row.set(register, served, support);
        debug_assert!(set.is_ok(), "masked by what is supported, and not frozen yet");
    }
    if let Some(version) = firmware.psci
        && row.set(Register::PsciVersion, u64::from(version), support).is_err()
    {
        log::warn!("{name}: there is no PSCI version {version:#x} to offer: {:#x} is", row.get(Register::PsciVersion));
    }
}

/// Checks that there is a time for the clock of each VM that asks for one, or will be.
fn check_clocks(vms: &[Vm], board: &Board, controlled: bool) -> Result<(), Stop> {
    for vm in vms.iter().filter(|vm| vm.config.rtc == Some(true)) {
        if clock_is_replaced(&vm.devices) {
            return Err(Stop::NoClock(vm.name()));
        }
        if board.wall_clock.is_none() && (vm.config.autostart || !controlled) {
            return Err(Stop::NoTime(vm.name()));
        }
    }
    Ok(())
}

/// Gives a VM the range filter that the manifest says. A range that is to go to EL3 must have somewhere to go.
fn set_filter(vm: &Vm, firmware: bool) -> Result<(), Stop> {
    let Some(mut exclusive) = vm.exclusive() else { return Ok(()) };
    for range in vm.config.firmware.iter().flat_map(|firmware| firmware.ranges.iter()) {
        let add = exclusive.add_range(&range, firmware);
        add.map_err(|error| Stop::Filter { vm: vm.name(), base: range.base, error })?;
    }
    Ok(())
}

/// Bytes of RAM that belong to nobody.
static UNALLOCATED: AtomicU64 = AtomicU64::new(0);

/// What is free is RAM without an owner, and the rest of EL2's heap.
fn usage() -> Usage {
    let heap = heap::usage();
    Usage { free: UNALLOCATED.load(Ordering::Relaxed).saturating_add(heap.free), ..heap }
}
