//! Version, the machine as a whole, and its end.

use portcullis_abi::manage;
use portcullis_gate::Return;

use super::Answer;
use crate::machine::Machine;
use crate::vm::Vcpu;

/// `VERSION`: the one call that returns values whatever it says.
pub fn version(machine: &Machine, [wanted, ..]: [u64; 3]) -> Return {
    let status = if speaks(wanted) { manage::SUCCESS } else { manage::WRONG_VERSION };
    let bit = |present: bool, bit: u64| if present { bit } else { 0 };
    let can = bit(machine.board.wall_clock.is_some(), manage::CAN_TELL_TIME)
        | bit(machine.board.firmware.is_some(), manage::CAN_FORWARD);
    Return([status.cast_unsigned(), manage::ABI_VERSION.into(), can, 0])
}

/// Whether a caller built for version `wanted` finds all that it knows.
fn speaks(wanted: u64) -> bool {
    let ours = u64::from(manage::ABI_VERSION);
    wanted >> 16 == ours >> 16 && wanted & 0xffff <= ours & 0xffff
}

/// `MACHINE`.
pub fn describe(machine: &Machine, caller: &Vcpu) -> Answer {
    let (own, cores) = (caller.vm.index as u64, machine.cores.len() as u64);
    Ok([machine.vms.len() as u64, machine.free_memory(), own & 0xff | (cores & 0xff) << 8])
}

/// `POWER_OFF`.
pub fn power_off(machine: &Machine, caller: &Vcpu) -> Answer {
    log::info!("power off, by {}", caller.vm.name());
    machine.power_off()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_minor_versions_are_spoken_and_nothing_else() {
        let ours = u64::from(manage::ABI_VERSION);
        assert!(speaks(ours));
        for other in [0, ours + 1, ours + 0x1_0000, ours - 0x1_0000, ours | 1 << 32, ours | 1 << 63, u64::MAX] {
            assert!(!speaks(other), "{other:#x}");
        }
    }
}
