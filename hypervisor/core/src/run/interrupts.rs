//! Physical interrupts that EL2 takes: what they are for, and what each of them does.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, cpu, timer};
use portcullis_board::signal::{EL2_TIMER_INTID, HALT, KICK, TRACE, WORK};

use super::keyboard::{self, KEYBOARD};
use crate::cpu::deadlines::Timer;
use crate::cpu::gic::{CpuInterface, SPECIAL};
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::vm::Vcpu;
use crate::with_interface;

/// SGIs are the INTIDs below this.
const SGIS: u32 = 16;

/// Takes one physical interrupt, if one is pending, while `vcpu` waits in EL2 on its core. The caller flushes. False: there was
/// none.
pub fn take(vcpu: &'static Vcpu) -> bool {
    with_interface!(G => take_one::<G>(vcpu))
}

fn take_one<G: CpuInterface>(vcpu: &'static Vcpu) -> bool {
    let acknowledged = G::acknowledge();
    match G::intid(acknowledged) {
        intid @ (map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID) => {
            G::drop_priority(acknowledged);
            vcpu.vm.vgic.raise_hardware(vcpu.index, intid);
        }
        KICK => {
            G::drop_priority(acknowledged);
            G::finish(acknowledged);
        }
        SPECIAL.. => return false,
        intid if intid == Machine::get().board.interrupts.maintenance_interrupt() => {
            G::drop_priority(acknowledged);
            settle(vcpu);
            G::finish(acknowledged);
        }
        _ => other::<G>(vcpu, acknowledged),
    }
    G::see_what_was_sent();
    true
}

/// A list register of `vcpu` asks to be looked at, and no guest runs that would be on its way back: it would ask for ever.
#[cold]
fn settle(vcpu: &'static Vcpu) {
    vcpu.flush_interrupts_and_see();
    if vcpu.has_interrupt() {
        // Whoever asks what the vCPU waits for has to see it, too.
        vcpu.vm.vgic.attend(vcpu.index);
    }
}

/// Serves an interrupt of the hypervisor's own, or of a device that a VM drives. `vcpu` is on this core, which has acknowledged it.
pub fn other<G: CpuInterface>(vcpu: &'static Vcpu, acknowledged: u32) {
    vcpu.account().exit(Exit::Interrupt);
    G::drop_priority(acknowledged);
    let intid = G::intid(acknowledged);
    if intid == Machine::get().board.interrupts.maintenance_interrupt() {
        vcpu.vm.vgic.attend(vcpu.index);
    } else if Core::current().is_some_and(|core| !serve(core, Some(vcpu), intid)) {
        // It stays active until the guest whose device it is has ended it.
        return;
    }
    G::finish(acknowledged);
}

/// Takes the physical interrupts that are pending on `core`, this one, while it runs no guest. It has the registers of `loaded`.
pub fn take_all(core: &Core, loaded: Option<&'static Vcpu>) {
    with_interface!(G => take_all_of::<G>(core, loaded));
}

fn take_all_of<G: CpuInterface>(core: &Core, loaded: Option<&'static Vcpu>) {
    loop {
        let acknowledged = G::acknowledge();
        let intid = G::intid(acknowledged);
        if intid >= SPECIAL {
            return;
        }
        G::drop_priority(acknowledged);
        if serve(core, loaded, intid) {
            G::finish(acknowledged);
        }
        G::see_what_was_sent();
    }
}

/// Serves a physical interrupt that is not a private one of a guest's, on `core`, which has the registers of `loaded`. Returns
/// whether the caller deactivates it; else a guest will.
fn serve(core: &Core, loaded: Option<&'static Vcpu>, intid: u32) -> bool {
    if intid == EL2_TIMER_INTID {
        tick(core, loaded);
        return true;
    }
    let machine = Machine::get();
    if machine.board.serial.is_some_and(|serial| serial.interrupt() == Some(intid)) {
        KEYBOARD.serve(loaded);
        return true;
    }
    if let Some(vm) = machine.owners.of_interrupt(intid).and_then(|index| machine.vms.get(index)) {
        vm.device_interrupt(core.index, loaded, intid);
        return false;
    }
    match intid {
        WORK => work(core, loaded),
        KICK => {}
        _ => rare(machine, core, intid),
    }
    true
}

