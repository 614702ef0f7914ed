//! Which device is given to which VM, and why one is not.

use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::map;
use portcullis_board::Range;
use portcullis_board::device::{Device, PAGE};
use portcullis_vgic::INTIDS;

use crate::node::{self, NODE_ROOM};

/// Why a device is not given to a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentError {
    /// It can read and write memory by itself, or may be able to, and the VM is not trusted with that.
    Dma,
    /// It is given to this VM already.
    GivenTo(&'static str),
    /// Its registers are where the guest has something else.
    Guest(Range),
    /// The virtual interrupt controller ends before this INTID.
    Beyond(u32),
    /// Its interrupt has the number of that of the VM's emulated UART.
    Uart,
    /// The hypervisor itself uses this interrupt.
    OwnInterrupt(u32),
    /// A device of that VM's has this interrupt too.
    Interrupt(u32, &'static str),
    /// Its node takes so many bytes in the guest's tree.
    Long(usize),
}

impl fmt::Display for AssignmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dma => write!(
                f,
                "it may read and write all memory by itself (DMA), and nothing here keeps it from that; write \
                 trust-dma = true if the VM may do so"
            ),
            Self::GivenTo(vm) => write!(f, "it is given to {vm} already; a device belongs to one VM"),
            Self::Guest(Range { start, end }) => {
                write!(
                    f,
                    "its registers are where the VM has something else, {start:#x} to {end:#x}; it cannot be given"
                )
            }
            Self::Beyond(intid) => {
                let last = INTIDS.saturating_sub(1);
                write!(f, "its interrupt {intid} is above {last}, the last that a VM has; it cannot be given")
            }
            Self::Uart => {
                write!(
                    f,
                    "its interrupt has the number of the VM's own UART's, {}; it cannot be given",
                    map::UART_INTID
                )
            }
            Self::OwnInterrupt(intid) => {
                write!(f, "the hypervisor itself uses its interrupt {intid}; it cannot be given")
            }
            Self::Interrupt(intid, vm) => {
                write!(f, "a device of {vm} has its interrupt {intid} too; give both to one VM")
            }
            Self::Long(size) => {
                write!(f, "its node takes {size} bytes in the VM's device tree; {NODE_ROOM} are the most")
            }
        }
    }
}

