//! What every call should get, written down a second time: a table of numbers and a few lines that read it. It shares
//! no code and no constant with the gate.

use portcullis_gate::{PsciFunction, Service, TrngFunction, Width};

/// A VM as the oracle sees it: plain fields.
#[derive(Clone, Debug)]
pub struct Vm {
    /// STD, STD_HYP, VENDOR_HYP, VENDOR_HYP_2, SIP.
    pub bitmaps: [u64; 5],
    /// PSCI version.
    pub psci: u64,
    /// SMCCC version.
    pub smccc: u64,
    /// There is a name of the SoC to tell.
    pub soc: bool,
    /// Levels of WORKAROUND_1, _2, _3.
    pub levels: [u64; 3],
    /// Whether it may suspend itself.
    pub suspend: bool,
    /// Identifiers that the filter denies, first and last of each range.
    pub denied: Vec<(u32, u32)>,
    /// Identifiers that the filter hands to EL3.
    pub forwarded: Vec<(u32, u32)>,
}

/// What becomes of a call at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Refused.
    Refused,
    /// To EL3.
    El3,
    /// Handled here: it may still be that nothing of this name is offered.
    Here,
}

/// What a function needs to be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing.
    Open,
    /// A PSCI version at least this.
    Psci(u64),
    /// A bit of one of the bitmaps, by its place in `Vm::bitmaps`.
    Bit(usize, u64),
    /// A level other than 0, by its place in `Vm::levels`.
    Level(usize),
    /// PSCI 1.0, and the permission to suspend itself.
    Suspend,
    /// A SoC to tell of, and SMCCC 1.2.
    Soc,
    /// It does not exist.
    Never,
}

/// What an offered function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// These registers.
    Value([u64; 4]),
    /// The PSCI version.
    PsciVersion,
    /// The SMCCC version.
    SmcccVersion,
    /// Whether the function asked about exists, as far as this call speaks for it.
    Speaks(Speaker),
    /// The vendor's feature words.
    VendorWords,
    /// A service answers.
    Serve(Service),
}

/// A discovery call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// SMCCC_ARCH_FEATURES.
    Arch,
    /// PSCI_FEATURES.
    Psci,
    /// TRNG_FEATURES.
    Trng,
    /// PV_TIME_FEATURES.
    PvTime,
}

/// One function: identifier, name, gate, answer, the discovery calls that speak for it, its bit in vendor word x0 or
/// x2.
pub struct Entry {
    pub id: u32,
    pub name: &'static str,
    pub gate: Gate,
    pub expect: Expect,
    pub speakers: &'static [Speaker],
    pub vendor: [u64; 2],
}

const fn entry(id: u32, name: &'static str, gate: Gate, expect: Expect, speakers: &'static [Speaker]) -> Entry {
    Entry { id, name, gate, expect, speakers, vendor: [0, 0] }
}

const fn vendor(id: u32, name: &'static str, gate: Gate, expect: Expect, vendor: [u64; 2]) -> Entry {
    Entry { id, name, gate, expect, speakers: &[], vendor }
}

const fn psci(function: PsciFunction, width: Width) -> Expect {
    Expect::Serve(Service::Psci(function, width))
}

use Expect::{PsciVersion, Serve, SmcccVersion, Speaks, Value, VendorWords};
use Gate::{Bit, Level, Never, Open, Psci, Soc, Suspend};
use PsciFunction as P;
use Speaker as S;
use Width::{Smc32, Smc64};

