//! MediaTek's interrupt polarity control, which stands before the GIC: a bit for each SPI turns it round (Linux,
//! `interrupt-controller/mediatek,mt6577-sysirq.yaml`).

use crate::driver::Inverter;

/// Has an interrupt come to the GIC high, or rising, whatever its device means by low.
///
/// # Safety
///
/// The register must be there, mapped as device memory, and nobody else may change it meanwhile.
pub unsafe fn set(inverter: &Inverter) {
    let register = inverter.register as *mut u32;
    // SAFETY: passed on to the caller.
    unsafe { register.write_volatile(with(inverter, register.read_volatile())) };
}

/// What is to be in the register that has `value`.
const fn with(inverter: &Inverter, value: u32) -> u32 {
    let bit = 1u32.wrapping_shl(inverter.bit);
    if inverter.invert { value | bit } else { value & !bit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_changes() {
        let mut register = 0xf0f0_00ffu32;
        let mut inverter = Inverter { register: &raw mut register as u64, bit: 9, invert: true };
        // SAFETY: it is this test's own word.
        unsafe { set(&inverter) };
        assert_eq!(register, 0xf0f0_02ff);
        (inverter.bit, inverter.invert) = (4, false);
        // SAFETY: as above.
        unsafe { set(&inverter) };
        assert_eq!(register, 0xf0f0_02ef);
    }
}
