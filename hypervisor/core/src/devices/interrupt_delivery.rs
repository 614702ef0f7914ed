//! To which core the interrupts of a VM's devices go, and when they are let through there.
//!
//! An interrupt goes to the core of the vCPU that the guest sends it to, if the VM has that core to itself; else to one that it
//! has to itself, if there is one. On these it is let through always: nobody but the VM can notice.
//!
//! Where the VM shares all its cores, it goes to the core of that vCPU and is let through in the VM's own time: while the core has
//! one of its vCPUs, and, where all of them that are on wait, once, to wake them. What comes at any other time waits in the
//! distributor: a line that stays high is still high then, and an edge is latched as pending (IHI 0069, section 4.1.2; IHI 0048,
//! section 3.2.4). On a core with windows the VM's own time is its windows, or what they leave it.

use alloc::boxed::Box;

/// The board's side: what is done to physical interrupts.
pub trait Distributor {
    /// Lets an interrupt through, or holds it back; when this returns, that is in effect.
    fn enable(&mut self, intid: u32, enabled: bool);
    /// Sends an interrupt, which is held back, to core `core`.
    fn route(&mut self, intid: u32, core: usize);
}

/// One interrupt of a device.
#[derive(Clone, Copy, Debug)]
struct Line {
    intid: u32,
    /// The core that it goes to.
    core: usize,
    /// It is let through.
    enabled: bool,
    /// Cores on which it has been taken since the VM was last there, a bit each.
    spent: u32,
}

/// The interrupts of one VM's devices. Cores are numbers below 32, and bits in sets of them.
#[derive(Clone, Debug)]
pub struct Delivery {
    lines: Box<[Line]>,
    /// By vCPU its core.
    cores: Box<[usize]>,
    /// Cores that the VM has to itself.
    own: u32,
    /// Shared cores that have one of its vCPUs.
    present: u32,
    /// Shared cores that have none, and may wake those that wait there.
    waiting: u32,
    /// Shared cores on which this is not its time.
    closed: u32,
    /// The VM runs.
    running: bool,
}

const fn bit(core: usize) -> u32 {
    1u32.wrapping_shl(core as u32)
}

impl Delivery {
    /// The interrupts `intids` of a VM that does not run, whose vCPUs are on `cores`, of which it has those in `own` to itself.
    pub fn new(intids: impl Iterator<Item = u32>, cores: Box<[usize]>, own: u32) -> Self {
        let line = |intid| Line { intid, core: 0, enabled: false, spent: 0 };
        Self { lines: intids.map(line).collect(), cores, own, present: 0, waiting: 0, closed: 0, running: false }
    }

    /// Whether the VM's turns on shared cores matter: it has interrupts, and no core to itself.
    pub fn follows_turns(&self) -> bool {
        self.own == 0 && !self.lines.is_empty()
    }

    /// The VM starts. `target` says to which vCPU the guest sends an interrupt.
    pub fn start(&mut self, mut target: impl FnMut(u32) -> usize, distributor: &mut impl Distributor) {
        self.running = true;
        for line in &mut self.lines {
            (line.core, line.enabled, line.spent) = (place(&self.cores, self.own, target(line.intid)), false, 0);
            distributor.route(line.intid, line.core);
        }
        self.refresh(u32::MAX, distributor);
    }

    /// The VM has ended, and its interrupts were made quiet.
    pub fn stop(&mut self) {
        self.running = false;
        self.lines.iter_mut().for_each(|line| line.enabled = false);
    }

    /// Core `core` has one of the VM's vCPUs from now on.
    pub fn enter(&mut self, core: usize, distributor: &mut impl Distributor) {
        self.present |= bit(core);
        self.waiting &= !bit(core);
        self.lines.iter_mut().for_each(|line| line.spent &= !bit(core));
        self.refresh(bit(core), distributor);
    }

    /// Core `core` has none of the VM's vCPUs any more. `waiting`: those that are on there all wait.
    pub fn leave(&mut self, core: usize, waiting: bool, distributor: &mut impl Distributor) {
        self.present &= !bit(core);
        self.waiting = if waiting { self.waiting | bit(core) } else { self.waiting & !bit(core) };
        self.refresh(bit(core), distributor);
    }

    /// On core `core`, which has windows, the VM's time begins or ends. One that has none of its vCPUs there when it begins may be
    /// woken: whoever would run without that comes onto the core at once.
    pub fn set_time(&mut self, core: usize, own_time: bool, distributor: &mut impl Distributor) {
        if own_time {
            self.closed &= !bit(core);
            self.waiting |= bit(core) & !self.present;
        } else {
            self.closed |= bit(core);
        }
        self.refresh(bit(core), distributor);
    }

    /// Core `core` has taken an interrupt while it had none of the VM's vCPUs.
    pub fn taken(&mut self, core: usize, intid: u32, distributor: &mut impl Distributor) {
        if self.present & bit(core) != 0 {
            return;
        }
        if let Some(line) = self.lines.iter_mut().find(|line| line.intid == intid) {
            line.spent |= bit(core);
        }
        self.refresh(bit(core), distributor);
    }

    /// The guest may send interrupts to other vCPUs than before: `target` says to which.
    pub fn follow(&mut self, mut target: impl FnMut(u32) -> usize, distributor: &mut impl Distributor) {
        for line in 0..self.lines.len() {
            if let Some(intid) = self.lines.get(line).map(|line| line.intid) {
                self.route(intid, target(intid), distributor);
            }
        }
    }

    /// The guest sends an interrupt to vCPU `vcpu` from now on.
    fn route(&mut self, intid: u32, vcpu: usize, distributor: &mut impl Distributor) {
        let core = place(&self.cores, self.own, vcpu);
        let found = self.lines.iter_mut().find(|line| line.intid == intid && line.core != core);
        let Some(line) = found.filter(|_| self.running) else { return };
        if line.enabled {
            distributor.enable(intid, false);
        }
        (line.core, line.enabled) = (core, false);
        distributor.route(intid, core);
        self.refresh(bit(core), distributor);
    }

    /// Lets through, or holds back, what goes to the cores in `cores`.
    fn refresh(&mut self, cores: u32, distributor: &mut impl Distributor) {
        let (open, wakes) = (self.own | self.present & !self.closed, self.waiting & !self.closed);
        for line in self.lines.iter_mut().filter(|line| bit(line.core) & cores != 0) {
            let enabled = self.running && bit(line.core) & (open | wakes & !line.spent) != 0;
            if enabled != line.enabled {
                line.enabled = enabled;
                distributor.enable(line.intid, enabled);
            }
        }
    }
}

/// The core for an interrupt that the guest sends to vCPU `vcpu`.
fn place(cores: &[usize], own: u32, vcpu: usize) -> usize {
    let core = cores.get(vcpu).or(cores.first()).copied().unwrap_or(0);
    if own == 0 || own & bit(core) != 0 { core } else { own.trailing_zeros() as usize }
}

#[cfg(test)]
mod tests;
