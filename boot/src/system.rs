//! From the device tree and the bundle to a machine with VMs.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_arch::{checksum, cpu, timer};
use portcullis_board::Range;
use portcullis_board::{Board, Entropy, WallClock};
use portcullis_bundle::{Bundle, CoreConfig};
use portcullis_core::cpu::physical_core::Core;
use portcullis_core::life::create::{Stock, check_clock, create, set_filter};
use portcullis_core::life::{cores::settle_cores, shared_memory::SharedMemory, wires};
use portcullis_core::links::{Connections, Links, disk::Disk, network::Network, serial::Serial};
use portcullis_core::machine::{Machine, Usage, rows};
use portcullis_core::manage;
use portcullis_core::memory::stage1;
use portcullis_core::run::{assign::assign, interrupts, start, worker::Worker};
use portcullis_core::serial::SERIAL;
use portcullis_core::trap;
use portcullis_core::vm::Vm;
use portcullis_efi::Handover;
use portcullis_platform::boards::Entry;
use portcullis_platform::facts::{Facts, LeftOut, List, Text};
use portcullis_platform::{assemble, console, drivers::rate::Rate, firmware::Findings, support};

use crate::{early, early_console, heap, image, memory, room, secondary, stop::Stop};

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
pub fn bring_up(tree: usize, handover: Option<&'static Handover>) -> Result<&'static Worker, Stop> {
    let (facts, blob) = read_tree(tree, handover)?;
    let tree = Range::sized(blob.as_ptr() as u64, blob.len() as u64);
    if !checksum::present() {
        return Err(Stop::NoCrc);
    }
    let mut free = memory::free(facts, tree, handover.map(|handover| &handover.usable))?;
    let heap = memory::heap(&mut free)?;
    if !early::map_memory(heap.start, heap.end) {
        return Err(Stop::NoRoom(heap::SIZE));
    }
    // SAFETY: the heap was just taken out of the free RAM and is mapped.
    unsafe { heap::init(heap) };
    let (workers, guards) = workers(facts);
    memory::map(facts, tree, heap, &guards)?;

    let firmware = assemble::firmware(facts);
    // SAFETY: the facts come from the firmware's device tree, and the devices are mapped.
    let board = unsafe { assemble::board(facts, &firmware, stage1::with_page) }.map_err(Stop::Board)?;
    // The board's own clock is better: it is not counted on from a single look.
    let time = handover.and_then(|handover| handover.time).filter(|_| board.wall_clock.is_none());
    let support = support::support(&board, time.is_some());
    // SAFETY: as above.
    let rate = unsafe { assemble::rate(facts) };
    report_board(facts, &firmware, &board, rate, time.is_some());
    let board = BOARD.call_once(|| board);

    let region = facts.bundle.ok_or(Stop::NoBundle)?;
    // SAFETY: the bundle was loaded there, is mapped read-only and stays for as long as the machine runs.
    let data = unsafe { core::slice::from_raw_parts(region.start as *const u8, region.size() as usize) };
    let bundle = Bundle::parse(data).map_err(Stop::Bundle)?;
    memory::more_heap(&mut free, bundle.vms().count())?;

    let assignments = portcullis_platform::passthrough::find(facts, blob, &bundle).map_err(Stop::Device)?;

    let here = workers.iter().find(|worker| worker.core.affinity == cpu::affinity());
    let here = here.ok_or(Stop::UnknownCore(cpu::affinity()))?;
    let described: Vec<_> = bundle.wires().collect();
    let wires = wires::lay(bundle.vms().count(), &described);
    let shared = bundle.shared_memory().map(|memory| SharedMemory::take(memory.into(), &mut free, here.core.index));
    let shared = shared.collect::<Result<_, _>>().map_err(Stop::SharedMemory)?;
    let disks = bundle.disks().map(|disk| Disk::of(&disk, &mut free, here.core.index));
    let disks = disks.collect::<Result<_, _>>().map_err(Stop::Disk)?;
    let links = Links::new(Connections {
        networks: bundle.networks().map(|network| Network::of(&network)).collect(),
        serials: bundle.serials().map(|serial| Serial::of(&serial)).collect(),
        controls: bundle.control().map(manage::port::managing),
        disks,
        consoles: bundle.vms().map(|vm| vm.console).collect(),
        names: bundle.vms().map(|vm| vm.name).collect(),
        wires: wires::report(&described, &wires),
    });
    let mut stock = Stock {
        support: &support,
        interface: board.interrupts.virtual_interface(),
        assignments,
        wires,
        shared,
        free,
        links,
    };
    let vms: Vec<Vm> = bundle
        .vms()
        .zip(rows(bundle.vms().count()))
        .enumerate()
        .map(|(index, (config, row))| create(index, *config, row, bundle.control() == Some(index), &mut stock))
        .collect::<Result<_, _>>()
        .map_err(Stop::Vm)?;
    let vms: &'static [Vm] = Vec::leak(vms);
    room::check(vms)?;
    let schedules: Vec<CoreConfig<'_>> = bundle.cores().collect();
    assign(vms, workers, &schedules).map_err(Stop::NoSuchCore)?;
    for vm in vms {
        check_clock(vm, board.wall_clock.is_some() || time.is_some(), bundle.control().is_some()).map_err(Stop::Vm)?;
    }
    for vm in vms {
        set_filter(vm, board.firmware.is_some()).map_err(Stop::Vm)?;
    }

    UNALLOCATED.store(stock.free.free(), Ordering::Relaxed);
    let cores: &'static [&'static Core] = Vec::leak(workers.iter().map(|worker| &worker.core).collect());
    let machine = Machine::assemble(board, cores, vms, links, trap::handlers(), support, usage);
    if let Some(time) = time {
        machine.clock.set(time.nanoseconds, time.count);
    }
    if !secondary::take_up(here) {
        return Err(Stop::BootCoreUnfit(here.core.index));
    }
    if let Some(interrupt) = machine.board.serial.and_then(|serial| serial.interrupt()) {
        machine.board.interrupts.enable_shared(interrupt, here.core.affinity);
    }
    interrupts::start_clock(&here.core);
    secondary::start_all(machine, workers, &here.core)?;
    for vm in vms {
        settle_cores(vm, machine.cores).map_err(Stop::Cores)?;
    }
    start::start(machine, workers);
    Ok(here)
}

