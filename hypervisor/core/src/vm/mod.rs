//! A virtual machine: what it owns, and what happens to it as a whole.

pub mod answers;
pub mod lifecycle;
pub mod loader;
pub mod pv_time;
pub mod vcpu;

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use portcullis_arch::paging;
use portcullis_gate::Row;
use spin::{Mutex, Once};

use crate::bundle::VmConfig;
use crate::memory::regions::Range;
use crate::memory::stage2::Stage2;
use crate::port::Port;
use crate::vgic::{VcpuSet, Vgic};
use answers::VmAnswers;
use lifecycle::{Action, Phase};
use pv_time::PvTime;
use vcpu::Vcpu;

/// A VM. It is made once and lives as long as the machine.
pub struct Vm {
    /// Its number: its place in the manifest, counted from 0.
    pub index: usize,
    /// What the bundle says of it.
    pub config: VmConfig<'static>,
    /// Its row of the table: the firmware registers.
    pub row: &'static Row,
    /// Its RAM, in physical addresses; the guest sees it from [`portcullis_abi::map::RAM`] on.
    pub memory: Range,
    /// Its interrupt controller.
    pub vgic: Vgic,
    /// Its UART and the line that it is writing.
    pub port: Mutex<Port>,
    /// Its page of PV time structures.
    pub pv_time: PvTime,
    stage2: Stage2,
    answers: Box<VmAnswers>,
    vcpus: Once<Box<[Vcpu]>>,
    phase: AtomicU8,
    /// What becomes of the VM when its last vCPU has left its core.
    pending: AtomicU8,
    /// vCPUs that are not off.
    live: AtomicU32,
    counter_offset: AtomicU64,
}

impl Vm {
    /// A VM with the memory and tables given, in phase [`Phase::Created`], whose vCPUs are yet to be added.
    pub fn new(
        index: usize,
        config: VmConfig<'static>,
        row: &'static Row,
        memory: Range,
        stage2: Stage2,
        pv_time: PvTime,
    ) -> Self {
        Self {
            index,
            config,
            row,
            memory,
            vgic: Vgic::new(config.cores.as_slice().len()),
            port: Mutex::new(Port::new()),
            pv_time,
            stage2,
            answers: VmAnswers::new(),
            vcpus: Once::new(),
            phase: AtomicU8::new(Phase::Created as u8),
            pending: AtomicU8::new(Action::None as u8),
            live: AtomicU32::new(0),
            counter_offset: AtomicU64::new(0),
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

    /// VTTBR_EL2 of its vCPUs. VMID 0 is nobody's.
    pub fn vttbr(&self) -> u64 {
        paging::vttbr(self.stage2.root(), self.index as u16 + 1)
    }

    /// What its virtual counter lags behind the physical one, in ticks.
    pub fn counter_offset(&self) -> u64 {
        self.counter_offset.load(Ordering::Relaxed)
    }

    /// The physical range behind `size` bytes of RAM at the guest's address `ipa`, if all of them are RAM.
    pub fn physical(&self, ipa: u64, size: u64) -> Option<Range> {
        let offset = ipa.checked_sub(portcullis_abi::map::RAM)?;
        let end = offset.checked_add(size)?;
        let start = self.memory.start.checked_add(offset)?;
        (end <= self.memory.size()).then_some(Range::sized(start, size))
    }

    /// Makes the vCPUs in `set` look at their interrupts.
    #[inline(always)]
    pub fn kick(&self, set: VcpuSet) {
        if !set.is_empty() {
            self.kick_each(set);
        }
    }

    fn kick_each(&self, set: VcpuSet) {
        let vcpus = self.vcpus();
        for index in set {
            if let Some(vcpu) = vcpus.get(index) {
                vcpu.kick();
            }
        }
    }
}
