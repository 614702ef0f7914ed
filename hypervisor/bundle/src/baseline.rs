//! The CPU that a VM is shown in place of its cores' own, so that it can be on boards whose cores differ.

use portcullis_abi::bundle;
use portcullis_abi::id_register::COUNT;
use portcullis_abi::state::Cpu;

use super::error::VmError;

/// Numbers of which it consists: MIDR_EL1, REVIDR_EL1, AIDR_EL1, CTR_EL0, DCZID_EL0, and the ID registers.
pub const WORDS: usize = 5 + COUNT;

/// A CPU, by its registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline<'a>(&'a [[u8; 8]; WORDS]);

impl<'a> Baseline<'a> {
    /// The CPU with these registers, each of 64 bits, big-endian, as a bundle has them.
    pub const fn new(words: &'a [[u8; 8]; WORDS]) -> Self {
        Self(words)
    }

    /// The one of which the bundle has these bytes.
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, VmError> {
        match value.as_chunks() {
            (words, []) => words.try_into().map(Self).map_err(|_| VmError::Malformed(bundle::CPU)),
            _ => Err(VmError::Malformed(bundle::CPU)),
        }
    }

    /// Returns its registers, as a core has them: more than a guest is shown of any core.
    pub fn registers(self) -> Cpu {
        let word = |at: usize| self.0.get(at).map_or(0, |word| u64::from_be_bytes(*word));
        Cpu {
            version: Cpu::VERSION,
            reserved: 0,
            implementation: [0, 1, 2].map(word),
            cache_type: word(3),
            zeroing: word(4),
            features: core::array::from_fn(|number| word(number.saturating_add(5))),
        }
    }
}

/// Returns the numbers that a bundle has of a CPU with these registers.
#[cfg(any(test, feature = "write"))]
pub fn words(cpu: &Cpu) -> [u64; WORDS] {
    let [midr, revidr, aidr] = cpu.implementation;
    let mut numbers = [midr, revidr, aidr, cpu.cache_type, cpu.zeroing].into_iter().chain(cpu.features);
    core::array::from_fn(|_| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let cpu = Cpu {
            version: Cpu::VERSION,
            reserved: 0,
            implementation: [0x410f_d083, 1, 2],
            cache_type: 0x8444_c004,
            zeroing: 4,
            features: core::array::from_fn(|number| number as u64 + 100),
        };
        let bytes = words(&cpu).map(u64::to_be_bytes);
        let read = Baseline::parse(bytes.as_flattened()).unwrap();
        assert_eq!((read, read.registers()), (Baseline::new(&bytes), cpu));
    }

    #[test]
    fn a_cpu_of_another_length_is_refused() {
        for length in [0, 8, WORDS * 8 - 8, WORDS * 8 - 1, WORDS * 8 + 1, WORDS * 8 + 8] {
            assert_eq!(Baseline::parse(&vec![0; length]), Err(VmError::Malformed(bundle::CPU)), "{length}");
        }
    }
}
