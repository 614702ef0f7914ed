//! The power state of a vCPU, and where it begins, or goes on after it was suspended.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use portcullis_abi::state::{self, Unfit};

/// Power state of a vCPU (DEN0022, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PowerState {
    /// Off.
    Off = 0,
    /// Off; its core is about to load the VM's images and then to start it.
    LoadPending = 1,
    /// Off; its core is about to start it.
    OnPending = 2,
    /// On.
    On = 3,
    /// Its guest has suspended the VM (SYSTEM_SUSPEND): its core waits for what wakes it.
    Suspended = 5,
    /// Woken; its core is about to enter it.
    WakePending = 6,
}

/// Off, while somebody writes down where it is to start. Stands in the place of a [`PowerState`].
const CLAIMED: u8 = 4;

/// What [`state::Power::state`] says, by number.
const SAVED: [PowerState; 5] =
    [PowerState::Off, PowerState::On, PowerState::OnPending, PowerState::Suspended, PowerState::WakePending];

/// The power state of one vCPU.
///
/// Off, it is changed by who [claims](Self::claim) it; on, and when it has gone off, by its own core; suspended, by whoever wakes
/// it first, or by its own core when its VM ends.
#[derive(Debug)]
pub struct Power {
    state: AtomicU8,
    entry: AtomicU64,
    argument: AtomicU64,
}

impl Power {
    /// Makes that of a vCPU that is off.
    pub const fn new() -> Self {
        Self { state: AtomicU8::new(PowerState::Off as u8), entry: AtomicU64::new(0), argument: AtomicU64::new(0) }
    }

    /// Returns the state.
    pub fn state(&self) -> PowerState {
        match self.state.load(Ordering::Acquire) {
            0 | CLAIMED => PowerState::Off,
            1 => PowerState::LoadPending,
            2 => PowerState::OnPending,
            5 => PowerState::Suspended,
            6 => PowerState::WakePending,
            _ => PowerState::On,
        }
    }

    /// Tells whether it is on. To be asked on its own core, or by who does not mind that this changes.
    #[inline(always)]
    pub fn is_on(&self) -> bool {
        self.state.load(Ordering::Relaxed) == PowerState::On as u8
    }

    /// Tells whether it is on to its guest: from the moment on at which somebody has switched it on, before its core has begun it.
    pub fn is_switched_on(&self) -> bool {
        self.state.load(Ordering::Acquire) != PowerState::Off as u8
    }

