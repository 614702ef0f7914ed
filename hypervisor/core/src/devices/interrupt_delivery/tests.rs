//! What is let through to which core, whatever cores and guest do.

use fastrand::Rng;

use super::*;

/// Cores of the machine.
const CORES: usize = 3;
/// INTIDs of the devices.
const INTIDS: [u32; 2] = [40, 41];

/// The board's distributor: lines that are high for ever, and nobody who would end an interrupt but at once.
#[derive(Debug, Default)]
struct Board {
    enabled: [bool; INTIDS.len()],
    core: [Option<usize>; INTIDS.len()],
}

fn number(intid: u32) -> usize {
    INTIDS.iter().position(|known| *known == intid).expect("an interrupt of the VM's")
}

impl Distributor for Board {
    fn enable(&mut self, intid: u32, enabled: bool) {
        let now = &mut self.enabled[number(intid)];
        assert_ne!(*now, enabled, "nothing is done twice: each costs the core time");
        *now = enabled;
    }

    fn route(&mut self, intid: u32, core: usize) {
        assert!(!self.enabled[number(intid)], "an interrupt is held back while it is sent elsewhere");
        self.core[number(intid)] = Some(core);
    }
}

impl Board {
    /// The interrupts that come to a core now.
    fn come(&self, core: usize) -> Vec<u32> {
        let here = |intid: &u32| self.enabled[number(*intid)] && self.core[number(*intid)] == Some(core);
        INTIDS.into_iter().filter(here).collect()
    }
}

fn delivery(cores: &[usize], own: u32) -> (Delivery, Board) {
    (Delivery::new(INTIDS.into_iter(), cores.into(), own), Board::default())
}

#[test]
fn a_core_of_its_own_takes_all_and_always() {
    let (mut delivery, mut board) = delivery(&[0, 2], 1 << 2);
    assert!(!delivery.follows_turns());
    delivery.start(|_| 0, &mut board);
    assert_eq!((board.come(0), board.come(2)), (vec![], vec![40, 41]));
    // Also what the guest sends to the vCPU on the shared core, and whatever happens there.
    delivery.route(40, 1, &mut board);
    delivery.route(40, 0, &mut board);
    delivery.enter(0, &mut board);
    delivery.leave(0, false, &mut board);
    assert_eq!((board.come(0), board.come(2)), (vec![], vec![40, 41]));
}

#[test]
fn the_guest_s_route_is_followed_among_its_own_cores() {
    let (mut delivery, mut board) = delivery(&[0, 1, 2], 0b110);
    delivery.start(|intid| if intid == 40 { 2 } else { 0 }, &mut board);
    assert_eq!((board.come(1), board.come(2)), (vec![41], vec![40]));
    delivery.route(40, 1, &mut board);
    assert_eq!((board.come(1), board.come(2)), (vec![40, 41], vec![]));
    delivery.route(40, 9, &mut board);
    assert_eq!(board.come(1), [40, 41], "no such vCPU: that of vCPU 0, or instead");
}

#[test]
fn on_a_shared_core_they_come_in_the_vm_s_own_turns() {
    let (mut delivery, mut board) = delivery(&[0, 1], 0);
    assert!(delivery.follows_turns());
    delivery.start(|_| 0, &mut board);
    assert_eq!(board.come(0), [0; 0], "it has not had a turn");
    delivery.enter(0, &mut board);
    assert_eq!(board.come(0), [40, 41]);
    delivery.leave(0, false, &mut board);
    assert_eq!(board.come(0), [0; 0], "it was preempted");
    delivery.enter(0, &mut board);
    // Its turn on another core says nothing about this one.
    delivery.enter(1, &mut board);
    delivery.leave(0, false, &mut board);
    assert_eq!(board.come(0), [0; 0]);
    delivery.route(41, 1, &mut board);
    assert_eq!((board.come(0), board.come(1)), (vec![], vec![41]));
}

#[test]
fn who_waits_is_woken_by_each_interrupt_once() {
    let (mut delivery, mut board) = delivery(&[0, 1], 0);
    delivery.start(|_| 0, &mut board);
    delivery.enter(0, &mut board);
    delivery.leave(0, true, &mut board);
    assert_eq!(board.come(0), [40, 41]);
    delivery.taken(0, 40, &mut board);
    assert_eq!(board.come(0), [41]);
    // Another core ends it, and sends it back and forth.
    delivery.enter(1, &mut board);
    delivery.route(40, 1, &mut board);
    assert_eq!(board.come(1), [40]);
    delivery.route(40, 0, &mut board);
    assert_eq!(board.come(0), [41], "it has had its one");
    delivery.enter(0, &mut board);
    assert_eq!(board.come(0), [40, 41]);
}

