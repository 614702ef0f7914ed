//! What the board is, from its device tree: memory, cores, interrupt controller, timer, console, clock, firmware, and
//! where the bundle was loaded. Gathered at boot before there is a heap, hence lists of a fixed capacity.

mod bus;
mod console;
pub mod cores;
pub mod device;
mod driven;
mod error;
mod gic;
mod interrupt;
mod list;
mod memory;
mod properties;
mod psci;
mod timer;
mod walk;
pub mod watchdogs;

use core::fmt;

use portcullis_board::Range;
use portcullis_tree::Tree;

use self::cores::Core;
pub use self::error::FactsError;
pub use self::gic::{REDISTRIBUTOR_FRAME, REDISTRIBUTOR_SIZE};
pub use self::list::{List, Text};
pub use self::timer::TimerError;
use self::watchdogs::Watchdogs;
use crate::driver::{DrivenDevice, Layout};
use crate::drivers::OTHERS;

/// What the board is. Addresses are physical; interrupts are INTIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The root's `compatible` strings, the most specific first; those beyond the capacity are left out.
    pub compatible: List<Text, 4>,
    /// RAM, reserved ranges included. Ranges that adjoin are one.
    pub memory: List<Range, MEMORY>,
    /// RAM that must not be used: the memory reservation block and the children of `/reserved-memory`.
    pub reserved: List<Range, RESERVED>,
    /// The enabled cores in the tree's order.
    pub cores: List<Core, 16>,
    /// What there was no room for.
    pub left_out: LeftOut,
    /// The interrupt controller.
    pub gic: Gic,
    /// The timers' interrupts.
    pub timer: Timer,
    /// The console.
    pub uart: Option<DrivenDevice>,
    /// The other devices that a driver knows, the first one of each driver.
    pub devices: List<Option<DrivenDevice>, OTHERS>,
    /// The watchdogs.
    pub watchdogs: Watchdogs,
    /// The firmware's PSCI.
    pub psci: Option<Psci>,
    /// Where the bundle was loaded: the initial RAM disk of `/chosen`, or its multiboot module of type ramdisk, or its first one of
    /// no type.
    pub bundle: Option<Range>,
}

/// Serial ports that there is room for.
pub const PORTS: usize = 8;
/// Ranges of RAM that there is room for.
pub const MEMORY: usize = 16;
/// Reserved ranges that there is room for. None may be left out: what is there would be given to a VM.
pub const RESERVED: usize = 64;

/// How much of the board is not used, as there is no room to note it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Ranges of RAM.
    pub memory: usize,
    /// Cores.
    pub cores: usize,
    /// A serial port whose registers lie as those of none do: where they are, and what the tree says of them.
    pub serial: Option<(u64, Layout)>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((address, layout)) = self.serial {
            let number = |value: Option<u32>| value.unwrap_or_default();
            write!(
                f,
                "the serial port at {address:#x} is not used: its registers have reg-shift {} and reg-io-width {} in the device tree; \
                 a register has 1, 2 or 4 bytes, and no more than reg-shift puts between two of them",
                number(layout.shift),
                number(layout.width)
            )?;
        }
        if self.memory == 0 && self.cores == 0 {
            return Ok(());
        }
        let separator = if self.serial.is_some() { "; " } else { "" };
        write!(
            f,
            "{separator}the device tree has more than there is room for: {} ranges of RAM and {} cores are not used",
            self.memory, self.cores
        )
    }
}

/// The interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gic {
    /// GICv2 with virtualization extensions, for example a GIC-400.
    V2 {
        /// GICD.
        distributor: Range,
        /// GICC.
        cpu_interface: Range,
        /// GICH.
        hypervisor_interface: Range,
        /// GICV, the CPU interface that guests get in place of GICC.
        virtual_interface: Range,
        /// Maintenance interrupt.
        maintenance: u32,
    },
    /// GICv3 or GICv4.
    V3 {
        /// GICD.
        distributor: Range,
        /// Regions of consecutive redistributors.
        redistributors: List<Range, 4>,
        /// Bytes from one redistributor to the next, if the tree tells; otherwise GICR_TYPER does.
        stride: Option<u64>,
        /// Maintenance interrupt.
        maintenance: u32,
    },
}

/// The generic timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    /// Interrupt of the EL1 physical timer (CNTP).
    pub physical: u32,
    /// Interrupt of the virtual timer (CNTV).
    pub virtual_timer: u32,
    /// Interrupt of the EL2 physical timer (CNTHP).
    pub hypervisor: u32,
    /// Counter frequency in Hz, if CNTFRQ_EL0 is not to be believed.
    pub frequency: Option<u32>,
}

/// The firmware's PSCI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Psci {
    /// The conduit to the firmware.
    pub method: PsciMethod,
    /// The version that the binding stands for; `PSCI_VERSION` tells the exact one from 0.2 on.
    pub version: PsciVersion,
}

/// The conduit to the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PsciMethod {
    /// HVC.
    Hvc,
    /// SMC.
    Smc,
}

/// What `compatible` says of the PSCI version (`arm/psci.yaml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PsciVersion {
    /// 0.1: function ids are not standardised, there is no `PSCI_VERSION`.
    V0_1,
    /// 0.2 or later.
    V0_2,
    /// 1.0 or later.
    V1_0,
}

impl Facts {
    /// Reads the device tree at the start of `data`, which may be longer than the tree.
    ///
    /// # Errors
    ///
    /// The tree is cut short or damaged, or something without which no VM can run is missing or wrong: memory, a core,
    /// an interrupt controller of a known kind, the timer. A board without console, clock, PSCI or bundle is none.
    pub fn from_tree(data: &[u8]) -> Result<Self, FactsError> {
        Self::read(data, |_| (), |_| ())
    }

    /// The same; `failed` gets the root's `compatible` strings of a tree that is wrong, as far as there are any, and `port` each
    /// serial port that a driver knows, the console among them, in the tree's order.
    ///
    /// # Errors
    ///
    /// As for [`Facts::from_tree`].
    pub fn read(data: &[u8], failed: impl FnOnce(&[Text]), port: impl FnMut(DrivenDevice)) -> Result<Self, FactsError> {
        let mut walk = walk::Walk::default();
        let tree = Tree::visit(data, &mut walk).map_err(FactsError::Tree);
        tree.and_then(|tree| walk.seen.finish(&tree, port)).inspect_err(|_| failed(&walk.seen.compatible))
    }

    /// The devices that a driver knows, but for the console and watchdogs.
    pub fn devices(&self) -> impl Iterator<Item = &DrivenDevice> {
        self.devices.iter().flatten()
    }
}
