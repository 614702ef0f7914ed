//! What a guest is told of an access that reached nothing: the syndrome of a synchronous external abort (Arm ARM, D19.2.37,
//! "ISS encoding for an exception from a Data Abort" and "from an Instruction Abort").

use portcullis_arch::el2::class;
use portcullis_arch::registers::ESR_EL2;
use portcullis_devices::access::is_translation_fault;

/// ESR_ELx.EC of a data abort from a lower level; the one of an instruction abort is 4 less.
const EC_DATA_ABORT: u64 = ESR_EL2::EC::Value::DataAbortLowerEL as u64;
/// Bit of ESR_ELx.EC, in its place: the exception level stayed the same.
const SAME_LEVEL: u64 = 1 << ESR_EL2::EC.shift;
/// ESR_ELx.IL: a 32-bit instruction, and every abort without a valid ISS.
const IL: u64 = ESR_EL2::IL::SET.value;
/// ESR_ELx.ISS.CM: cache maintenance, or an address translation instruction.
const CM: u64 = 1 << 8;
/// ESR_ELx.ISS.S1PTW: a stage 2 fault of the walk of stage 1's tables.
const S1PTW: u64 = 1 << 7;
/// ESR_ELx.ISS.WnR: a store, or cache maintenance.
const WNR: u64 = 1 << 6;
/// ESR_ELx.ISS.xFSC.
const STATUS: u64 = 0x3f;
/// xFSC: synchronous external abort, not on a table walk.
const EXTERNAL: u64 = 0x10;
/// xFSC: synchronous external abort on the walk of stage 1's tables at level 0; one more for each level.
const EXTERNAL_ON_WALK: u64 = 0x14;
/// xFSC: the address is not aligned as the type of memory asks for.
const ALIGNMENT: u64 = 0x21;
/// xFSC: an exclusive or an atomic access that the memory does not support.
const UNSUPPORTED: u64 = 0x35;

/// What becomes of an abort that came to EL2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The guest takes it, with this ESR_EL1.
    Abort(u64),
    /// Maintenance of what no cache can hold: there is nothing to do.
    Pass,
    /// It is not the guest's: the hypervisor's own tables could not be read.
    Stop,
}

/// Whether the walk of stage 1's tables was what reached nothing.
pub const fn is_on_walk(syndrome: u64) -> bool {
    syndrome & S1PTW != 0
}

/// What becomes of the data or instruction abort of `syndrome` (ESR_EL2) in a guest whose state is `spsr` (SPSR_EL2).
/// `level` is the level of stage 1 whose descriptor was not there, if the abort [is on a walk](is_on_walk) and it is known.
pub fn fate(syndrome: u64, spsr: u64, level: Option<u64>) -> Fate {
    let status = match syndrome & STATUS {
        // Address size, translation, access flag and permission faults of stage 2, level -1 included.
        0x00..=0x0f | 0x29 | 0x2b => match (is_on_walk(syndrome), level) {
            (true, Some(level)) => EXTERNAL_ON_WALK + (level & 3),
            // No cache holds anything of an address behind which there is no memory. Of the page that a guest only reads, the
            // hypervisor has all that is new, and an invalidation at EL1 cleans first (HCR_EL2.VM).
            (false, _) if is_maintenance(syndrome) => return Fate::Pass,
            _ => EXTERNAL,
        },
        // The memory is a device's, whatever the guest takes it for.
        status @ (ALIGNMENT | UNSUPPORTED) => status,
        _ => return Fate::Stop,
    };
    let class = class(syndrome);
    let flags = if class == EC_DATA_ABORT { syndrome & (CM | WNR) } else { 0 };
    let same_level = if is_at_el1(spsr) { SAME_LEVEL } else { 0 };
    Fate::Abort(class << ESR_EL2::EC.shift | same_level | IL | flags | status)
}

/// Cache maintenance by address.
const fn is_maintenance(syndrome: u64) -> bool {
    class(syndrome) == EC_DATA_ABORT && syndrome & CM != 0
}

/// Whether a guest of this state is at EL1, which is AArch64.
const fn is_at_el1(spsr: u64) -> bool {
    spsr & (1 << 4 | 0b1100) == 0b0100
}