    /// Keeps all others from switching it on; false when it is not off. To its core it still is off: a core that is shared
    /// looks at any time, and would run what it takes to be on.
    pub fn claim(&self) -> bool {
        self.state.compare_exchange(PowerState::Off as u8, CLAIMED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes it to `next`, to begin at `entry` with `argument` in x0. To be called by who has [claimed](Self::claim) it.
    pub fn begin(&self, next: PowerState, entry: u64, argument: u64) {
        self.entry.store(entry, Ordering::Relaxed);
        self.argument.store(argument, Ordering::Relaxed);
        self.state.store(next as u8, Ordering::Release);
    }

    /// Returns where it begins, and what is in x0 there.
    pub fn start(&self) -> (u64, u64) {
        (self.entry.load(Ordering::Relaxed), self.argument.load(Ordering::Relaxed))
    }

    /// Marks it as on: its own core enters it.
    pub fn enter(&self) {
        self.state.store(PowerState::On as u8, Ordering::Release);
    }

    /// Suspends it, which is on, on its own core: once woken it goes on at `entry` with `argument` in x0.
    pub fn suspend(&self, entry: u64, argument: u64) {
        self.begin(PowerState::Suspended, entry, argument);
    }

    /// Wakes it if it is suspended; false if it is not, or somebody else was first.
    pub fn wake(&self) -> bool {
        let (from, to) = (PowerState::Suspended as u8, PowerState::WakePending as u8);
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Marks it as off. Its core must have left it.
    pub fn go_off(&self) {
        self.state.store(PowerState::Off as u8, Ordering::Release);
    }

    /// Returns the state of a vCPU whose VM stands still; none if it is about to be loaded, as no VM is that stands still.
    pub fn save(&self) -> Option<state::Power> {
        let state = self.state();
        let number = SAVED.iter().position(|saved| *saved == state)?;
        let (entry, context) = if has_entry(state) { self.start() } else { (0, 0) };
        Some(state::Power { version: state::Power::VERSION, state: number as u32, entry, context })
    }

    /// Gives a vCPU that is off, of a VM that stands still, the state that was saved; `begins_at` tells whether it can begin at an
    /// address, as for CPU_ON.
    ///
    /// # Errors
    ///
    /// [`Unfit`]. Nothing has changed then.
    pub fn restore(&self, saved: &state::Power, begins_at: impl FnOnce(u64) -> bool) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Power::VERSION)?;
        let state = SAVED.get(saved.state as usize).copied().ok_or(Unfit::Value("the power state"))?;
        let empty = saved.entry == 0 && saved.context == 0;
        match has_entry(state) {
            true if !begins_at(saved.entry) => return Err(Unfit::Absent("an address to begin at")),
            false if !empty => return Err(Unfit::Value("the address to begin at")),
            _ => {}
        }
        self.begin(state, saved.entry, saved.context);
        Ok(())
    }
}

impl Default for Power {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether it means something in this state where the vCPU begins.
const fn has_entry(state: PowerState) -> bool {
    matches!(state, PowerState::OnPending | PowerState::Suspended | PowerState::WakePending)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAM: u64 = 0x4000_0000;

    fn in_ram(entry: u64) -> bool {
        entry >= RAM && entry.is_multiple_of(4)
    }

    /// A vCPU in each state that one of a VM that stands still can have.
    fn in_state(state: PowerState) -> Power {
        let power = Power::new();
        if state != PowerState::Off {
            assert!(power.claim());
            power.begin(PowerState::OnPending, RAM + 8, 77);
        }
        if !matches!(state, PowerState::Off | PowerState::OnPending) {
            power.enter();
        }
        if matches!(state, PowerState::Suspended | PowerState::WakePending) {
            power.suspend(RAM + 16, 78);
        }
        if state == PowerState::WakePending {
            assert!(power.wake());
        }
        assert_eq!(power.state(), state);
        power
    }

    #[test]
    fn one_of_several_switches_it_on() {
        let power = Power::new();
        assert!(!power.is_switched_on() && power.claim() && !power.claim());
        assert_eq!(power.state(), PowerState::Off, "a core that several vCPUs share would run it");
        assert!(power.is_switched_on(), "to the guest it is on");
        power.begin(PowerState::OnPending, 4, 5);
        assert!(!power.claim());
        assert_eq!((power.state(), power.start()), (PowerState::OnPending, (4, 5)));
        power.enter();
        assert!(power.is_on());
        power.go_off();
        assert!(!power.is_switched_on());
    }

    #[test]
    fn one_of_several_wakes_it_and_only_if_it_sleeps() {
        for state in SAVED {
            let power = in_state(state);
            assert_eq!(power.wake(), state == PowerState::Suspended, "{state:?}");
            assert!(!power.wake(), "{state:?}");
        }
        let power = in_state(PowerState::WakePending);
        assert_eq!(power.start(), (RAM + 16, 78), "it goes on where its guest said");
        assert!(!power.is_on() && power.is_switched_on() && !power.claim());
    }

    #[test]
    fn what_was_saved_is_what_is_restored() {
        for state in SAVED {
            let power = in_state(state);
            let saved = power.save().unwrap();
            let other = Power::new();
            assert_eq!(other.restore(&saved, in_ram), Ok(()));
            assert_eq!((other.state(), other.save()), (state, Some(saved)));
            if has_entry(state) {
                assert_eq!(other.start(), power.start(), "{state:?}");
            }
        }
        let power = Power::new();
        assert!(power.claim());
        power.begin(PowerState::LoadPending, 0, 0);
        assert_eq!(power.save(), None);
    }

    #[test]
    fn what_no_vcpu_has_is_refused() {
        let good = in_state(PowerState::Suspended).save().unwrap();
        type Damage = (fn(&mut state::Power), Unfit);
        let damages: &[Damage] = &[
            (|saved| saved.version = 9, Unfit::Version { saved: 9, known: 1 }),
            (|saved| saved.state = 5, Unfit::Value("the power state")),
            (|saved| saved.state = u32::MAX, Unfit::Value("the power state")),
            (|saved| saved.entry = 0, Unfit::Absent("an address to begin at")),
            (|saved| saved.entry += 1, Unfit::Absent("an address to begin at")),
            (|saved| (saved.state, saved.context) = (0, 0), Unfit::Value("the address to begin at")),
            (|saved| (saved.state, saved.entry) = (1, 0), Unfit::Value("the address to begin at")),
        ];
        for (number, (damage, expected)) in damages.iter().enumerate() {
            let (mut bad, power) = (good, Power::new());
            damage(&mut bad);
            assert_eq!(power.restore(&bad, in_ram), Err(*expected), "damage {number}");
            assert_eq!((power.state(), power.start()), (PowerState::Off, (0, 0)), "damage {number}");
        }
    }
}
