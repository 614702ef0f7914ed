//! What there is to know of a disk.

use portcullis_abi::manage;

use super::{Bytes, Disk};
use crate::links::report::{End, Link};

impl Link for Disk {
    fn kind(&self) -> u64 {
        manage::LINK_DISK
    }

    fn name(&self) -> &'static str {
        self.client.name
    }

    fn ends(&self) -> usize {
        1
    }

    fn end(&self, end: usize) -> Option<End> {
        let (vm, about, intid) = (self.vm, self.size, self.client.registers.intid());
        (end == 0).then_some(End { vm, up: true, about, intid })
    }

    fn counter(&self, end: usize, index: usize) -> Option<u64> {
        let signals = self.client.registers.signals();
        [signals.notifications, signals.interrupts].get(index).copied().filter(|_| end == 0)
    }

    fn has(&self, vm: usize) -> bool {
        self.vm == vm || self.server() == Some(vm)
    }

    #[inline(never)] // Only while a trace is on.
    fn take_copied(&self) -> u64 {
        match &self.bytes {
            Bytes::Own(own) => own.take_copied(),
            Bytes::Served(served) => served.take_copied(),
        }
    }
}
