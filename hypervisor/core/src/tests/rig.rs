//! A machine of one test. Its cores take turns on the test's thread.

mod config;
mod hardware;

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use portcullis_abi::map::FLASH_BANK;
use portcullis_arch::account::Exit;
use portcullis_arch::fake::{self, Core as Hardware, Event, Outcome};
use portcullis_board::{Range, Regions};
use portcullis_bundle::VmConfig;
use portcullis_bundle::assignment::Assignments;
use portcullis_bundle::links::{Disk as DiskConfig, Source, Wire};
use portcullis_gate::{Row, Support};
use portcullis_vgic::GicVersion;

pub use self::config::{MEMORY, SETTINGS, vm};
pub use self::hardware::{MIDR, SECOND};
use self::hardware::{events_of, hardware, in_place, sgis};
use super::board::Parts;
use crate::cpu::physical_core::Core;
use crate::life::cores::settle_cores;
use crate::life::create::{Stock, create};
use crate::life::shared_memory::{Description, SharedMemory};
use crate::life::wires;
use crate::links::serial::Serial;
use crate::links::{self, Links, disk::Disk, network::Network};
use crate::machine::{Machine, Usage};
use crate::manage;
use crate::run::assign::assign;
use crate::run::start::start;
use crate::run::worker::Worker;
use crate::serial::SERIAL;
use crate::trap;
use crate::vm::{Vcpu, Vm};

/// The machine, and where its cores are.
pub struct Rig {
    pub machine: &'static Machine,
    pub parts: Parts,
    workers: &'static [Worker],
    /// The cores but for the one that the thread is.
    cores: RefCell<Vec<Hardware>>,
    /// What every core has done, in order, with its number, from when a test [wants](Rig::keep_events) to see it.
    events: RefCell<Option<Vec<(usize, Event)>>>,
}

/// What connects the VMs of a machine.
#[derive(Default)]
struct Connections<'a> {
    wires: &'a [Wire<'static>],
    shared: &'a [Description],
    networks: Vec<Network>,
    serials: Vec<&'static Serial>,
    /// How the first VM manages the machine by ports, if it has a console.
    controls: Option<links::Managing>,
    disks: &'a [DiskConfig<'static>],
}

/// So many bytes of host memory for a VM.
fn memory(size: u64) -> Range {
    let layout = std::alloc::Layout::from_size_align(size as usize, 2 << 20).unwrap();
    // SAFETY: the layout has a size.
    Range::sized(unsafe { std::alloc::alloc_zeroed(layout) } as u64, size)
}

