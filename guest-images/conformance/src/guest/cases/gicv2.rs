//! What only a GICv2 has (Arm IHI 0048): its distributor's registers (section 4.3), the CPU interface in memory (section 4.4),
//! and SGIs that are pending for each sender by itself.

use conformance::profile::Profile;
use guest_runtime::gic::v2::{self, register::*};
use guest_runtime::gic::{self, register::*};
use guest_runtime::{counter, cpu, mmio};
use portcullis_abi::map::{GICC, GICD, UART_INTID};

use crate::guest::cases::distributor::{self, SPARE};
use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::listener::{ANSWER, QUESTION, with_listener};
use crate::guest::report;

/// Architecture revision in PIDR2, and in GICC_IIDR.
const REVISION: u32 = 2;
/// GICC_IAR and GICC_HPPIR when nothing is pending.
const SPURIOUS: u32 = 1023;
/// GICC_RPR when nothing is active.
const IDLE: u32 = 0xff;
/// GICC_CTLR: the end of an interrupt does not deactivate it.
const EOI_MODE: u32 = 1 << 9;

/// The registers, as vCPU 0 sees them. Interrupts are masked.
pub fn distributor(profile: &Profile) {
    let typer = mmio::read32(GICD + GICD_TYPER);
    let lines = 32 * ((typer & 0x1f) + 1);
    report::holds(format_args!("gic/lines"), (64..=1020).contains(&lines), "lines from 64 to 1020", &lines);
    equal("CPU interfaces", profile.cpus as u32 - 1, typer >> 5 & 7);
    equal("no Security Extensions", 0, typer >> 10 & 1);
    equal("control", 1, mmio::read32(GICD + CTLR));
    equal("revision of the distributor", REVISION, mmio::read32(GICD + GICD_PIDR2) >> 4 & 0xf);
    distributor::common(&[27, UART_INTID, SPARE]);
    private_registers();
    targets(profile);
    pending_by_sender();
    cpu_interface();
    deactivation();
}

fn equal(name: &str, expected: u32, got: u32) {
    report::equal(format_args!("gic/{name}"), expected, got);
}

/// SGIs are enabled and edge-triggered for ever, and the registers of other interrupts do not make them pending.
fn private_registers() {
    mmio::write32(GICD + ICENABLER, 0xffff);
    equal("SGIs enabled", 0xffff, mmio::read32(GICD + ISENABLER) & 0xffff);
    mmio::write32(GICD + ICFGR, 0);
    equal("SGIs edge-triggered", 0xaaaa_aaaa, mmio::read32(GICD + ICFGR));
    mmio::write32(GICD + ISPENDR, 0xffff);
    equal("SGIs not set pending", 0, mmio::read32(GICD + ISPENDR) & 0xffff);
    mmio::write32(gic::word(IGROUPR, SPARE), 1 << (SPARE % 32));
    let group_1 = gic::is_set(IGROUPR, SPARE);
    mmio::write32(gic::word(IGROUPR, SPARE), 0);
    report::equal(format_args!("gic/group"), (true, false), (group_1, gic::is_set(IGROUPR, SPARE)));
}

fn targets(profile: &Profile) {
    if profile.cpus == 1 {
        v2::set_targets(SPARE, 0xff);
        report::equal(format_args!("gic/targets with one vCPU"), (0, 0), (v2::targets(0), v2::targets(SPARE)));
        return;
    }
    mmio::write32(GICD + ITARGETSR, 0xffff_ffff);
    report::equal(format_args!("gic/own targets"), (1, 1), (v2::targets(0), v2::targets(31)));
    for mask in [0, 0b10, 0b11, 0b01] {
        v2::set_targets(SPARE, mask);
        report::equal(format_args!("gic/targets {mask:#b}"), (mask, 0), (v2::targets(SPARE), v2::targets(SPARE + 1)));
    }
}

/// GICD_SPENDSGIRn and GICD_CPENDSGIRn. vCPU 0 exists, and vCPU 1 perhaps.
fn pending_by_sender() {
    mmio::write8(GICD + SPENDSGIR + 9, 0b1);
    let set = (mmio::read8(GICD + SPENDSGIR + 9), mmio::read32(GICD + CPENDSGIR + 8), gic::is_set(ISPENDR, 9));
    mmio::write8(GICD + CPENDSGIR + 9, 0b1);
    let cleared = (mmio::read8(GICD + SPENDSGIR + 9), mmio::read32(GICD + CPENDSGIR + 8), gic::is_set(ISPENDR, 9));
    report::equal(format_args!("gic/pending by sender"), ((1, 0x100, true), (0, 0, false)), (set, cleared));
    equal("nothing acknowledged", SPURIOUS, v2::acknowledge());
}

