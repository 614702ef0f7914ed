//! A VM's ends of wires: lines of a PL061, each of which leads to a line of another VM's, or comes from one.
//!
//! What drives a line is written where it ends, in the order in which its driver's registers change; then the core of who drives it
//! has the other end look, with no other lock held than that one's. So two ends that drive each other never wait for each other in
//! turn. Levels are what is kept, not their changes: an end that looks late sees where the wire has come to, and edges closer
//! together are one, as on a board.

use core::sync::atomic::{AtomicU8, Ordering};

use portcullis_abi::map;
use portcullis_abi::name::padded;
use portcullis_abi::state::{self, Unfit, WireNeeds};
use portcullis_devices::gpio::{Pl061, registers::MIS};
use portcullis_devices::{Description, Device, Line};
use spin::Once;
use spin::mutex::TicketMutex;

use super::emulated::Emulated;
use super::owner::{Owner, drive};

/// The other end of a line: a controller, and the bit of its line.
type End = (&'static Gpio, u8);

/// The GPIO controller of a VM that has wires.
pub struct Gpio {
    /// The number of its VM.
    vm: usize,
    /// What the guest's device tree calls the lines: their wires' names, empty ones without a wire.
    names: [&'static str; map::GPIO_LINES],
    /// Levels of the lines that others drive.
    inputs: AtomicU8,
    /// MIS, which whoever is interrupted reads: it takes no lock, and is written under the lock.
    masked: AtomicU8,
    /// Where the lines lead that it drives.
    ends: Once<[Option<End>; map::GPIO_LINES]>,
    /// Fair: several VMs may have something to tell it.
    state: TicketMutex<State>,
}

struct State {
    controller: Pl061,
    line: Line,
    /// By line the edges that it has made, or seen.
    edges: [u64; map::GPIO_LINES],
}

impl State {
    /// Takes note of lines that have changed, a bit each.
    #[inline]
    fn count(&mut self, changed: u8) {
        for line in lines(changed) {
            if let Some(edges) = self.edges.get_mut(line) {
                *edges = edges.wrapping_add(1);
            }
        }
    }
}

/// The numbers of the lines in a set, a bit each.
#[inline(always)]
fn lines(set: u8) -> impl Iterator<Item = usize> {
    let mut left = u32::from(set);
    core::iter::from_fn(move || {
        let line = (left != 0).then_some(left.trailing_zeros() as usize)?;
        left &= left.wrapping_sub(1);
        Some(line)
    })
}

impl Gpio {
    /// The controller of the VM with this number after its reset, whose lines `outputs`, a bit each, it drives.
    pub const fn new(vm: usize, outputs: u8, names: [&'static str; map::GPIO_LINES]) -> Self {
        let (controller, line) = (Pl061::new(outputs), Line::new(map::GPIO_INTID));
        let state = State { controller, line, edges: [0; map::GPIO_LINES] };
        let [inputs, masked] = [const { AtomicU8::new(0) }; 2];
        Self { vm, names, inputs, masked, ends: Once::new(), state: TicketMutex::new(state) }
    }

    /// What the guest's device tree calls its lines.
    pub const fn line_names(&self) -> &[&'static str; map::GPIO_LINES] {
        &self.names
    }

    /// The number of its VM.
    pub const fn vm(&self) -> usize {
        self.vm
    }

    /// Whether a line is high.
    pub fn is_high(&self, line: usize) -> bool {
        let state = self.state.lock();
        let levels = state.controller.outputs() | self.inputs.load(Ordering::Relaxed);
        1_u8.checked_shl(line as u32).is_some_and(|bit| levels & bit != 0)
    }

    /// Edges that a line has made, or seen, since the VM was created.
    pub fn edges(&self, line: usize) -> u64 {
        self.state.lock().edges.get(line).copied().unwrap_or(0)
    }

    /// Says where the lines lead that it drives. The first call counts.
    pub fn connect(&self, ends: [Option<End>; map::GPIO_LINES]) {
        self.ends.call_once(|| ends);
    }

    /// What a VM that has these wires needs.
    pub fn needs(&self) -> WireNeeds {
        let names = self.names.map(padded);
        let outputs = self.state.lock().controller.wired_out();
        WireNeeds { version: WireNeeds::VERSION, outputs: outputs.into(), names }
    }

    /// Its state, of a VM that stands still.
    pub fn save(&self) -> state::Pl061 {
        self.state.lock().controller.save()
    }

    /// Takes a state on, of a VM that does not run. Who is at the other ends sees it when that goes on.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(&self, saved: &state::Pl061) -> Result<(), Unfit> {
        let mut state = self.state.lock();
        state.controller.restore(saved)?;
        // Its level is in the virtual GIC that is restored, too.
        let level = self.show(&state.controller);
        let _ = state.line.set(level);
        Ok(())
    }

    /// The VM goes on, after it was restored perhaps: the ends of the lines that it drives are as these are, and it sees what
    /// drives the others by now.
    pub fn resume(&self, owner: &dyn Owner) {
        let state = self.state.lock();
        let (levels, all) = (state.controller.outputs(), u8::MAX);
        for ((end, bit), level) in self.ends_of(all, levels) {
            end.drive(*bit, level);
        }
        drop(state);
        self.ends_of(all, levels).for_each(|((end, _), _)| end.look_at_inputs(owner));
        self.look_at_inputs(owner);
    }

    /// Shows what MIS of the controller is now. Returns the level of its interrupt.
    #[inline(always)]
    fn show(&self, controller: &Pl061) -> bool {
        let masked = controller.masked();
        self.masked.store(masked, Ordering::Release);
        masked != 0
    }

    /// Sets the levels of lines that others drive, a bit each.
    fn drive(&self, lines: u8, level: bool) {
        if level {
            self.inputs.fetch_or(lines, Ordering::Relaxed);
        } else {
            self.inputs.fetch_and(!lines, Ordering::Relaxed);
        }
    }

    /// The ends of the lines in `set`, a bit each, and whether each of them is among `levels`.
    #[inline(always)]
    fn ends_of(&self, set: u8, levels: u8) -> impl Iterator<Item = (&End, bool)> {
        const NONE: &[Option<End>; map::GPIO_LINES] = &[None; map::GPIO_LINES];
        let ends = self.ends.get().unwrap_or(NONE);
        lines(set).filter_map(move |line| Some((ends.get(line)?.as_ref()?, levels >> line & 1 != 0)))
    }

    /// Does something with the controller, on behalf of its own VM, and tells the ends of the lines that it changes: mostly none.
    #[inline]
    fn change(&self, owner: &dyn Owner, change: impl FnOnce(&mut Pl061)) {
        let mut state = self.state.lock();
        let before = state.controller.outputs();
        change(&mut state.controller);
        let levels = state.controller.outputs();
        let changed = before ^ levels;
        if changed != 0 {
            state.count(changed);
            // Under the lock, so that what is written last is what the registers have come to.
            for ((end, bit), level) in self.ends_of(changed, levels) {
                end.drive(*bit, level);
            }
        }
        let State { controller, line, .. } = &mut *state;
        drive(owner, line, self.show(controller));
        drop(state);
        if changed != 0 {
            self.ends_of(changed, levels).for_each(|((end, _), _)| end.look_at_inputs(owner));
        }
    }

    /// Takes what drives its lines, on the core of one who does, whose VM is `driver`.
    fn look_at_inputs(&self, driver: &dyn Owner) {
        let mut state = self.state.lock();
        let changed = state.controller.set_inputs(self.inputs.load(Ordering::Relaxed));
        state.count(changed);
        let level = self.show(&state.controller);
        if let Some(level) = state.line.set(level) {
            driver.set_level_of(self.vm, state.line.intid(), level);
        }
    }
}

impl Emulated for &'static Gpio {
    fn describe(&self) -> Option<&'static Description> {
        Some(&Pl061::DESCRIPTION)
    }

    fn read(&self, _: &dyn Owner, offset: u64, _: u8) -> u64 {
        if offset == MIS {
            return self.masked.load(Ordering::Acquire).into();
        }
        self.state.lock().controller.read(offset).into()
    }

    fn write(&self, owner: &dyn Owner, offset: u64, _: u8, value: u64) {
        self.change(owner, |controller| controller.write(offset, value as u32));
    }

    fn renew(&self) {
        self.state.lock().edges = [0; map::GPIO_LINES];
    }

    /// The lines that it drives fall, as those of a board whose controller is reset.
    fn reset(&self, owner: &dyn Owner) {
        self.change(owner, Pl061::reset);
    }
}

