//! What the console keeps of one VM.

use alloc::boxed::Box;

use portcullis_abi::bundle::NAME_MAX;
use portcullis_abi::map::MAX_VMS;

use super::escape::Terminal;
use super::tail::Tail;

/// A VM's name.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Name {
    /// The name `name`; what is longer than [`NAME_MAX`] bytes is cut, what is not printable ASCII becomes `?`.
    pub fn new(name: &str) -> Self {
        let mut bytes = [0; NAME_MAX];
        for (cell, byte) in bytes.iter_mut().zip(name.bytes()) {
            *cell = if byte.is_ascii_graphic() { byte } else { b'?' };
        }
        Self { bytes, len: name.len().min(NAME_MAX) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

/// A VM as the console knows it.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    pub name: Name,
    /// Where the guest is in its output.
    pub terminal: Terminal,
    /// Its unfinished line.
    pub tail: Tail,
}

impl Guest {
    /// A VM without a name, all zeros.
    pub const fn new() -> Self {
        let name = Name { bytes: [0; NAME_MAX], len: 0 };
        Self { name, terminal: Terminal::new(), tail: Tail::new() }
    }

    /// Takes a byte that went out as it is.
    pub fn follow(&mut self, byte: u8) {
        let Self { terminal, tail, .. } = self;
        terminal.feed(byte, |event| tail.apply(event));
    }
}

/// The VMs that the console knows, by number. All zeros when new; what is kept of a VM is of the heap, and comes with it.
#[derive(Debug)]
pub struct Guests {
    all: [Option<Box<Guest>>; MAX_VMS],
    count: usize,
}

impl Guests {
    pub const fn new() -> Self {
        Self { all: [const { None }; MAX_VMS], count: 0 }
    }

    /// Adds a VM. Returns its number; none if there are [`MAX_VMS`] already.
    pub fn add(&mut self, name: &str) -> Option<usize> {
        let vm = self.count;
        let guest = self.all.get_mut(vm)?.insert(Box::new(Guest::new()));
        guest.name = Name::new(name);
        self.count = vm.wrapping_add(1);
        Some(vm)
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The VM with this number.
    pub fn get(&self, vm: usize) -> Option<&Guest> {
        self.all.get(vm)?.as_deref()
    }

    /// The VM with this number.
    pub fn get_mut(&mut self, vm: usize) -> Option<&mut Guest> {
        self.all.get_mut(vm)?.as_deref_mut()
    }

    /// Their names, in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.all.iter().flatten().map(|guest| guest.name.as_str())
    }
}
