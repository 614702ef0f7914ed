//! What a core did that a test can look at.

/// A frame of a GICv2's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frame {
    /// The distributor.
    Gicd,
    /// The physical CPU interface.
    Gicc,
    /// The control of the virtual CPU interface.
    Gich,
}

/// What a core did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It wrote a system register.
    Write(&'static str, u64),
    /// It wrote the register at this offset of a frame of the GICv2.
    WriteGicv2(Frame, usize, u32),
    /// It executed a barrier, a hint, or an instruction of cache or TLB maintenance without an address; a fixed sequence of
    /// these is one event.
    Instruction(&'static str),
    /// It executed cache or TLB maintenance of so many bytes from this address.
    Maintain(&'static str, usize, usize),
    /// It put a descriptor into the entry of its translation tables for this address; zero maps nothing.
    Map(u64, u64),
    /// It wrote so many bytes of a VM's memory from this address, which is the memory's own.
    Store(usize, usize),
    /// It made an SMC with these x0 to x17.
    Smc([u64; 18]),
    /// It entered a guest at this address (ELR_EL2).
    Enter(u64),
}
