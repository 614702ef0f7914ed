//! Lengths of time and amounts of memory as a manifest writes them, and as messages show them.

use core::fmt;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The units of time, the smallest first, in microseconds.
pub const TIMES: [(&str, u64); 3] = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];

/// So many microseconds, in the largest unit that they are whole in: `100us`, `5ms`, `1s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, factor): &&(&str, u64)| self.0.is_multiple_of(*factor) && self.0 >= *factor;
        let (unit, factor) = TIMES.iter().rev().find(whole).copied().unwrap_or(("us", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// So many bytes in the form that a manifest has: `256M`, `1G`, or a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub u64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "0"),
            bytes if bytes.is_multiple_of(GIB) => write!(f, "{}G", bytes / GIB),
            bytes if bytes.is_multiple_of(MIB) => write!(f, "{}M", bytes / MIB),
            bytes => write!(f, "{bytes}"),
        }
    }
}

/// So many bytes for people: exact where that is round, else rounded up to a tenth of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        let (unit, name) = match bytes {
            0..KIB => return write!(f, "{bytes} bytes"),
            KIB..MIB => (KIB, "KiB"),
            MIB..GIB => (MIB, "MiB"),
            _ if bytes.is_multiple_of(GIB) => (GIB, "GiB"),
            _ => (MIB, "MiB"),
        };
        // The tenths of what is left behind the whole units, which are below ten units.
        let (whole, tenths) = (bytes / unit, (bytes % unit).saturating_mul(10).div_ceil(unit));
        match tenths {
            0 => write!(f, "{whole} {name}"),
            10 => write!(f, "{}.0 {name}", whole.saturating_add(1)),
            _ => write!(f, "{whole}.{tenths} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_largest_whole_unit() {
        let shown = |time| Time(time).to_string();
        assert_eq!([0, 1, 999, 1_000, 1_500].map(shown), ["0us", "1us", "999us", "1ms", "1500us"]);
        assert_eq!([1_000_000, 1_001_000, 60_000_000].map(shown), ["1s", "1001ms", "60s"]);
    }

    #[test]
    fn an_amount_is_as_a_manifest_has_it() {
        let shown = |bytes| Amount(bytes).to_string();
        assert_eq!([0, 4097, 2 << 20, 1536 << 20, 3 << 30].map(shown), ["0", "4097", "2M", "1536M", "3G"]);
    }

    #[test]
    fn a_size_is_exact_or_rounded_up() {
        let shown = |bytes| Size(bytes).to_string();
        assert_eq!([0, 1023, 64 << 10].map(shown), ["0 bytes", "1023 bytes", "64 KiB"]);
        assert_eq!([(2 << 20) + 1, 1536 << 20, 4 << 30].map(shown), ["2.1 MiB", "1536 MiB", "4 GiB"]);
        assert_eq!(shown((3 << 20) - 1), "3.0 MiB");
        assert_eq!(shown(u64::MAX), "17592186044416.0 MiB");
    }
}
