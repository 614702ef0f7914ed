//! What the registers of a core say of its speculation.

use portcullis_abi::id_register::number;
use portcullis_abi::state::Cpu;
use portcullis_arch::{cpu, id};

/// The ID registers of one core that the policy looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// MIDR_EL1: implementer, part.
    pub midr: u64,
    /// ID_AA64PFR0_EL1: CSV2, CSV3.
    pub pfr0: u64,
    /// ID_AA64PFR1_EL1: SSBS.
    pub pfr1: u64,
    /// ID_AA64MMFR1_EL1: ECBHB.
    pub mmfr1: u64,
    /// ID_AA64ISAR1_EL1: SPECRES.
    pub isar1: u64,
    /// ID_AA64ISAR2_EL1: CLRBHB.
    pub isar2: u64,
}

impl Identity {
    /// The core on which this runs.
    pub fn here() -> Self {
        Self {
            midr: cpu::main_id(),
            pfr0: id::read(4, 0),
            pfr1: id::read(4, 1),
            mmfr1: id::read(7, 1),
            isar1: id::read(6, 1),
            isar2: id::read(6, 2),
        }
    }

    /// A core with these registers.
    pub fn of(registers: &Cpu) -> Self {
        let [midr, ..] = registers.implementation;
        let register = |crm, op2| registers.features.get(number(crm, op2)).copied().unwrap_or(0);
        Self {
            midr,
            pfr0: register(4, 0),
            pfr1: register(4, 1),
            mmfr1: register(7, 1),
            isar1: register(6, 1),
            isar2: register(6, 2),
        }
    }

    /// CSV2: 1 if targets trained in one context do not steer another one, 3 if that goes for the history too.
    pub const fn csv2(&self) -> u64 {
        field(self.pfr0, 56)
    }

    /// CSV3: memory that may not be read does not steer what is speculated (CVE-2017-5754).
    pub const fn csv3(&self) -> u64 {
        field(self.pfr0, 60)
    }

    /// SSBS: PSTATE.SSBS says whether loads may overtake stores.
    pub const fn has_ssbs(&self) -> bool {
        field(self.pfr1, 4) != 0
    }

    /// ECBHB: the history from before an exception to a higher level is not used behind it.
    pub const fn hides_history(&self) -> bool {
        field(self.mmfr1, 60) != 0
    }

    /// SPECRES: there is CFP RCTX.
    pub const fn can_restrict(&self) -> bool {
        field(self.isar1, 40) != 0
    }

    /// CLRBHB: there is an instruction that clears the history.
    pub const fn can_clear_history(&self) -> bool {
        field(self.isar2, 28) != 0
    }
}

/// The field of an ID register whose lowest bit is `shift`.
const fn field(register: u64, shift: u32) -> u64 {
    register >> shift & 0xf
}
