//! What this VM's door should look like, from the command line.
//!
//! | argument | meaning | default |
//! | --- | --- | --- |
//! | `std`, `std-hyp`, `vendor-hyp`, `vendor-hyp-2` | value of the firmware register | 1, 1, 3, 0 |
//! | `psci` | version: 0.2, 1.0, 1.1, 1.2 or 1.3 | 1.3 |
//! | `smccc` | version: 1.1 or 1.2 | 1.1 |
//! | `soc`, `revision` | version and revision of the SoC that it is told of | none, 0 |
//! | `implementations`, `midr` | CPU implementations that it is told of, MIDR of the last one | 1, this CPU's |
//! | `ctr`, `isar0` | `shown`: CTR_EL0 and ID_AA64ISAR0_EL1; `midr` is its MIDR_EL1 there | any |
//! | `conduits` | open ones: `hvc`, `smc`, `hvc,smc` | `hvc,smc` |
//! | `cpus` | vCPUs | 1 |
//! | `trng` | backend: `rndrrs`, `el3`, `other`, `none` (then STD's bit counts as clear) | `rndrrs` |
//! | `firmware` | what is below: `test`, `tf-a` | `test` |
//! | `forward`, `deny` | ranges of the filter: `BASE+COUNT,...` | none |
//! | `client` | this VM's identifier to EL3 | 1 |
//! | `wide` | 1 if EL3 may return results in x4 to x17 | 1 |
//! | `only` | groups of cases: `id`, `services`, `lifecycle`, `uart`, `devices`, `gic`, joined by commas | all |
//! | `gic` | generation of the interrupt controller: 2 or 3; 0 to leave interrupts alone | 3 |
//! | `rtc` | 1 if this VM has a real-time clock | 1 |
//! | `moves` | `cases`: 1 if this VM is saved and restored again and again; it waits for that behind each case | 0 |
//! | `mode` | `cases`, `garbage`, `sweep`, `matrix`, `forward`, `late`, `draws`, `words`, `scarce`, `dry`, `off`, \
//!   `restart`, `cost`, `storm`, `busy`, `psci`, `vcpus`, `suspend`, `reset`, `device`, `dma`, `leak`, `starved`, `paused`, \
//!   `moved`, `clock`, `hostile`, `idle`, `typed`, `speculation`, `abort`, `aborts`, `no-vectors`, `sysreg`, `mmio`, `jump`, \
//!   `copies`, `ask`, `answer`, `share-writing`, `share-reading`, `links-ask`, `links-stay`, `links-answer`, `serial-ask`, \
//!   `serial-answer`, `disks`, `rings`, `shown`, `travels`, `moved-flash` | `cases` |
//! | `calls`, `seed` | `garbage`, `draws`, `dry`: number of calls; `leak`, `rings`: of rounds; `garbage`, `leak`, `rings`: start \
//!   of the sequence | 100000, 1 |
//! | `pause`, `least` | `scarce`: microseconds between draws, draws that must succeed; `typed`: microseconds before it sets up \
//!   its UART | 0, 1 |
//! | `owners` | `sweep`: owners of functions, from 0 | 64 |
//! | `seconds` | `storm`, `busy`, `scarce`, `hostile`, `idle`, `late`, `links-stay`, `shown`: duration; `off`, `restart`: \
//!   time until then; `travels`: the longest that it takes | 2 |
//! | `bytes`, `order` | `typed`: how many come; what the interrupt handler does: `clear` and then drain, `drain` and then clear, \
//!   read `one` | 10240, the first |
//! | `resets` | `reset`, `leak`: how often the VM resets itself | 2 |
//! | `address` | `abort`, `jump`: where | a hole of the map |
//! | `suspend` | `matrix`, `sweep`: 1 if this VM may suspend itself | 0 |
//! | `turns` | `suspend`: slices that neighbours may have of its core before it sleeps, in one stage | 0 |
//! | `node` | `device`, `dma`, `suspend`: the device, by its path in this VM's tree | none |
//! | `worst` | `hostile`: `spin`, `waits`, `signals`, `alarms`, `calls`, `accesses` | the first |
//! | `access` | `abort`: `load`, `store`; `mmio`: `pair`, `writeback`, `exclusive` | the first |

mod choices;
mod offers;

use guest_runtime::arguments::Arguments;
use portcullis_abi::{firmware, function};

pub use self::choices::{Access, Order, Worst};
use crate::el3::Firmware;
pub use crate::mode::Mode;
use crate::ranges::Ranges;

/// What stands behind the TRNG service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trng {
    /// Portcullis's own backend over RNDRRS, recognised by its UUID.
    Rndrrs,
    /// The firmware's own, recognised by its UUID.
    El3,
    /// Another backend.
    Other,
}

/// A wrong argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What would be right.
    pub expected: &'static str,
    /// The argument's name or value.
    pub got: &'static str,
}

