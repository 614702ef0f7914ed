//! Work that several ends have at one thing, and of which one core at a time does a piece.
//!
//! Who has work leaves a mark. Whoever finds somebody busy goes away: that one does one piece for a mark, and calls those whose
//! marks are left, so that each goes on by itself. Nobody waits but who has the thing [come to rest](Work::enter), and who does so
//! calls those, too, whom it made go away.

use core::ops::{Deref, DerefMut};
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
    /// two, never for a guest. `call` has an end go on by itself: when the result is dropped, each that has a mark, as it may
    /// have found the thing taken.
    pub fn enter<C: Fn(usize)>(&self, call: C) -> Rest<'_, T, C> {
        Rest { thing: self.thing.lock(), _marked: Marked { marks: &self.marks, call } }
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
        drop(Marked { marks: &self.marks, call });
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

/// A thing at rest.
pub struct Rest<'a, T, C: Fn(usize)> {
    // Dropped in this order: whoever is called finds nobody.
    thing: TicketMutexGuard<'a, T>,
    _marked: Marked<'a, C>,
}

impl<T, C: Fn(usize)> Deref for Rest<'_, T, C> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.thing
    }
}

impl<T, C: Fn(usize)> DerefMut for Rest<'_, T, C> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.thing
    }
}

/// Calls who has a mark when it is dropped, by somebody who had the thing and has it no more.
struct Marked<'a, C: Fn(usize)> {
    marks: &'a AtomicU32,
    call: C,
}

impl<C: Fn(usize)> Drop for Marked<'_, C> {
    #[inline(always)]
    fn drop(&mut self) {
        // Either this sees a mark, or who has left it finds nobody.
        fence(Ordering::SeqCst);
        let mut left = self.marks.load(Ordering::Relaxed);
        while left != 0 {
            (self.call)(left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
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
    fn who_finds_it_at_rest_is_called() {
        let (work, calls) = (Work::new(7), RefCell::new(Vec::new()));
        let mut rest = work.enter(|end| {
            work.work(end, |_, _| false, |_| panic!("nothing is left"));
            calls.borrow_mut().push(end);
        });
        for end in [3, 5] {
            work.work(end, |_, _| panic!("somebody has it"), |_| panic!("who has it calls"));
        }
        *rest += 1;
        assert_eq!((*rest, calls.borrow().len()), (8, 0));
        drop(rest);
        assert_eq!(calls.take(), [3, 5]);
        assert!(!work.is_marked(3) && !work.is_marked(5));
    }

    /// However several ends come together, and whoever has it at rest between them, whatever was asked for is done in the end, if
    /// each goes on when it is called.
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
                let (work, asked, called, go_on) = (&work, &asked, &called, &go_on);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        asked[end].fetch_add(1, Ordering::SeqCst);
                        go_on(end);
                        // Now and then: who waits spins, and may wait for a thread that does not run.
                        if round % 100 == 0 {
                            drop(work.enter(|end| _ = called[end].fetch_add(1, Ordering::SeqCst)));
                        }
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
        assert_eq!(*work.enter(|_| panic!("nothing is left")), [ROUNDS; ENDS]);
    }
}
