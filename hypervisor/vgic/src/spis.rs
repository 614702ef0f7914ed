//! Shared peripheral interrupts of one VM: the banks, and which vCPU each is routed to.

use portcullis_abi::map::MAX_VCPUS;

use super::model::Bank;
use crate::version::GicVersion;

/// Number of SPIs; the first is INTID 32.
pub const SPIS: usize = 256;
/// Number of INTIDs that the distributor has.
pub const INTIDS: usize = 32 + SPIS;
/// Banks of 32 SPIs.
pub const BANKS: usize = SPIS / 32;

/// All of them, a bit each.
pub const ALL_BANKS: u32 = (1 << BANKS) - 1;

const _: () = assert!(SPIS.is_multiple_of(32) && INTIDS <= 1020);

/// The SPIs of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spis {
    /// State of the interrupts.
    pub banks: [Bank; BANKS],
    /// GICD_IROUTER: Aff3 to Aff0 in one word. As a GICv2, GICD_ITARGETSR: a bit per vCPU.
    routes: [u32; SPIS],
    /// Level-triggered ones with a physical one behind them that the guest did not want when they came.
    pub(super) waited: [u32; BANKS],
    /// Per vCPU the SPIs that are routed to it.
    pub(super) targets: [[u32; BANKS]; MAX_VCPUS],
    /// Per vCPU the SPIs that sit in its list registers.
    holders: [[u32; BANKS]; MAX_VCPUS],
}

/// Bank and bit of SPI `intid`.
#[inline]
pub const fn position(intid: u32) -> Option<(usize, u32)> {
    if intid < 32 || intid as usize >= INTIDS {
        return None;
    }
    Some(((intid as usize >> 5) - 1, 1 << (intid & 31)))
}

/// INTID of SPI `n` of a bank.
#[inline]
pub const fn intid(bank: usize, n: u32) -> u32 {
    ((bank as u32).wrapping_add(1) << 5) | (n & 31)
}

/// SPIs of a bank that concern vCPUs: whoever has one in a list register, and whom one can be delivered to.
#[derive(Clone, Copy, Debug)]
pub struct Relevant {
    held: u32,
    deliverable: u32,
}

impl Spis {
    /// SPIs out of reset: level-triggered, disabled, routed to vCPU 0, or nowhere as those of a GICv2 with several vCPUs.
    pub const fn new(version: GicVersion, vcpus: usize) -> Self {
        let mut targets = [[0; BANKS]; MAX_VCPUS];
        if matches!(version, GicVersion::V3) || vcpus == 1 {
            targets[0] = [u32::MAX; BANKS];
        }
        let banks = match version {
            GicVersion::V2 => [const { Bank::new(GicVersion::V2, 0) }; BANKS],
            GicVersion::V3 => [const { Bank::new(GicVersion::V3, 0) }; BANKS],
        };
        Self { banks, routes: [0; SPIS], waited: [0; BANKS], targets, holders: [[0; BANKS]; MAX_VCPUS] }
    }

    /// Back to the state after [`Spis::new`], but for the lines.
    pub fn reset(&mut self, version: GicVersion, vcpus: usize) {
        let lines = self.banks.each_ref().map(|bank| bank.line);
        *self = Self::new(version, vcpus);
        for (bank, line) in self.banks.iter_mut().zip(lines) {
            bank.line = line;
        }
    }

    /// Sets the line of an SPI; see [`Bank::set_line`].
    pub fn set_line(&mut self, bank: usize, bit: u32, level: bool) -> u32 {
        self.banks.get_mut(bank).map_or(0, |bank| bank.set_line(bit, level))
    }

    /// Affinity (Aff3 to Aff0) that SPI `index` (counted from INTID 32) is routed to.
    pub fn route(&self, index: usize) -> u32 {
        self.routes.get(index).copied().unwrap_or(0)
    }

    /// Routes SPI `index` to an affinity. One that no vCPU has keeps the interrupt pending until it is routed
    /// elsewhere.
    pub fn set_route(&mut self, index: usize, affinity: u32) {
        self.place(index, affinity, affinity);
    }

    /// Targets of SPI `index` in GICv2: a bit per vCPU.
    pub fn targets(&self, index: usize) -> u8 {
        self.route(index) as u8
    }

    /// Sends SPI `index` to the first of the vCPUs in `targets`, a bit each, as IHI 0048 lets a GIC choose (section 3.2.3, the
    /// 1-N model). Without any it stays pending.
    pub fn set_targets(&mut self, index: usize, targets: u8) {
        self.place(index, targets.into(), targets.trailing_zeros());
    }

    /// Notes the route of an SPI, which leads to this vCPU, or to none if there is no such.
    fn place(&mut self, index: usize, route: u32, target: u32) {
        let Some(place) = self.routes.get_mut(index) else { return };
        *place = route;
        let bit = 1 << (index & 31);
        for (vcpu, banks) in self.targets.iter_mut().enumerate() {
            if let Some(word) = banks.get_mut(index >> 5) {
                *word = if vcpu as u32 == target { *word | bit } else { *word & !bit };
            }
        }
    }

    /// SPIs of a bank that are routed to a vCPU.
    #[inline]
    pub fn routed(&self, vcpu: usize, bank: usize) -> u32 {
        self.targets.get(vcpu).and_then(|banks| banks.get(bank)).copied().unwrap_or(0)
    }

    /// SPIs of a bank in a vCPU's list registers.
    #[inline]
    fn held(&self, vcpu: usize, bank: usize) -> u32 {
        self.holders.get(vcpu).and_then(|banks| banks.get(bank)).copied().unwrap_or(0)
    }

    /// Notes whether an SPI sits in a list register of a vCPU.
    pub fn set_held(&mut self, vcpu: usize, bank: usize, bit: u32, held: bool) {
        if let Some(word) = self.holders.get_mut(vcpu).and_then(|banks| banks.get_mut(bank)) {
            *word = if held { *word | bit } else { *word & !bit };
        }
    }

    /// Notes that the SPIs in `before` do not sit in list registers of a vCPU any more, and those in `now` do.
    #[inline]
    pub fn replace_held(&mut self, vcpu: usize, bank: usize, before: u32, now: u32) {
        if let Some(word) = self.holders.get_mut(vcpu).and_then(|banks| banks.get_mut(bank)) {
            *word = *word & !before | now;
        }
    }

    /// Those of the `changed` SPIs of a bank that concern any vCPU; none: they concern nobody.
    #[inline]
    pub fn relevant(&self, bank: usize, changed: u32, control: u32) -> Option<Relevant> {
        let bank = self.banks.get(bank)?;
        let (held, deliverable) = (bank.lr.held, bank.deliverable(control));
        let any = changed & (held | deliverable) != 0;
        any.then_some(Relevant { held: held & changed, deliverable: deliverable & changed })
    }

    /// Whether the vCPU is one of those that these SPIs of a bank concern.
    #[inline]
    pub fn concerns(&self, vcpu: usize, bank: usize, of: Relevant) -> bool {
        self.held(vcpu, bank) & of.held | self.routed(vcpu, bank) & of.deliverable != 0
    }

    /// SPIs of a bank that wait for a list register of this vCPU.
    #[inline]
    pub fn deliverable(&self, vcpu: usize, bank: usize, control: u32) -> u32 {
        self.banks.get(bank).map_or(0, |state| state.deliverable(control) & self.routed(vcpu, bank))
    }
}
