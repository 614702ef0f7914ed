//! What is wrong with a machine's device tree on purpose, for a test.

/// One thing that is not as the machine's own tree says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// On `raspi4b`: there is none.
    NoTree,
    /// On `raspi4b` above TF-A, as all that follow there (without it QEMU edits the tree too): it tells of no RAM.
    NoMemory,
    /// It lists a device that is not there.
    AbsentDevice,
    /// It has only three of the four cores.
    FewerCores,
    /// Its last core is one that the board does not have.
    AbsentCore,
    /// It has less RAM than the bundle takes.
    LittleMemory,
    /// On `virt`: the redistributors of its GICv3 end behind the first core's.
    OneRedistributor,
    /// On `virt`: the redistributors of its GICv3 are in two regions, two in the first one, and their distance is told.
    TwoRegions,
    /// On `virt`: the distributor of its GIC is where nothing answers.
    MisplacedDistributor,
    /// On `virt`: its clock is where nothing answers.
    MisplacedClock,
    /// On `virt`: the redistributors of its GICv3, or the CPU interface of its GICv2, is where nothing answers.
    MisplacedCpuInterface,
    /// On `virt`: the control of virtual interfaces of its GICv2 is where nothing answers.
    MisplacedVirtualControl,
    /// On `virt`: the virtual timer has another interrupt than Arm's boards have.
    OtherTimer,
    /// On `virt` and `xlnx-zcu102`: the console's serial port is where nothing is.
    AbsentSerial,
    /// On `virt`: the second serial port has the interrupt that a guest's clock has.
    TakenInterrupt,
    /// On `virt`: the second serial port's interrupt is edge-triggered.
    Edge,
    /// On `virt`: its clock is called something that the hypervisor does not drive, so a VM can have it.
    DisguisedClock,
}
