//! What the cases need of a UART: that it is there, and an interrupt line that can be made high and low.

use guest_runtime::mmio;

/// A UART that nothing is connected to.
#[derive(Clone, Copy, Debug)]
pub enum Uart {
    /// An Arm PL011 at this address (Arm DDI 0183).
    Pl011(u64),
    /// The mini UART of a BCM2835 at this address (BCM2835 ARM Peripherals, section 2.2).
    Aux(u64),
    /// A Cadence UART at this address (Xilinx UG1087, module UART).
    Cadence(u64),
}

const PL011_DATA: u64 = 0x0;
const PL011_CONTROL: u64 = 0x30;
const PL011_MASK: u64 = 0x38;
const PL011_CLEAR: u64 = 0x44;
/// UARTPeriphID0.
const PL011_ID: u64 = 0xfe0;
/// Interrupt: room to transmit.
const PL011_TRANSMIT: u32 = 1 << 5;
/// On, transmitter on.
const PL011_ON: u32 = 1 << 8 | 1 << 0;

/// AUX_ENABLES, before the mini UART's own registers.
const AUX_ENABLES: u64 = 0x3c;
const AUX_INTERRUPTS: u64 = 0x4;
/// AUX_MU_LSR, and in it: the transmitter is empty.
const AUX_STATUS: u64 = 0x14;
const AUX_EMPTY: u32 = 1 << 5;
/// AUX_MU_IER: room to transmit, by the manual's numbering and by its errata's.
const AUX_ROOM: u32 = 0b1111;

const CADENCE_CONTROL: u64 = 0x0;
const CADENCE_ENABLE: u64 = 0x8;
const CADENCE_DISABLE: u64 = 0xc;
const CADENCE_MASK: u64 = 0x10;
const CADENCE_INTERRUPTS: u64 = 0x14;
const CADENCE_STATUS: u64 = 0x2c;
const CADENCE_FIFO: u64 = 0x30;
/// Transmitter on, receiver on, neither of them off.
const CADENCE_ON: u32 = 0x14;
/// The transmit FIFO is empty, as an interrupt and as a status.
const CADENCE_EMPTY: u32 = 1 << 3;
const CADENCE_ALL: u32 = 0x1fff;

impl Uart {
    /// The UART at `address` that is `compatible` with one that is known here.
    pub fn new(compatible: &str, address: u64) -> Option<Self> {
        match compatible {
            "arm,pl011" => Some(Self::Pl011(address)),
            "brcm,bcm2835-aux-uart" => Some(Self::Aux(address)),
            "xlnx,zynqmp-uart" | "cdns,uart-r1p12" => Some(Self::Cadence(address)),
            _ => None,
        }
    }

    /// Whether its registers say that it is one.
    pub fn is_there(self) -> bool {
        match self {
            Self::Pl011(address) => mmio::read32(address + PL011_ID) == 0x11,
            Self::Aux(address) => {
                mmio::write32(address - AUX_ENABLES, 1);
                mmio::read32(address + AUX_STATUS) & AUX_EMPTY != 0
            }
            Self::Cadence(address) => mmio::read32(address + CADENCE_STATUS) & CADENCE_EMPTY != 0,
        }
    }

    /// Turns it on, with its line low.
    pub fn start(self) {
        self.set_interrupt(false);
        match self {
            Self::Pl011(address) => mmio::write32(address + PL011_CONTROL, PL011_ON),
            Self::Aux(_) => {}
            Self::Cadence(address) => mmio::write32(address + CADENCE_CONTROL, CADENCE_ON),
        }
    }

    /// Makes its line high: there is room to transmit. Or low: nobody wants to know.
    pub fn set_interrupt(self, high: bool) {
        match self {
            Self::Pl011(address) if high => {
                mmio::write32(address + PL011_MASK, PL011_TRANSMIT);
                // The interrupt comes as the FIFO empties.
                mmio::write32(address + PL011_DATA, 0);
            }
            Self::Pl011(address) => {
                mmio::write32(address + PL011_MASK, 0);
                mmio::write32(address + PL011_CLEAR, 0x7ff);
            }
            Self::Aux(address) => mmio::write32(address + AUX_INTERRUPTS, if high { AUX_ROOM } else { 0 }),
            Self::Cadence(address) if high => {
                mmio::write32(address + CADENCE_ENABLE, CADENCE_EMPTY);
                // The interrupt comes as the FIFO empties.
                mmio::write32(address + CADENCE_FIFO, 0);
            }
            Self::Cadence(address) => {
                mmio::write32(address + CADENCE_DISABLE, CADENCE_ALL);
                mmio::write32(address + CADENCE_INTERRUPTS, CADENCE_ALL);
            }
        }
        // The line has changed before the interrupt ends.
        self.settle();
    }

    fn settle(self) {
        let status = match self {
            Self::Pl011(address) => address + PL011_MASK,
            Self::Aux(address) => address + AUX_INTERRUPTS,
            Self::Cadence(address) => address + CADENCE_MASK,
        };
        mmio::read32(status);
    }
}
