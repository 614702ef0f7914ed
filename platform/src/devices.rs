//! Picks the drivers for what the device tree says the board has.

use core::fmt;
use core::ptr::NonNull;

use portcullis_core::board::{Board, Entropy, Firmware, InterruptController, Power, SerialPort, WallClock};
use portcullis_core::memory::regions::Range;
use spin::Once;

use crate::facts::{Facts, Gic, UartKind};
use crate::firmware::{
    Findings, Smc,
    clock::El3Clock,
    ptp::Ptp,
    trng::{El3Trng, Trng},
};
use crate::gicv2::{self, GicV2, GicV2Error};
use crate::gicv3::GicV3;
use crate::pl011::Pl011;
use crate::pl031::Pl031;
use crate::psci::{NoFirmware, Psci};
use crate::rndrrs::Rndrrs;

/// Why a board cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardError {
    /// The GICv2 cannot be used.
    GicV2(GicV2Error),
    /// The GICv3 has no redistributors.
    NoRedistributors,
    /// The device at this address has a driver already, or none of its registers can be addressed.
    Address(u64),
}

impl fmt::Display for BoardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GicV2(error) => error.fmt(f),
            Self::NoRedistributors => write!(f, "the GICv3 has no redistributor region; its reg needs a second entry"),
            Self::Address(address) => write!(f, "no device can be driven at address {address:#x}"),
        }
    }
}

/// What a device's registers take, for EL2's map.
pub fn ranges(facts: &Facts) -> impl Iterator<Item = Range> + '_ {
    let (frames, redistributors) = match &facts.gic {
        // GICV is the guests' alone.
        Gic::V2 { distributor, cpu_interface, hypervisor_interface, .. } => {
            ([Some(*distributor), Some(*cpu_interface), Some(*hypervisor_interface)], None)
        }
        Gic::V3 { distributor, redistributors, .. } => ([Some(*distributor), None, None], Some(redistributors)),
    };
    let redistributors = redistributors.into_iter().flat_map(|regions| regions.iter().copied());
    let gic = frames.into_iter().flatten().chain(redistributors);
    let uart = facts.uart.iter().map(|uart| uart.registers);
    gic.chain(uart).chain(facts.rtc).map(|region| Range::sized(region.address, region.size))
}

static SERIAL: Once<Pl011> = Once::new();
static GIC_V2: Once<GicV2> = Once::new();
static GIC_V3: Once<GicV3> = Once::new();
static CLOCK: Once<Pl031> = Once::new();
static EL3: Once<Backends> = Once::new();

/// What the firmware serves.
struct Backends {
    el3: Smc,
    trng: Option<El3Trng<Smc>>,
    clock: Option<El3Clock<Smc>>,
}

impl Backends {
    fn new(wide: bool, trng: Trng, ptp: Ptp) -> Self {
        let el3 = Smc { wide };
        Self {
            el3,
            trng: if let Trng::Usable(identity) = trng { Some(El3Trng::new(el3, identity)) } else { None },
            clock: if let Ptp::Usable(counter) = ptp { Some(El3Clock::new(el3, counter)) } else { None },
        }
    }
}

/// Asks the firmware of this board what it offers.
pub fn firmware(facts: &Facts) -> Findings {
    Findings::gather(facts.psci, &Smc { wide: false })
}

/// The board's serial line.
///
/// # Safety
///
/// What the facts say must be true, and the registers must be mapped.
pub unsafe fn serial(facts: &Facts) -> Option<&'static dyn SerialPort> {
    let uart = facts.uart.filter(|uart| uart.kind == UartKind::Pl011)?;
    let registers = NonNull::new(uart.registers.address as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(SERIAL.call_once(|| unsafe { Pl011::new(registers, uart.intid, uart.clock) }))
}

