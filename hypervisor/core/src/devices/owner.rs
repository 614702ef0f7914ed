//! What a device asks of the VM to which it belongs.

use portcullis_board::WallClock;
use portcullis_devices::Line;

/// The VM of a device, as whoever calls the device sees it: a vCPU on its own core, or somebody else.
pub trait Owner {
    /// Sets the level of shared peripheral interrupt `intid`. The vCPUs that must look are made to.
    fn set_level(&self, intid: u32, level: bool);

    /// Sets the level of shared peripheral interrupt `intid` of another VM, to which a wire leads. The vCPUs that must look are
    /// made to.
    fn set_level_of(&self, vm: usize, intid: u32, level: bool);

    /// The clock that knows the time of day, if there is one.
    fn wall_clock(&self) -> Option<&'static dyn WallClock>;
}

/// Sets a line of a device of `owner`, whose virtual GIC is told if that changes it.
#[inline]
pub fn drive<O: Owner + ?Sized>(owner: &O, line: &mut Line, level: bool) {
    if let Some(level) = line.set(level) {
        owner.set_level(line.intid(), level);
    }
}
