//! The generations of the interrupt controller.

/// A generation of the interrupt controller. The physical one and those of the guests are of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GicVersion {
    /// GICv2: distributor and CPU interface, both in memory.
    V2,
    /// GICv3: distributor, a redistributor per vCPU, CPU interface in system registers.
    V3,
}