/// The CPU interface is there in all of its 8 KiB.
fn cpu_interface() {
    equal("revision of the CPU interface", REVISION, mmio::read32(GICC + GICC_IIDR) >> 16 & 0xf);
    equal("running priority, idle", IDLE, mmio::read32(GICC + GICC_RPR));
    equal("highest pending, none", SPURIOUS, mmio::read32(GICC + GICC_HPPIR));
    mmio::write32(GICC + GICC_PMR, 0x50);
    equal("priority mask", 0x50, mmio::read32(GICC + GICC_PMR));
    // Less urgent than that, an interrupt waits.
    gic::set_priority(5, 0xa0);
    gic::send(5, 1);
    equal("masked by priority", SPURIOUS, v2::acknowledge());
    mmio::write32(GICC + GICC_PMR, 0xff);
    equal("highest pending", 5, mmio::read32(GICC + GICC_HPPIR));
    let taken = v2::acknowledge();
    let active = (taken, gic::is_set(ISACTIVER, 5), gic::is_set(ISPENDR, 5), mmio::read32(GICC + GICC_RPR));
    report::equal(format_args!("gic/acknowledged"), (5, true, false, 0xa0), active);
    v2::end(taken);
    let ended = (gic::is_set(ISACTIVER, 5), mmio::read32(GICC + GICC_RPR));
    report::equal(format_args!("gic/ended"), (false, IDLE), ended);
}

/// GICC_CTLR.EOImode, GICC_DIR, and the distributor's own registers for the active state.
fn deactivation() {
    let control = mmio::read32(GICC + GICC_CTLR);
    mmio::write32(GICC + GICC_CTLR, control | EOI_MODE);
    gic::send(6, 1);
    let taken = v2::acknowledge();
    v2::end(taken);
    let dropped = (taken, mmio::read32(GICC + GICC_RPR), gic::is_set(ISACTIVER, 6));
    mmio::write32(GICC + GICC_DIR, taken);
    let got = (dropped, gic::is_set(ISACTIVER, 6));
    report::equal(format_args!("gic/end and deactivation apart"), ((6, IDLE, true), false), got);
    gic::send(6, 1);
    let taken = v2::acknowledge();
    v2::end(taken);
    mmio::write32(gic::word(ICACTIVER, 6), 1 << 6);
    report::equal(format_args!("gic/deactivated by the distributor"), (6, false), (taken, gic::is_set(ISACTIVER, 6)));
    mmio::write32(GICC + GICC_CTLR, control);
    // Active by register, it is not delivered.
    mmio::write32(gic::word(ISACTIVER, 7), 1 << 7);
    gic::send(7, 1);
    let held = (v2::acknowledge(), gic::is_set(ISACTIVER, 7), gic::is_set(ISPENDR, 7));
    mmio::write32(gic::word(ICACTIVER, 7), 1 << 7);
    let taken = v2::acknowledge();
    v2::end(taken);
    report::equal(format_args!("gic/activated by the distributor"), ((SPURIOUS, true, true), 7), (held, taken));
}

/// SGIs with their senders. Interrupts are masked but where a case lets them through.
pub fn sgis(profile: &Profile) {
    interrupts::clear();
    // Only itself, whatever the list says; the reserved filter; nobody.
    v2::write_sgir(2 << 24 | 0xff << 16 | 11);
    v2::write_sgir(3 << 24 | 0xff << 16 | 12);
    v2::write_sgir(13);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
    let got = (interrupts::total(), interrupts::arrived(0), interrupts::sender(0));
    report::equal(format_args!("sgi/to itself only"), (1, Some(11), 0), got);
    if profile.cpus == 1 {
        return;
    }
    let worked = with_listener(|| {
        interrupts::clear();
        gic::send(QUESTION, 1 << 1);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, ANSWER) == 1));
        let order = (interrupts::arrived(0), interrupts::sender(0), interrupts::arrived(1), interrupts::sender(1));
        report::equal(format_args!("sgi/senders"), (Some(QUESTION), 0, Some(ANSWER), 1), order);

        // Its own and the other's, at once.
        let senders = || mmio::read8(GICD + SPENDSGIR + u64::from(ANSWER));
        let ask = || {
            gic::send(QUESTION, 1 << 1);
            counter::wait_until(PATIENCE, || senders() & 0b10 != 0);
            gic::send(ANSWER, 1 << 0);
        };
        ask();
        let pending = senders();
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, ANSWER) == 3));
        // In either order.
        let came = (interrupts::count(0, ANSWER), 1 << interrupts::sender(3) | 1 << interrupts::sender(4));
        report::equal(format_args!("sgi/from two at once"), (0b11, (3, 0b11), 0), (pending, came, senders()));
        ask();
        mmio::write8(GICD + CPENDSGIR + u64::from(ANSWER), 0b01);
        let pending = senders();
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, ANSWER) == 4));
        let came = (interrupts::count(0, ANSWER), interrupts::sender(6));
        report::equal(format_args!("sgi/one of two taken back"), (0b10, (4, 1)), (pending, came));
    });
    report::equal(format_args!("sgi/listener for senders"), true, worked);
}
