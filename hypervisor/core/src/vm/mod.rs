//! A virtual machine: what it owns, and what happens to it as a whole.

pub mod activity;
pub mod aliases;
pub mod audit;
mod calls;
pub mod countdown;
pub mod counter;
pub mod device_lines;
pub mod failure;
mod fast_path;
pub mod fast_tables;
pub mod fault_report;
pub mod flash;
pub mod generation;
pub mod images;
pub mod implementations;
pub mod life;
pub mod loading;
pub mod managed_filter;
pub mod manager_lock;
pub mod off_core;
mod parts;
pub mod power;
pub mod pv_time;
pub mod rate;
pub mod report;
pub mod restart;
pub mod seed;
pub mod shown_cpu;
pub mod shown_features;
pub mod shown_phase;
pub mod state;
pub mod state_pages;
pub mod step;
pub mod support;
pub mod timekeeping;
pub mod vcpu;
pub mod vcpu_sets;
pub mod vector_abort;
pub mod wait;
pub mod watch;
pub mod watchdog;
pub mod watchdog_events;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::AtomicU8;

use portcullis_abi::map;
use portcullis_arch::{context::Context, paging};
use portcullis_board::Range;
use portcullis_board::device::Device;
use portcullis_bundle::VmConfig;
use portcullis_gate::{Published, Row, forwards::Forwards};
use portcullis_vgic::Vgic;
use spin::{Mutex, Once};

use self::aliases::Aliases;
use self::audit::Audit;
use self::device_lines::DeviceLines;
use self::failure::Failure;
use self::fast_tables::FastTables;
use self::fault_report::FaultReport;
use self::flash::{Flash, SECOND};
use self::generation::Generation;
use self::images::Images;
use self::implementations::KnownImplementations;
use self::life::Life;
use self::managed_filter::ManagedFilter;
use self::off_core::OffCore;
pub use self::parts::Parts;
use self::power::{Power, PowerState};
use self::pv_time::PvTime;
use self::rate::LineRate;
use self::shown_cpu::ShownCpu;
use self::shown_features::ShownFeatures;
use self::state::{Phase, State};
use self::state_pages::SharedEnds;
use self::timekeeping::Timekeeping;
use self::vcpu_sets::{Live, VcpuSets};
use self::vector_abort::BeforeVector;
use self::wait::Wait;
use self::watchdog::Watchdog;
use crate::cpu::{gic, kick::Kicks};
use crate::devices::{self, VmBus, console::GuestConsole, gpio::Gpio};
use crate::entropy::Claim;
use crate::links::backplane::Backplane;
use crate::memory::bank::Bank;
use crate::memory::guest::GuestMemory;
use crate::memory::stage2::Stage2;

/// A VM. It is made once and lives as long as the machine. What the way back to a guest looks at comes first.
#[repr(C)]
pub struct Vm {
    /// How each vCPU's core is made to look at it.
    pub kicks: Kicks,
    /// What it is doing, what is to become of it, and what its lives so far have left.
    pub(crate) life: Life,
    /// Its number: its place in the manifest, counted from 0.
    pub index: usize,
    /// What the bundle says of it.
    pub config: VmConfig<'static>,
    /// Its turn when entropy is short.
    pub entropy: Claim,
    /// Its row of the table: the firmware registers.
    pub row: &'static Row,
    /// Its RAM, in physical addresses.
    pub memory: Range,
    /// Where its RAM starts in its own addresses: at [`map::RAM`], or where it lies, for devices that write there.
    pub ram: u64,
    /// The devices that it drives itself.
    pub devices: Box<[Device]>,
    /// Where their interrupts go.
    lines_of_devices: Once<DeviceLines>,
    /// Its interrupt controller.
    pub vgic: Vgic,
    /// Its end of the console: its UART, the line that it is writing, what is typed for it.
    pub console: GuestConsole,
    /// Its devices behind the GIC and the UART.
    pub bus: VmBus,
    /// Its end of wires, if it has any.
    pub wires: Option<&'static Gpio>,
    /// Its virtio transports, if any of them has a device: what connects it with others.
    pub links: Option<&'static Backplane>,
    /// Cores that have some of its RAM mapped for work at its links.
    pub(crate) aliases: Aliases,
    /// Its ends of the memory that it shares.
    pub shared: SharedEnds,
    /// Its page of PV time structures.
    pub pv_time: PvTime,
    /// Whether it is the control VM, which manages the others.
    pub control: bool,
    /// What it has used, if it is audited.
    pub audit: Audit,
    filter: ManagedFilter,
    published: Published,
    /// When a line may say again that it accessed nothing.
    pub fault_report: FaultReport,
    /// The lines of the log that it may still cause.
    lines: Mutex<LineRate>,
    /// What lies behind its flash, if it has any.
    pub flash: Option<Flash>,
    /// What the control VM has loaded, if its manifest has no image.
    pub(crate) images: Option<Images>,
    /// The tables that VTTBR_EL2 names.
    _stage2: Arc<Mutex<Stage2>>,
    fast_tables: Box<FastTables>,
    forwards: Forwards,
    vcpus: Once<Box<[Vcpu]>>,
    /// vCPUs that are not off, and those that stand still.
    pub(crate) sets: VcpuSets,
    /// When its cores were last asked for something.
    asked: Wait,
    /// When CPU_ON last asked for a vCPU, by its virtual counter.
    starts: Wait,
    /// What its guests see of the features of its cores.
    pub features: ShownFeatures,
    /// What it is told of its restores, if it can be saved.
    pub generation: Option<Generation>,
    /// The CPU that it is shown, if that is not its cores' own.
    pub cpu: Option<ShownCpu>,
    /// The CPU implementations that it is told of.
    implementations: Once<KnownImplementations>,
    /// Its watchdog, which is never on if the manifest gives it none.
    watchdog: Watchdog,
    vttbr: u64,
}

