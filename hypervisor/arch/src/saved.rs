//! Saving what a vCPU owns of a core as plain structures, and taking it on. The vCPU is off its core, where its registers are.
//!
//! What a guest can put into a register itself is not judged here: it is no worse when it comes from elsewhere. Judged is what only
//! EL2 puts there, what this core does not have, and what no register holds.

use portcullis_abi::state::{self, Unfit};

use crate::context::Context;
use crate::debug::{self, Debug};
use crate::el1::El1State;
use crate::gicv2;
use crate::gicv3;
use crate::optional::{Features, Optional};
use crate::registers::{CNTV_CTL_EL0, SPSR_EL2};
use crate::simd::Simd;
use crate::world::World;

/// ICH_VMCR_EL2: VPMR, VBPR0, VBPR1, VEOIM, VCBPR, VFIQEn, VAckCtl, VENG1, VENG0 (IHI 0069, 12.4.8).
const VMCR_V3: u64 = 0xfffc_021f;
/// GICH_VMCR: the same, with five bits of priority (IHI 0048, 5.3.4).
const VMCR_V2: u64 = 0xf8fc_021f;
/// The bits of CNTx_CTL.
const TIMER: u64 = CNTV_CTL_EL0::ENABLE::SET.value | CNTV_CTL_EL0::IMASK::SET.value | CNTV_CTL_EL0::ISTATUS::SET.value;
/// The claim tags that there are.
const CLAIM_TAGS: u64 = 0xff;

/// Refuses a value by its register's name.
const fn check(good: bool, name: &'static str) -> Result<(), Unfit> {
    if good { Ok(()) } else { Err(Unfit::Value(name)) }
}

/// Refuses what this core does not have.
const fn check_present(good: bool, name: &'static str) -> Result<(), Unfit> {
    if good { Ok(()) } else { Err(Unfit::Absent(name)) }
}

/// Whether a value is that of a 32-bit register.
const fn is_word(value: u64) -> bool {
    value <= u32::MAX as u64
}

impl Context {
    /// Returns the general registers, and where the guest goes on.
    pub fn save_general(&self) -> state::General {
        let (pc, pstate) = (self.elr.get(), self.spsr.get());
        state::General { version: state::General::VERSION, reserved: 0, x: self.registers(), pc, pstate }
    }

    /// Takes general registers on.
    ///
    /// # Errors
    ///
    /// [`Unfit`], for a PSTATE that is no guest's above all: `eret` would go on with it at EL2. Nothing has changed then.
    pub fn restore_general(&self, saved: &state::General) -> Result<(), Unfit> {
        const EL0: u64 = SPSR_EL2::M::EL0t.value;
        const EL1_WITH_SP_EL0: u64 = SPSR_EL2::M::EL1t.value;
        const EL1: u64 = SPSR_EL2::M::EL1h.value;
        /// M[4:0] of AArch32 at EL0.
        const AARCH32_USER: u64 = 0b1_0000;
        Unfit::check_version(saved.version, state::General::VERSION)?;
        Unfit::check_reserved(saved.reserved)?;
        let is_guests = matches!(saved.pstate & 0x1f, EL0 | EL1_WITH_SP_EL0 | EL1 | AARCH32_USER);
        check(is_guests && is_word(saved.pstate), "PSTATE")?;
        self.set_registers(saved.x);
        self.elr.set(saved.pc);
        self.spsr.set(saved.pstate);
        Ok(())
    }
}

impl World {
    /// Returns the registers of a vCPU that is off its core.
    pub fn save_state(&self) -> state::World {
        state::World {
            version: state::World::VERSION,
            reserved: 0,
            el1: self.el1.saved(),
            debug: save_debug(&self.debug),
            keys: self.optional.keys,
            deferred_error: self.optional.deferred_error,
            fpcr: self.simd.fpcr,
            fpsr: self.simd.fpsr,
            vectors: self.simd.v.map(|value| [value as u64, (value >> 64) as u64]),
        }
    }

    /// Takes registers on, for a vCPU that is off its core; `features` are those of the core on which this runs.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore_state(&mut self, saved: &state::World, features: &Features) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::World::VERSION)?;
        Unfit::check_reserved(saved.reserved)?;
        check(saved.el1.cntv_ctl & !TIMER == 0, "CNTV_CTL_EL0")?;
        check(saved.el1.cntp_ctl & !TIMER == 0, "CNTP_CTL_EL0")?;
        check(is_word(saved.fpcr), "FPCR")?;
        check(is_word(saved.fpsr), "FPSR")?;
        let keys = saved.keys.iter().all(|key| *key == 0);
        check_present(keys || features.has_keys(), "pointer authentication keys")?;
        check_present(saved.deferred_error == 0 || features.has_deferred_error(), "a deferred error")?;
        let debug = restore_debug(&saved.debug)?;
        let v = saved.vectors.map(|[low, high]| u128::from(high) << 64 | u128::from(low));
        self.el1 = El1State::from_saved(&saved.el1);
        self.optional = Optional { keys: saved.keys, deferred_error: saved.deferred_error };
        self.simd = Simd { v, fpcr: saved.fpcr, fpsr: saved.fpsr };
        self.debug = debug;
        Ok(())
    }
}

