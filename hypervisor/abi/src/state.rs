//! What a saved VM is made of: plain structures, each with a version of its own. A structure never changes its meaning; a new
//! one gets the next version. Who restores one checks every value in it, since it comes from elsewhere.

/// State of an emulated PL011, version [`Pl011::VERSION`] (registers: Arm DDI 0183, chapter 3).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
