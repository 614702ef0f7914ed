//! Both sides and the pipes between them, with every cut and every two of them.

use std::cell::Cell;
use std::collections::VecDeque;

use super::*;

const GIVING: [Giving; 8] = [
    Giving::Greet,
    Giving::Pause,
    Giving::Send,
    Giving::HearReady,
    Giving::GiveAway,
    Giving::SayGo,
    Giving::HearDone,
    Giving::Forget,
];
const TAKING: [Taking; 6] =
    [Taking::Greet, Taking::Receive, Taking::SayReady, Taking::HearGo, Taking::Resume, Taking::SayDone];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Stream,
    Ready,
    Go,
    Done,
}

/// What happens to a message that is sent, or to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Nothing goes wrong.
    None,
    /// The giver ends before this step, without a word.
    GiverDies(usize),
    /// So does the taker.
    TakerDies(usize),
    /// This step of the giver's fails, whether what it does was done or not.
    GiverFails(usize, bool),
    /// So does this one of the taker's.
    TakerFails(usize, bool),
    /// The n-th message is lost, and the pipe with it.
    Lost(usize),
}

/// One of the two machines' VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vm {
    None,
    Runs,
    Paused,
    GivenAway,
}

/// Both sides, the pipes between them, and what goes wrong.
struct World {
    cuts: [Cut; 2],
    giver: Result<Giving, Given>,
    taker: Result<Taking, Taken>,
    /// Whether each program is there still.
    alive: [bool; 2],
    /// What is on its way to the giver, and to the taker.
    pipes: [VecDeque<Message>; 2],
    broken: bool,
    sent: usize,
    vms: [Vm; 2],
    go_was_tried: bool,
}

const GIVER: usize = 0;
const TAKER: usize = 1;

impl World {
    fn new(cuts: [Cut; 2]) -> Self {
        Self {
            cuts,
            giver: Ok(Giving::Greet),
            taker: Ok(Taking::Greet),
            alive: [true; 2],
            pipes: [VecDeque::new(), VecDeque::new()],
            broken: false,
            sent: 0,
            vms: [Vm::Runs, Vm::None],
            go_was_tried: false,
        }
    }

    fn has(&self, cut: Cut) -> bool {
        self.cuts.contains(&cut)
    }

    /// Sends to the other side. It succeeds as long as anybody could read it, whether he does or not.
    fn send(&mut self, to: usize, message: Message) -> bool {
        let number = self.sent;
        self.sent += 1;
        if self.has(Cut::Lost(number)) {
            self.broken = true;
            return true;
        }
        let there = self.alive[to] && !self.broken;
        if there {
            self.pipes[to].push_back(message);
        }
        there
    }

    /// What has come; false at the end of the pipe, none while it is waited for.
    fn hear(&mut self, side: usize, message: Message) -> Option<bool> {
        match self.pipes[side].pop_front() {
            Some(heard) => Some(heard == message),
            None if self.broken || !self.alive[1 - side] => Some(false),
            None => None,
        }
    }

    fn pause(&mut self) -> bool {
        assert_eq!(self.vms[GIVER], Vm::Runs);
        self.vms[GIVER] = Vm::Paused;
        true
    }

    /// A step of the giver's. False: it waits.
    fn give(&mut self) -> bool {
        let Ok(step) = self.giver else { return false };
        if !self.alive[GIVER] {
            return false;
        }
        let number = GIVING.iter().position(|one| *one == step).unwrap();
        if self.has(Cut::GiverDies(number)) {
            self.alive[GIVER] = false;
            return true;
        }
        // A failure does not say that nothing was heard.
        self.go_was_tried |= step == Giving::SayGo;
        if self.has(Cut::GiverFails(number, false)) {
            return self.giver_ends(step, false);
        }
        let succeeded = match step {
            Giving::Greet => Some(true),
            Giving::Pause => Some(self.pause()),
            Giving::Send => Some(self.send(TAKER, Message::Stream)),
            Giving::HearReady => self.hear(GIVER, Message::Ready),
            Giving::GiveAway => {
                self.vms[GIVER] = Vm::GivenAway;
                Some(true)
            }
            Giving::SayGo => Some(self.send(TAKER, Message::Go)),
            Giving::HearDone => self.hear(GIVER, Message::Done),
            Giving::Forget => {
                self.vms[GIVER] = Vm::None;
                Some(true)
            }
        };
        let Some(succeeded) = succeeded else { return false };
        self.giver_ends(step, succeeded && !self.has(Cut::GiverFails(number, true)))
    }

    fn giver_ends(&mut self, step: Giving, succeeded: bool) -> bool {
        self.giver = step.next(succeeded);
        if let Err(end) = self.giver {
            if end == Given::Back {
                self.vms[GIVER] = Vm::Runs;
            }
            self.alive[GIVER] = false;
        }
        true
    }