/// The devices that are given to VMs.
#[derive(Debug, Default)]
pub struct Assignments(Vec<(&'static str, Device)>);

impl Assignments {
    /// Gives `device` to VM `vm`, which is trusted with DMA or not, and whose RAM is, in its own addresses, `ram`. `own` are
    /// the hypervisor's interrupts.
    ///
    /// # Errors
    ///
    /// [`AssignmentError`].
    pub fn give(
        &mut self,
        vm: &'static str,
        trust_dma: bool,
        ram: Range,
        device: Device,
        own: impl Fn(u32) -> bool,
    ) -> Result<(), AssignmentError> {
        if let Some((owner, _)) = self.0.iter().find(|(_, given)| given.path == device.path) {
            return Err(AssignmentError::GivenTo(owner));
        }
        if device.masters && !trust_dma {
            return Err(AssignmentError::Dma);
        }
        if let Some(taken) = collision(&device, ram) {
            return Err(AssignmentError::Guest(taken));
        }
        for intid in device.interrupts.iter().map(|interrupt| interrupt.physical) {
            if intid as usize >= INTIDS {
                return Err(AssignmentError::Beyond(intid));
            }
            if own(intid) {
                return Err(AssignmentError::OwnInterrupt(intid));
            }
            if intid == map::UART_INTID {
                return Err(AssignmentError::Uart);
            }
            let has = |other: &Device| other.interrupts.iter().any(|interrupt| interrupt.physical == intid);
            if let Some((owner, _)) = self.0.iter().find(|(owner, other)| *owner != vm && has(other)) {
                return Err(AssignmentError::Interrupt(intid, owner));
            }
        }
        let size = node::size(&device);
        if size > NODE_ROOM {
            return Err(AssignmentError::Long(size));
        }
        self.0.push((vm, device));
        Ok(())
    }

    /// Each device with the VM that it is given to.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Device)> {
        self.0.iter().map(|(vm, device)| (*vm, device))
    }

    /// Whether VM `vm` is given the device with this path.
    pub fn has(&self, vm: &str, path: &str) -> bool {
        self.iter().any(|(owner, device)| owner == vm && device.path == path)
    }

    /// Takes out the devices of VM `vm`.
    pub fn take(&mut self, vm: &str) -> Vec<Device> {
        self.0.extract_if(.., |(owner, _)| *owner == vm).map(|(_, device)| device).collect()
    }
}

/// The part of the guest's own address space that the registers of `device` would cover, if they do; `ram` is the guest's RAM
/// in its own addresses.
fn collision(device: &Device, ram: Range) -> Option<Range> {
    let taken = [
        Range::sized(map::GICD, map::GICD_SIZE),
        Range::sized(map::GICC, map::GICC_SIZE),
        Range::sized(map::GICR, map::GICR_STRIDE * map::MAX_VCPUS as u64),
        Range::sized(map::UART, PAGE),
        Range::sized(map::PV_TIME, PAGE),
        ram,
    ];
    taken.into_iter().find(|taken| device.pages().any(|page| page.overlaps(taken)))
}

#[cfg(test)]
mod tests {
    use portcullis_board::device::Interrupt;

    use super::*;
    use crate::node::tests::device;

    const RAM: Range = Range::sized(map::RAM, 64 << 20);

    fn with(path: &'static str, address: u64, intid: u32) -> Device {
        Device { path, interrupts: [Interrupt { physical: intid, edge: false }].into(), ..device(address, 0x1000) }
    }

    fn give(given: &mut Assignments, vm: &'static str, device: Device) -> Result<(), AssignmentError> {
        given.give(vm, false, RAM, device, |intid| intid == 153)
    }

    #[test]
    fn a_device_belongs_to_one_vm() {
        let mut given = Assignments::default();
        give(&mut given, "a", with("/u", 0x904_0000, 40)).unwrap();
        assert_eq!(give(&mut given, "b", with("/u", 0x904_0000, 40)), Err(AssignmentError::GivenTo("a")));
        assert_eq!(give(&mut given, "a", with("/u", 0x904_0000, 40)), Err(AssignmentError::GivenTo("a")));
        give(&mut given, "b", with("/v", 0x905_0000, 41)).unwrap();
        assert!(given.has("b", "/v") && !given.has("a", "/v"));
        assert_eq!(given.take("a").iter().map(|device| device.path).collect::<Vec<_>>(), ["/u"]);
        assert_eq!(given.iter().count(), 1);
        assert!(given.take("c").is_empty());
    }

    #[test]
    fn an_interrupt_belongs_to_one_vm_and_exists() {
        let mut given = Assignments::default();
        give(&mut given, "a", with("/u", 0x904_0000, 287)).unwrap();
        give(&mut given, "a", with("/v", 0x905_0000, 287)).unwrap();
        let refusals = [
            (287, AssignmentError::Interrupt(287, "a")),
            (288, AssignmentError::Beyond(288)),
            (153, AssignmentError::OwnInterrupt(153)),
            (33, AssignmentError::Uart),
        ];
        for (intid, refusal) in refusals {
            assert_eq!(give(&mut given, "b", with("/w", 0x906_0000, intid)), Err(refusal));
        }
    }

    #[test]
    fn dma_needs_trust() {
        let master = || Device { masters: true, ..with("/m", 0x904_0000, 40) };
        let mut given = Assignments::default();
        let refusal = give(&mut given, "a", master()).unwrap_err();
        assert_eq!(refusal, AssignmentError::Dma);
        assert!(refusal.to_string().contains("trust-dma = true"), "{refusal}");
        given.give("a", true, RAM, master(), |_| false).unwrap();
    }

    #[test]
    fn the_guest_s_own_map_is_not_covered() {
        let refusal = give(&mut Assignments::default(), "a", with("/u", map::GICD, 40)).unwrap_err();
        assert!(refusal.to_string().contains("0x8000000 to 0x8010000"), "{refusal}");
    }

    #[test]
    fn what_the_guest_has_already_is_not_covered() {
        let ram = Range::sized(map::RAM, 256 << 20);
        let collides = |address| collision(&device(address, 0x200), ram).map(|range| range.start);
        assert_eq!(collides(0x904_0000), None);
        assert_eq!(collides(map::UART + 0xe00), Some(map::UART));
        assert_eq!(collides(map::GICD + 0x100), Some(map::GICD));
        assert_eq!(collides(map::RAM + (256 << 20) - 0x200), Some(map::RAM));
        assert_eq!(collides(map::RAM + (256 << 20)), None);
    }

    #[test]
    fn a_node_has_to_fit() {
        let long = Device { compatible: &[b'x'; NODE_ROOM], ..with("/u", 0x904_0000, 40) };
        assert!(matches!(give(&mut Assignments::default(), "a", long), Err(AssignmentError::Long(_))));
    }
}