/// Whether HPFAR_EL2 holds the address (Arm ARM, HPFAR_EL2).
pub const fn has_address(syndrome: u64) -> bool {
    is_translation_fault(syndrome) || is_on_walk(syndrome)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EL1H: u64 = 0x3c5;
    const EL1T: u64 = 0x3c4;
    const EL0: u64 = 0x3c0;
    /// AArch32 User mode, T32.
    const USER32: u64 = 0x1f0;
    const DATA: u64 = 0x24 << 26 | IL;
    const FETCH: u64 = 0x20 << 26 | IL;
    const TRANSLATION: u64 = 0x06;
    const PERMISSION: u64 = 0x0f;

    #[test]
    fn a_load_is_what_a_board_says() {
        // As QEMU's virt reports a load from nothing; ISV, SAS, SRT and SF of stage 2 are gone.
        let load = DATA | 0x1f << 16 | 1 << 24 | 2 << 22 | TRANSLATION;
        assert_eq!(fate(load, EL1H, None), Fate::Abort(0x9600_0010));
        assert_eq!(fate(load, EL1T, None), Fate::Abort(0x9600_0010));
        assert_eq!(fate(load, EL0, None), Fate::Abort(0x9200_0010));
        assert_eq!(fate(load, USER32, None), Fate::Abort(0x9200_0010));
        assert_eq!(fate(load | WNR, EL1H, None), Fate::Abort(0x9600_0050));
    }

    #[test]
    fn a_16_bit_instruction_has_no_valid_iss_and_so_il() {
        assert_eq!(fate(0x24 << 26 | 1 << 24 | TRANSLATION, USER32, None), Fate::Abort(0x9200_0010));
    }

    #[test]
    fn a_fetch_is_no_store() {
        assert_eq!(fate(FETCH | TRANSLATION, EL1H, None), Fate::Abort(0x8600_0010));
        assert_eq!(fate(FETCH | PERMISSION, EL0, None), Fate::Abort(0x8200_0010));
        assert_eq!(fate(FETCH | WNR | TRANSLATION, EL1H, None), Fate::Abort(0x8600_0010));
    }

    #[test]
    fn walks_have_their_level() {
        for level in 0..4 {
            let walk = |class| fate(class | S1PTW | TRANSLATION, EL1H, Some(level));
            assert_eq!(walk(DATA), Fate::Abort(0x9600_0014 | level));
            assert_eq!(walk(FETCH), Fate::Abort(0x8600_0014 | level));
            // The tables are in a device's registers (HCR_EL2.PTW).
            assert_eq!(fate(DATA | S1PTW | PERMISSION, EL1H, Some(level)), walk(DATA));
            assert_eq!(fate(FETCH | S1PTW | PERMISSION, EL1H, Some(level)), walk(FETCH));
        }
        assert_eq!(fate(DATA | S1PTW | TRANSLATION, EL1H, None), Fate::Abort(0x9600_0010));
        // An address translation instruction whose walk reaches nothing.
        assert_eq!(fate(DATA | S1PTW | CM | WNR | TRANSLATION, EL1H, Some(2)), Fate::Abort(0x9600_0156));
    }

    #[test]
    fn maintenance_of_nothing_does_nothing() {
        for status in [0x04, 0x05, TRANSLATION, 0x07, 0x0d, PERMISSION] {
            assert_eq!(fate(DATA | CM | WNR | status, EL1H, None), Fate::Pass);
            assert_eq!(fate(DATA | CM | WNR | status, EL0, None), Fate::Pass);
        }
    }

    #[test]
    fn faults_of_the_access_itself_stay_what_they_are() {
        for status in [ALIGNMENT, UNSUPPORTED] {
            assert_eq!(fate(DATA | WNR | status, EL1H, None), Fate::Abort(0x9600_0040 | status));
        }
    }

    #[test]
    fn every_status_has_its_fate_and_none_is_passed_on_raw() {
        for status in 0..=STATUS {
            match fate(DATA | 1 << 24 | status, EL1H, None) {
                Fate::Abort(syndrome) => {
                    assert!([EXTERNAL, ALIGNMENT, UNSUPPORTED].contains(&(syndrome & STATUS)), "{status:#x}");
                    assert_eq!(syndrome & 0x01ff_fe80, 0, "{status:#x}: ISV to FnV and EA");
                }
                Fate::Stop => assert!(status >= 0x10, "{status:#x}"),
                Fate::Pass => panic!("{status:#x} is no maintenance"),
            }
        }
        // External aborts and parity errors on the walk of stage 2, and a conflict in the TLB.
        for status in [0x10, 0x15, 0x1d, 0x30] {
            assert_eq!(fate(DATA | status, EL1H, None), Fate::Stop);
        }
    }

    #[test]
    fn the_address_is_known_of_translation_faults_and_walks() {
        assert!(has_address(DATA | TRANSLATION) && has_address(DATA | S1PTW | PERMISSION));
        assert!(!has_address(DATA | PERMISSION) && !has_address(DATA | ALIGNMENT));
    }
}
