//! The settings of a VM: what of it is a flag, a number or a choice. Each is described once here, for the reader of the bundle, for
//! its writer and for the manifest.
//!
//! | property of `vm@N` | is |
//! | --- | --- |
//! | `autostart` | present or absent: it starts with the machine |
//! | `audit` | present or absent: it is audited from its start on |
//! | `stop-on-fault` | present: the first access that reaches nothing ends it; absent: it gets an abort, as from a board |
//! | `restart-limit` | a cell: it starts again that often when it fails; absent: never |
//! | `conduits` | a cell: `CONDUIT_HVC`, `CONDUIT_SMC`; never absent |
//! | `machine` | a cell: `MACHINE_OFF`, `MACHINE_RESET`; absent: neither |
//! | `trust-dma` | present or absent: devices that can master the bus may be passed through to it |
//! | `rtc` | a cell, 1: it has a real-time clock, or is not started; 0: it has none; absent: if the time of day is known by then |
//! | `suspend` | present or absent: the VM may suspend itself |
//! | `movable` | present or absent: the control VM may save it, and restore it |
//! | `no-kaslr` | present: no seeds in the generated device tree |
//! | `watchdog` | a cell: it has a watchdog, whose longest timeout is so many seconds; absent: none |

use portcullis_abi::bundle::{CONDUIT_HVC, CONDUIT_SMC, CONDUITS, MACHINE_OFF, MACHINE_RESET, TRUST_DMA};

use crate::error::VmError;

/// The settings of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The VM starts with the machine.
    pub autostart: bool,
    /// The VM is audited from its start on: it runs with everything that the board supports, and what it uses is noted.
    pub audit: bool,
    /// An access that reaches nothing ends the VM. Otherwise the guest gets an abort, as from a board.
    pub stop_on_fault: bool,
    /// How often the VM starts again when it fails.
    pub restart_limit: u32,
    /// Open conduits: [`CONDUIT_HVC`], [`CONDUIT_SMC`].
    pub conduits: u32,
    /// What PSCI of this VM may do to the machine: [`MACHINE_OFF`], [`MACHINE_RESET`].
    pub machine: u32,
    /// Devices that can master the bus may be among those passed through: the VM is trusted with all memory.
    pub trust_dma: bool,
    /// Whether it has a real-time clock; none: if the machine knows the time of day when it starts.
    pub rtc: Option<bool>,
    /// The VM may suspend itself: it has PSCI SYSTEM_SUSPEND.
    pub suspend: bool,
    /// The control VM may save the VM, and restore it.
    pub movable: bool,
    /// The generated device tree has seeds, if the VM is offered TRNG.
    pub kaslr: bool,
    /// Seconds of the longest timeout of its watchdog; 0: it has none.
    pub watchdog: u32,
}

/// What absent properties stand for.
impl Default for Settings {
    fn default() -> Self {
        Self {
            autostart: false,
            audit: false,
            stop_on_fault: false,
            restart_limit: 0,
            conduits: 0,
            machine: 0,
            trust_dma: false,
            rtc: None,
            suspend: false,
            movable: false,
            kaslr: true,
            watchdog: 0,
        }
    }
}

/// Where a property's value stands, and in which form.
#[derive(Clone, Copy)]
enum Place {
    /// A flag, and what the property's presence makes of it.
    Flag(fn(&mut Settings) -> &mut bool, bool),
    /// A number, with the bits that it may have.
    Number(fn(&mut Settings) -> &mut u32, u32),
    /// Yes, no, or neither.
    Choice(fn(&mut Settings) -> &mut Option<bool>),
}

/// Every setting: the name of its property and its place.
const TABLE: [(&str, Place); 12] = [
    ("autostart", Place::Flag(|vm| &mut vm.autostart, true)),
    ("audit", Place::Flag(|vm| &mut vm.audit, true)),
    ("stop-on-fault", Place::Flag(|vm| &mut vm.stop_on_fault, true)),
    ("restart-limit", Place::Number(|vm| &mut vm.restart_limit, u32::MAX)),
    (CONDUITS, Place::Number(|vm| &mut vm.conduits, CONDUIT_HVC | CONDUIT_SMC)),
    ("machine", Place::Number(|vm| &mut vm.machine, MACHINE_OFF | MACHINE_RESET)),
    (TRUST_DMA, Place::Flag(|vm| &mut vm.trust_dma, true)),
    ("rtc", Place::Choice(|vm| &mut vm.rtc)),
    ("suspend", Place::Flag(|vm| &mut vm.suspend, true)),
    ("movable", Place::Flag(|vm| &mut vm.movable, true)),
    ("no-kaslr", Place::Flag(|vm| &mut vm.kaslr, false)),
    ("watchdog", Place::Number(|vm| &mut vm.watchdog, u32::MAX)),
];

impl Settings {
    /// Takes over the property `name`, if it is a setting; false: it is none.
    ///
    /// # Errors
    ///
    /// The value does not have the form of this setting.
    pub(crate) fn read(&mut self, name: &str, value: &[u8]) -> Result<bool, VmError> {
        let Some((name, place)) = TABLE.iter().find(|(property, _)| *property == name) else { return Ok(false) };
        let malformed = VmError::Malformed(name);
        let number = || value.try_into().map(u32::from_be_bytes).map_err(|_| malformed);
        match place {
            Place::Flag(of, present) if value.is_empty() => *of(self) = *present,
            Place::Flag(..) => return Err(malformed),
            Place::Number(of, known) => match number()? {
                bits if bits & !known != 0 => return Err(VmError::Bits(name, bits, *known)),
                bits => *of(self) = bits,
            },
            Place::Choice(of) => match number()? {
                choice @ 0..=1 => *of(self) = Some(choice == 1),
                _ => return Err(malformed),
            },
        }
        Ok(true)
    }

    /// The properties that say this, each with its value.
    #[cfg(feature = "write")]
    pub fn properties(mut self) -> impl Iterator<Item = (&'static str, alloc::vec::Vec<u8>)> {
        let mut absent = Self::default();
        let cell = |number: u32| Some(number.to_be_bytes().into());
        TABLE.into_iter().filter_map(move |(name, place)| {
            let value = match place {
                Place::Flag(of, present) => (*of(&mut self) == present).then(alloc::vec::Vec::new),
                Place::Number(of, _) if *of(&mut self) == *of(&mut absent) && name != CONDUITS => None,
                Place::Number(of, _) => cell(*of(&mut self)),
                Place::Choice(of) => of(&mut self).and_then(|choice| cell(choice.into())),
            };
            Some((name, value?))
        })
    }
}
