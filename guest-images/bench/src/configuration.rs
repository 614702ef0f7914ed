//! The 64 bytes in a guest's image that say how it is to run. They are patched in the finished image; the code stays the
//! same.

/// Offset of the configuration in the image.
pub const OFFSET: usize = 64;
/// The first bytes of a configuration.
pub const MAGIC: [u8; 8] = *b"PCLBENCH";

/// Where a guest writes its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Output {
    /// A PL011.
    Pl011 = 0,
    /// Xen's hypercall `console_io`.
    Xen = 1,
    /// Nowhere.
    None = 2,
}

/// Bits of [`Configuration::flags`].
pub mod flag {
    /// Waits for room in the PL011's FIFO.
    pub const POLL: u32 = 1 << 0;
    /// Makes PSCI calls of its own by SMC.
    pub const PSCI_SMC: u32 = 1 << 1;
    /// Leaves the calls by HVC out.
    pub const NO_HVC: u32 = 1 << 2;
    /// Leaves the calls by SMC out.
    pub const NO_SMC: u32 = 1 << 3;
    /// Waits at the end instead of powering off.
    pub const STAY: u32 = 1 << 4;
    /// Measures nothing but its own restart, again and again.
    pub const RESTART: u32 = 1 << 5;
    /// Is not measured, but shares the core with the guest that is.
    pub const PARTNER: u32 = 1 << 6;
    /// Measures calls only once the time is told: a hypervisor may have to find where its clock's seconds begin.
    pub const PATIENT: u32 = 1 << 7;
    /// Waits for that by WFI: what the hypervisor does for it is done by interrupts of this core.
    pub const IDLE: u32 = 1 << 8;
}

/// How a guest is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Configuration {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// An [`Output`].
    pub output: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Address of the PL011.
    pub uart: u64,
    /// Address of the GIC's distributor.
    pub distributor: u64,
    /// Address of the first redistributor.
    pub redistributors: u64,
    /// Calls in a batch; operations in a test, at most [`MAX_OPERATIONS`](crate::operations::MAX_OPERATIONS).
    pub count: u32,
    /// Batches of calls in a test.
    pub batches: u32,
    /// The SPI that the guest owns.
    pub interrupt: u32,
    /// vCPUs.
    pub cores: u32,
    /// A bit for each test that is to run.
    pub tests: u64,
}

impl Configuration {
    /// On the map of QEMU's `virt` machine, with every test.
    pub const DEFAULT: Self = Self {
        magic: MAGIC,
        output: Output::Pl011 as u32,
        flags: flag::POLL,
        uart: 0x0900_0000,
        distributor: 0x0800_0000,
        redistributors: 0x080a_0000,
        count: 100,
        batches: 100,
        interrupt: 33,
        cores: 1,
        tests: u64::MAX,
    };

    /// As it lies in an image.
    pub fn bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&self.magic);
        let words = [self.output, self.flags];
        let addresses = [self.uart, self.distributor, self.redistributors];
        let numbers = [self.count, self.batches, self.interrupt, self.cores];
        for (index, word) in words.iter().enumerate() {
            bytes[8 + 4 * index..][..4].copy_from_slice(&word.to_le_bytes());
        }
        for (index, address) in addresses.iter().enumerate() {
            bytes[16 + 8 * index..][..8].copy_from_slice(&address.to_le_bytes());
        }
        for (index, number) in numbers.iter().enumerate() {
            bytes[40 + 4 * index..][..4].copy_from_slice(&number.to_le_bytes());
        }
        bytes[56..].copy_from_slice(&self.tests.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_structure() {
        let configuration = Configuration { flags: flag::STAY, tests: 0x1234_5678_9abc_def0, ..Configuration::DEFAULT };
        assert_eq!(size_of::<Configuration>(), 64);
        // SAFETY: the structure has no padding: its fields' sizes add up to its own.
        let expected: [u8; 64] = unsafe { core::mem::transmute(configuration) };
        assert_eq!(configuration.bytes(), expected);
    }
}
