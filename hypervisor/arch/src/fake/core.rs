//! The registers of a core, and what else it has.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::event::{Event, Frame};

/// What INTID an acknowledgement gives if nothing is pending.
const SPURIOUS: u32 = 1023;
/// CNTx_CTL: enabled.
const ENABLE: u64 = 1 << 0;
/// CNTx_CTL: the condition is met.
const ISTATUS: u64 = 1 << 2;
/// ISR_EL1.A: an SError is pending.
const SERROR: u64 = 1 << 8;
/// OSLSR_EL1: the OS lock is set.
const OSLK: u64 = 1 << 1;

/// The names of the list registers.
const LIST_REGISTERS: [&str; 16] = [
    "ich_lr0_el2",
    "ich_lr1_el2",
    "ich_lr2_el2",
    "ich_lr3_el2",
    "ich_lr4_el2",
    "ich_lr5_el2",
    "ich_lr6_el2",
    "ich_lr7_el2",
    "ich_lr8_el2",
    "ich_lr9_el2",
    "ich_lr10_el2",
    "ich_lr11_el2",
    "ich_lr12_el2",
    "ich_lr13_el2",
    "ich_lr14_el2",
    "ich_lr15_el2",
];

/// What serves a core's SMCs.
type Firmware = Box<dyn FnMut(&mut [u64; 18])>;

/// A GICv2.
#[derive(Default)]
pub struct Gicv2 {
    /// Those that were written, and those that are not zero from the start.
    pub registers: BTreeMap<(Frame, usize), u32>,
    /// How many list registers the code under test takes it to have.
    pub lists: usize,
    /// What the code under test has noted as the cores' bits in target lists.
    pub targets: BTreeMap<usize, u8>,
}

thread_local! {
    static CORE: RefCell<Hardware> = RefCell::new(Hardware::default());
}

/// Does something with this thread's core.
pub fn with<R>(act: impl FnOnce(&mut Hardware) -> R) -> R {
    CORE.with_borrow_mut(act)
}

/// Gives this thread a core that has just been switched on.
pub fn reset() {
    // What serves its SMCs may own what uses the core when it is dropped.
    let former = CORE.replace(Hardware::default());
    drop(former);
}

/// Reads a register as `mrs` does.
pub fn read(register: &'static str) -> u64 {
    with(|core| core.read(register))
}

/// Writes a register as `msr` does.
pub fn write(register: &'static str, value: u64) {
    with(|core| core.write(register, value));
}

/// The hardware of a core.
#[derive(Default)]
pub struct Hardware {
    registers: BTreeMap<&'static str, u64>,
    /// Bits that are set whatever is written.
    kept: BTreeMap<&'static str, u64>,
    /// V0 to V31.
    pub vectors: [u128; 32],
    counter: u64,
    /// What each read of the counter adds to it.
    pub tick: u64,
    /// What an acknowledgement finds.
    pub pending: VecDeque<u32>,
    /// Syndromes of the SErrors that are pending, in the order in which they are taken.
    pub errors: VecDeque<u64>,
    /// The machine's GICv2, if it has one.
    pub gicv2: Option<Gicv2>,
    /// What EL3 does.
    pub firmware: Option<Firmware>,
    /// What RNDRRS gives.
    pub random: VecDeque<u64>,
    /// What was recorded, while it is.
    pub events: Option<Vec<Event>>,
}

impl Hardware {
    /// What a read of the register gives.
    pub fn read(&mut self, register: &'static str) -> u64 {
        match register {
            "cntpct_el0" => {
                self.advance(self.tick);
                self.counter
            }
            "cntvct_el0" => {
                self.advance(self.tick);
                self.virtual_counter()
            }
            "cntv_ctl_el0" => self.timer_control(register, "cntv_cval_el0", self.virtual_counter()),
            "cntp_ctl_el0" => self.timer_control(register, "cntp_cval_el0", self.physical_counter()),
            "cnthp_ctl_el2" => self.timer_control(register, "cnthp_cval_el2", self.counter),
            "icc_iar1_el1" => self.acknowledge().into(),
            "ich_elrsr_el2" => self.empty_list_registers(),
            "isr_el1" if !self.errors.is_empty() => self.held(register) | SERROR,
            _ => self.held(register),
        }
    }

    /// What the register holds.
    fn held(&self, register: &'static str) -> u64 {
        let word = |words: &BTreeMap<_, u64>| words.get(register).copied().unwrap_or(0);
        word(&self.registers) | word(&self.kept)
    }

    /// A write by software.
    pub fn write(&mut self, register: &'static str, value: u64) {
        self.note(Event::Write(register, value));
        match register {
            // OSLAR_EL1 sets or clears OSLSR_EL1.OSLK.
            "s2_0_c1_c0_4" => {
                let others = self.held("s2_0_c1_c1_4") & !OSLK;
                self.set("s2_0_c1_c1_4", if value & 1 != 0 { others | OSLK } else { others });
            }
            // DBGCLAIMSET_EL1 sets claim tags; DBGCLAIMCLR_EL1 clears them, and reads as what is set.
            "s2_0_c7_c8_6" => self.set("s2_0_c7_c9_6", self.held("s2_0_c7_c9_6") | value & 0xff),
            "s2_0_c7_c9_6" => self.set("s2_0_c7_c9_6", self.held("s2_0_c7_c9_6") & !value),
            _ => self.set(register, value),
        }
    }

    /// Has bits of the register be set whatever is written.
    pub fn keep(&mut self, register: &'static str, bits: u64) {
        self.kept.insert(register, bits);
    }

    /// Sets what the register holds.
    pub fn set(&mut self, register: &'static str, value: u64) {
        if register == "cntpct_el0" {
            self.counter = value;
        } else {
            self.registers.insert(register, value);
        }
    }

    /// Lets time go by.
    pub const fn advance(&mut self, ticks: u64) {
        self.counter = self.counter.wrapping_add(ticks);
    }

    fn virtual_counter(&self) -> u64 {
        self.counter.wrapping_sub(self.held("cntvoff_el2"))
    }

    /// What EL1's physical timer goes by: FEAT_ECV offsets it where CNTHCTL_EL2.ECV says so.
    fn physical_counter(&self) -> u64 {
        let is_offset = self.held("cnthctl_el2") & 1 << 12 != 0;
        if is_offset { self.counter.wrapping_sub(self.held("s3_4_c14_c0_6")) } else { self.counter }
    }

    /// CNTx_CTL, whose timer fires at what `compare` holds.
    fn timer_control(&self, register: &'static str, compare: &'static str, now: u64) -> u64 {
        let control = self.held(register) & !ISTATUS;
        let met = control & ENABLE != 0 && self.held(compare) <= now;
        if met { control | ISTATUS } else { control }
    }

    /// Takes what has been pending longest.
    pub fn acknowledge(&mut self) -> u32 {
        self.pending.pop_front().unwrap_or(SPURIOUS)
    }

    /// ICH_ELRSR_EL2: of the list registers that there are, those that are neither pending nor active and have no end to report
    /// (IHI 0069, 12.4.4: EOI counts where HW is 0).
    fn empty_list_registers(&self) -> u64 {
        let count = (self.held("ich_vtr_el2") & 0x1f) as usize + 1;
        let is_empty = |value: u64| value >> 62 == 0 && (value >> 61 & 1 == 1 || value >> 41 & 1 == 0);
        let all = LIST_REGISTERS.iter().take(count).enumerate();
        all.fold(0, |set, (n, register)| set | u64::from(is_empty(self.held(register))) << n)
    }

    /// Writes down what happened, if it is wanted.
    pub fn note(&mut self, event: Event) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }
}