/// Every function that has a name at this door, in ascending order.
pub const TABLE: &[Entry] = &[
    entry(0x8000_0000, "SMCCC_VERSION", Open, SmcccVersion, &[S::Arch, S::Psci]),
    entry(0x8000_0001, "SMCCC_ARCH_FEATURES", Open, Speaks(S::Arch), &[S::Arch]),
    entry(0x8000_0002, "SMCCC_ARCH_SOC_ID", Soc, Serve(Service::SocId), &[S::Arch]),
    entry(0x8000_3fff, "SMCCC_ARCH_WORKAROUND_3", Level(2), Value([0; 4]), &[S::Arch]),
    entry(0x8000_7fff, "SMCCC_ARCH_WORKAROUND_2", Never, Value([0; 4]), &[S::Arch]),
    entry(0x8000_8000, "SMCCC_ARCH_WORKAROUND_1", Level(0), Value([0; 4]), &[S::Arch]),
    entry(0x8200_3d06, "WATCHDOG", Bit(4, 1), Serve(Service::Watchdog), &[]),
    entry(0x8400_0000, "PSCI_VERSION", Psci(0x2), PsciVersion, &[S::Psci]),
    entry(0x8400_0001, "CPU_SUSPEND", Psci(0x2), psci(P::CpuSuspend, Smc32), &[S::Psci]),
    entry(0x8400_0002, "CPU_OFF", Psci(0x2), psci(P::CpuOff, Smc32), &[S::Psci]),
    entry(0x8400_0003, "CPU_ON", Psci(0x2), psci(P::CpuOn, Smc32), &[S::Psci]),
    entry(0x8400_0004, "AFFINITY_INFO", Psci(0x2), psci(P::AffinityInfo, Smc32), &[S::Psci]),
    entry(0x8400_0006, "MIGRATE_INFO_TYPE", Psci(0x2), Value([2, 0, 0, 0]), &[S::Psci]),
    entry(0x8400_0008, "SYSTEM_OFF", Psci(0x2), psci(P::SystemOff, Smc32), &[S::Psci]),
    entry(0x8400_0009, "SYSTEM_RESET", Psci(0x2), psci(P::SystemReset, Smc32), &[S::Psci]),
    entry(0x8400_000a, "PSCI_FEATURES", Psci(0x1_0000), Speaks(S::Psci), &[S::Psci]),
    entry(0x8400_000e, "SYSTEM_SUSPEND", Suspend, psci(P::SystemSuspend, Smc32), &[S::Psci]),
    entry(0x8400_0012, "SYSTEM_RESET2", Psci(0x1_0001), psci(P::SystemReset2, Smc32), &[S::Psci]),
    entry(0x8400_0015, "SYSTEM_OFF2", Psci(0x1_0003), psci(P::SystemOff2, Smc32), &[S::Psci]),
    entry(0x8400_0050, "TRNG_VERSION", Bit(0, 1), Value([0x1_0000, 0, 0, 0]), &[S::Trng]),
    entry(0x8400_0051, "TRNG_FEATURES", Bit(0, 1), Speaks(S::Trng), &[S::Trng]),
    entry(0x8400_0052, "TRNG_GET_UUID", Bit(0, 1), Serve(Service::Trng(TrngFunction::GetUuid)), &[S::Trng]),
    entry(0x8400_0053, "TRNG_RND32", Bit(0, 1), Serve(Service::Trng(TrngFunction::Rnd32)), &[S::Trng]),
    vendor(0x8600_0000, "VENDOR_FEATURES", Bit(2, 1), VendorWords, [1, 0]),
    vendor(0x8600_0001, "VENDOR_PTP", Bit(2, 2), Serve(Service::Ptp), [2, 0]),
    vendor(0x8600_ff01, "VENDOR_UID", Bit(2, 1), Value([0xb66f_b428, 0xe911_c52e, 0x564b_caa9, 0x743a_004d]), [0, 0]),
    entry(0xc400_0001, "CPU_SUSPEND", Psci(0x2), psci(P::CpuSuspend, Smc64), &[S::Psci]),
    entry(0xc400_0003, "CPU_ON", Psci(0x2), psci(P::CpuOn, Smc64), &[S::Psci]),
    entry(0xc400_0004, "AFFINITY_INFO", Psci(0x2), psci(P::AffinityInfo, Smc64), &[S::Psci]),
    entry(0xc400_000e, "SYSTEM_SUSPEND", Suspend, psci(P::SystemSuspend, Smc64), &[S::Psci]),
    entry(0xc400_0012, "SYSTEM_RESET2", Psci(0x1_0001), psci(P::SystemReset2, Smc64), &[S::Psci]),
    entry(0xc400_0015, "SYSTEM_OFF2", Psci(0x1_0003), psci(P::SystemOff2, Smc64), &[S::Psci]),
    entry(0xc400_0053, "TRNG_RND64", Bit(0, 1), Serve(Service::Trng(TrngFunction::Rnd64)), &[S::Trng]),
    entry(0xc500_0020, "PV_TIME_FEATURES", Bit(1, 1), Speaks(S::PvTime), &[S::Arch, S::PvTime]),
    entry(0xc500_0021, "PV_TIME_ST", Bit(1, 1), Serve(Service::PvTimeSt), &[S::PvTime]),
    vendor(0xc600_0040, "VENDOR_IMPL_VERSION", Bit(3, 1), Serve(Service::ImplVersion), [0, 1]),
    vendor(0xc600_0041, "VENDOR_IMPL_CPUS", Bit(3, 2), Serve(Service::ImplCpus), [0, 2]),
];

