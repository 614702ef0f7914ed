//! A guest's memory on a host.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::Ordering;

use portcullis_devices::{Memory, OutOfReach};

use crate::Shared;

/// Where the memory begins for the guest.
pub const START: u64 = 0x4000_0000;

/// An access of the device's, or a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes were copied from there.
    In(u64, usize),
    /// So many bytes were copied to there.
    Out(u64, usize),
    /// An index was loaded from there.
    Load(u64),
    /// An index was stored there.
    Store(u64),
    /// A barrier.
    Order(Ordering),
}

/// What a vCPU does between two accesses of the device.
pub type Meanwhile = Box<dyn FnMut(&mut [u8])>;

/// A guest's memory from [`START`] on.
pub struct Ram {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What the device did, if this is not none.
    pub steps: Option<Vec<Step>>,
    /// What the guest does before each access of the device.
    pub meanwhile: Option<Meanwhile>,
}

impl Ram {
    /// Memory of `size` bytes, all zero.
    pub fn new(size: usize) -> Self {
        Self { bytes: vec![0; size], steps: None, meanwhile: None }
    }

    /// What is at `address`.
    ///
    /// # Panics
    ///
    /// It is not all in the memory.
    pub fn at(&self, address: u64, length: usize) -> &[u8] {
        let place = self.place(address, length).unwrap();
        &self.bytes[place]
    }

    /// Writes as the guest does.
    ///
    /// # Panics
    ///
    /// It is not all in the memory.
    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        let place = self.place(address, bytes.len()).unwrap();
        self.bytes[place].copy_from_slice(bytes);
    }

    /// Reads 16 bits as the guest does.
    pub fn half(&self, address: u64) -> u16 {
        u16::from_le_bytes(self.at(address, 2).try_into().unwrap())
    }

    fn place(&self, address: u64, length: usize) -> Result<Range<usize>, OutOfReach> {
        let outside = OutOfReach { address, length };
        let start = address.checked_sub(START).and_then(|start| usize::try_from(start).ok()).ok_or(outside)?;
        let end = start.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(outside)?;
        Ok(start..end)
    }

    fn note(&mut self, step: Step) {
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile(&mut self.bytes);
        }
        if let Some(steps) = &mut self.steps {
            steps.push(step);
        }
    }
}

impl fmt::Debug for Ram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Memory for Ram {
    fn copy_in(&mut self, address: u64, to: &mut [u8]) -> Result<(), OutOfReach> {
        let place = self.place(address, to.len())?;
        self.note(Step::In(address, to.len()));
        to.copy_from_slice(&self.bytes[place]);
        Ok(())
    }

    fn copy_out(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        let place = self.place(address, from.len())?;
        self.note(Step::Out(address, from.len()));
        self.bytes[place].copy_from_slice(from);
        Ok(())
    }
}

impl Shared for Ram {
    fn check(&self, address: u64, length: u32) -> Result<(), OutOfReach> {
        self.place(address, length as usize).map(|_| ())
    }

    fn load(&mut self, address: u64) -> Result<u16, OutOfReach> {
        assert!(address.is_multiple_of(2), "an index at {address:#x} is not loaded at once");
        let place = self.place(address, 2)?;
        self.note(Step::Load(address));
        Ok(u16::from_le_bytes(self.bytes[place].try_into().unwrap()))
    }

    fn store(&mut self, address: u64, value: u16) -> Result<(), OutOfReach> {
        assert!(address.is_multiple_of(2), "an index at {address:#x} is not stored at once");
        let place = self.place(address, 2)?;
        self.note(Step::Store(address));
        self.bytes[place].copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn copy_across(&mut self, from: u64, other: &mut Self, to: u64, length: usize) -> Result<(), OutOfReach> {
        let (source, target) = (self.place(from, length)?, other.place(to, length)?);
        self.note(Step::In(from, length));
        other.note(Step::Out(to, length));
        other.bytes[target].copy_from_slice(&self.bytes[source]);
        Ok(())
    }

    fn order(&mut self, order: Ordering) {
        self.note(Step::Order(order));
    }
}
