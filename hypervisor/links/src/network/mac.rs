//! Ethernet addresses.

use core::fmt;

/// An Ethernet address (IEEE 802, EUI-48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address of all.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The address that follows from the names of a network and of a VM: one of those that are administered locally. Names decide
    /// it, so that it stays when others come and go; two of them may meet, which whoever gives addresses has to look for.
    pub fn derived(network: &str, vm: &str) -> Self {
        // FNV-1a, 64 bits. The byte between the names is in none of them.
        let bytes = network.bytes().chain([0]).chain(vm.bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        // Each byte of the hash has a part in what is kept.
        let [a, b, c, d, e, ..] = (hash ^ hash >> 40).to_le_bytes();
        Self([0x02, a, b, c, d, e])
    }

    /// Its bytes as one number, the first one lowest: two are compared at once.
    #[inline]
    pub const fn bits(self) -> u64 {
        let Self([a, b, c, d, e, f]) = self;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    /// The address with these [`bits`](Self::bits).
    #[inline]
    pub const fn of_bits(bits: u64) -> Self {
        let [a, b, c, d, e, f, ..] = bits.to_le_bytes();
        Self([a, b, c, d, e, f])
    }

    /// Whether several are meant, or all.
    #[inline]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
