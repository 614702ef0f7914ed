//! GICv2: GICC and GICH in memory. Guests get GICV in place of GICC.

use portcullis_arch::{gicv2, timer};
use portcullis_vgic::{GicVersion, ListRegisters};

use super::gic::interface;

/// The frames of this core: GICC and GICH.
#[derive(Clone, Copy, Debug)]
pub struct V2;

interface!(V2 of gicv2, saved in v2, intid: identifier, signal: |intid, index, _| gicv2::sgi(intid, index));

/// GICC_IAR.Interrupt_ID; above it there is the sender of an SGI, which the end of the interrupt has to name again.
#[inline(always)]
const fn identifier(acknowledged: u32) -> u32 {
    acknowledged & 0x3ff
}

impl ListRegisters for V2 {
    const SOURCES: bool = true;

    #[inline]
    fn count(&self) -> usize {
        gicv2::list_registers()
    }

    #[inline]
    fn read(&self, n: usize) -> u64 {
        decode(gicv2::read_list_register(n))
    }

    #[inline]
    fn write(&mut self, n: usize, value: u64) {
        gicv2::write_list_register(n, encode(value));
    }

    #[inline]
    fn empty(&self) -> u32 {
        gicv2::empty_list_registers()
    }

    fn synchronize(&mut self) {
        // Accesses to one device keep their order.
    }

    fn set_no_pending_maintenance(&mut self, enable: bool) {
        let maintenance = if enable { gicv2::GICH_HCR_NPIE } else { 0 };
        gicv2::set_virtual_control(gicv2::GICH_HCR_EN | maintenance);
    }

    fn deactivate(&mut self, intid: u32) {
        gicv2::deactivate(intid);
    }

    fn line(&self, intid: u32) -> bool {
        timer::is_asserted(intid)
    }
}

/// GICH_LR<n> (IHI 0048, section 5.3.10) from the form that the model uses, ICH_LR<n>_EL2. The lower 10 bits of pINTID, or
/// instead of them the report of the end and an SGI's source, have the same order in both; the priority has its upper 5
/// bits; HW and Grp1 stand above the state and not below it.
const fn encode(value: u64) -> u32 {
    let top = (value >> 60) as u32;
    let turned = (top << 2 | top >> 2) & 0xf;
    let priority = (value >> 51) as u32 & 0x1f;
    let physical = (value >> 32) as u32 & 0x3ff;
    turned << 28 | priority << 23 | physical << 10 | value as u32 & 0x3ff
}

/// The reverse of [`encode`].
const fn decode(register: u32) -> u64 {
    let turned = register >> 28;
    let top = (turned << 2 | turned >> 2) & 0xf;
    let priority = register >> 23 & 0x1f;
    let physical = register >> 10 & 0x3ff;
    (top as u64) << 60 | (priority as u64) << 51 | (physical as u64) << 32 | (register & 0x3ff) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_registers_have_two_forms() {
        // Group 1 pending, priority 0xa0, INTID 5: as KVM and Xen would write it.
        assert_eq!(encode(0x50a0_0000_0000_0005), 1 << 30 | 1 << 28 | 0x14 << 23 | 5);
        // Linked timer, group 0, active.
        assert_eq!(encode(0xa000_001b_0000_001b), 1 << 31 | 2 << 28 | 27 << 10 | 27);
        // An SPI whose end is reported (bit 19); an SGI from CPU 5 (bits 12:10).
        assert_eq!(encode(1 << 62 | 1 << 41 | 33), 1 << 28 | 1 << 19 | 33);
        assert_eq!(encode(1 << 62 | 5 << 32 | 7), 1 << 28 | 5 << 10 | 7);
        assert_eq!(encode(0), 0);
    }

    #[test]
    fn nothing_is_lost_between_them() {
        let mut value = 1u32;
        for _ in 0..100_000 {
            value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Bits 22:20 are reserved.
            let register = value & !(7 << 20);
            assert_eq!(encode(decode(register)), register);
        }
    }
}
