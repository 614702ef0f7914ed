//! What a VM is made of.

use alloc::vec::Vec;

use portcullis_board::Range;
use portcullis_board::device::Device;

use super::flash::Flash;
use super::generation::Generation;
use super::images::Images;
use super::pv_time::PvTime;
use super::state_pages::SharedEnds;
use crate::devices::gpio::Gpio;
use crate::links::backplane::Backplane;
use crate::memory::stage2::Stage2;

/// What a VM is made of.
pub struct Parts {
    /// Its RAM.
    pub memory: Range,
    /// Its tables, which map its RAM, its page of PV time and the registers of its devices.
    pub stage2: Stage2,
    /// Its page of PV time structures.
    pub pv_time: PvTime,
    /// What it is told of its restores, if it can be saved.
    pub generation: Option<Generation>,
    /// The devices that it drives itself.
    pub devices: Vec<Device>,
    /// What lies behind its flash, if its manifest wants some.
    pub flash: Option<Flash>,
    /// What the control VM loads, if its manifest has no image.
    pub images: Option<Images>,
    /// Its virtio transports, if any of them has a device.
    pub links: Option<&'static Backplane>,
    /// The controller of its wires, if it has any.
    pub wires: Option<&'static Gpio>,
    /// Its ends of the memory that it shares, which its tables map.
    pub shared: SharedEnds,
}