    fn take(&mut self) -> bool {
        let Ok(step) = self.taker else { return false };
        if !self.alive[TAKER] {
            return false;
        }
        let number = TAKING.iter().position(|one| *one == step).unwrap();
        if self.has(Cut::TakerDies(number)) {
            self.alive[TAKER] = false;
            return true;
        }
        if self.has(Cut::TakerFails(number, false)) {
            return self.taker_ends(step, false);
        }
        let succeeded = match step {
            Taking::Greet => Some(true),
            Taking::Receive => {
                let heard = self.hear(TAKER, Message::Stream);
                if heard == Some(true) {
                    self.vms[TAKER] = Vm::Paused;
                }
                heard
            }
            Taking::SayReady => Some(self.send(GIVER, Message::Ready)),
            Taking::HearGo => self.hear(TAKER, Message::Go),
            Taking::Resume => {
                self.vms[TAKER] = Vm::Runs;
                Some(true)
            }
            Taking::SayDone => Some(self.send(GIVER, Message::Done)),
        };
        let Some(succeeded) = succeeded else { return false };
        self.taker_ends(step, succeeded && !self.has(Cut::TakerFails(number, true)))
    }

    fn taker_ends(&mut self, step: Taking, succeeded: bool) -> bool {
        self.taker = step.next(succeeded);
        if let Err(end) = self.taker {
            if matches!(end, Taken::Discard | Taken::Nothing) {
                self.vms[TAKER] = Vm::None;
            }
            self.alive[TAKER] = false;
        }
        true
    }

    fn check(&self) {
        assert_ne!(self.vms, [Vm::Runs, Vm::Runs], "two copies run: {:?}", self.cuts);
    }

    /// Lets both go on, whoever is first, to their ends.
    fn run(&mut self, mut whose: impl FnMut() -> bool) {
        for _ in 0..1000 {
            let giver_first = whose();
            let mut one = |giver: bool| if giver { self.give() } else { self.take() };
            let went_on = one(giver_first) || one(!giver_first);
            self.check();
            if !went_on {
                return;
            }
        }
        panic!("there is no end to it: {:?}", self.cuts);
    }
}

fn every_cut() -> Vec<Cut> {
    let steps = |count, cut: fn(usize) -> Cut| (0..count).map(cut);
    [Cut::None]
        .into_iter()
        .chain(steps(GIVING.len(), Cut::GiverDies))
        .chain(steps(TAKING.len(), Cut::TakerDies))
        .chain(steps(GIVING.len(), |step| Cut::GiverFails(step, false)))
        .chain(steps(GIVING.len(), |step| Cut::GiverFails(step, true)))
        .chain(steps(TAKING.len(), |step| Cut::TakerFails(step, false)))
        .chain(steps(TAKING.len(), |step| Cut::TakerFails(step, true)))
        .chain(steps(4, Cut::Lost))
        .collect()
}

/// Orders in which the two sides get on: the bits of each number, again and again.
fn orders() -> impl Iterator<Item = u32> {
    (0..256).map(|order: u32| order.wrapping_mul(0x9e37_79b9) ^ order)
}

#[test]
fn never_two_run_and_before_go_the_vm_is_never_lost() {
    for one in every_cut() {
        for other in every_cut() {
            for order in orders() {
                let mut world = World::new([one, other]);
                let turn = Cell::new(0);
                world.run(|| order.rotate_right(turn.replace(turn.get() + 1)) & 1 == 0);
                let context = format!("{one:?} {other:?}: {:?} {:?} {:?}", world.vms, world.giver, world.taker);
                let giver_died = [one, other].iter().any(|cut| matches!(cut, Cut::GiverDies(_)));
                if !world.go_was_tried && !giver_died {
                    // It was not begun to be paused, or it goes on.
                    assert_eq!(world.vms[GIVER], Vm::Runs, "{context}");
                }
                if !world.go_was_tried {
                    assert_ne!(world.vms[TAKER], Vm::Runs, "{context}");
                }
                // A giver that says it is back, or was never away, has the only one that can run.
                if matches!(world.giver, Err(Given::Back | Given::Untouched)) {
                    assert!(world.vms[TAKER] != Vm::Runs && world.vms[GIVER] == Vm::Runs, "{context}");
                }
                if matches!(world.giver, Err(Given::Unknown)) {
                    assert_eq!(world.vms[GIVER], Vm::GivenAway, "{context}");
                }
                // When the VM is moved, it runs there, whatever else.
                if matches!(world.giver, Err(Given::Moved | Given::Kept)) {
                    assert_eq!(world.vms[TAKER], Vm::Runs, "{context}");
                }
            }
        }
    }
}

#[test]
fn when_nothing_goes_wrong_it_runs_there() {
    for order in orders() {
        let mut world = World::new([Cut::None; 2]);
        let turn = Cell::new(0);
        world.run(|| order.rotate_right(turn.replace(turn.get() + 1)) & 1 == 0);
        assert_eq!((world.giver, world.taker), (Err(Given::Moved), Err(Taken::Done)));
        assert_eq!(world.vms, [Vm::None, Vm::Runs]);
    }
}

#[test]
fn the_steps_are_done_in_their_order_to_the_first_that_fails() {
    for fails in 0..=GIVING.len() {
        let mut done = Vec::new();
        let (_, why) = run(Giving::Greet, Giving::next, |step| {
            done.push(step);
            if done.len() > fails { Err(fails) } else { Ok(()) }
        });
        assert_eq!(done, GIVING[..GIVING.len().min(fails + 1)]);
        assert_eq!(why, (fails < GIVING.len()).then_some(fails));
    }
}
