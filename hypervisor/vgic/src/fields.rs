//! Fields of the registers that the model has, of a GICv3 (IHI 0069, chapter 12) and of a GICv2 (IHI 0048, chapter 4).

use tock_registers::register_bitfields;

register_bitfields![u32,
    /// Distributor control. A GICv2 without Security Extensions has the two group enables.
    pub GICD_CTLR [
        EnableGrp0 OFFSET(0) NUMBITS(1) [],
        EnableGrp1 OFFSET(1) NUMBITS(1) [],
        /// Affinity routing is on.
        ARE OFFSET(4) NUMBITS(1) [],
        /// There is one Security state.
        DS OFFSET(6) NUMBITS(1) [],
    ],
    /// Distributor type.
    pub GICD_TYPER [
        /// Banks of 32 interrupts, less one.
        ITLinesNumber OFFSET(0) NUMBITS(5) [],
        /// vCPUs of a GICv2, less one.
        CPUNumber OFFSET(5) NUMBITS(3) [],
        /// Bits of an INTID, less one.
        IDbits OFFSET(19) NUMBITS(5) [],
        /// Aff3 may be other than zero.
        A3V OFFSET(24) NUMBITS(1) [],
        /// 1-of-N routing is not supported.
        No1N OFFSET(25) NUMBITS(1) [],
    ],
    /// SGIs of a GICv2. NSATT has no meaning without Security Extensions.
    pub GICD_SGIR [
        INTID OFFSET(0) NUMBITS(4) [],
        CPUTargetList OFFSET(16) NUMBITS(8) [],
        TargetListFilter OFFSET(24) NUMBITS(2) [
            /// To the target list.
            Listed = 0,
            /// To all but the sender.
            Others = 1,
            /// To the sender.
            Own = 2,
        ],
    ],
];

register_bitfields![u64,
    /// A redistributor's state of power.
    pub GICR_WAKER [
        ProcessorSleep OFFSET(1) NUMBITS(1) [],
        ChildrenAsleep OFFSET(2) NUMBITS(1) [],
    ],
    /// A redistributor's type.
    pub GICR_TYPER [
        /// It is the last one.
        Last OFFSET(4) NUMBITS(1) [],
        ProcessorNumber OFFSET(8) NUMBITS(16) [],
        AffinityValue OFFSET(32) NUMBITS(32) [],
    ],
    /// SGIs of a GICv3.
    pub ICC_SGI1R [
        TargetList OFFSET(0) NUMBITS(16) [],
        Aff1 OFFSET(16) NUMBITS(8) [],
        INTID OFFSET(24) NUMBITS(4) [],
        Aff2 OFFSET(32) NUMBITS(8) [],
        /// To all but the sender.
        IRM OFFSET(40) NUMBITS(1) [],
        RS OFFSET(44) NUMBITS(4) [],
        Aff3 OFFSET(48) NUMBITS(8) [],
    ],
    /// A list register.
    pub ICH_LR [
        VINTID OFFSET(0) NUMBITS(32) [],
        /// With HW = 1: the physical interrupt.
        PINTID OFFSET(32) NUMBITS(13) [],
        /// The vCPU that has sent an SGI: in the form that the model has for a GICv2.
        CPUID OFFSET(32) NUMBITS(3) [],
        /// With HW = 0: a maintenance interrupt when the guest deactivates it.
        EOI OFFSET(41) NUMBITS(1) [],
        Priority OFFSET(48) NUMBITS(8) [],
        Group1 OFFSET(60) NUMBITS(1) [],
        /// Deactivation goes on to the physical interrupt.
        HW OFFSET(61) NUMBITS(1) [],
        State OFFSET(62) NUMBITS(2) [
            Inactive = 0,
            Pending = 1,
            Active = 2,
            PendingActive = 3,
        ],
    ],
];

/// What a guest can change of GICD_CTLR.
pub const GROUP_ENABLES: u32 = GICD_CTLR::EnableGrp0::SET.value | GICD_CTLR::EnableGrp1::SET.value;
