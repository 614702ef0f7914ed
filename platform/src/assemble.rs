//! Picks the drivers for what the device tree and the board's file say the board has.

use core::fmt;
use core::ptr::NonNull;

use portcullis_arch::{probe, timer};
use portcullis_board::Range;
use portcullis_board::{Board, Entropy, Firmware, InterruptController, PowerControl, SerialPort, WallClock, WithPage};
use spin::Once;

use crate::boards::{self, BOARDS, Definition, Entry};
use crate::driver::{Bind, DrivenDevice, Offer};
use crate::drivers::gicv2::{self, GicV2, GicV2Error};
use crate::drivers::gicv3::{GicV3, NotSettled};
use crate::drivers::mtk_sysirq;
use crate::drivers::psci::{NoFirmware, Psci};
use crate::drivers::rate::{self, Rate};
use crate::drivers::rndrrs::Rndrrs;
use crate::drivers::spin_table::SpinTable;
use crate::facts::cores::CoreStart;
use crate::facts::{Facts, Gic, TimerError};
use crate::firmware::{
    Findings, Forwarded, Smc,
    clock::El3Clock,
    ptp::Ptp,
    trng::{El3Trng, Trng},
};
use crate::watchdogs;

/// Why a board cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardError {
    /// The GICv2 cannot be used.
    GicV2(GicV2Error),
    /// The GICv3 has no redistributors.
    NoRedistributors,
    /// The GICv3's distributor at this address puts nothing into effect that is written to it.
    NotSettled(u64),
    /// The device at this address has a driver already, or none of its registers can be addressed.
    Address(u64),
    /// The device tree lists this device, and nothing answers at its address.
    Absent(&'static str, u64),
    /// The timer cannot be used.
    Timer(TimerError),
}

impl fmt::Display for BoardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GicV2(error) => error.fmt(f),
            Self::NoRedistributors => write!(f, "the GICv3 has no redistributor region; its reg needs a second entry"),
            Self::NotSettled(address) => write!(
                f,
                "the GIC's distributor at {address:#x} does not put into effect what is written to it (GICD_CTLR.RWP); correct its \
                 address in the device tree"
            ),
            Self::Timer(error) => error.fmt(f),
            Self::Address(address) => write!(f, "no device can be driven at address {address:#x}"),
            Self::Absent(name, address) => {
                write!(
                    f,
                    "the device tree lists {name} at {address:#x}, where nothing answers; correct the address, or delete or disable its node"
                )
            }
        }
    }
}

/// What a device's registers take, for EL2's map.
pub fn ranges(facts: &Facts) -> impl Iterator<Item = Range> + '_ {
    // Watchdogs are only stopped at boot: a VM may have them.
    used(facts).chain(facts.watchdogs.iter().map(|watchdog| watchdog.registers))
}

/// The registers that EL2 goes on to use.
fn used(facts: &Facts) -> impl Iterator<Item = Range> + '_ {
    let (frames, redistributors) = match &facts.gic {
        // GICV is the guests' alone.
        Gic::V2 { distributor, cpu_interface, hypervisor_interface, .. } => {
            ([Some(*distributor), Some(*cpu_interface), Some(*hypervisor_interface)], None)
        }
        Gic::V3 { distributor, redistributors, .. } => ([Some(*distributor), None, None], Some(redistributors)),
    };
    let redistributors = redistributors.into_iter().flat_map(|regions| regions.iter().copied());
    let gic = frames.into_iter().flatten().chain(redistributors);
    let uart = facts.uart.iter().flat_map(|uart| {
        let inverter = uart.inverter.map(|inverter| Range::sized(inverter.register, size_of::<u32>() as u64));
        [Some(uart.registers), inverter].into_iter().flatten()
    });
    gic.chain(uart).chain(facts.devices().map(|device| device.registers))
}

