//! Which ends of links were up when somebody looked last.

use portcullis_abi::manage::{LINK_NETWORK, LINK_SERIAL};
use spin::Once;
use spin::mutex::TicketMutex;

use alloc::boxed::Box;

use crate::links::report::{End, Link};

/// See the module. By link, a bit for each end; none of them is up at first.
pub struct Ups(Once<Box<[TicketMutex<u32>]>>);

impl Ups {
    pub const fn new() -> Self {
        Self(Once::new())
    }

    /// There are so many links. To be called once.
    pub fn set_up(&self, links: usize) {
        self.0.call_once(|| (0..links).map(|_| TicketMutex::new(0)).collect());
    }

    /// Looks at the ends of `links`, and tells for each that has changed the link, the end, its VM and whether it is up.
    pub fn look<'a>(&self, links: impl Iterator<Item = &'a dyn Link>, tell: impl Fn(usize, usize, (usize, bool))) {
        let known = self.0.get().map(|known| &**known).unwrap_or_default();
        // Others are up as long as the machine is, or change too often to be told.
        let counts = |link: &dyn Link| matches!(link.kind(), LINK_NETWORK | LINK_SERIAL);
        for (number, (link, ups)) in links.zip(known).enumerate().filter(|(_, (link, _))| counts(*link)) {
            let mut changed = 0_u32;
            let now = {
                let mut ups = ups.lock();
                let ends = (0..link.ends()).filter_map(|end| Some((end, link.end(end)?)));
                let now = ends.filter(|(_, state)| state.up).fold(0, |now, (end, _)| now | bit(end));
                changed |= core::mem::replace(&mut *ups, now) ^ now;
                now
            };
            while changed != 0 {
                let end = changed.trailing_zeros() as usize;
                changed &= changed.wrapping_sub(1);
                if let Some(End { vm, .. }) = link.end(end) {
                    tell(number, end, (vm, now & bit(end) != 0));
                }
            }
        }
    }
}

const fn bit(end: usize) -> u32 {
    1_u32.wrapping_shl(end as u32)
}
