//! What a vCPU was shown of its CPU, against the core that it would have.

use portcullis_abi::firmware::VENDOR_HYP_2_IMPL;
use portcullis_abi::id_register;
use portcullis_abi::state::{Cpu, Implementations};

use super::fields::rule;
use super::lack::Lack;

/// Fields of a register that is no ID register: lowest bit, width, and whether what was saved lets the VM be here.
type Field = (u32, u32, fn(u64, u64) -> bool);

/// CTR_EL0. A guest goes over memory by the smallest line, and does not maintain what needs no maintenance; it aligns to the
/// largest unit. A cache whose index is physical serves whoever expects another.
const CACHE_TYPE: [Field; 7] = [
    (0, 4, at_least),  // IminLine
    (14, 2, policy),   // L1Ip
    (16, 4, at_least), // DminLine
    (20, 4, unit),     // ERG
    (24, 4, unit),     // CWG
    (28, 1, at_least), // IDC
    (29, 1, at_least), // DIC
];

/// DCZID_EL0: how much DC ZVA sets to zero, and whether it is prohibited.
const ZEROING: [Field; 2] = [(0, 4, same), (4, 1, at_most)];

fn at_least(saved: u64, here: u64) -> bool {
    here >= saved
}

/// A unit by its logarithm; zero says nothing of it, so that it may be the largest there is.
fn unit(saved: u64, here: u64) -> bool {
    saved == 0 || here != 0 && here <= saved
}

fn at_most(saved: u64, here: u64) -> bool {
    here <= saved
}

fn same(saved: u64, here: u64) -> bool {
    here == saved
}

/// L1Ip: 0b11 is physically indexed and tagged.
fn policy(saved: u64, here: u64) -> bool {
    here == saved || here == 0b11
}

/// Checks that vCPU `vcpu`, which was shown `saved`, can run on a core that shows it `here`. `told` are the CPU implementations
/// that the VM was told of, and `vendor_hyp_2` is that firmware register: a VM that was told of both goes by neither.
///
/// # Errors
///
/// The first [`Lack`]: implementation, then features by number, then caches.
pub fn check_cpu(
    vcpu: u32,
    saved: &Cpu,
    here: &Cpu,
    told: Option<&Implementations>,
    vendor_hyp_2: u64,
) -> Result<(), Lack> {
    if !is_told(here.implementation, told, vendor_hyp_2) {
        check_identity(vcpu, saved.implementation, here.implementation)?;
    }
    check_features(vcpu, saved, here)
}

/// Tells whether a VM that was told of the implementations `told` goes by these where it is on the CPU `here`. `vendor_hyp_2` is
/// that firmware register.
pub fn is_told(here: [u64; 3], told: Option<&Implementations>, vendor_hyp_2: u64) -> bool {
    let knows = |told: &Implementations| told.list.iter().take(told.count as usize).any(|one| *one == here);
    vendor_hyp_2 & VENDOR_HYP_2_IMPL == VENDOR_HYP_2_IMPL && told.is_some_and(knows)
}

/// Checks that vCPU `vcpu` is on the CPU, or reads of the CPU, that it was on, or read of: MIDR_EL1, REVIDR_EL1 and AIDR_EL1.
///
/// # Errors
///
/// The first [`Lack`].
pub fn check_identity(vcpu: u32, saved: [u64; 3], here: [u64; 3]) -> Result<(), Lack> {
    const NAMES: [&str; 3] = ["MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"];
    let mut all = NAMES.into_iter().zip(saved.into_iter().zip(here));
    match all.find(|(_, (saved, here))| saved != here) {
        Some((register, (saved, here))) => Err(Lack::Implementation { vcpu, register, saved, here }),
        None => Ok(()),
    }
}

/// Checks that vCPU `vcpu`, which is shown `saved`, finds that on a core that shows it `here`, whichever CPU that is.
///
/// # Errors
///
/// The first [`Lack`]: features by number, then caches.
pub fn check_features(vcpu: u32, saved: &Cpu, here: &Cpu) -> Result<(), Lack> {
    // What is the same is allowed by every rule.
    let features = saved.features.iter().zip(&here.features).enumerate();
    for (number, (saved, here)) in features.filter(|(_, (saved, here))| saved != here) {
        for (field, bit) in (0..64).step_by(4).enumerate() {
            let (saved, here) = (saved >> bit & 0xf, here >> bit & 0xf);
            if !rule(number, field).allows(saved, here) {
                return Err(Lack::Feature { vcpu, register: id_register::name(number), bit, saved, here });
            }
        }
    }
    check_fields(vcpu, "CTR_EL0", &CACHE_TYPE, saved.cache_type, here.cache_type)?;
    check_fields(vcpu, "DCZID_EL0", &ZEROING, saved.zeroing, here.zeroing)
}

fn check_fields(vcpu: u32, register: &'static str, fields: &[Field], saved: u64, here: u64) -> Result<(), Lack> {
    for &(bit, width, allows) in fields {
        let field = |value: u64| value >> bit & !(u64::MAX << width);
        let (saved, here) = (field(saved), field(here));
        if !allows(saved, here) {
            return Err(Lack::Feature { vcpu, register, bit, saved, here });
        }
    }
    Ok(())
}
