//! Whose turn it is on a core.
//!
//! Round robin: who can run stands in a queue and gets a slice when his turn comes. An interrupt makes a vCPU that waited
//! for it join the queue at its end. If it has been off the core for longer than its slice it goes first instead, with what
//! is left of the slice that it was given last: it gets to its interrupt soon, and no more of the core than its share. Whoever
//! has to make way for it, or for a window, goes on with the rest of his slice when that is over.
//!
//! Time alone on the core counts too: whoever has had his slice by then makes way at once for the next one who can run.

use alloc::boxed::Box;

use super::windows::{Slot, Windows};

/// A vCPU as the policy knows it.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its VM's bit.
    vm: u32,
    /// Ticks that it gets when its turn comes.
    slice: u64,
    /// Ticks of them that are left.
    left: u64,
    /// It can run.
    runnable: bool,
    /// It goes before everyone else, the current one included.
    urgent: bool,
    /// It gets a whole slice when it is next on.
    fresh: bool,
    /// Its place in the queue: lowest first.
    place: i64,
    /// When it last left the core.
    off_since: u64,
}

impl Task {
    /// A vCPU of the VM with number `vm` that cannot run yet, with slices of so many ticks.
    pub fn new(vm: usize, slice: u64) -> Self {
        let vm = 1u32.checked_shl(vm as u32).unwrap_or(0);
        Self { vm, slice, left: 0, runnable: false, urgent: false, fresh: true, place: 0, off_since: 0 }
    }

    /// Says whether it can run at `now`. If it could not before, it stands in the queue from then on: at its end, which is
    /// `back`, or before everyone.
    #[inline(always)]
    fn set_runnable(&mut self, runnable: bool, now: u64, back: &mut i64) {
        if runnable && !self.runnable {
            self.urgent = self.left != 0 && now.saturating_sub(self.off_since) >= self.slice;
            self.fresh = !self.urgent;
            self.place = if self.urgent { back.wrapping_sub(URGENT) } else { *back };
            *back = back.wrapping_add(1);
        }
        self.runnable = runnable;
    }
}

/// What the core is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who runs, by number; nobody: the core is idle.
    pub run: Option<usize>,
    /// Physical counter when it has to be decided anew, if nothing happens before.
    pub until: Option<u64>,
}

/// The policy of one core.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    tasks: Box<[Task]>,
    windows: Option<Windows>,
    current: Option<usize>,
    /// Until when the current one's time is counted.
    counted: u64,
    /// The next place at the end of the queue.
    back: i64,
    /// The next place before all others.
    front: i64,
}

impl RoundRobin {
    /// A core with these vCPUs, none of which can run yet.
    pub fn new(tasks: Box<[Task]>, windows: Option<Windows>) -> Self {
        Self { tasks, windows, current: None, counted: 0, back: 0, front: -1 }
    }

    /// Who runs from now on; `now` is the physical counter, and `can_run` says of each vCPU by its number whether it can. Where
    /// there are windows, `time` is told the VMs, a bit each, whose time it is: those that may run, or could if they did not wait.
    #[inline(always)]
    pub fn decide(&mut self, now: u64, mut can_run: impl FnMut(usize) -> bool, time: impl FnOnce(u32)) -> Decision {
        let slot = self.windows.as_ref().map(|windows| windows.at(now));
        let mut allowed = u32::MAX;
        if let Some(slot) = slot {
            for (index, task) in self.tasks.iter_mut().enumerate() {
                task.set_runnable(can_run(index), now, &mut self.back);
            }
            let owner;
            (owner, allowed) = self.allowed(slot);
            time(owner | allowed);
        }
        let ends = slot.map(|slot| slot.ends);
        // Of those who could run, the current one left out: who is first, and how many they are.
        let (mut best, mut place, mut others) = (None, i64::MAX, 0usize);
        for (index, task) in self.tasks.iter_mut().enumerate() {
            if slot.is_none() {
                task.set_runnable(can_run(index), now, &mut self.back);
            }
            if !task.runnable || task.vm & allowed == 0 || self.current == Some(index) {
                continue;
            }
            others = others.wrapping_add(1);
            if task.place < place {
                (best, place) = (Some((index, task.urgent)), task.place);
            }
        }
        let spent = now.saturating_sub(self.counted);
        self.counted = now;
        let mut stays_eligible = false;
        if let Some(task) = self.current.and_then(|index| self.tasks.get_mut(index)) {
            task.left = task.left.saturating_sub(spent);
            stays_eligible = task.runnable && task.vm & allowed != 0;
            let displaced = match best {
                Some((_, true)) => true,
                Some((_, false)) => task.left == 0,
                None => false,
            };
            if stays_eligible && !displaced {
                let slice_ends = best.map(|_| now.saturating_add(task.left));
                return Decision { run: self.current, until: earlier(ends, slice_ends) };
            }
            task.off_since = now;
            if task.left == 0 {
                task.fresh = true;
                task.place = self.back;
                self.back = self.back.wrapping_add(1);
            } else {
                task.place = self.front;
                self.front = self.front.wrapping_sub(1);
            }
        }
        self.current = best.map(|(index, _)| index);
        let mut slice_ends = None;
        if let Some(task) = self.current.and_then(|index| self.tasks.get_mut(index)) {
            if task.fresh {
                task.left = task.slice;
            }
            (task.fresh, task.urgent) = (false, false);
            let alone = others == 1 && !stays_eligible;
            slice_ends = (!alone).then(|| now.saturating_add(task.left));
        }
        Decision { run: self.current, until: earlier(ends, slice_ends) }
    }

