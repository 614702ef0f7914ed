//! What GICv2 and GICv3 distributors have in common and what needs no lock: registers with a bit for each interrupt, of which a one
//! that is written concerns its interrupt alone (IHI 0048, section 4.3; IHI 0069, section 12.9).

use portcullis_arch::barrier;

/// A register with a bit for each interrupt, as the offset of its first word.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub enum Bits {
    /// GICD_ISENABLER: enables.
    Enable = 0x100,
    /// GICD_ICENABLER: disables.
    Disable = 0x180,
    /// GICD_ICPENDR: takes the pending state away.
    ClearPending = 0x280,
    /// GICD_ICACTIVER: deactivates.
    Deactivate = 0x380,
}

/// GICD_CTLR.RWP: writes are yet to take effect (IHI 0069, section 12.9.4). A GICv2 has no such bit.
const WRITE_PENDING: u32 = 1 << 31;
/// How often a distributor is asked whether they have. One that does not answer by then never will.
const MOST_LOOKS: u32 = 1 << 20;

/// A distributor's registers.
#[derive(Debug)]
pub struct Distributor(usize);

impl Distributor {
    /// The registers at `address`.
    ///
    /// # Safety
    ///
    /// It must be that of a GICv2's or GICv3's distributor, 64 KiB or 4 KiB, mapped as device memory; or that of a redistributor's
    /// SGI_base frame, which has the same registers of its core's private interrupts at the same offsets (IHI 0069, table 12-29).
    pub const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// Writes a one for an interrupt below 1020. Any core may do so at any time; of private interrupts it concerns its own.
    pub fn set(&self, bits: Bits, intid: u32) {
        let word = self.0.wrapping_add(bits as usize).wrapping_add(intid as usize / 32 * 4);
        if intid < 1020 {
            // SAFETY: the register of a distributor, as `at` was promised; the write changes no other interrupt.
            unsafe { (word as *mut u32).write_volatile(1u32.wrapping_shl(intid)) };
        }
    }

    /// Forgets what is pending and active of the 32 interrupts of a word, which are disabled: what a boot loader has left.
    pub fn quiet_word(&self, word: u32) {
        for bits in [Bits::ClearPending, Bits::Deactivate] {
            self.write_ones(bits, word);
        }
    }

    /// Disables the shared interrupts of the first `lines`, and forgets what is pending and active of them. False: that they are
    /// disabled never takes effect.
    #[must_use = "a distributor that puts nothing into effect cannot be used"]
    pub fn quiet_shared(&self, lines: u32) -> bool {
        let words = 1..lines.min(1020).div_ceil(32);
        words.clone().for_each(|word| self.write_ones(Bits::Disable, word));
        // What is enabled yet could become pending again.
        let is_settled = self.settle();
        words.for_each(|word| self.quiet_word(word));
        is_settled
    }

    fn write_ones(&self, bits: Bits, word: u32) {
        let register = self.0.wrapping_add(bits as usize).wrapping_add(word.min(31) as usize * 4);
        // SAFETY: the register of a distributor, as `at` was promised.
        unsafe { (register as *mut u32).write_volatile(u32::MAX) };
    }

    /// Reads the word of an interrupt below 1020. What was written to this distributor before has reached it by then.
    pub fn get(&self, bits: Bits, intid: u32) -> u32 {
        let word = self.0.wrapping_add(bits as usize).wrapping_add(intid.min(1019) as usize / 32 * 4);
        // SAFETY: as above; a read has no effect.
        unsafe { (word as *const u32).read_volatile() }
    }

    /// Enables or disables an interrupt from 32 to 1019. When it returns from disabling it, the distributor signals it no more, and
    /// a core that looks after that finds it gone, unless it had acknowledged it (IHI 0069, section 4.3).
    pub fn enable(&self, intid: u32, enabled: bool, in_effect: impl FnOnce(&Self)) {
        if enabled {
            return self.set(Bits::Enable, intid);
        }
        self.set(Bits::Disable, intid);
        in_effect(self);
        barrier::dsb_sy();
    }

    /// Waits until a GICv3 has put into effect what was written to it. False: it does not say so.
    pub fn settle(&self) -> bool {
        // SAFETY: GICD_CTLR; a read has no effect.
        (0..MOST_LOOKS).any(|_| unsafe { (self.0 as *const u32).read_volatile() } & WRITE_PENDING == 0)
    }

    /// Writes the byte at `offset`.
    ///
    /// # Safety
    ///
    /// There must be a register that is accessible by bytes, whose value is the caller's to choose.
    pub unsafe fn write_byte(&self, offset: usize, value: u8) {
        // SAFETY: as the caller says.
        unsafe { (self.0.wrapping_add(offset) as *mut u8).write_volatile(value) };
    }

    /// Writes the 64 bits at `offset`.
    ///
    /// # Safety
    ///
    /// There must be a register of that size, whose value is the caller's to choose.
    pub unsafe fn write_double(&self, offset: usize, value: u64) {
        // SAFETY: as the caller says.
        unsafe { (self.0.wrapping_add(offset) as *mut u64).write_volatile(value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_of_one_word_is_written() {
        let mut memory = vec![0u32; 0x400 / 4];
        // SAFETY: memory of our own serves for registers.
        let distributor = unsafe { Distributor::at(memory.as_mut_ptr() as usize) };
        distributor.set(Bits::Enable, 40);
        distributor.set(Bits::Deactivate, 1019);
        distributor.set(Bits::ClearPending, 1020);
        distributor.enable(33, false, |distributor| assert!(distributor.settle()));
        let found: Vec<(usize, u32)> =
            memory.iter().enumerate().filter(|(_, word)| **word != 0).map(|(at, word)| (at * 4, *word)).collect();
        assert_eq!(found, [(0x104, 1 << 8), (0x184, 1 << 1), (0x380 + 31 * 4, 1 << 27)]);
    }

    #[test]
    fn what_a_boot_loader_has_left_is_forgotten() {
        let mut memory = vec![0u32; 0x400 / 4];
        // SAFETY: as above.
        let distributor = unsafe { Distributor::at(memory.as_mut_ptr() as usize) };
        // Three words, the first of which are the private interrupts.
        assert!(distributor.quiet_shared(96));
        let written = |memory: &[u32]| -> Vec<usize> {
            memory.iter().enumerate().filter(|(_, word)| **word == u32::MAX).map(|(at, _)| at * 4).collect()
        };
        assert_eq!(written(&memory), [0x184, 0x188, 0x284, 0x288, 0x384, 0x388]);
        memory.fill(0);
        distributor.quiet_word(0);
        assert_eq!(written(&memory), [0x280, 0x380]);
        memory.fill(0);
        assert!(distributor.quiet_shared(u32::MAX));
        assert_eq!(written(&memory).len(), 3 * 31);
    }

    #[test]
    fn one_that_never_settles_is_given_up() {
        let mut memory = [WRITE_PENDING; 0x400 / 4];
        // SAFETY: as above.
        let distributor = unsafe { Distributor::at(memory.as_mut_ptr() as usize) };
        assert!(!distributor.settle() && !distributor.quiet_shared(96));
    }
}
