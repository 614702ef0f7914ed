//! A virtual machine: what it owns, and what happens to it as a whole.

pub mod activity;
pub mod audit;
pub mod counter;
pub mod failure;
pub mod fast_tables;
pub mod fault_report;
pub mod manager_lock;
pub mod off_core;
pub mod pv_time;
pub mod rate;
pub mod report;
pub mod restart;
pub mod seed;
pub mod state;
pub mod step;
pub mod timekeeping;
pub mod vcpu;
pub mod vcpu_sets;
pub mod vector_abort;
pub mod watch;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use portcullis_abi::map::{self, MAX_VCPUS};
use portcullis_arch::{paging, timer};
use portcullis_board::Range;
use portcullis_board::device::Device;
use portcullis_bundle::VmConfig;
use portcullis_gate::{Call, FunctionId, Published, Ranges, Row, Verdict, decide, decide_watched, forwards::Forwards};
use portcullis_vgic::{VcpuSet, Vgic};
use spin::{Mutex, Once, mutex::TicketMutex};

use crate::cpu::gic::{self, Interface};
use crate::devices::{VmBus, port::Port};
use crate::entropy::Claim;
use crate::life::{devices::DeviceLines, load::Loading};
use crate::memory::stage1;
use crate::memory::stage2::Stage2;
use crate::with_interface;
use audit::{Audit, Fate};
use counter::VirtualCounter;
use failure::Failure;
use fast_tables::VmAnswers;
use fault_report::FaultReport;
use manager_lock::ManagedFilter;
use pv_time::PvTime;
use rate::LineRate;
use restart::RestartPolicy;
use state::StateCell;
use vcpu::Vcpu;
use vcpu_sets::{Census, Presence};
use watch::Wait;

/// A VM. It is made once and lives as long as the machine. What the way back to a guest looks at comes first.
#[repr(C)]
pub struct Vm {
    /// What it is doing and what is to become of it.
    pub(crate) state: StateCell,
    /// The SGI that makes each vCPU's core look at it ([`Interface::signal`]).
    kicks: [AtomicU64; MAX_VCPUS],
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
    pub(crate) lines_of_devices: Once<DeviceLines>,
    /// Its interrupt controller.
    pub vgic: Vgic,
    /// Its UART and the line that it is writing.
    pub port: TicketMutex<Port>,
    /// Its devices behind the GIC and the UART.
    pub bus: VmBus,
    /// Its page of PV time structures.
    pub pv_time: PvTime,
    /// Whether it is the control VM, which manages the others.
    pub control: bool,
    /// What it has used, if it is audited.
    pub audit: Audit,
    /// When it starts again by itself.
    pub restarts: RestartPolicy,
    pub(crate) filter: ManagedFilter,
    pub(crate) published: Published,
    pub(crate) failure: Mutex<Option<Failure>>,
    /// When a line may say again that it accessed nothing.
    pub fault_report: FaultReport,
    /// Held while EL2 reads what the VM's memory holds.
    peeking: Mutex<()>,
    /// The lines of the log that it may still cause.
    lines: Mutex<LineRate>,
    /// The tables that VTTBR_EL2 names.
    _stage2: Stage2,
    pub(crate) answers: Box<VmAnswers>,
    pub(crate) forwards: Forwards,
    vcpus: Once<Box<[Vcpu]>>,
    /// vCPUs that are not off, and those that stand still.
    pub(crate) presence: Presence,
    /// When its cores were last asked for something.
    pub(crate) asked: Wait,
    /// When CPU_ON last asked for a vCPU, by its virtual counter.
    pub(crate) starts: Wait,
    pub(crate) counter: VirtualCounter,
    vttbr: u64,
    /// The VM was loaded before: its memory may lie in the caches as it was then.
    pub(crate) loaded: AtomicBool,
    /// How far its images are in place.
    pub(crate) loading: Mutex<Loading>,
    /// Bytes of its memory that are scrubbed, while that is in progress.
    pub(crate) scrubbed: AtomicU64,
}