#[cfg(test)]
mod tests {
    use portcullis_board::WallClock;
    use portcullis_devices::gpio::registers::*;

    use super::*;

    /// Notes the level of the interrupt line of each of two VMs.
    #[derive(Default)]
    struct Lines([AtomicU8; 2]);

    /// One of them.
    struct Of<'a>(&'a Lines, usize);

    impl Owner for Of<'_> {
        fn set_level(&self, intid: u32, level: bool) {
            self.set_level_of(self.1, intid, level);
        }

        fn set_level_of(&self, vm: usize, intid: u32, level: bool) {
            assert_eq!(intid, map::GPIO_INTID);
            self.0.0[vm].store(level.into(), Ordering::Relaxed);
        }

        fn wall_clock(&self) -> Option<&'static dyn WallClock> {
            None
        }
    }

    /// Two controllers: lines 0 to 3 of each drive lines 4 to 7 of the other one.
    fn crossed() -> [&'static Gpio; 2] {
        let pair: [&'static Gpio; 2] =
            [0, 1].map(|vm| &*Box::leak(Box::new(Gpio::new(vm, 0x0f, [""; map::GPIO_LINES]))));
        let ends = |other: &'static Gpio| core::array::from_fn(|line| (line < 4).then(|| (other, 0x10 << line)));
        pair[0].connect(ends(pair[1]));
        pair[1].connect(ends(pair[0]));
        pair
    }

    /// Makes its lines outputs, and both edges of the others interrupt.
    fn set_up(gpio: &'static Gpio, owner: &dyn Owner) {
        for (register, value) in [(DIR, 0x0f), (IBE, 0xff), (IE, 0xf0)] {
            gpio.write(owner, register, 4, value);
        }
    }

    /// Reads the levels of all lines.
    fn levels(gpio: &'static Gpio, owner: &dyn Owner) -> u64 {
        gpio.read(owner, DATA + 0x3fc, 4)
    }

    #[test]
    fn who_drives_each_other_waits_for_nobody_in_turn_and_levels_come_true() {
        let lines = Lines::default();
        let pair = crossed();
        for (vm, gpio) in pair.iter().enumerate() {
            let owner = Of(&lines, vm);
            set_up(gpio, &owner);
        }
        // Who spins for a fair lock may wait for a thread that the host has put aside.
        let rounds = if cfg!(miri) { 20 } else { 500 };
        std::thread::scope(|scope| {
            for (vm, gpio) in pair.into_iter().enumerate() {
                let lines = &lines;
                scope.spawn(move || {
                    for round in 0..rounds {
                        let owner = Of(lines, vm);
                        gpio.write(&owner, DATA + 0x3c, 4, round ^ vm as u64);
                        gpio.write(&owner, IC, 4, 0xff);
                        if round % 64 == 63 {
                            gpio.reset(&owner);
                            set_up(gpio, &owner);
                        }
                    }
                });
            }
        });
        for (vm, gpio) in pair.iter().enumerate() {
            let (owner, other) = (Of(&lines, vm), levels(pair[1 - vm], &Of(&lines, 1 - vm)));
            assert_eq!(levels(gpio, &owner) >> 4, other & 0xf, "VM {vm} sees what the other one drives");
            let level = lines.0[vm].load(Ordering::Relaxed);
            assert_eq!(u64::from(level), u64::from(gpio.read(&owner, MIS, 4) != 0), "VM {vm}");
            assert_eq!(gpio.read(&owner, MIS, 4), u64::from(gpio.state.lock().controller.read(MIS)), "VM {vm}");
        }
    }
}