/// The serial line of a board whose device tree cannot be read, by where firmware puts images on the boards that we know:
/// QEMU's `virt` machine has its RAM at 1 GiB. `None` elsewhere, where any guess might break something.
///
/// # Safety
///
/// The first GiB must be mapped as device memory.
pub unsafe fn last_resort_serial(image: u64) -> Option<&'static dyn SerialPort> {
    const QEMU_VIRT_RAM: u64 = 0x4000_0000;
    const QEMU_VIRT_UART: usize = 0x0900_0000;
    const QEMU_VIRT_CLOCK: u32 = 24_000_000;
    if image < QEMU_VIRT_RAM {
        return None;
    }
    let registers = NonNull::new(QEMU_VIRT_UART as *mut _)?;
    // SAFETY: passed on to the caller; the static makes sure that there is one driver.
    Some(SERIAL.call_once(|| unsafe { Pl011::new(registers, None, Some(QEMU_VIRT_CLOCK)) }))
}

/// Takes over the interrupt controller. That this is a GICv2 or a GICv3 is known everywhere from then on.
///
/// # Safety
///
/// As for [`board`].
unsafe fn interrupts(gic: &Gic) -> Result<&'static dyn InterruptController, BoardError> {
    match *gic {
        Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_interface, maintenance } => {
            gicv2::check_regions(cpu_interface, virtual_interface).map_err(BoardError::GicV2)?;
            let gicd = NonNull::new(distributor.address as *mut _).ok_or(BoardError::Address(distributor.address))?;
            let [gicc, gich] = [cpu_interface, hypervisor_interface].map(|region| region.address as usize);
            // SAFETY: passed on to the caller. The driver of the distributor leaves GICD_SGIR alone.
            let vtr = unsafe { portcullis_arch::gicv2::install(distributor.address as usize, gicc, gich) };
            gicv2::check_type(vtr).map_err(BoardError::GicV2)?;
            // SAFETY: passed on to the caller; the static makes sure that there is one driver.
            Ok(GIC_V2.call_once(|| unsafe { GicV2::new(gicd, virtual_interface, maintenance) }))
        }
        Gic::V3 { distributor, ref redistributors, maintenance, .. } => {
            let gicr = redistributors.first().ok_or(BoardError::NoRedistributors)?.address;
            let pointers = NonNull::new(distributor.address as *mut _).zip(NonNull::new(gicr as *mut _));
            let (gicd, gicr) = pointers.ok_or(BoardError::Address(distributor.address))?;
            // SAFETY: passed on to the caller; the static makes sure that there is one driver.
            Ok(GIC_V3.call_once(|| unsafe { GicV3::new(gicd, gicr, maintenance) }))
        }
    }
}

/// Takes over the board's other devices. `firmware` is what was found out about it.
///
/// Random bits come from the firmware, else from the CPU; the time of day from the firmware, else from the board's clock.
///
/// # Errors
///
/// [`BoardError`] when something that is needed is missing or has no driver.
///
/// # Safety
///
/// What the facts say must be true, and the registers must be mapped.
pub unsafe fn board(facts: &'static Facts, firmware: &Findings) -> Result<Board, BoardError> {
    // SAFETY: passed on to the caller.
    let interrupts = unsafe { interrupts(&facts.gic)? };
    let power: &'static dyn Power = match firmware {
        Findings::NotAsked => &NoFirmware,
        Findings::PsciOnly(_) | Findings::Full { .. } => &Psci,
    };
    let el3 = match firmware {
        Findings::Full { trng, ptp, .. } => Some(EL3.call_once(|| Backends::new(firmware.is_wide(), *trng, *ptp))),
        Findings::NotAsked | Findings::PsciOnly(_) => None,
    };
    let entropy = match el3.and_then(|el3| el3.trng.as_ref()) {
        Some(trng) => Some(trng as &'static dyn Entropy),
        None => Rndrrs::present(),
    };
    let wall_clock = match el3.and_then(|el3| el3.clock.as_ref()) {
        Some(clock) => Some(clock as &'static dyn WallClock),
        None => facts.rtc.and_then(|rtc| NonNull::new(rtc.address as *mut _)).map(|registers| {
            // SAFETY: passed on to the caller; the static makes sure that there is one driver.
            CLOCK.call_once(|| unsafe { Pl031::new(registers) }) as &'static dyn WallClock
        }),
    };
    Ok(Board {
        name: facts.compatible.first().map_or("unnamed board", |name| &**name),
        // SAFETY: passed on to the caller.
        serial: unsafe { serial(facts) },
        interrupts,
        power,
        firmware: el3.map(|el3| &el3.el3 as &'static dyn Firmware),
        entropy,
        wall_clock,
    })
}