/// The expectations and the run's parameters.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Value of STD; bit 0 is clear if there is no TRNG backend.
    pub std: u64,
    /// Value of STD_HYP.
    pub std_hyp: u64,
    /// Value of VENDOR_HYP.
    pub vendor_hyp: u64,
    /// Value of VENDOR_HYP_2.
    pub vendor_hyp_2: u64,
    /// PSCI version as PSCI_VERSION gives it.
    pub psci: u32,
    /// SMCCC version as SMCCC_VERSION gives it.
    pub smccc: u32,
    /// Version and revision of the SoC that it is told of.
    pub soc: Option<[u64; 2]>,
    /// Number of CPU implementations that it is told of.
    pub implementations: u64,
    /// MIDR_EL1 of the last of them, if that is another CPU.
    pub midr: Option<u64>,
    /// CTR_EL0 that `shown` expects, if it does.
    pub ctr: Option<u64>,
    /// ID_AA64ISAR0_EL1 that it expects.
    pub isar0: Option<u64>,
    /// HVC is open.
    pub hvc: bool,
    /// SMC is open.
    pub smc: bool,
    /// Number of vCPUs.
    pub cpus: usize,
    /// What stands behind the TRNG service.
    pub trng: Trng,
    /// The firmware below.
    pub firmware: Firmware,
    /// Ranges of the filter that go to EL3.
    pub forward: Ranges,
    /// Ranges of the filter that are refused.
    pub deny: Ranges,
    /// This VM's identifier to EL3.
    pub client: u64,
    /// EL3 may return results in x4 to x17.
    pub wide: bool,
    /// Microseconds between the draws of `scarce`, and before `typed` sets up its UART.
    pub pause: u64,
    /// Draws of `scarce` that must succeed.
    pub least: u64,
    /// There is a real-time clock.
    pub rtc: bool,
    /// The device tree has seeds, if there is TRNG.
    pub kaslr: bool,
    /// Seconds of the watchdog's longest timeout; 0: there is none.
    pub watchdog: u64,
    /// It may suspend itself.
    pub suspend: bool,
    /// Slices that `suspend`'s neighbours may have of its core before it sleeps.
    pub turns: u64,
    /// Interrupts are used.
    pub gic: bool,
    /// The interrupt controller is a GICv2, else a GICv3.
    pub gicv2: bool,
    /// What to do.
    pub mode: Mode,
    /// Number of garbage calls.
    pub calls: u64,
    /// Start of the garbage.
    pub seed: u64,
    /// Owners whose functions `sweep` calls, from 0.
    pub owners: u32,
    /// Duration of `storm`, `busy`, `hostile`, `idle` and `late`.
    pub seconds: u64,
    /// How often `reset` and `leak` reset the VM.
    pub resets: u64,
    /// Where `abort` and `jump` go; 0: the mode's own choice.
    pub address: u64,
    /// What `hostile` does.
    pub worst: Worst,
    /// How many bytes come to `typed`.
    pub bytes: u64,
    /// What its interrupt handler does.
    pub order: Order,
    /// How `abort` and `mmio` access.
    pub access: Access,
    /// Path of the device of `device` and `dma`.
    pub node: &'static str,
    /// The VM is saved and restored behind each case.
    pub is_moved: bool,
    /// The groups of cases to run.
    groups: [bool; GROUPS.len()],
}

const NAMES: [&str; 42] = [
    "std",
    "std-hyp",
    "vendor-hyp",
    "vendor-hyp-2",
    "psci",
    "smccc",
    "soc",
    "revision",
    "implementations",
    "midr",
    "ctr",
    "isar0",
    "conduits",
    "cpus",
    "trng",
    "firmware",
    "forward",
    "deny",
    "client",
    "wide",
    "pause",
    "least",
    "rtc",
    "kaslr",
    "watchdog",
    "suspend",
    "turns",
    "gic",
    "mode",
    "calls",
    "seed",
    "owners",
    "seconds",
    "resets",
    "address",
    "access",
    "node",
    "worst",
    "bytes",
    "order",
    "moves",
    "only",
];

/// The groups of cases.
const GROUPS: [&str; 6] = ["id", "services", "lifecycle", "uart", "devices", "gic"];

