//! A VM that its guest suspends, as managers see it: every order of requests, interrupts and what the guest does, against a model.

use portcullis_abi::manage::*;
use portcullis_abi::map::RAM;

use super::Bench;
use super::bench::A;
use crate::vm::power::PowerState;
use crate::vm::state::Action;
use crate::vm::step::Step;

/// What a VM of one vCPU does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    Created,
    Running,
    Suspended,
    Paused,
    /// Paused while it was suspended.
    PausedAsleep,
    Stopped,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Request(u32),
    /// Its guest suspends it.
    Suspend,
    /// An interrupt comes that would wake it.
    Interrupt,
    /// Its guest goes off.
    Off,
}

const EVENTS: [Event; 9] = [
    Event::Request(START),
    Event::Request(PAUSE),
    Event::Request(RESUME),
    Event::Request(STOP),
    Event::Request(RESTART),
    Event::Request(RECREATE),
    Event::Suspend,
    Event::Interrupt,
    Event::Off,
];

impl Model {
    const ALL: [Self; 6] =
        [Self::Created, Self::Running, Self::Suspended, Self::Paused, Self::PausedAsleep, Self::Stopped];

    fn phase(self) -> u64 {
        match self {
            Self::Created => PHASE_CREATED,
            Self::Running => PHASE_RUNNING,
            Self::Suspended => PHASE_SUSPENDED,
            Self::Paused | Self::PausedAsleep => PHASE_PAUSED,
            Self::Stopped => PHASE_STOPPED,
        }
    }

    /// What becomes of it; none if a request is refused, or the event cannot be.
    fn after(self, event: Event) -> Option<Self> {
        use Model::{Created, Paused, PausedAsleep, Running, Stopped, Suspended};
        Some(match (self, event) {
            (Created, Event::Request(START)) => Running,
            (Running, Event::Request(PAUSE)) => Paused,
            (Suspended, Event::Request(PAUSE)) => PausedAsleep,
            (Paused | Suspended, Event::Request(RESUME)) => Running,
            (PausedAsleep, Event::Request(RESUME)) => Suspended,
            (Running | Paused | Suspended | PausedAsleep, Event::Request(STOP)) => Stopped,
            (Running | Paused | Suspended | PausedAsleep | Stopped, Event::Request(RESTART)) => Running,
            (Created | Stopped, Event::Request(RECREATE)) => Created,
            (Running, Event::Suspend) => Suspended,
            (Suspended, Event::Interrupt) => Running,
            (Running, Event::Off) => Stopped,
            _ => return None,
        })
    }
}

/// Has `event` happen to VM A, and its core do what follows. False: it was refused, or nothing came of it.
fn happens(bench: &Bench, event: Event) -> bool {
    let vcpu = bench.vcpu(A, 0);
    let happened = match event {
        Event::Request(function) => match bench.call(function, [A, 0, 0]).0 {
            SUCCESS => true,
            BAD_STATE => false,
            other => panic!("{event:?}: {other}"),
        },
        Event::Suspend => {
            vcpu.step() == Step::Run && {
                vcpu.suspend_at(RAM + 0x100, 7);
                true
            }
        }
        // Its core looks whether something wakes it as long as it sleeps, and only then.
        Event::Interrupt => vcpu.step() == Step::Sleep && vcpu.wake(2),
        Event::Off => {
            vcpu.step() == Step::Run && {
                vcpu.vm.stop(Action::Off);
                true
            }
        }
    };
    bench.settle(A);
    happened
}

/// The shortest way there from a VM that was just created.
fn way_to(model: Model) -> &'static [Event] {
    match model {
        Model::Created => &[],
        Model::Running => &[Event::Request(START)],
        Model::Suspended => &[Event::Request(START), Event::Suspend],
        Model::Paused => &[Event::Request(START), Event::Request(PAUSE)],
        Model::PausedAsleep => &[Event::Request(START), Event::Suspend, Event::Request(PAUSE)],
        Model::Stopped => &[Event::Request(START), Event::Off],
    }
}

#[test]
fn every_transition_is_the_models() {
    for model in Model::ALL {
        for event in EVENTS {
            let bench = Bench::new();
            for step in way_to(model) {
                assert!(happens(&bench, *step), "{step:?} on the way to {model:?}");
            }
            assert_eq!(bench.state(A), (model.phase(), PROGRESS_NONE), "{model:?}");
            let after = model.after(event);
            assert_eq!(happens(&bench, event), after.is_some(), "{event:?} in {model:?}");
            let after = after.unwrap_or(model);
            assert_eq!(bench.state(A), (after.phase(), PROGRESS_NONE), "{event:?} in {model:?}");
        }
    }
}

#[test]
fn long_lives_are_the_models() {
    let bench = Bench::new();
    let (mut model, mut random, mut reached) = (Model::Created, 0x9e37_79b9_7f4a_7c15_u64, [0; Model::ALL.len()]);
    for _ in 0..if cfg!(miri) { 200 } else { 5000 } {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let event = EVENTS[(random % EVENTS.len() as u64) as usize];
        let after = model.after(event);
        assert_eq!(happens(&bench, event), after.is_some(), "{event:?} in {model:?}");
        model = after.unwrap_or(model);
        reached[Model::ALL.iter().position(|one| *one == model).unwrap()] += 1;
        assert_eq!(bench.state(A), (model.phase(), PROGRESS_NONE), "{event:?}");
        let power = bench.vcpu(A, 0).power();
        assert_eq!(power == PowerState::Suspended, matches!(model, Model::Suspended | Model::PausedAsleep));
        assert_eq!(power == PowerState::Off, matches!(model, Model::Created | Model::Stopped));
    }
    assert!(reached.iter().all(|times| *times > 0), "{reached:?}");
}

#[test]
fn of_a_manager_and_an_interrupt_at_once_one_wakes_it() {
    let bench = Bench::new();
    bench.run(A);
    assert!(happens(&bench, Event::Suspend));
    let vcpu = bench.vcpu(A, 0);
    assert!(vcpu.wake(2));
    // The core has yet to take it back to its guest.
    bench.fails(RESUME, [A, 0, 0], BAD_STATE);
    assert_eq!((vcpu.power(), bench.state(A).0), (PowerState::WakePending, PHASE_RUNNING));
    // A pause comes before that, and a stop while it is paused.
    bench.ok(PAUSE, [A, 0, 0]);
    bench.settle(A);
    assert_eq!((vcpu.power(), bench.state(A).0), (PowerState::WakePending, PHASE_PAUSED));
    bench.ok(RESUME, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(vcpu.power(), PowerState::On);
}