/// An interrupt that seldom comes, or never should: this core is stopped, or it is nobody's.
#[cold]
#[inline(never)]
fn rare(machine: &Machine, core: &Core, intid: u32) {
    // Whoever stops this core says so in memory before it sends the SGI.
    with_interface!(G => G::see_what_was_sent());
    match intid {
        // The SGI alone may be what a boot loader, or a core of another world, has sent.
        HALT if machine.is_halting() => cpu::halt(),
        TRACE => (machine.handlers.follow)(core),
        // A linked one of a guest whose vCPU has gone meanwhile, or the virtual interface's: each is looked at in its own place.
        map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID => {}
        intid if intid == machine.board.interrupts.maintenance_interrupt() => {}
        _ => disown(machine, core, intid),
    }
}

/// Nobody has asked for this interrupt: it is disabled, so that it does not come again, and named. One that cannot be disabled, an
/// SGI, has a line a second at the most.
fn disown(machine: &Machine, core: &Core, intid: u32) {
    match intid {
        ..SGIS => {}
        SGIS..32 => machine.board.interrupts.enable_private(core.index, intid, false),
        _ => machine.board.interrupts.set_shared(intid, false),
    }
    if let Some(unsaid) = machine.strays.is_due(timer::count_relaxed(), timer::frequency()) {
        let done = if intid < SGIS { "passed over" } else { "disabled" };
        log::warn!("core {} got interrupt {intid}, which is nobody's: it is {done}{unsaid}", core.index);
    }
}

/// Another core, or this one, has work at links for `core`, this one, which has the registers of `loaded`.
#[cold]
fn work(core: &Core, loaded: Option<&'static Vcpu>) {
    with_interface!(G => G::see_what_was_sent());
    Machine::get().forget_ended(core.index);
    if let Some(vcpu) = loaded {
        vcpu.work_at_links();
    }
}

/// Does what is due on the EL2 timer of `core`, this one, which has the registers of `loaded`, and sets it for what comes next.
pub fn tick(core: &Core, loaded: Option<&'static Vcpu>) {
    let (machine, now) = (Machine::get(), timer::count());
    if core.take_due(Timer::WallClock, now)
        && let Some(next) = machine.board.wall_clock.and_then(|clock| clock.tick(now))
    {
        core.arm_once(Timer::WallClock, || next);
    }
    if core.take_due(Timer::StandingLine, now) {
        let input = if reads_line(machine, core) { KEYBOARD.look(loaded) } else { None };
        let standing = keyboard::show_standing();
        if let Some(next) = input.into_iter().chain(standing).min() {
            core.arm_once(Timer::StandingLine, || now.saturating_add(next));
        }
    }
    if core.take_due(Timer::Device, now)
        && let Some(next) = machine.look_at_devices(core.index, loaded)
    {
        core.arm_by(Timer::Device, next);
    }
    if core.take_due(Timer::Watchdog, now)
        && let Some(next) = machine.look_at_watchdogs(core.index, loaded)
    {
        core.arm_by(Timer::Watchdog, next);
    }
    if core.take_due(Timer::Watch, now) {
        machine.name_deaf_cores(now);
    }
    let _ = core.take_due(Timer::Schedule, now);
    core.set_timer();
}

/// Whether `core` takes the serial line's interrupt: the one that booted the machine does.
fn reads_line(machine: &Machine, core: &Core) -> bool {
    machine.cores.first().is_some_and(|first| core::ptr::eq(*first, core))
}

/// Lets the board's clock look at its hardware from time to time. To be called once, on `core`, the one that booted the machine.
pub fn start_clock(core: &Core) {
    let now = timer::count();
    if let Some(next) = Machine::get().board.wall_clock.and_then(|clock| clock.tick(now)) {
        core.arm_once(Timer::WallClock, || next);
    }
}
