//! The colours: a pair for each VM, one for each kind of link.

/// Text and outlines.
pub const INK: &str = "#1f2933";
/// What is said beside.
pub const FAINT: &str = "#5f6c7b";
/// Lines of no importance.
pub const RULE: &str = "#c5ccd6";
/// The page, and what is empty.
pub const PAPER: &str = "#ffffff";
/// What belongs to nobody.
pub const EMPTY: &str = "#f1f4f8";
/// The hypervisor.
pub const HYPERVISOR: &str = "#475569";

/// Fill and outline of what belongs to one VM.
const VMS: [(&str, &str); 8] = [
    ("#dbeafe", "#2563eb"),
    ("#dcfce7", "#16a34a"),
    ("#ffedd5", "#ea580c"),
    ("#f3e8ff", "#9333ea"),
    ("#fef9c3", "#a16207"),
    ("#cffafe", "#0e7490"),
    ("#fce7f3", "#db2777"),
    ("#e2e8f0", "#475569"),
];

/// Fill and outline of what belongs to the VM of this number.
pub fn vm(number: usize) -> (&'static str, &'static str) {
    VMS.get(number % VMS.len()).copied().unwrap_or((EMPTY, INK))
}

/// The colour of networks.
pub const NETWORK: &str = "#0369a1";
/// The colour of serial cables.
pub const SERIAL: &str = "#7c3aed";
/// The colour of disks.
pub const DISK: &str = "#b45309";
/// The colour of wires.
pub const WIRE: &str = "#be123c";
/// The colour of shared memory.
pub const MEMORY: &str = "#15803d";