impl Profile {
    /// Reads the command line.
    ///
    /// # Errors
    /// The first argument that is unknown or has no valid value.
    pub fn parse(arguments: Arguments<'static>) -> Result<Self, Problem> {
        if let Some(name) = arguments.names().find(|name| !NAMES.contains(name)) {
            return Err(Problem { expected: "an argument named in profile.rs", got: name });
        }
        let number = |name: &'static str, default| {
            let expected = "a number, decimal or with 0x";
            arguments.number(name, default).ok_or(Problem { expected, got: arguments.get(name).unwrap_or(name) })
        };
        let (trng, backend) = choose(&arguments, "trng", "rndrrs, el3, other or none", |value| {
            Some(match value {
                "" | "rndrrs" => (Trng::Rndrrs, true),
                "el3" => (Trng::El3, true),
                "other" => (Trng::Other, true),
                "none" => (Trng::Other, false),
                _ => return None,
            })
        })?;
        let (hvc, smc) = choose(&arguments, "conduits", "hvc, smc or hvc,smc", |value| {
            Some(match value {
                "" | "hvc,smc" | "smc,hvc" => (true, true),
                "hvc" => (true, false),
                "smc" => (false, true),
                _ => return None,
            })
        })?;
        let std = number("std", 1)?;
        let mode = choose(&arguments, "mode", "a mode named in profile.rs", Mode::parse)?;
        let groups = choose(&arguments, "only", "groups named in profile.rs", |value| {
            let known = value.split(',').all(|group| value.is_empty() || GROUPS.contains(&group));
            known.then(|| GROUPS.map(|name| value.is_empty() || value.split(',').any(|group| group == name)))
        })?;
        Ok(Self {
            std: if backend { std } else { std & !firmware::STD_TRNG },
            std_hyp: number("std-hyp", 1)?,
            vendor_hyp: number("vendor-hyp", 3)?,
            vendor_hyp_2: number("vendor-hyp-2", 0)?,
            psci: choose(&arguments, "psci", "0.2, 1.0, 1.1, 1.2 or 1.3", |value| {
                Some(match value {
                    "" | "1.3" => function::PSCI_VERSION_1_3,
                    "1.2" => function::PSCI_VERSION_1_2,
                    "1.1" => function::PSCI_VERSION_1_1,
                    "1.0" => function::PSCI_VERSION_1_0,
                    "0.2" => function::PSCI_VERSION_0_2,
                    _ => return None,
                })
            })?,
            smccc: choose(&arguments, "smccc", "1.1 or 1.2", |value| {
                Some(match value {
                    "" | "1.1" => function::SMCCC_VERSION_1_1,
                    "1.2" => function::SMCCC_VERSION_1_2,
                    _ => return None,
                })
            })?,
            soc: match arguments.get("soc") {
                Some(_) => Some([number("soc", 0)?, number("revision", 0)?]),
                None => None,
            },
            implementations: number("implementations", 1)?,
            midr: arguments.get("midr").map(|_| number("midr", 0)).transpose()?,
            ctr: arguments.get("ctr").map(|_| number("ctr", 0)).transpose()?,
            isar0: arguments.get("isar0").map(|_| number("isar0", 0)).transpose()?,
            hvc,
            smc,
            cpus: number("cpus", 1)? as usize,
            trng,
            firmware: choose(&arguments, "firmware", "test or tf-a", |value| {
                Some(match value {
                    "" | "test" => Firmware::Test,
                    "tf-a" => Firmware::TrustedFirmware,
                    _ => return None,
                })
            })?,
            forward: choose(&arguments, "forward", "BASE+COUNT,...", Ranges::parse)?,
            deny: choose(&arguments, "deny", "BASE+COUNT,...", Ranges::parse)?,
            client: number("client", 1)?,
            wide: number("wide", 1)? != 0,
            pause: number("pause", 0)?,
            least: number("least", 1)?,
            rtc: number("rtc", 1)? != 0,
            kaslr: number("kaslr", 1)? != 0,
            watchdog: number("watchdog", 0)?,
            suspend: number("suspend", 0)? != 0,
            turns: number("turns", 0)?,
            gic: number("gic", 3)? != 0,
            gicv2: number("gic", 3)? == 2,
            mode,
            calls: number("calls", 100_000)?,
            seed: number("seed", 1)?,
            owners: number("owners", 64)? as u32,
            seconds: number("seconds", 2)?,
            resets: number("resets", 2)?,
            address: number("address", 0)?,
            node: arguments.get("node").unwrap_or(""),
            worst: choose(&arguments, "worst", "what profile.rs names", |value| {
                Some(match value {
                    "" | "spin" => Worst::Spin,
                    "waits" => Worst::Waits,
                    "signals" => Worst::Signals,
                    "floods" => Worst::Floods,
                    "alarms" => Worst::Alarms,
                    "calls" => Worst::Calls,
                    "accesses" => Worst::Accesses,
                    _ => return None,
                })
            })?,
            bytes: number("bytes", 10_240)?,
            is_moved: number("moves", 0)? != 0,
            order: choose(&arguments, "order", "clear, drain or one", |value| {
                Some(match value {
                    "" | "clear" => Order::ClearAndDrain,
                    "drain" => Order::DrainAndClear,
                    "one" => Order::One,
                    _ => return None,
                })
            })?,
            access: choose(&arguments, "access", "load, store, pair, writeback or exclusive", |value| {
                Some(match value {
                    "" if mode == Mode::Mmio => Access::Pair,
                    "" | "load" => Access::Load,
                    "pair" => Access::Pair,
                    "store" => Access::Store,
                    "writeback" => Access::WriteBack,
                    "exclusive" => Access::Exclusive,
                    _ => return None,
                })
            })?,
            groups,
        })
    }

    /// Whether a group of cases is to run.
    pub fn wants(&self, group: &str) -> bool {
        GROUPS.iter().zip(self.groups).any(|(&name, wanted)| wanted && name == group)
    }
}

fn choose<T>(
    arguments: &Arguments<'static>,
    name: &str,
    expected: &'static str,
    parse: impl FnOnce(&'static str) -> Option<T>,
) -> Result<T, Problem> {
    let got = arguments.get(name).unwrap_or("");
    parse(got).ok_or(Problem { expected, got })
}

#[cfg(test)]
mod tests;