/// Whether `range` has something that EL2 uses itself or that is no device of anybody's: its own devices, what its guests get
/// of the GIC, RAM.
pub fn is_taken(facts: &Facts, range: &Range) -> bool {
    let virtual_interface = match &facts.gic {
        Gic::V2 { virtual_interface, .. } => Some(*virtual_interface),
        Gic::V3 { .. } => None,
    };
    let memory = facts.memory.iter().chain(facts.reserved.iter()).chain(firmware_memory(facts)).copied();
    let others = memory.chain(virtual_interface);
    used(facts).chain(others).any(|taken| taken.overlaps(range))
}

static GIC_V2: Once<GicV2> = Once::new();
static GIC_V3: Once<GicV3> = Once::new();
static EL3: Once<Backends> = Once::new();
static CORES: Once<SpinTable> = Once::new();

/// What the firmware serves.
struct Backends {
    calls: Forwarded,
    trng: Option<El3Trng<Smc>>,
    clock: Option<El3Clock<Smc>>,
}

impl Backends {
    fn new(wide: bool, trng: Trng, ptp: Ptp) -> Self {
        Self {
            calls: Forwarded { wide },
            trng: if let Trng::Usable(identity) = trng { Some(El3Trng::new(identity)) } else { None },
            clock: if let Ptp::Usable(counter) = ptp { Some(El3Clock::new(counter)) } else { None },
        }
    }
}

/// Asks the firmware of this board what it offers.
pub fn firmware(facts: &Facts) -> Findings {
    Findings::gather::<Smc>(facts.psci)
}

/// The board's file.
fn definition(facts: &Facts) -> &'static Definition {
    boards::find(&facts.compatible)
}

/// RAM that firmware uses on this board, beside what the device tree reserves.
pub fn firmware_memory(facts: &Facts) -> &'static [Range] {
    definition(facts).firmware_memory
}

/// The board's serial line.
///
/// # Safety
///
/// What the facts say must be true, and the registers must be mapped.
pub unsafe fn serial(facts: &Facts) -> Option<&'static dyn SerialPort> {
    let board = definition(facts);
    let uart = facts.uart.map(|uart| DrivenDevice { clock: uart.clock.or(board.uart_clock), ..uart })?;
    // SAFETY: passed on to the caller.
    unsafe { serial_at(&uart) }
}

/// The serial line behind this port.
///
/// # Safety
///
/// As [`Bind`] says.
pub unsafe fn serial_at(port: &DrivenDevice) -> Option<&'static dyn SerialPort> {
    // SAFETY: passed on to the caller.
    unsafe { bind([port], serial_port) }
}

const fn serial_port(offer: Offer) -> Option<Bind<dyn SerialPort>> {
    if let Offer::Serial(bind, _) = offer { Some(bind) } else { None }
}

/// Takes over the first of the devices whose driver has an offer of the kind that `of` picks.
///
/// # Safety
///
/// As [`Bind`] says.
unsafe fn bind<'a, T: ?Sized>(
    devices: impl IntoIterator<Item = &'a DrivenDevice>,
    of: impl Fn(Offer) -> Option<Bind<T>>,
) -> Option<&'static T> {
    // SAFETY: passed on to the caller.
    devices.into_iter().find_map(|device| unsafe { of(device.driver.offer)?(device) })
}