#[test]
fn on_a_core_with_windows_they_come_in_its_own() {
    let (mut delivery, mut board) = delivery(&[0], 0);
    delivery.set_time(0, false, &mut board);
    delivery.start(|_| 0, &mut board);
    delivery.enter(0, &mut board);
    assert_eq!(board.come(0), [0; 0], "it is on the core, and others have the window: nobody wants it");
    delivery.set_time(0, true, &mut board);
    assert_eq!(board.come(0), [40, 41]);
    delivery.leave(0, true, &mut board);
    delivery.set_time(0, false, &mut board);
    assert_eq!(board.come(0), [0; 0]);
    delivery.set_time(0, true, &mut board);
    assert_eq!(board.come(0), [40, 41], "its window begins, and it waits");
}

#[test]
fn what_has_ended_takes_nothing_and_begins_anew() {
    let (mut delivery, mut board) = delivery(&[0], 0);
    delivery.start(|_| 0, &mut board);
    delivery.enter(0, &mut board);
    board.enabled = [false; 2];
    delivery.stop();
    delivery.leave(0, true, &mut board);
    delivery.set_time(0, true, &mut board);
    delivery.route(40, 0, &mut board);
    assert_eq!(board.come(0), [0; 0]);
    delivery.start(|_| 0, &mut board);
    assert_eq!(board.come(0), [40, 41], "the end was seen on its core, where it still waits");
}

/// Lines are high for ever, and each interrupt that is taken has ended at once: between two turns of the VM on a shared core, it
/// takes at most one of each interrupt there, and none while the VM is ready or has not the window. On its own cores it always
/// takes those that go there.
#[test]
fn whatever_happens_no_core_takes_more_than_one_of_each_between_two_turns() {
    for seed in 0..2000 {
        let mut random = Rng::with_seed(seed);
        let own = random.usize(..1 << CORES) as u32 & 0b100;
        let cores: Vec<usize> = (0..3).map(|_| random.usize(..CORES)).collect();
        let own = if cores.contains(&2) { own } else { 0 };
        let (mut delivery, mut board) = delivery(&cores, own);
        let (mut present, mut ready, mut time) = ([false; CORES], [true; CORES], [true; CORES]);
        let mut taken = [[0; INTIDS.len()]; CORES];
        delivery.start(|_| 0, &mut board);
        for step in 0..200 {
            let core = random.usize(..CORES);
            match random.usize(..6) {
                0 if own & bit(core) == 0 => {
                    present[core] = true;
                    taken[core] = [0; INTIDS.len()];
                    delivery.enter(core, &mut board);
                }
                1 if present[core] => {
                    present[core] = false;
                    ready[core] = random.usize(..2) == 0;
                    delivery.leave(core, !ready[core], &mut board);
                }
                2 if own & bit(core) == 0 => {
                    time[core] = !time[core];
                    // Whoever is ready when its time begins comes onto the core before anything else.
                    ready[core] &= present[core] || !time[core];
                    delivery.set_time(core, time[core], &mut board);
                }
                3 => delivery.route(INTIDS[random.usize(..2)], random.usize(..4), &mut board),
                _ => {
                    for intid in board.come(core) {
                        let case = format!("seed {seed} step {step} core {core} of {own:b}: {delivery:?}");
                        if own & bit(core) != 0 || present[core] {
                            assert!(time[core], "{case}");
                            continue;
                        }
                        assert_eq!(own, 0, "a VM with a core of its own disturbs no other: {case}");
                        assert!(time[core] && !ready[core], "{case}");
                        taken[core][number(intid)] += 1;
                        assert_eq!(taken[core][number(intid)], 1, "{case}");
                        delivery.taken(core, intid, &mut board);
                    }
                }
            }
            for (line, core) in board.core.iter().enumerate() {
                if let Some(core) = core.filter(|core| own & bit(*core) != 0 || present[*core] && time[*core]) {
                    assert!(board.enabled[line], "seed {seed} step {step}: {line} waits for nothing on core {core}");
                }
            }
        }
    }
}
