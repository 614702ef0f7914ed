//! What was counted of a VM. The vCPUs count for themselves and know nothing of being read.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_abi::manage;
use portcullis_arch::account::{Account, EXITS, RING, SERVICES};

use super::status::Status;
use super::{Answer, item};
use crate::vm::Vcpu;
use crate::vm::Vm;

const _: () = assert!(manage::SERVICES.len() == SERVICES && manage::EXITS.len() == EXITS);
const _: () = assert!(manage::REFUSALS == RING as u64);

/// `COUNTER`.
pub fn read(vm: &Vm, group: u64, index: u64) -> Answer {
    let mut sum = 0u64;
    for vcpu in vm.vcpus() {
        let Account { answered: [hvc, smc], denied: [denied_hvc, denied_smc], forwarded, exits, .. } = vcpu.account();
        let counters: &[AtomicU64] = match group {
            manage::COUNTER_ANSWERED_HVC => hvc,
            manage::COUNTER_ANSWERED_SMC => smc,
            manage::COUNTER_DENIED_HVC => denied_hvc,
            manage::COUNTER_DENIED_SMC => denied_smc,
            manage::COUNTER_FORWARDED => forwarded,
            manage::COUNTER_EXITS => exits,
            _ => return Err(Status::BadArgument),
        };
        let counter = item(counters, index).ok_or(Status::NoItem)?;
        sum = sum.wrapping_add(counter.load(Ordering::Relaxed));
    }
    Ok([sum, 0, 0])
}

/// A refused call of one vCPU.
#[derive(Clone, Copy)]
struct Refused {
    call: u64,
    vcpu: usize,
    time: u64,
}

/// How many calls of a VM were refused since it was created.
pub fn all_refused(vm: &Vm) -> u64 {
    let refused = |vcpu: &Vcpu| vcpu.account().refused.load(Ordering::Relaxed);
    vm.vcpus().iter().map(refused).fold(0, u64::wrapping_add)
}

/// `REFUSED`: the vCPUs' rings merged by time, from the newest back.
pub fn refused(vm: &Vm, index: u64) -> Answer {
    let index = usize::try_from(index).ok().filter(|&index| index < RING).ok_or(Status::NoItem)?;
    let total = all_refused(vm);
    // How many of each vCPU's refusals are newer than those still to be looked at.
    let mut taken = [0u64; portcullis_abi::map::MAX_VCPUS];
    let mut found = None;
    for _ in 0..=index {
        let newest =
            vm.vcpus().iter().zip(&taken).filter_map(|(vcpu, &taken)| entry(vcpu, taken)).max_by_key(|r| r.time);
        let newest = newest.ok_or(Status::NoItem)?;
        if let Some(taken) = taken.get_mut(newest.vcpu) {
            *taken = taken.saturating_add(1);
        }
        found = Some(newest);
    }
    let Refused { call, vcpu, time } = found.ok_or(Status::NoItem)?;
    Ok([call | (vcpu as u64 & 0xff) << 40, time, total])
}

/// The refusal of a vCPU that has `newer` newer ones, if it is remembered.
fn entry(vcpu: &Vcpu, newer: u64) -> Option<Refused> {
    let account = vcpu.account();
    let count = account.refused.load(Ordering::Acquire);
    if newer >= RING as u64 {
        return None;
    }
    let number = count.checked_sub(newer)?.checked_sub(1)?;
    let slot = account.ring.get(number as usize % RING)?;
    let (time, call) = (slot.time.load(Ordering::Relaxed), slot.call.load(Ordering::Relaxed));
    Some(Refused { call, vcpu: vcpu.index, time })
}