/// The serial line of a board whose device tree cannot be used, by what else is known at the entry. `None` where nothing is
/// recognised: any guess might break something.
///
/// # Safety
///
/// What `entry` says must be true.
pub unsafe fn last_resort_serial(entry: &Entry<'_>) -> Option<&'static dyn SerialPort> {
    BOARDS.iter().find_map(|board| {
        // SAFETY: passed on to the caller.
        let uart = unsafe { board.last_resort?(entry)? };
        (entry.map)(uart.registers.start);
        // SAFETY: the board was recognised, and the registers were just mapped.
        unsafe { bind([&uart], serial_port) }
    })
}

/// The frames of the GIC that EL2 uses, each with its name, and where it begins: with a control register, whatever it is.
fn gic_frames(gic: &Gic) -> impl Iterator<Item = (&'static str, u64)> {
    let none = ("", None);
    let frames = match gic {
        Gic::V2 { distributor, cpu_interface, hypervisor_interface, .. } => [
            ("the GIC's distributor (GICD)", Some(*distributor)),
            ("the GIC's CPU interface (GICC)", Some(*cpu_interface)),
            ("the GIC's control of virtual interfaces (GICH)", Some(*hypervisor_interface)),
            none,
            none,
        ],
        Gic::V3 { distributor, redistributors, .. } => {
            let region =
                |number: usize| ("a region of the GIC's redistributors (GICR)", redistributors.get(number).copied());
            [("the GIC's distributor (GICD)", Some(*distributor)), region(0), region(1), region(2), region(3)]
        }
    };
    frames.into_iter().filter_map(|(name, range)| Some((name, range?.start)))
}

/// Makes sure that the devices which the device tree lists are there.
///
/// # Safety
///
/// As for [`board`]; the calling core must not have an anchor yet.
unsafe fn find_absent(facts: &Facts) -> Result<(), BoardError> {
    let devices = facts.devices().map(|device| (device.driver.name, device.registers.start));
    for (name, address) in gic_frames(&facts.gic).chain(devices) {
        // SAFETY: passed on to the caller; the first register of none of these changes when it is read.
        if !address.is_multiple_of(4) || !unsafe { probe::answers(address) } {
            return Err(BoardError::Absent(name, address));
        }
    }
    Ok(())
}

/// Measures the counter's rate, if the board has a second clock.
///
/// # Safety
///
/// As for [`board`].
pub unsafe fn rate(facts: &Facts) -> Option<Rate> {
    let reference = |offer| if let Offer::Reference(bind) = offer { Some(bind) } else { None };
    // SAFETY: passed on to the caller.
    let reference = unsafe { bind(facts.devices(), reference)? };
    Some(rate::measure(timer::frequency(), reference, timer::count))
}

/// Takes over the interrupt controller. That this is a GICv2 or a GICv3 is known everywhere from then on.
///
/// # Safety
///
/// As for [`board`].
unsafe fn interrupts(gic: &Gic) -> Result<&'static dyn InterruptController, BoardError> {
    match *gic {
        Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_interface, maintenance } => {
            // SAFETY: passed on to the caller; GICC is there, and reading GICC_IIDR has no effect.
            let read = |at: u64| unsafe { (at as *const u32).read_volatile() };
            let (cpu_interface, virtual_interface) = gicv2::contiguous(cpu_interface, virtual_interface, read);
            gicv2::check_regions(cpu_interface, virtual_interface).map_err(BoardError::GicV2)?;
            let gicd = NonNull::new(distributor.start as *mut _).ok_or(BoardError::Address(distributor.start))?;
            let [gicc, gich] = [cpu_interface, hypervisor_interface].map(|region| region.start as usize);
            // SAFETY: passed on to the caller. The driver of the distributor leaves GICD_SGIR alone.
            let vtr = unsafe { portcullis_arch::gicv2::install(distributor.start as usize, gicc, gich) };
            gicv2::check_type(vtr).map_err(BoardError::GicV2)?;
            // SAFETY: passed on to the caller; the static makes sure that there is one driver.
            Ok(GIC_V2.call_once(|| unsafe { GicV2::new(gicd, virtual_interface, maintenance) }))
        }
        Gic::V3 { distributor, redistributors, stride, maintenance } => {
            if redistributors.is_empty() {
                return Err(BoardError::NoRedistributors);
            }
            let gicd = NonNull::new(distributor.start as *mut _).ok_or(BoardError::Address(distributor.start))?;
            // SAFETY: passed on to the caller; the static makes sure that there is one driver.
            let new = || unsafe { GicV3::new(gicd, redistributors, stride, maintenance) };
            Ok(GIC_V3.try_call_once(new).map_err(|NotSettled| BoardError::NotSettled(distributor.start))?)
        }
    }
}