/// Reads the device tree and connects the console, as early as anything can be said.
pub fn read_tree(tree: usize, handover: Option<&Handover>) -> Result<(&'static Facts, &'static [u8]), Stop> {
    const MAGIC: u32 = 0xd00d_feed;
    const LONGEST: usize = 2 << 20;
    const ATAG_CORE: u32 = 0x5441_0001;
    let header = tree as *const [u8; 8];
    let end = |length: usize| tree.saturating_add(length) as u64;
    let is_mapped = tree != 0 && early::map_memory(tree as u64, end(size_of::<[u8; 8]>()));
    // SAFETY: the early map has it now.
    let header = is_mapped.then(|| unsafe { *header });
    let word = |bytes: Option<[u8; 4]>| bytes.map_or(0, u32::from_be_bytes);
    let magic = word(header.and_then(|header| header.first_chunk().copied()));
    let length = word(header.and_then(|header| header.last_chunk().copied())) as usize;
    // An ATAG list begins with its first tag's size in words and ATAG_CORE (Linux, arch/arm/include/uapi/asm/setup.h).
    let has_atags = header.is_some_and(|header| header.ends_with(&ATAG_CORE.to_le_bytes()));
    let mut compatible = List::<Text, 4>::default();
    let mut absent = None;
    let mut ports = console::Ports::default();
    let result = if magic == MAGIC && length <= LONGEST && early::map_memory(tree as u64, end(length)) {
        // SAFETY: the early map has it whole.
        let data = unsafe { core::slice::from_raw_parts(tree as *const u8, length) };
        let failed = |names: &[Text]| names.iter().for_each(|name| _ = compatible.push(*name));
        match Facts::read(data, failed, |port| _ = ports.push(Some(port))) {
            Ok(mut facts) => {
                if let Some(handover) = handover {
                    facts.bundle = Some(handover.bundle);
                }
                // SAFETY: what the facts say comes from the firmware's device tree; this core has no anchor yet.
                let here = unsafe { console::Here::new(early::map_devices) };
                absent = console::choose(&mut facts, &ports, early_console::port(), &here).err();
                if absent.is_some() {
                    compatible = facts.compatible;
                }
                Ok(FACTS.call_once(|| facts))
            }
            Err(error) => Err(Stop::Facts(error)),
        }
    } else {
        Err(match (is_mapped, has_atags) {
            (_, true) => Stop::Atags(tree),
            (false, _) if tree != 0 => Stop::FarTree(tree),
            _ => Stop::NoTree(tree),
        })
    };
    // SAFETY: the devices' addresses come from the tree, or from what is known of the board; they are mapped.
    let serial = unsafe {
        match &result {
            // Whoever chose it has mapped it.
            Ok(facts) if facts.uart.is_some() || absent.is_none() => assemble::serial(facts),
            _ => assemble::last_resort_serial(&Entry {
                image: image::whole().start,
                compatible: &compatible,
                has_atags,
                map: early::map_devices,
            }),
        }
    };
    if let Some(serial) = serial {
        SERIAL.connect(serial);
    }
    if let Some(absent) = absent {
        return Err(Stop::Board(absent));
    }
    // SAFETY: as above; there are facts, so it is a device tree, and it stays for as long as the machine runs.
    Ok((result?, unsafe { core::slice::from_raw_parts(tree as *const u8, length) }))
}

