//! A VM as the links see it that it is at.

use core::fmt::Arguments;

use crate::devices::console::GuestConsole;
use crate::devices::owner::Owner;
use crate::memory::guest::GuestMemory;

/// A VM at a link, seen from whatever core. As an [`Owner`] it kicks all of its vCPUs that are to look at an interrupt.
pub trait Peer: Owner + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Whether it runs, and is not about to stand still or to end.
    fn runs(&self) -> bool;

    /// Its RAM, as the core on which this runs reaches it. Before the RAM is another's, or the guest's with its caches off,
    /// this core is asked to forget it.
    fn memory(&self) -> Option<GuestMemory>;

    /// [`memory`](Self::memory) for who keeps it: what this core reached it by before counts again. For as long as a piece of work.
    /// What one before has [held](GuestMemory::hold) is not any more.
    fn memory_again<'a>(&self, kept: &'a mut Option<GuestMemory>) -> Option<&'a mut GuestMemory>;

    /// [`memory_again`](Self::memory_again) of a VM that [runs](Self::runs); else nothing.
    #[inline]
    fn reach<'a>(&self, kept: &'a mut Option<GuestMemory>) -> Option<&'a mut GuestMemory> {
        if self.runs() { self.memory_again(kept) } else { None }
    }

    /// Has one of its cores go on with its work at links, soon and by itself.
    fn call(&self);

    /// Its end of the console.
    fn console(&self) -> &GuestConsole;

    /// Writes a line about it, unless there were too many of late.
    fn report(&self, line: Arguments<'_>);
}
