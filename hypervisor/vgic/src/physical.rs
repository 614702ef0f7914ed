//! SPIs of devices that the VM drives itself: each is linked to the physical one of the same number.
//!
//! A list register of a GICv3 deactivates it; with a GICv2 EL2 does, when the guest's end of the virtual one is reported.
//!
//! The physical one is taken once, and then stays active until the guest ends the virtual one, whichever vCPU that is on. To which
//! core it goes, and when it may come there, is not said here. What the guest does not want yet waits in the model. Whether a
//! level-triggered one is then still wanted only its line can tell: it is deactivated, and comes again if the line is high.

use core::sync::atomic::Ordering;

use super::spis::{self, Spis};
use super::{VcpuSet, Vgic};

impl Vgic {
    /// Says how a physical SPI is triggered, and so how the virtual one of the same number is until the guest says otherwise.
    pub fn set_shared_trigger(&self, intid: u32, edge: bool) {
        let mut spis = self.spis.lock();
        let Some((bank, bit)) = spis::position(intid) else { return };
        if let Some(bank) = spis.banks.get_mut(bank) {
            bank.edge = if edge { bank.edge | bit } else { bank.edge & !bit };
        }
    }

    /// The vCPU to which the guest sends SPI `intid`; none if it sends it nowhere.
    pub fn target_of(&self, intid: u32) -> Option<usize> {
        let spis = self.spis.lock();
        let (bank, bit) = spis::position(intid)?;
        (0..self.count).find(|&vcpu| spis.routed(vcpu, bank) & bit != 0)
    }

    /// Takes a physical SPI that a core has acknowledged with EOImode = 1 and whose priority it has dropped, so that it
    /// stays active until the guest deactivates the virtual one of the same number. Returns the vCPUs that must look;
    /// what is no SPI of the model has no effect.
    pub fn raise_shared(&self, intid: u32) -> VcpuSet {
        let mut spis = self.spis.lock();
        let Some((bank, bit)) = spis::position(intid) else { return VcpuSet::EMPTY };
        spis.raise(bank, bit, self.control.load(Ordering::Relaxed));
        self.notify_spis(&spis, bank, bit)
    }
}

impl Spis {
    /// A physical interrupt is active from now on. `control` is GICD_CTLR.
    fn raise(&mut self, index: usize, bit: u32, control: u32) {
        let targets = self.targets.iter().filter_map(|banks| banks.get(index)).fold(0, |all, bank| all | bank);
        if let (Some(bank), Some(waited)) = (self.banks.get_mut(index), self.waited.get_mut(index)) {
            bank.receive(bit, bit);
            *waited |= bit & !bank.edge & !(bank.allowed(control) & targets);
        }
    }

    /// Takes an interrupt that had to wait back out of the model, if it is one whose line has to be asked. The caller
    /// deactivates the physical one.
    pub(super) fn withdraw_waited(&mut self, index: usize, bit: u32) -> bool {
        let waited = self.waited.get(index).is_some_and(|waited| waited & bit != 0);
        if let (true, Some(bank), Some(waited)) = (waited, self.banks.get_mut(index), self.waited.get_mut(index)) {
            *waited &= !bit;
            bank.latch &= !bit;
            bank.physical &= !bit;
        }
        waited
    }
}
