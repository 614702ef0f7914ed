//! The cores, from their nodes (`arm/cpus.yaml`).

/// A core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Core {
    /// Affinity fields of MPIDR_EL1.
    pub mpidr: u64,
    /// How it is started.
    pub start: CoreStart,
}

/// How a core is started (`enable-method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CoreStart {
    /// The tree names no method that is known here; the core that boots needs none.
    #[default]
    Unknown,
    /// By PSCI `CPU_ON`.
    Psci,
    /// By writing an entry address to this physical address, then SEV.
    SpinTable(u64),
}