    /// The VM whose window it is, and the VMs whose vCPUs may have turns now, a bit each.
    fn allowed(&self, slot: Slot) -> (u32, u32) {
        let owner = slot.owner.and_then(|vm| 1u32.checked_shl(vm as u32)).unwrap_or(0);
        let wanted = self.tasks.iter().any(|task| task.runnable && task.vm & owner != 0);
        (owner, if wanted { owner } else { slot.background })
    }
}

/// More than there are places.
const URGENT: i64 = 1 << 60;

/// The earlier one of what there is.
fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::super::windows::Window;
    use super::*;
    use alloc::vec::Vec;

    const SLICE: u64 = 100;

    impl RoundRobin {
        fn set(&mut self, index: usize, runnable: bool, now: u64) {
            self.tasks[index].set_runnable(runnable, now, &mut self.back);
        }

        /// With whoever can run as it was.
        fn go_on(&mut self, now: u64) -> Decision {
            let can_run: Vec<bool> = self.tasks.iter().map(|task| task.runnable).collect();
            self.decide(now, |index| can_run[index], |_| {})
        }
    }

    fn queue(vms: &[usize]) -> RoundRobin {
        RoundRobin::new(vms.iter().map(|&vm| Task::new(vm, SLICE)).collect(), None)
    }

    /// Who runs from `from` to `to`, as stretches, when nothing happens but the timer.
    fn run(queue: &mut RoundRobin, from: u64, to: u64) -> Vec<(Option<usize>, u64)> {
        let mut stretches: Vec<(Option<usize>, u64)> = Vec::new();
        let mut now = from;
        while now < to {
            let decision = queue.go_on(now);
            let until = decision.until.unwrap_or(to).min(to);
            assert!(until > now, "at {now}: {decision:?}");
            match stretches.last_mut() {
                Some(last) if last.0 == decision.run => last.1 += until - now,
                _ => stretches.push((decision.run, until - now)),
            }
            now = until;
        }
        stretches
    }

    #[test]
    fn nobody_is_idle_without_a_timer_and_one_alone_too() {
        let mut queue = queue(&[0, 1]);
        assert_eq!(queue.go_on(5), Decision { run: None, until: None });
        queue.set(1, true, 5);
        queue.set(1, true, 6);
        assert_eq!(queue.go_on(6), Decision { run: Some(1), until: None });
        assert_eq!(queue.go_on(1_000_000), Decision { run: Some(1), until: None });
    }

    #[test]
    fn the_busy_share_alike_by_slices() {
        let mut queue = queue(&[0, 1, 2]);
        (0..3).for_each(|task| queue.set(task, true, 0));
        let expected: Vec<_> = [0, 1, 2, 0, 1, 2].map(|task| (Some(task), SLICE)).into();
        assert_eq!(run(&mut queue, 0, 6 * SLICE), expected);
    }

    #[test]
    fn slices_may_differ() {
        let mut queue = RoundRobin::new([Task::new(0, 30), Task::new(1, 90)].into(), None);
        (0..2).for_each(|task| queue.set(task, true, 0));
        assert_eq!(run(&mut queue, 0, 240), [(Some(0), 30), (Some(1), 90), (Some(0), 30), (Some(1), 90)]);
    }

    #[test]
    fn who_has_run_alone_makes_way_at_once() {
        let mut queue = queue(&[0, 1]);
        queue.set(0, true, 0);
        queue.go_on(0);
        queue.set(1, true, 10 * SLICE);
        assert_eq!(queue.go_on(10 * SLICE), Decision { run: Some(1), until: Some(11 * SLICE) });
        assert_eq!(run(&mut queue, 10 * SLICE, 12 * SLICE), [(Some(1), SLICE), (Some(0), SLICE)]);
    }

    #[test]
    fn an_interrupt_after_a_long_wait_goes_first_and_the_other_one_goes_on() {
        let mut queue = queue(&[0, 1]);
        (0..2).for_each(|task| queue.set(task, true, 0));
        assert_eq!(queue.go_on(0).run, Some(0));
        // 20 of its 100 ticks used.
        queue.set(0, false, 20);
        assert_eq!(queue.go_on(20).run, Some(1));
        // Back before a slice has passed: at the end of the queue.
        queue.set(0, true, 50);
        assert_eq!(queue.go_on(50), Decision { run: Some(1), until: Some(120) });
        assert_eq!(queue.go_on(120).run, Some(0));
        queue.set(0, false, 130);
        assert_eq!(queue.go_on(130).run, Some(1));
        // Back after more than a slice: with the 90 ticks that it has left.
        queue.go_on(190);
        queue.set(0, true, 240);
        assert_eq!(queue.go_on(240), Decision { run: Some(0), until: Some(330) });
        queue.set(0, false, 250);
        // Alone since 130, the other one has nothing left of its slice; it gets a new one.
        assert_eq!(queue.go_on(250).run, Some(1));
    }

    #[test]
    fn whoever_is_urgent_again_and_again_gets_no_more_than_the_others() {
        let mut queue = queue(&[0, 1, 2]);
        queue.set(1, true, 0);
        queue.set(2, true, 0);
        let mut ran = [0; 3];
        let (mut now, mut asleep_since) = (0, 0);
        while now < 300 * SLICE {
            // It sleeps for a slice whenever it has used one, and tries to be first then.
            let sleeps = now < asleep_since + SLICE;
            queue.set(0, !sleeps, now);
            let decision = queue.go_on(now);
            let running = decision.run.unwrap();
            now += 1;
            ran[running] += 1;
            if running == 0 && queue.tasks[0].left <= 1 {
                asleep_since = now;
            }
        }
        assert!(ran[0] <= ran[1] && ran[0] <= ran[2], "{ran:?}");
        assert!(ran[0] > 300 * SLICE / 5, "{ran:?}");
    }

    #[test]
    fn windows_are_kept_and_what_is_left_goes_to_the_background() {
        let window = |vm, start, length| Window { vm, start, length };
        let frame = [window(0, 0, 200), window(1, 500, 300)];
        let mut queue = RoundRobin::new(
            [Task::new(0, SLICE), Task::new(1, SLICE), Task::new(2, SLICE)].into(),
            Some(Windows::new(1000, frame.into(), 0b100)),
        );
        (0..3).for_each(|task| queue.set(task, true, 0));
        let frame = [(Some(0), 200), (Some(2), 300), (Some(1), 300), (Some(2), 200)];
        assert_eq!(run(&mut queue, 0, 1000), frame);
        // An owner with nothing to do leaves its window to the background, and takes it back.
        queue.set(0, false, 1000);
        assert_eq!(queue.go_on(1000).run, Some(2));
        queue.set(0, true, 1150);
        assert_eq!(queue.go_on(1150), Decision { run: Some(0), until: Some(1200) });
        // Without background the core is idle.
        queue.set(2, false, 1200);
        assert_eq!(queue.go_on(1200), Decision { run: None, until: Some(1500) });
    }

    #[test]
    fn two_vcpus_of_a_window_take_turns_in_it() {
        let window = Window { vm: 0, start: 0, length: 400 };
        let mut queue = RoundRobin::new(
            [Task::new(0, SLICE), Task::new(0, SLICE)].into(),
            Some(Windows::new(1000, [window].into(), 0)),
        );
        (0..2).for_each(|task| queue.set(task, true, 0));
        let stretches = run(&mut queue, 0, 1000);
        let turn = |task| (Some(task), SLICE);
        assert_eq!(stretches, [turn(0), turn(1), turn(0), turn(1), (None, 600)]);
    }
}