/// The entry with this identifier.
pub fn find(id: u32) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.id == id)
}

impl Vm {
    /// Which way an identifier goes by its form and the filter.
    pub fn way(&self, id: u32, aarch32: bool) -> Way {
        let holds = |ranges: &[(u32, u32)]| ranges.iter().any(|&(first, last)| (first..=last).contains(&id));
        if id & 0x80ff_0000 != 0x8000_0000 || (aarch32 && id & 0x4000_0000 != 0) || holds(&self.denied) {
            Way::Refused
        } else if holds(&self.forwarded) {
            Way::El3
        } else {
            Way::Here
        }
    }

    /// Whether a call of `entry` gets past the door and is served behind it.
    pub fn offers(&self, entry: &Entry, aarch32: bool) -> bool {
        let open = match entry.gate {
            Open => true,
            Psci(least) => self.psci >= least,
            Bit(register, bit) => self.bitmaps[register] & bit != 0,
            Suspend => self.suspend && self.psci >= 0x1_0000,
            Level(workaround) => self.levels[workaround] != 0,
            Soc => self.soc && self.smccc >= 0x1_0002,
            Never => false,
        };
        open && self.way(entry.id, aarch32) == Way::Here
    }

    /// What a discovery call answers about the function `asked`.
    pub fn discovery(&self, speaker: Speaker, asked: u32, aarch32: bool) -> u64 {
        // The levels of a workaround are answers of their own: unknown, needed, not needed.
        match (speaker, asked) {
            (S::Arch, 0x8000_8000) => return [u64::MAX, 0, 1][self.levels[0] as usize],
            (S::Arch, 0x8000_7fff) => return [u64::MAX, 0, 0, u64::MAX - 1][self.levels[1] as usize],
            (S::Arch, 0x8000_3fff) => return [u64::MAX, 0, 1][self.levels[2] as usize],
            _ => {}
        }
        match find(asked) {
            // The feature flag HIBERNATE_OFF.
            Some(entry)
                if entry.id & 0xbfff_ffff == 0x8400_0015 && speaker == S::Psci && self.offers(entry, aarch32) =>
            {
                1
            }
            Some(entry) if entry.speakers.contains(&speaker) && self.offers(entry, aarch32) => 0,
            _ => u64::MAX,
        }
    }

    /// The vendor's feature words: a bit per function that can be called.
    pub fn vendor_words(&self, aarch32: bool) -> [u64; 4] {
        let sum = |word: usize| {
            TABLE.iter().filter(|entry| self.offers(entry, aarch32)).fold(0, |sum, entry| sum | entry.vendor[word])
        };
        [sum(0), 0, sum(1), 0]
    }
}