/// A vCPU. The context comes first: the vectors know the vCPU by its address.
#[repr(C)]
pub struct Vcpu {
    /// Its registers while it is not in its guest, and what the vectors need to know. Its own core alone touches it, but for the
    /// account in it.
    pub context: Context,
    /// The VM to which it belongs.
    pub vm: &'static Vm,
    /// Its number in the VM, which is also its affinity level 0.
    pub index: usize,
    /// The physical core on which it runs.
    pub core: usize,
    power: Power,
    /// What it has had of its core in this life of the VM.
    pub times: Timekeeping,
    /// What led it to a vector of its own that it could not execute.
    pub before_vector: BeforeVector,
    /// Whether the guest has asked for its PV time structure.
    stolen_wanted: AtomicU8,
    /// Its place beside its core, if it shares that.
    off_core: Once<Box<OffCore>>,
}

// SAFETY: everything is atomic or immutable but the context, which only the vCPU's own core touches.
unsafe impl Sync for Vcpu {}

/// The VMID of the VM with this number. There are few.
const fn vmid_of(index: usize) -> u16 {
    (index as u16).wrapping_add(1)
}

impl Vm {
    /// A VM with the parts given, in phase [`state::Phase::Created`], whose vCPUs are yet to be added.
    pub fn new(
        index: usize,
        config: VmConfig<'static>,
        row: &'static Row,
        Parts { memory, stage2, pv_time, generation, devices, flash, images, wires, shared, links }: Parts,
        control: bool,
    ) -> Self {
        let (root, stage2) = (stage2.root(), Arc::new(Mutex::new(stage2)));
        // SAFETY: the memory was taken for this VM, whose tables map it there. It is loaded while no vCPU is on; besides, the bank
        // alone uses it.
        let cells = flash.as_ref().map(|flash| unsafe { Bank::new(flash.banks.second, SECOND, stage2.clone()) });
        let bus = devices::bus(&config, &devices, cells, wires, links.map(|links| Box::new(links) as _));
        let audit = Audit::new();
        audit.want(config.settings.audit);
        let watchdog = Watchdog::new(config.settings.watchdog);
        Self {
            index,
            config,
            row,
            memory,
            ram: ram_of(&config, memory),
            devices: devices.into(),
            lines_of_devices: Once::new(),
            vgic: Vgic::of_version(gic::version(), config.cores.as_slice().len()),
            console: GuestConsole::new(index),
            bus,
            wires,
            links,
            aliases: Aliases::new(),
            shared,
            pv_time,
            control,
            audit,
            entropy: Claim::default(),
            filter: ManagedFilter::new(),
            published: Published::new(),
            fault_report: FaultReport::default(),
            lines: Mutex::new(LineRate::new()),
            vttbr: paging::vttbr(root, vmid_of(index)),
            flash,
            images,
            _stage2: stage2,
            fast_tables: FastTables::new(),
            forwards: Forwards::new(),
            vcpus: Once::new(),
            features: ShownFeatures::new(),
            generation,
            cpu: config.cpu.map(|cpu| ShownCpu::new(&cpu.registers())),
            implementations: Once::new(),
            kicks: Kicks::new(),
            life: Life::new(config.settings.restart_limit),
            sets: VcpuSets::new(),
            asked: Wait::new(),
            starts: Wait::new(),
            watchdog,
        }
    }