/// Takes over the board's other devices. `firmware` is what was found out about it; `with_page` maps a page of RAM for a moment.
///
/// Random bits come from the firmware, else from the CPU, else from a device; the time of day from the firmware, else from
/// the board's clock.
///
/// # Errors
///
/// [`BoardError`] when something that is needed is missing or has no driver.
///
/// # Safety
///
/// What the facts say must be true but for devices that are not there, the registers must be mapped, and the calling core
/// must not have an anchor yet.
pub unsafe fn board(facts: &'static Facts, firmware: &Findings, with_page: WithPage) -> Result<Board, BoardError> {
    // First of all: else one would reset the machine while somebody reads what is wrong with it.
    // SAFETY: passed on to the caller.
    unsafe { watchdogs::stop(&facts.watchdogs) };
    facts.timer.check(timer::frequency()).map_err(BoardError::Timer)?;
    // SAFETY: passed on to the caller.
    unsafe { find_absent(facts)? };
    // SAFETY: passed on to the caller.
    let interrupts = unsafe { interrupts(&facts.gic)? };
    if let Some(DrivenDevice { intid: Some(intid), edge: true, .. }) = facts.uart {
        interrupts.set_trigger(intid, true);
    }
    if let Some(inverter) = facts.uart.and_then(|uart| uart.inverter) {
        // SAFETY: passed on to the caller; no interrupt is enabled yet.
        unsafe { mtk_sysirq::set(&inverter) };
    }
    if facts.uart.is_some_and(|uart| uart.intid.is_none()) {
        log::warn!(
            "the serial port has no interrupt of the GIC's: what is typed is not heard, and lines may come late"
        );
    }
    let power = |offer| if let Offer::Power(bind) = offer { Some(bind) } else { None };
    // A watchdog is part of it, which may run: it is taken over whether it is needed or not.
    // SAFETY: passed on to the caller.
    let own = unsafe { bind(facts.devices(), power) };
    let power: &'static dyn PowerControl = match firmware {
        Findings::NotAsked => own.unwrap_or(&NoFirmware),
        Findings::PsciOnly(_) | Findings::Full { .. } => &Psci,
    };
    let power = if facts.cores.iter().any(|core| matches!(core.start, CoreStart::SpinTable(_))) {
        // SAFETY: passed on to the caller.
        CORES.call_once(|| unsafe { SpinTable::new(&facts.cores, with_page, power) })
    } else {
        power
    };
    let el3 = match firmware {
        Findings::Full { trng, ptp, .. } => Some(EL3.call_once(|| Backends::new(firmware.is_wide(), *trng, *ptp))),
        Findings::NotAsked | Findings::PsciOnly(_) => None,
    };
    let entropy = match el3.and_then(|el3| el3.trng.as_ref()) {
        Some(trng) => Some(trng as &'static dyn Entropy),
        None => Rndrrs::present().or_else(|| {
            let entropy = |offer| if let Offer::Entropy(bind) = offer { Some(bind) } else { None };
            // SAFETY: passed on to the caller.
            unsafe { bind(facts.devices(), entropy) }
        }),
    };
    let wall_clock = match el3.and_then(|el3| el3.clock.as_ref()) {
        Some(clock) => Some(clock as &'static dyn WallClock),
        None => {
            let wall_clock = |offer| if let Offer::WallClock(bind) = offer { Some(bind) } else { None };
            // SAFETY: passed on to the caller.
            unsafe { bind(facts.devices(), wall_clock) }
        }
    };
    Ok(Board {
        name: facts.compatible.first().map_or("unnamed board", |name| &**name),
        // SAFETY: passed on to the caller.
        serial: unsafe { serial(facts) },
        interrupts,
        power,
        firmware: el3.map(|el3| &el3.calls as &'static dyn Firmware),
        entropy,
        wall_clock,
        soc: firmware.soc(),
    })
}

#[cfg(test)]
mod tests;