impl Rig {
    /// A machine with a GICv3 and everything that a board can have. The first VM is the control VM.
    pub fn new(vms: &[VmConfig<'static>]) -> Self {
        Self::on(Parts::new(), GicVersion::V3, vms)
    }

    /// A machine on a board, with this kind of GIC.
    pub fn on(parts: Parts, gic: GicVersion, vms: &[VmConfig<'static>]) -> Self {
        Self::with_devices(parts, gic, vms, Assignments::default())
    }

    /// The same, on which VMs have devices of the board.
    pub fn with_devices(parts: Parts, gic: GicVersion, vms: &[VmConfig<'static>], assignments: Assignments) -> Self {
        Self::prepared(parts, gic, vms, assignments, |_| ())
    }

    /// A machine on a board, with a GICv3 and cores with these values of MIDR_EL1.
    pub fn with_midrs(parts: Parts, vms: &[VmConfig<'static>], midrs: &[u64]) -> Self {
        let prepare = |core: usize| fake::set("midr_el1", midrs[core]);
        Self::prepared(parts, GicVersion::V3, vms, Assignments::default(), prepare)
    }

    /// A machine with this kind of GIC, between whose VMs there are wires.
    pub fn with_wires(gic: GicVersion, vms: &[VmConfig<'static>], wires: &[Wire<'static>]) -> Self {
        Self::connected(gic, vms, Connections { wires, ..Connections::default() })
    }

    /// A machine whose VMs share memory, each piece of it no more than [`MEMORY`].
    pub fn with_shared_memory(vms: &[VmConfig<'static>], shared: &[Description]) -> Self {
        Self::complete(
            Parts::new(),
            GicVersion::V3,
            vms,
            Assignments::default(),
            Connections { shared, ..Connections::default() },
            |_| (),
        )
    }

    /// A machine each of whose cores is prepared before it comes.
    pub fn prepared(
        parts: Parts,
        gic: GicVersion,
        vms: &[VmConfig<'static>],
        assignments: Assignments,
        prepare: impl Fn(usize),
    ) -> Self {
        Self::complete(parts, gic, vms, assignments, Connections::default(), prepare)
    }

    /// A machine between whose VMs there are these pairs of serial ports.
    pub fn with_serials(gic: GicVersion, vms: &[VmConfig<'static>], serials: Vec<&'static Serial>) -> Self {
        let connections = Connections { serials, ..Connections::default() };
        Self::connected(gic, vms, connections)
    }

    /// The same, of which the first makes management calls by a port.
    pub fn with_controls(gic: GicVersion, vms: &[VmConfig<'static>], serials: Vec<&'static Serial>) -> Self {
        let connections = Connections { serials, controls: Some(manage::port::managing(0)), ..Connections::default() };
        Self::connected(gic, vms, connections)
    }

    /// The same, managed in this way.
    pub fn with_managing(gic: GicVersion, vms: &[VmConfig<'static>], managing: links::Managing) -> Self {
        let connections = Connections { controls: Some(managing), ..Connections::default() };
        Self::connected(gic, vms, connections)
    }

    /// The same with networks.
    pub fn with_controls_and_networks(gic: GicVersion, vms: &[VmConfig<'static>], networks: Vec<Network>) -> Self {
        let connections = Connections { networks, controls: Some(manage::port::managing(0)), ..Connections::default() };
        Self::connected(gic, vms, connections)
    }

    /// A machine whose VMs are at these networks.
    pub fn with_networks(gic: GicVersion, vms: &[VmConfig<'static>], networks: Vec<Network>) -> Self {
        Self::connected(gic, vms, Connections { networks, ..Connections::default() })
    }

    /// A machine whose VMs have these disks, those of RAM no larger than [`MEMORY`].
    pub fn with_disks(gic: GicVersion, vms: &[VmConfig<'static>], disks: &[DiskConfig<'static>]) -> Self {
        Self::connected(gic, vms, Connections { disks, ..Connections::default() })
    }

    /// A machine whose VMs are connected by all of these.
    pub fn with_links(
        gic: GicVersion,
        vms: &[VmConfig<'static>],
        networks: Vec<Network>,
        serials: Vec<&'static Serial>,
        disks: &[DiskConfig<'static>],
        wires: &[Wire<'static>],
    ) -> Self {
        let connections = Connections { wires, networks, serials, disks, ..Connections::default() };
        Self::connected(gic, vms, connections)
    }

    fn connected(gic: GicVersion, vms: &[VmConfig<'static>], connections: Connections<'_>) -> Self {
        Self::complete(Parts::new(), gic, vms, Assignments::default(), connections, |_| ())
    }

    fn complete(
        parts: Parts,
        gic: GicVersion,
        vms: &[VmConfig<'static>],
        assignments: Assignments,
        connections: Connections<'_>,
        prepare: impl Fn(usize),
    ) -> Self {
        let count = vms.iter().flat_map(|vm| vm.cores.as_slice()).max().map_or(1, |last| *last as usize + 1);
        let cores: Vec<Hardware> = (0..count).map(|number| hardware(gic, number)).collect();
        let workers = (0..count).map(|core| Worker::new(Core::new(core, core as u64, 0x1000, 0x2000)));
        let workers: &'static [Worker] = Vec::leak(workers.collect());
        let rig_cores = RefCell::new(cores);
        let former = fake::become_core(std::mem::take(&mut rig_cores.borrow_mut()[0]));
        let machine = assemble(&parts, workers, vms, assignments, connections);
        rig_cores.borrow_mut()[0] = fake::become_core(former);
        let rig = Self { machine, parts, workers, cores: rig_cores, events: RefCell::default() };
        for (core, worker) in workers.iter().enumerate() {
            rig.at(core, || {
                prepare(core);
                worker.adopt();
            });
        }
        machine.vms.iter().for_each(|vm| settle_cores(vm, machine.cores).unwrap());
        rig.at(0, || start(machine, workers));
        rig.deliver();
        rig
    }

    /// Does something on a core.
    pub fn at<R>(&self, core: usize, act: impl FnOnce() -> R) -> R {
        let own = std::mem::take(&mut self.cores.borrow_mut()[core]);
        let former = fake::become_core(own);
        let result = act();
        let own = fake::become_core(former);
        self.cores.borrow_mut()[core] = own;
        self.deliver();
        result
    }

    /// Has every SGI that a core has sent pend where it goes to.
    fn deliver(&self) {
        let mut cores = self.cores.borrow_mut();
        for sender in 0..cores.len() {
            let events = events_of(&mut cores, sender);
            let mut sent = sgis(&events);
            if let Some(kept) = &mut *self.events.borrow_mut() {
                kept.extend(events.into_iter().map(|event| (sender, event)));
            }
            sent.retain(|(target, _)| *target < cores.len());
            for (target, intid) in sent {
                in_place(&mut cores, target, || fake::pend(intid));
            }
        }
    }

    /// Keeps what the cores do from now on.
    pub fn keep_events(&self) {
        *self.events.borrow_mut() = Some(Vec::new());
    }

    /// What the cores have done since it was asked last, or since they were to be kept.
    pub fn events(&self) -> Vec<(usize, Event)> {
        self.events.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Has a core go on until nothing more happens to it. In a guest it takes what is pending.
    pub fn run(&self, core: usize) -> Outcome {
        let worker = &self.workers[core];
        self.at(core, || {
            if fake::is_in_guest() {
                (0..fake::pending()).for_each(|_| fake::guest(|_| fake::Trap::Interrupt));
            }
            fake::run(|| -> () { worker.work() })
        })
    }

    /// Has all cores go on until nothing is pending anywhere.
    pub fn settle(&self) {
        loop {
            (0..self.workers.len()).for_each(|core| _ = self.run(core));
            if (0..self.workers.len()).all(|core| self.at(core, || fake::pending() == 0)) {
                return;
            }
        }
    }

    /// Has the guest that runs on a core do something next, and lets that core go on.
    pub fn guest(
        &self,
        core: usize,
        does: impl FnOnce(&portcullis_arch::context::Context) -> fake::Trap + 'static,
    ) -> Outcome {
        self.at(core, || fake::guest(does));
        self.run(core)
    }

    /// Has an interrupt come on a core, and lets that go on.
    pub fn interrupt(&self, core: usize, intid: u32) -> Outcome {
        self.at(core, || fake::pend(intid));
        self.run(core)
    }

    /// Lets time go by on every core.
    pub fn advance(&self, ticks: u64) {
        (0..self.workers.len()).for_each(|core| self.at(core, || fake::advance(ticks)));
    }

    /// What a register of a core holds.
    pub fn register(&self, core: usize, name: &'static str) -> u64 {
        self.at(core, || fake::read(name))
    }

    pub fn vm(&self, index: usize) -> &'static Vm {
        &self.machine.vms[index]
    }

    pub fn vcpu(&self, vm: usize, index: usize) -> &'static Vcpu {
        &self.vm(vm).vcpus()[index]
    }

    /// The vCPU whose registers a core has.
    pub fn loaded(&self, core: usize) -> Option<(usize, usize)> {
        self.workers[core].loaded().map(|vcpu| (vcpu.vm.index, vcpu.index))
    }

    /// Whether a core is in a guest.
    pub fn is_in_guest(&self, core: usize) -> bool {
        self.at(core, fake::is_in_guest)
    }

    /// The RAM of a VM.
    pub fn ram(&self, vm: usize) -> &'static [u8] {
        let range = self.vm(vm).memory;
        // SAFETY: the memory was leaked for this VM, whose cores do not run meanwhile.
        unsafe { core::slice::from_raw_parts(range.start as *const u8, range.size() as usize) }
    }

    /// Fills the RAM of a VM that has not begun: somebody else had it.
    pub fn soil(&self, vm: usize, byte: u8) {
        let range = self.vm(vm).memory;
        // SAFETY: as above.
        unsafe { core::ptr::write_bytes(range.start as *mut u8, byte, range.size() as usize) };
    }

    /// The cells of a VM's second bank of flash.
    pub fn cells(&self, vm: usize) -> &'static [u8] {
        let range = self.vm(vm).flash.as_ref().unwrap().banks.second;
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts(range.start as *const u8, range.size() as usize) }
    }
}

/// A general register of a guest in which a core is.
pub fn x(outcome: Outcome, register: usize) -> u64 {
    let Outcome::InGuest(context) = outcome else { panic!("the core is in no guest") };
    // SAFETY: the guest stands still, and its context lives as long as the machine.
    unsafe { (*context).register(register as u64) }
}

/// The results of a call.
pub fn results(outcome: Outcome) -> [u64; 4] {
    [0, 1, 2, 3].map(|register| x(outcome, register))
}

/// How often a vCPU came to EL2 for this.
pub fn exits(vcpu: &Vcpu, cause: Exit) -> u64 {
    vcpu.account().exits[cause as usize].load(Ordering::Relaxed)
}

fn assemble(
    parts: &Parts,
    workers: &'static [Worker],
    configs: &[VmConfig<'static>],
    assignments: Assignments,
    Connections { wires, shared, networks, serials, disks, controls }: Connections<'_>,
) -> &'static Machine {
    SERIAL.connect(parts.line);
    let board = Box::leak(Box::new(portcullis_board::Board { ..parts.board }));
    let support = Support::FULL;
    let disks = disks.iter().map(|disk| {
        let mut free = Regions::new();
        if matches!(disk.source, Source::Scratch(_)) {
            free.add(memory(MEMORY)).unwrap();
        }
        Disk::of(disk, &mut free, 0).unwrap()
    });
    let disks = disks.collect();
    let consoles = configs.iter().map(|vm| vm.console).collect();
    let laid = wires::lay(configs.len(), wires);
    let wires = wires::report(wires, &laid);
    let names = configs.iter().map(|vm| vm.name).collect();
    let links = Links::new(links::Connections { networks, serials, disks, consoles, names, controls, wires });
    let wires = laid;
    let mut stock = Stock {
        support: &support,
        interface: None,
        assignments,
        wires,
        shared: Vec::new(),
        free: Regions::new(),
        links,
    };
    for description in shared {
        stock.free.add(memory(MEMORY)).unwrap();
        stock.shared.push(SharedMemory::take(description.clone(), &mut stock.free, 0).unwrap());
    }
    let vms = configs.iter().enumerate().map(|(index, config)| {
        // In one piece: of two, the VM's RAM may come from the one that its flash needs.
        let flash = match config.flash {
            // The first bank's memory is the blocks that its file has.
            Some([file, _]) => FLASH_BANK + file.map_or(0, |file| (file.len() as u64).next_multiple_of(2 << 20)),
            None => 0,
        };
        stock.free.add(memory(config.memory + flash + config.store.unwrap_or_default())).unwrap();
        let row: &'static Row = Box::leak(Box::new(Row::new()));
        create(index, *config, row, index == 0, &mut stock).unwrap()
    });
    let vms: &'static [Vm] = Vec::leak(vms.collect());
    assign(vms, workers, &[]).unwrap();
    let cores = Vec::leak(workers.iter().map(|worker| &worker.core).collect());
    Machine::assemble(board, cores, vms, links, trap::handlers(), support, || Usage { free: 0, heap_peak: 0 })
}