    /// Gives the VM its vCPUs, each on the core that the bundle names.
    pub fn add_vcpus(&'static self) -> &'static [Vcpu] {
        self.vcpus.call_once(|| {
            let cores = self.config.cores.as_slice().iter().enumerate();
            cores.map(|(index, &core)| Vcpu::new(self, index, core as usize)).collect()
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.config.name
    }

    /// Its vCPUs.
    pub fn vcpus(&self) -> &[Vcpu] {
        self.vcpus.get().map(|vcpus| &**vcpus).unwrap_or_default()
    }

    /// What the VM is doing.
    pub fn phase(&self) -> Phase {
        self.state().phase
    }

    /// What the VM is doing and what is in progress.
    pub fn state(&self) -> State {
        self.life.state()
    }

    /// Whether the VM's images are being put in place.
    pub fn is_loading(&self) -> bool {
        self.vcpus().first().is_some_and(|first| first.power() == PowerState::LoadPending)
    }

    /// Whether there is no reason for a vCPU of this VM not to go back to the guest.
    #[inline(always)]
    pub fn may_run(&self) -> bool {
        self.life.is_running()
    }

    /// Why it last failed, if it has since it was created.
    pub fn failure(&self) -> Option<Failure> {
        self.life.failure()
    }

    /// Its vCPUs that are not off, a bit each.
    pub fn live(&self) -> u32 {
        self.sets().on
    }

    /// Its vCPUs that are not off, and those that stand still.
    pub fn sets(&self) -> Live {
        self.sets.now()
    }

    /// Says which CPU implementations it is told of. The first call counts.
    pub fn set_implementations(&self, known: KnownImplementations) {
        self.implementations.call_once(|| known);
    }

    /// The CPU implementations that it is told of, once that was said.
    pub fn implementations(&self) -> Option<&KnownImplementations> {
        self.implementations.get()
    }

    /// Says where the interrupts of its devices go. The first call counts.
    pub fn set_device_lines(&self, lines: DeviceLines) {
        self.lines_of_devices.call_once(|| lines);
    }

    /// Where the interrupts of its devices go, once that was said.
    pub fn device_lines(&self) -> Option<&DeviceLines> {
        self.lines_of_devices.get()
    }

    /// The same if they are let through in its own turns only.
    pub fn lines_that_follow_turns(&self) -> Option<&DeviceLines> {
        self.device_lines().filter(|lines| lines.follow_turns())
    }

    /// Its VMID, which also names it to EL3. 0 is nobody's: the hypervisor's own.
    pub fn vmid(&self) -> u16 {
        vmid_of(self.index)
    }

    /// VTTBR_EL2 of its vCPUs.
    #[inline]
    pub fn vttbr(&self) -> u64 {
        self.vttbr
    }

    /// What its virtual counter lags behind the physical one, in ticks. It changes only while none of its vCPUs can be in the
    /// guest: when it is loaded, and at the end of a pause.
    pub fn counter_offset(&self) -> u64 {
        self.life.counter().offset()
    }

    /// What its physical counter lags behind the machine's, in ticks: that of a VM that can be saved goes on where it was.
    pub fn physical_lag(&self) -> u64 {
        if self.config.settings.movable { self.counter_offset() } else { 0 }
    }

    /// Whether `size` bytes at the guest's address `ipa` are all RAM.
    pub fn is_ram(&self, ipa: u64, size: u64) -> bool {
        let end = ipa.checked_sub(self.ram).and_then(|offset| offset.checked_add(size));
        end.is_some_and(|end| end <= self.memory.size())
    }

    /// Whether a vCPU can begin at `entry`. The first instruction is fetched with its MMU off: the address must be RAM of its own,
    /// or firmware in its flash, and aligned.
    pub fn can_begin_at(&self, entry: u64) -> bool {
        let in_flash = self.flash.as_ref().is_some_and(|flash| flash.has_code(entry));
        entry & 3 == 0 && (in_flash || self.is_ram(entry, 4))
    }

    /// Whether its tables map the page at `ipa`.
    #[cfg(test)]
    pub fn is_mapped(&self, ipa: u64) -> bool {
        self._stage2.lock().is_mapped(ipa)
    }

    /// Its RAM as core `core` reaches it, on which this has to run.
    #[inline]
    pub(crate) fn memory_on(&self, core: usize) -> Option<GuestMemory> {
        // SAFETY: it is this VM's RAM, in blocks that are its own; every caller runs on the core that it names.
        unsafe { GuestMemory::new(core, self.ram, self.memory) }
    }

    /// Its RAM as the core of its first vCPU reaches it, on which this has to run.
    pub(crate) fn memory_on_first(&self) -> Option<GuestMemory> {
        self.vcpus().first().and_then(|vcpu| self.memory_on(vcpu.core))
    }
}

/// Where RAM that lies at `memory` starts in the addresses of a VM: a device that writes to memory by itself knows physical
/// addresses only, so they have to be the guest's too.
pub const fn ram_of(config: &VmConfig<'_>, memory: Range) -> u64 {
    if config.settings.trust_dma { memory.start } else { map::RAM }
}
