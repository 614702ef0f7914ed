//! What management calls tell of links between VMs, in numbers.

/// [`LINK`](super::LINK), x3: a network.
pub const LINK_NETWORK: u64 = 0;
/// [`LINK`](super::LINK), x3: a pair of serial ports.
pub const LINK_SERIAL: u64 = 1;
/// [`LINK`](super::LINK), x3: a disk.
pub const LINK_DISK: u64 = 2;
/// [`LINK`](super::LINK), x3: a wire.
pub const LINK_WIRE: u64 = 3;
/// The kinds of links, by number.
pub const LINKS: [&str; 4] = ["network", "serial", "disk", "wire"];
/// [`LINK_END`](super::LINK_END), x1: the end is up.
pub const LINK_END_UP: u64 = 1 << 8;
/// [`LINK_END`](super::LINK_END), x2: the VM at this end of a wire drives it.
pub const LINK_END_DRIVES: u64 = 1 << 8;
/// What is counted of a network's port, by index. Frames and bytes are without virtio headers; `copies` are those made of its
/// frames, one for each port that got one; from `down` on the frames that were dropped would have been this port's, those
/// before were sent by it.
pub const NETWORK_COUNTERS: [&str; 17] = [
    "sent",
    "sent-bytes",
    "received",
    "received-bytes",
    "copies",
    "notifications",
    "interrupts",
    "dropped-short",
    "dropped-long",
    "dropped-header",
    "dropped-source",
    "dropped-destination",
    "dropped-rate",
    "dropped-down",
    "dropped-full",
    "dropped-small",
    "dropped-unsegmented",
];
/// What is counted of an end of a pair of serial ports, by index: bytes of its VM's that the other one has, those that were
/// dropped as the other one closed, and how often a program has opened it; and those of its VM's console, which all of its ports
/// share.
pub const SERIAL_COUNTERS: [&str; 5] = ["sent-bytes", "dropped-bytes", "sessions", "notifications", "interrupts"];
/// What is counted of a disk, by index.
pub const DISK_COUNTERS: [&str; 2] = ["notifications", "interrupts"];
/// What is counted of an end of a wire, by index: edges that it made, or that it saw. Those that come before it looks are none.
pub const WIRE_COUNTERS: [&str; 1] = ["edges"];

/// The names of what is counted of links of a kind.
#[must_use]
pub const fn link_counters(kind: u64) -> &'static [&'static str] {
    match kind {
        LINK_NETWORK => &NETWORK_COUNTERS,
        LINK_SERIAL => &SERIAL_COUNTERS,
        LINK_DISK => &DISK_COUNTERS,
        LINK_WIRE => &WIRE_COUNTERS,
        _ => &[],
    }
}
