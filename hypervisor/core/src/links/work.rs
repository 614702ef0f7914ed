//! Work that several ends have at one thing, and of which one core at a time does a piece.
//!
//! Who has work leaves a mark. Whoever finds somebody busy goes away: that one does one piece for a mark, and calls those whose
//! marks are left, so that each goes on by itself. Nobody waits but who has the thing [come to rest](Work::enter).

use core::sync::atomic::{AtomicU32, Ordering, fence};

use spin::mutex::{TicketMutex, TicketMutexGuard};

/// A thing at which there is work, and whose: ends are numbers below 32.
pub struct Work<T> {
    /// Ends that have work, a bit each.
    marks: AtomicU32,
    /// Fair, so that who waits is next.
    thing: TicketMutex<T>,
}

const fn bit(end: usize) -> u32 {
    1_u32.wrapping_shl(end as u32)
}

impl<T> Work<T> {
    /// There is nothing to do at `thing`.
    pub const fn new(thing: T) -> Self {
        Self { marks: AtomicU32::new(0), thing: TicketMutex::new(thing) }
    }

    /// Has the thing at rest: no core works at it until the result is dropped. Waits for a piece of work on another core, or
    /// two, never for a guest.
    pub fn enter(&self) -> TicketMutexGuard<'_, T> {
        self.thing.lock()
    }

    /// Looks at the thing at rest. Whoever has found it taken meanwhile, and left a mark, is called.
    pub fn look<R>(&self, look: impl FnOnce(&mut T) -> R, call: impl Fn(usize)) -> R {
        let result = look(&mut self.thing.lock());
        fence(Ordering::SeqCst);
        self.call_marked(call);
        result
    }

    /// Notes that end `end` has work. Who does so without doing some calls it.
    pub fn mark(&self, end: usize) {
        self.marks.fetch_or(bit(end), Ordering::SeqCst);
    }

    /// Whether end `end` has work that nobody does.
    pub fn is_marked(&self, end: usize) -> bool {
        self.marks.load(Ordering::SeqCst) & bit(end) != 0
    }

    /// Does a piece of work for end `own`, and one for another end that has left a mark. `piece` does it, and tells whether
    /// there is more. `call` has an end go on by itself, which may be this one. If somebody is busy, that one does all this.
    pub fn work(&self, own: usize, mut piece: impl FnMut(&mut T, usize) -> bool, call: impl Fn(usize)) {
        let mut found = self.thing.try_lock();
        if found.is_none() {
            self.mark(own);
            // Either who is busy sees the mark, or this finds nobody.
            fence(Ordering::SeqCst);
            found = self.thing.try_lock();
        }
        let Some(mut thing) = found else { return };
        self.piece(&mut thing, own, &mut piece);
        let others = self.marks.load(Ordering::Relaxed) & !bit(own);
        if others != 0 {
            self.piece(&mut thing, others.trailing_zeros() as usize, &mut piece);
        }
        drop(thing);
        fence(Ordering::SeqCst);
        self.call_marked(call);
    }

    #[inline(always)]
    fn call_marked(&self, call: impl Fn(usize)) {
        let mut left = self.marks.load(Ordering::Relaxed);
        while left != 0 {
            call(left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
        }
    }

    fn piece(&self, thing: &mut T, end: usize, piece: &mut impl FnMut(&mut T, usize) -> bool) {
        // What comes from here on leaves a mark of its own.
        if self.is_marked(end) {
            self.marks.fetch_and(!bit(end), Ordering::SeqCst);
        }
        if piece(thing, end) {
            self.mark(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn who_is_busy_does_a_piece_for_a_mark_and_calls_the_others() {
        let (work, calls, done) = (Work::new(()), RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let piece = |end: usize| {
            done.borrow_mut().push(end);
            if end == 2 && done.borrow().len() == 1 {
                // Meanwhile others come, and find somebody busy.
                for other in [1, 5] {
                    work.work(other, |(), _| panic!("somebody is busy"), |_| panic!("who is busy calls"));
                }
                assert!(work.is_marked(1) && work.is_marked(5));
            }
            end == 2
        };
        work.work(2, |(), end| piece(end), |end| calls.borrow_mut().push(end));
        assert_eq!((done.take(), calls.take()), (vec![2, 1], vec![2, 5]));
        work.work(5, |(), end| piece(end), |end| calls.borrow_mut().push(end));
        assert_eq!((done.take(), calls.take()), (vec![5, 2], vec![2]));
    }

    #[test]
    fn who_finds_it_looked_at_is_called() {
        let (work, calls) = (Work::new(7), RefCell::new(Vec::new()));
        let looked = work.look(
            |thing| {
                work.work(3, |_, _| panic!("somebody looks"), |_| panic!("who looks calls"));
                *thing
            },
            |end| calls.borrow_mut().push(end),
        );
        assert_eq!((looked, calls.take()), (7, vec![3]));
    }

    /// However several ends come together, whatever was asked for is done in the end, if each goes on when it is called.
    #[test]
    fn no_mark_is_lost() {
        const ENDS: usize = 3;
        const ROUNDS: usize = if cfg!(miri) { 20 } else { 20_000 };
        let work = Work::new([0_usize; ENDS]);
        let asked: [AtomicUsize; ENDS] = [const { AtomicUsize::new(0) }; ENDS];
        let called: [AtomicUsize; ENDS] = [const { AtomicUsize::new(0) }; ENDS];
        let go_on = |end| {
            let piece = |done: &mut [usize; ENDS], end: usize| {
                done[end] = asked[end].load(Ordering::SeqCst);
                false
            };
            work.work(end, piece, |end| _ = called[end].fetch_add(1, Ordering::SeqCst));
        };
        std::thread::scope(|scope| {
            for end in 0..ENDS {
                let (asked, called, go_on) = (&asked, &called, &go_on);
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        asked[end].fetch_add(1, Ordering::SeqCst);
                        go_on(end);
                        if called[end].swap(0, Ordering::SeqCst) > 0 {
                            go_on(end);
                        }
                    }
                });
            }
        });
        for (end, called) in called.iter().enumerate() {
            if called.swap(0, Ordering::SeqCst) > 0 {
                go_on(end);
            }
        }
        assert_eq!(*work.enter(), [ROUNDS; ENDS]);
    }
}
