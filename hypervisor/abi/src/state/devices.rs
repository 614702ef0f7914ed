//! Emulated devices.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// State of an emulated PL011, version [`Pl011::VERSION`] (registers: Arm DDI 0183, chapter 3).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Pl011 {
    /// Version of this structure.
    pub version: u32,
    /// UARTCR.
    pub control: u32,
    /// UARTLCR_H.
    pub line_control: u32,
    /// UARTIFLS.
    pub fifo_levels: u32,
    /// UARTIMSC.
    pub mask: u32,
    /// UARTRIS.
    pub raw: u32,
    /// UARTRSR.
    pub receive_status: u32,
    /// 1: a character was lost since the last one was read (UARTDR.OE of the next one).
    pub overrun: u32,
    /// UARTILPR.
    pub low_power: u32,
    /// UARTIBRD.
    pub divisor: u32,
    /// UARTFBRD.
    pub divisor_fraction: u32,
    /// UARTDMACR.
    pub dma: u32,
    /// Characters that wait to be sent.
    pub transmit_length: u32,
    /// Characters that wait to be read.
    pub receive_length: u32,
    /// What waits to be sent, the oldest first; zeros behind it.
    pub transmit: [u8; 32],
    /// What waits to be read, with its error bits (UARTDR 11:0), the oldest first; zeros behind it.
    pub receive: [u16; 32],
}

impl Pl011 {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of an emulated PL031, version [`Pl031::VERSION`] (registers: Arm DDI 0224, chapter 3).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Pl031 {
    /// Version of this structure.
    pub version: u32,
    /// RTCDR less the time of day in seconds since 1970, modulo 2^32.
    pub offset: u32,
    /// RTCLR.
    pub load: u32,
    /// RTCMR.
    pub alarm: u32,
    /// RTCIMSC.
    pub mask: u32,
    /// RTCRIS.
    pub raw: u32,
    /// 1: RTCDR has yet to reach RTCMR.
    pub ahead: u32,
}

impl Pl031 {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of an emulated PL061, version [`Pl061::VERSION`] (registers: Arm DDI 0190, chapter 3). A bit stands for the line with its
/// number.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Pl061 {
    /// Version of this structure.
    pub version: u32,
    /// GPIODIR.
    pub direction: u32,
    /// GPIOIS.
    pub sense: u32,
    /// GPIOIBE.
    pub both: u32,
    /// GPIOIEV.
    pub event: u32,
    /// GPIOIE.
    pub mask: u32,
    /// GPIOAFSEL.
    pub alternate: u32,
    /// What was written to GPIODATA.
    pub data: u32,
    /// Edges of GPIORIS that were not cleared.
    pub edges: u32,
    /// Levels of the lines that others drive.
    pub inputs: u32,
}

impl Pl061 {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of an emulated CFI bank of flash, version [`Flash::VERSION`]; what its cells hold is memory, and not in here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Flash {
    /// Version of this structure.
    pub version: u32,
    /// What loads show: 0 the cells, 1 the status register, 2 manufacturer and device, 3 the query table.
    pub mode: u32,
    /// What the next store is: 0 a command, 1 the confirmation of an erasure, 2 what is to be programmed, 3 what becomes of a
    /// lock, 4 a count, 5 for the buffer, 6 the buffer's confirmation, 7 nothing, because a block is being erased.
    pub step: u32,
    /// Stores that fill the buffer and are yet to come, if `step` is 5.
    pub left: u32,
    /// Status register, bits 5 and 4.
    pub errors: u32,
    /// 1: a store for the buffer was outside of what it stands for.
    pub strayed: u32,
    /// First byte of the buffer that was filled; as large as the buffer if none was.
    pub first: u32,
    /// The byte behind the last one that was filled.
    pub end: u32,
    /// Offset into the bank of what is to be erased next, up to the end of its block; 0 if `step` is not 7.
    pub erasing: u64,
    /// Offset into the bank of what the buffer stands for.
    pub window: u64,
    /// The buffer; all bits are set where it was not filled.
    pub buffer: [u8; 2048],
}

impl Flash {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
