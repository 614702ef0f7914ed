//! The schedule of one core in the bundle.

use portcullis_abi::{bundle, map};
use portcullis_tree::{Node, be32};

use super::error::CoreError;
use super::limit::{self, FRAME, WINDOWS, place_window};
use super::property::utf8;

/// Bytes of one window: three cells.
const BYTES: usize = 12;

// The background has a bit for each VM.
const _: () = assert!(map::MAX_VMS <= u32::BITS as usize);

/// A core with a cyclic schedule: a frame of windows, again and again. Every part has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreConfig<'a> {
    /// Number of the core.
    pub number: u32,
    /// Length of the frame in microseconds, from [`bundle::FRAME_MIN`] to [`bundle::FRAME_MAX`].
    pub frame: u32,
    /// The VMs that may use time which no window covers or whose VM leaves it: a bit for each, by its number.
    pub background: u32,
    windows: &'a [[u8; BYTES]],
}

/// The time of one VM in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of the VM.
    pub vm: usize,
    /// Where it starts, in microseconds from the frame's start.
    pub start: u32,
    /// Its length in microseconds, [`bundle::WINDOW_MIN`] or more.
    pub length: u32,
}

impl<'a> CoreConfig<'a> {
    /// The windows, 1 to [`bundle::WINDOWS_MAX`], in the order of their time. None overlaps another, and all end within the
    /// frame.
    pub fn windows(&self) -> impl Iterator<Item = Window> + use<'a> {
        self.windows.iter().map(|cells| {
            let [vm, start, length] = [0, 4, 8].map(|at| be32(cells, at).unwrap_or(0));
            Window { vm: vm as usize, start, length }
        })
    }

    /// Reads the node of core `number`; `here` has a bit for each VM with a vCPU on it.
    pub(super) fn parse(number: u32, node: &Node<'a>, here: u32) -> Result<Self, CoreError> {
        let (mut frame, mut windows, mut background) = (None, None, &[][..]);
        for property in node.properties() {
            let value = property.value;
            match utf8(property.name()) {
                bundle::FRAME => {
                    let cell = value.try_into().map_err(|_| CoreError::Malformed(bundle::FRAME))?;
                    frame = Some(u32::from_be_bytes(cell));
                }
                bundle::WINDOWS => windows = Some(cells(bundle::WINDOWS, value)?),
                bundle::BACKGROUND => background = cells(bundle::BACKGROUND, value)?,
                _ => return Err(CoreError::Unknown),
            }
        }
        if node.children().next().is_some() {
            return Err(CoreError::Unknown);
        }
        let frame = frame.ok_or(CoreError::Missing(bundle::FRAME))?;
        let windows = windows.ok_or(CoreError::Missing(bundle::WINDOWS))?;
        let mut core = Self { number, frame, background: 0, windows };
        for &cell in background {
            core.background |= bit(u32::from_be_bytes(cell) as usize, here)?;
        }
        core.check(here)?;
        Ok(core)
    }

    fn check(&self, here: u32) -> Result<(), CoreError> {
        FRAME.check(self.frame.into()).map_err(CoreError::Frame)?;
        WINDOWS.check(self.windows.len()).map_err(CoreError::WindowCount)?;
        let (mut named, mut free) = (self.background, 0);
        for (index, Window { vm, start, length }) in self.windows().enumerate() {
            named |= bit(vm, here)?;
            limit::WINDOW.check(length.into()).map_err(|error| CoreError::WindowLength(index, error))?;
            free = place_window(start, length, free, self.frame).map_err(|misfit| CoreError::Misfit(index, misfit))?;
        }
        match here & !named {
            0 => Ok(()),
            forgotten => Err(CoreError::Forgotten(forgotten.trailing_zeros() as usize)),
        }
    }
}

/// The bit of a VM, which must be one of those `here`.
fn bit(vm: usize, here: u32) -> Result<u32, CoreError> {
    let bit = u32::try_from(vm).ok().and_then(|vm| 1u32.checked_shl(vm));
    bit.filter(|bit| here & bit != 0).ok_or(CoreError::NotHere(vm))
}

/// The value as items of `N` bytes.
fn cells<'a, const N: usize>(name: &'static str, value: &'a [u8]) -> Result<&'a [[u8; N]], CoreError> {
    match value.as_chunks() {
        (items, []) => Ok(items),
        _ => Err(CoreError::Malformed(name)),
    }
}
