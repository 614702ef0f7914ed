//! SGIs between all vCPUs: to itself, to a list, to all others; from the first vCPU and from another one.

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, exception, gic};

use super::team::{self, SECOND, WAKE};
use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::report;

/// The SGI that is sent.
const IPI: u32 = 1;
/// Time in which an interrupt that nobody should get would have come, in microseconds.
const SETTLING: u64 = 2_000;

/// Who is sent to.
struct Way {
    name: &'static str,
    send: fn(),
    /// Whether vCPU `cpu` gets it from `sender`.
    reaches: fn(cpu: usize, sender: usize) -> bool,
}

const WAYS: [Way; 3] = [
    Way { name: "self", send: || gic::send(IPI, 1 << cpu::index()), reaches: |cpu, sender| cpu == sender },
    Way {
        name: "target-list",
        // Every second vCPU, of which the sender is none.
        send: || gic::send(IPI, if cpu::index().is_multiple_of(2) { 0b1010 } else { 0b0101 }),
        reaches: |cpu, sender| cpu % 2 != sender % 2,
    },
    Way { name: "broadcast", send: || gic::send_to_others(IPI), reaches: |cpu, sender| cpu != sender },
];

/// The cases.
pub fn run(profile: &Profile) {
    let cpus = profile.cpus.min(4);
    (0..16).for_each(gic::enable);
    let worked = team::with(cpus, || {
        for way in &WAYS {
            from(way, 0, cpus, profile);
            from(way, SECOND, cpus, profile);
        }
    });
    report::equal(format_args!("gic/ipi, all vCPUs took part"), true, worked);
    (0..16).for_each(gic::disable);
}

fn from(way: &Way, sender: usize, cpus: usize, profile: &Profile) {
    let name = way.name;
    interrupts::clear();
    let spurious = exception::spurious();
    let sent = match sender {
        0 => {
            (way.send)();
            true
        }
        _ => team::on_second(way.send),
    };
    let expected: [u32; 4] = core::array::from_fn(|cpu| u32::from(cpu < cpus && (way.reaches)(cpu, sender)));
    let got = || -> [u32; 4] { core::array::from_fn(|cpu| interrupts::count(cpu, IPI)) };
    cpu::with_interrupts(|| {
        counter::wait_until(PATIENCE, || got() == expected);
        counter::delay(SETTLING);
    });
    report::equal(
        format_args!("gic/ipi {name} from vCPU {sender}, interrupts received"),
        (true, expected),
        (sent, got()),
    );
    // The one that tells the second vCPU is not of the case.
    let arrived = || (0..interrupts::total()).filter(|&at| interrupts::arrived(at) != Some(WAKE));
    let strange = arrived().filter(|&at| interrupts::arrived(at) != Some(IPI)).count();
    report::equal(format_args!("gic/ipi {name} from vCPU {sender}, no unexpected interrupts"), 0, strange);
    let seen = exception::spurious() - spurious;
    report::equal(format_args!("gic/ipi {name} from vCPU {sender}, no spurious interrupts"), 0, seen);
    if profile.gicv2 {
        let others = arrived().filter(|&at| interrupts::sender(at) as usize != sender).count();
        report::equal(format_args!("gic/ipi {name} from vCPU {sender}, sender"), 0, others);
    }
}
