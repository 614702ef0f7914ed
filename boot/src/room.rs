//! Whether there is memory for what each vCPU needs at EL2.

use portcullis_core::vm::off_core::OffCore;
use portcullis_core::vm::{Vcpu, Vm};

use crate::{heap, stop::Stop};

/// Checks that the heap has room for the vCPUs of `vms`. RAM for the guests is not part of that.
///
/// # Errors
///
/// [`Stop::NoRoomForVcpus`].
pub fn check(vms: &[Vm]) -> Result<(), Stop> {
    // The heap hands out powers of two; a VM's vCPUs are one piece.
    let size = |vm: &Vm| {
        let count = vm.config.cores.as_slice().len();
        (count * size_of::<Vcpu>()).next_power_of_two() + count * size_of::<OffCore>().next_power_of_two()
    };
    let (wanted, free) = (vms.iter().map(size).sum(), heap::usage().free);
    let count = vms.iter().map(|vm| vm.config.cores.as_slice().len()).sum();
    // Half of what is left may be in pieces that are too small.
    if wanted as u64 > free / 2 { Err(Stop::NoRoomForVcpus { count, wanted, free }) } else { Ok(()) }
}