/// What a VM is made of.
pub struct Parts {
    /// Its RAM.
    pub memory: Range,
    /// Its tables, which map its RAM, its page of PV time and the registers of its devices.
    pub stage2: Stage2,
    /// Its page of PV time structures.
    pub pv_time: PvTime,
    /// The devices that it drives itself.
    pub devices: Vec<Device>,
}

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
        Parts { memory, stage2, pv_time, devices }: Parts,
        control: bool,
    ) -> Self {
        let restarts = RestartPolicy::new(config.restart_limit);
        let bus = crate::devices::bus(&config, &devices);
        let audit = Audit::new();
        audit.want(config.audit);
        Self {
            index,
            config,
            row,
            memory,
            ram: ram_of(&config, memory),
            devices: devices.into(),
            lines_of_devices: Once::new(),
            vgic: Vgic::of_version(gic::version(), config.cores.as_slice().len()),
            port: TicketMutex::new(Port::new()),
            bus,
            pv_time,
            control,
            audit,
            restarts,
            entropy: Claim::default(),
            filter: ManagedFilter::new(),
            published: Published::new(),
            failure: Mutex::new(None),
            fault_report: FaultReport::default(),
            peeking: Mutex::new(()),
            lines: Mutex::new(LineRate::new()),
            vttbr: paging::vttbr(stage2.root(), vmid_of(index)),
            _stage2: stage2,
            answers: VmAnswers::new(),
            forwards: Forwards::new(),
            vcpus: Once::new(),
            state: StateCell::new(),
            kicks: [const { AtomicU64::new(0) }; MAX_VCPUS],
            presence: Presence::new(),
            asked: Wait::new(),
            starts: Wait::new(),
            counter: VirtualCounter::new(),
            loaded: AtomicBool::new(false),
            loading: Mutex::new(Loading::default()),
            scrubbed: AtomicU64::new(0),
        }
    }

    /// Gives the VM its vCPUs, each on the core that the bundle names.
    pub fn add_vcpus(&'static self) -> &'static [Vcpu] {
        self.vcpus.call_once(|| {
            let cores = self.config.cores.as_slice().iter().enumerate();
            cores.map(|(index, &core)| Vcpu::new(self, index, core as usize)).collect()
        })
    }

    /// Says by which SGI the core of vCPU `index` is made to look at it.
    pub fn set_kick(&self, index: usize, sgi: u64) {
        if let Some(kick) = self.kicks.get(index) {
            kick.store(sgi, Ordering::Relaxed);
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.config.name
    }

    /// Its vCPUs.
    pub fn vcpus(&self) -> &[Vcpu] {
        self.vcpus.get().map(|vcpus| &**vcpus).unwrap_or_default()
    }

    /// Decides what becomes of a call of one of its vCPUs.
    #[inline(always)]
    pub fn decide(&self, call: &Call) -> Verdict {
        let profile = self.row.profile();
        let filter = profile.is_filtered().then_some(&self.published as &dyn Ranges);
        match self.audit.profile() {
            Some(everything) => decide_watched(everything, filter, call),
            None => decide(profile, filter, call),
        }
    }

    /// Notes a call of a VM that is audited, and what became of it.
    pub fn watch(&self, call: &Call, verdict: &Verdict) {
        let range = |id| self.published.forwarding(id);
        let fate = match (verdict, range(call.function())) {
            (Verdict::Deny, _) => Fate::Refused,
            (Verdict::Forward, Some(range)) => {
                self.audit.reached(range);
                Fate::Forwarded
            }
            (Verdict::Forward, None) => {
                // A discovery call that is offered here, about a function that EL3 has.
                let [_, asked, ..] = call.x;
                range(FunctionId::from_x0(asked)).into_iter().for_each(|range| self.audit.reached(range));
                Fate::Answered
            }
            (Verdict::Answer(_) | Verdict::Serve(_), _) => Fate::Answered,
        };
        self.audit.note(call.function(), call.conduit, fate, timer::count_relaxed());
    }

    /// Why it last failed, if it has since it was created.
    pub fn failure(&self) -> Option<Failure> {
        *self.failure.lock()
    }

    /// Its vCPUs that are not off, a bit each.
    pub fn live(&self) -> u32 {
        self.census().live
    }

    /// Its vCPUs that are not off, and those that stand still.
    pub fn census(&self) -> Census {
        self.presence.census()
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
        self.counter.offset()
    }

    /// The physical range behind `size` bytes of RAM at the guest's address `ipa`, if all of them are RAM.
    pub fn physical(&self, ipa: u64, size: u64) -> Option<Range> {
        let offset = ipa.checked_sub(self.ram)?;
        let end = offset.checked_add(size)?;
        let start = self.memory.start.checked_add(offset)?;
        (end <= self.memory.size()).then_some(Range::sized(start, size))
    }

    /// What the eight bytes of its RAM at its address `ipa` hold, which is a multiple of 8. None: there is no RAM. To be called
    /// on the core of one of its vCPUs that is on.
    pub fn peek(&self, ipa: u64) -> Option<u64> {
        let place = self.physical(ipa & !7, size_of::<u64>() as u64)?;
        let _one_at_a_time = self.peeking.lock();
        // SAFETY: it is this VM's RAM, in blocks that are its own. Images are loaded and memory is scrubbed while no vCPU is
        // on, and this is the only other use, one at a time.
        unsafe { stage1::peek(place.start) }.ok()
    }

    /// Makes the vCPUs in `set` look at their interrupts.
    #[inline(always)]
    pub fn kick(&self, set: VcpuSet) {
        if !set.is_empty() {
            self.kick_on_any(set);
        }
    }

    #[inline(never)]
    fn kick_on_any(&self, set: VcpuSet) {
        with_interface!(G => self.kick_each::<G>(set));
    }

    /// [`kick`](Self::kick) for who knows what kind of GIC the machine has.
    #[inline(always)]
    pub fn kick_by<G: Interface>(&self, set: VcpuSet) {
        if !set.is_empty() {
            self.kick_each::<G>(set);
        }
    }

    fn kick_each<G: Interface>(&self, set: VcpuSet) {
        let mut left = set.bits();
        // It is not empty, and mostly of one.
        loop {
            if let Some(kick) = self.kicks.get(left.trailing_zeros() as usize) {
                G::send(kick.load(Ordering::Relaxed));
            }
            left &= left.wrapping_sub(1);
            if left == 0 {
                break;
            }
        }
    }
}

/// Where RAM that lies at `memory` starts in the addresses of a VM: a device that writes to memory by itself knows physical
/// addresses only, so they have to be the guest's too.
pub const fn ram_of(config: &VmConfig<'_>, memory: Range) -> u64 {
    if config.trust_dma { memory.start } else { map::RAM }
}
