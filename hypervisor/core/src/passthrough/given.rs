//! Which device is given to which VM, and why one is not.

use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::map;
use portcullis_vgic::INTIDS;

use super::{Device, NODE_ROOM};
use crate::memory::regions::Range;

/// Why a device is not given to a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
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

impl fmt::Display for Refusal {
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
pub struct Given(Vec<(&'static str, Device)>);

impl Given {
    /// Gives `device` to VM `vm`, which is trusted with DMA or not, and whose RAM is, in its own addresses, `ram`. `own` are
    /// the hypervisor's interrupts.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn give(
        &mut self,
        vm: &'static str,
        trust_dma: bool,
        ram: Range,
        device: Device,
        own: impl Fn(u32) -> bool,
    ) -> Result<(), Refusal> {
        if let Some((owner, _)) = self.0.iter().find(|(_, given)| given.path == device.path) {
            return Err(Refusal::GivenTo(owner));
        }
        if device.masters && !trust_dma {
            return Err(Refusal::Dma);
        }
        if let Some(taken) = device.collides(ram) {
            return Err(Refusal::Guest(taken));
        }
        for intid in device.interrupts.iter().map(|interrupt| interrupt.physical) {
            if intid as usize >= INTIDS {
                return Err(Refusal::Beyond(intid));
            }
            if own(intid) {
                return Err(Refusal::OwnInterrupt(intid));
            }
            if intid == map::UART_INTID {
                return Err(Refusal::Uart);
            }
            let has = |other: &Device| other.interrupts.iter().any(|interrupt| interrupt.physical == intid);
            if let Some((owner, _)) = self.0.iter().find(|(owner, other)| *owner != vm && has(other)) {
                return Err(Refusal::Interrupt(intid, owner));
            }
        }
        let size = device.node_size();
        if size > NODE_ROOM {
            return Err(Refusal::Long(size));
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

#[cfg(test)]
mod tests {
    use super::super::{Interrupt, tests::device};
    use super::*;

    const RAM: Range = Range::sized(map::RAM, 64 << 20);

    fn with(path: &'static str, address: u64, intid: u32) -> Device {
        Device { path, interrupts: [Interrupt { physical: intid, edge: false }].into(), ..device(address, 0x1000) }
    }

    fn give(given: &mut Given, vm: &'static str, device: Device) -> Result<(), Refusal> {
        given.give(vm, false, RAM, device, |intid| intid == 153)
    }

    #[test]
    fn a_device_belongs_to_one_vm() {
        let mut given = Given::default();
        give(&mut given, "a", with("/u", 0x904_0000, 40)).unwrap();
        assert_eq!(give(&mut given, "b", with("/u", 0x904_0000, 40)), Err(Refusal::GivenTo("a")));
        assert_eq!(give(&mut given, "a", with("/u", 0x904_0000, 40)), Err(Refusal::GivenTo("a")));
        give(&mut given, "b", with("/v", 0x905_0000, 41)).unwrap();
        assert!(given.has("b", "/v") && !given.has("a", "/v"));
        assert_eq!(given.take("a").iter().map(|device| device.path).collect::<Vec<_>>(), ["/u"]);
        assert_eq!(given.iter().count(), 1);
        assert!(given.take("c").is_empty());
    }

    #[test]
    fn an_interrupt_belongs_to_one_vm_and_exists() {
        let mut given = Given::default();
        give(&mut given, "a", with("/u", 0x904_0000, 287)).unwrap();
        give(&mut given, "a", with("/v", 0x905_0000, 287)).unwrap();
        let refusals = [
            (287, Refusal::Interrupt(287, "a")),
            (288, Refusal::Beyond(288)),
            (153, Refusal::OwnInterrupt(153)),
            (33, Refusal::Uart),
        ];
        for (intid, refusal) in refusals {
            assert_eq!(give(&mut given, "b", with("/w", 0x906_0000, intid)), Err(refusal));
        }
    }

    #[test]
    fn dma_needs_trust() {
        let master = || Device { masters: true, ..with("/m", 0x904_0000, 40) };
        let mut given = Given::default();
        let refusal = give(&mut given, "a", master()).unwrap_err();
        assert_eq!(refusal, Refusal::Dma);
        assert!(refusal.to_string().contains("trust-dma = true"), "{refusal}");
        given.give("a", true, RAM, master(), |_| false).unwrap();
    }

    #[test]
    fn the_guest_s_own_map_is_not_covered() {
        let refusal = give(&mut Given::default(), "a", with("/u", map::GICD, 40)).unwrap_err();
        assert!(refusal.to_string().contains("0x8000000 to 0x8010000"), "{refusal}");
    }

    #[test]
    fn a_node_has_to_fit() {
        let long = Device { compatible: &[b'x'; NODE_ROOM], ..with("/u", 0x904_0000, 40) };
        assert!(matches!(give(&mut Given::default(), "a", long), Err(Refusal::Long(_))));
    }
}