const fn save_debug(debug: &Debug) -> state::Debug {
    state::Debug {
        breakpoints: debug.breakpoints,
        watchpoints: debug.watchpoints,
        os_lock: debug.os_lock,
        double_lock: debug.double_lock,
        communication_interrupt: debug.communication_interrupt,
        communication: debug.communication,
        exception_catch: debug.exception_catch,
        claim: debug.claim,
    }
}

fn restore_debug(saved: &state::Debug) -> Result<Debug, Unfit> {
    let features = debug::Features::here();
    let beyond = |pairs: &[[u64; 2]; 16], count: usize| pairs.iter().skip(count).any(|pair| *pair != [0; 2]);
    check_present(!beyond(&saved.breakpoints, features.breakpoints), "more breakpoints")?;
    check_present(!beyond(&saved.watchpoints, features.watchpoints), "more watchpoints")?;
    check_present(features.double_lock || saved.double_lock == 0, "an OS double lock")?;
    check(saved.breakpoints.iter().all(|[_, control]| is_word(*control)), "DBGBCR<n>_EL1")?;
    check(saved.watchpoints.iter().all(|[_, control]| is_word(*control)), "DBGWCR<n>_EL1")?;
    check(saved.os_lock <= 1, "OSLSR_EL1")?;
    check(saved.double_lock <= 1, "OSDLR_EL1")?;
    check(is_word(saved.communication_interrupt), "MDCCINT_EL1")?;
    check(saved.communication.iter().all(|word| is_word(*word)), "OSDTRRX_EL1 or OSDTRTX_EL1")?;
    check(is_word(saved.exception_catch), "OSECCR_EL1")?;
    check(saved.claim & !CLAIM_TAGS == 0, "DBGCLAIMSET_EL1")?;
    Ok(Debug {
        breakpoints: saved.breakpoints,
        watchpoints: saved.watchpoints,
        os_lock: saved.os_lock,
        double_lock: saved.double_lock,
        communication_interrupt: saved.communication_interrupt,
        communication: saved.communication,
        exception_catch: saved.exception_catch,
        claim: saved.claim,
    })
}

impl gicv3::VirtualInterface {
    /// Returns the CPU interface of a vCPU that is off its core.
    pub const fn save_state(&self) -> state::GicCpuInterface {
        state::GicCpuInterface {
            version: state::GicCpuInterface::VERSION,
            architecture: 3,
            control: self.control,
            active: self.active,
        }
    }

    /// The CPU interface that was saved, for a vCPU of a core like this one.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn restored(saved: &state::GicCpuInterface) -> Result<Self, Unfit> {
        check_interface(saved, 3, VMCR_V3)?;
        let beyond = saved.active.iter().skip(gicv3::active_priority_registers());
        check_present(beyond.flatten().all(|word| *word == 0), "more levels of priority")?;
        check(saved.active.iter().flatten().all(|word| is_word(*word)), "the active priorities")?;
        Ok(Self { control: saved.control, active: saved.active })
    }
}

impl gicv2::VirtualInterface {
    /// Returns the CPU interface of a vCPU that is off its core.
    pub fn save_state(&self) -> state::GicCpuInterface {
        state::GicCpuInterface {
            version: state::GicCpuInterface::VERSION,
            architecture: 2,
            control: self.control.into(),
            active: [[self.active.into(), 0], [0; 2], [0; 2], [0; 2]],
        }
    }

    /// The CPU interface that was saved.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn restored(saved: &state::GicCpuInterface) -> Result<Self, Unfit> {
        check_interface(saved, 2, VMCR_V2)?;
        let [[active, rest @ ..], others @ ..] = saved.active;
        let only = others.iter().flatten().chain(&rest).all(|word| *word == 0);
        check(only && is_word(active), "the active priorities")?;
        Ok(Self { control: saved.control as u32, active: active as u32 })
    }
}

/// What both have in common.
fn check_interface(saved: &state::GicCpuInterface, architecture: u32, control: u64) -> Result<(), Unfit> {
    Unfit::check_version(saved.version, state::GicCpuInterface::VERSION)?;
    check(matches!(saved.architecture, 2 | 3), "the GIC's architecture")?;
    check_present(saved.architecture == architecture, "a GIC of an architecture")?;
    check(saved.control & !control == 0, "the control of the CPU interface")
}

#[cfg(test)]
mod tests;