fn report_board(facts: &Facts, firmware: &Findings, board: &Board, rate: Option<Rate>, told: bool) {
    let memory: u64 = facts.memory.iter().map(|region| region.size()).sum();
    let cores = facts.cores.len();
    log::info!("Portcullis {} on {}: {cores} cores, {} MiB", env!("CARGO_PKG_VERSION"), board.name, memory >> 20);
    firmware.report();
    let entropy = board.entropy.map_or("none, TRNG is not offered", Entropy::name);
    let other = if told { "EFI's at start, and counter" } else { "none, PTP is not offered" };
    let clock = board.wall_clock.map_or(other, WallClock::name);
    log::info!("entropy: {entropy}; time of day: {clock}");
    if facts.left_out != LeftOut::default() {
        log::warn!("{}", facts.left_out);
    }
    let frequency = timer::frequency();
    if let Some(told) = facts.timer.contradicts(frequency) {
        log::warn!(
            "the device tree says that the counter has {told} Hz, CNTFRQ_EL0 says {frequency}: that is what guests read"
        );
    }
    if let Some(rate) = rate.filter(|rate| *rate != Rate::Right) {
        log::warn!("{rate}");
    }
}

/// The board's cores, each with its stacks, and the guard pages of these.
fn workers(facts: &Facts) -> (&'static [Worker], Vec<Range>) {
    let here = cpu::affinity();
    let mut guards = Vec::new();
    let cores = facts.cores.iter().enumerate().map(|(index, core)| {
        if core.mpidr == here {
            // The linker script has left its guard page out of every part that is mapped.
            return Worker::new(Core::new(index, core.mpidr, image::boot_stack_end(), image::stacks().end));
        }
        let stacks = secondary::stacks();
        guards.push(stacks.guard);
        Worker::new(Core::new(index, core.mpidr, stacks.stack, stacks.fault_stack))
    });
    let cores: Vec<_> = cores.collect();
    (Vec::leak(cores), guards)
}

/// Bytes of RAM that belong to nobody.
static UNALLOCATED: AtomicU64 = AtomicU64::new(0);

/// What is free is RAM without an owner, and the rest of EL2's heap.
fn usage() -> Usage {
    let heap = heap::usage();
    Usage { free: UNALLOCATED.load(Ordering::Relaxed).saturating_add(heap.free), ..heap }
}
