//! Which of a GICv3's redistributors is a core's: they say so themselves (Arm IHI 0069, section 12.10).

use portcullis_board::Range;

use crate::facts::{REDISTRIBUTOR_FRAME as FRAME, REDISTRIBUTOR_SIZE as REDISTRIBUTOR};

/// What GICR_TYPER says (IHI 0069, section 12.11.39).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typer {
    /// Affinity fields of its core, as MPIDR_EL1 has them.
    pub affinity: u64,
    /// It is the last one of its region.
    pub is_last: bool,
    /// Virtual LPIs: it has two frames more.
    pub has_virtual_lpis: bool,
}

/// The address of the redistributor of the core with this affinity. `stride` is the distance from one to the next, if the device
/// tree tells; otherwise each one says how many frames it has. A region ends where one says that it is the last, and in any case
/// where the device tree says: what is behind is nobody's.
pub fn find(regions: &[Range], stride: Option<u64>, affinity: u64, look: impl Fn(u64) -> Typer) -> Option<u64> {
    let in_region = |region: &Range| {
        let mut at = region.start;
        while at.is_multiple_of(FRAME) && region.end.checked_sub(at).is_some_and(|left| left >= REDISTRIBUTOR) {
            let typer = look(at);
            if typer.affinity == affinity {
                return Some(at);
            }
            if typer.is_last {
                return None;
            }
            at = at.checked_add(stride.unwrap_or(REDISTRIBUTOR << u32::from(typer.has_virtual_lpis)))?;
        }
        None
    };
    regions.iter().find_map(in_region)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const FIRST: u64 = 0x80a_0000;
    const SECOND: u64 = 0x1000_0000;

    /// Redistributors at these addresses, of cores 0, 1 and so on; `last` are the last ones of their regions.
    fn row(places: &[u64], last: &[u64], has_virtual_lpis: bool) -> impl Fn(u64) -> Typer {
        move |at| {
            let number = places.iter().position(|place| *place == at);
            let number = number.unwrap_or_else(|| panic!("nothing is at {at:#x}"));
            Typer { affinity: number as u64, is_last: last.contains(&at), has_virtual_lpis }
        }
    }

    #[test]
    fn every_region_is_looked_at_as_far_as_it_goes() {
        let regions = [Range::sized(FIRST, 2 * REDISTRIBUTOR), Range::sized(SECOND, 0xf6_0000)];
        let places = [FIRST, FIRST + REDISTRIBUTOR, SECOND, SECOND + REDISTRIBUTOR];
        let found = |affinity| find(&regions, None, affinity, row(&places, &[SECOND + REDISTRIBUTOR], false));
        assert_eq!(
            [0, 1, 2, 3, 4].map(found),
            [Some(places[0]), Some(places[1]), Some(places[2]), Some(places[3]), None]
        );
        // The first region alone, which has room for one and a half.
        let short = [Range::sized(FIRST, REDISTRIBUTOR + FRAME)];
        assert_eq!(find(&short, None, 1, row(&places, &[], false)), None);
        for region in
            [Range::sized(FIRST, 0), Range::sized(FIRST + 4, REDISTRIBUTOR), Range::sized(u64::MAX - 0xffff, 0)]
        {
            assert_eq!(find(&[region], None, 0, row(&[], &[], false)), None, "{region:?}");
        }
    }

    #[test]
    fn the_distance_is_what_the_tree_says_or_what_the_frames_take() {
        let region = [Range::sized(FIRST, 0x100_0000)];
        for (stride, has_virtual_lpis, distance) in [
            (None, false, 0x2_0000),
            (None, true, 0x4_0000),
            (Some(0x4_0000), false, 0x4_0000),
            (Some(0x2_0000), true, 0x2_0000),
        ] {
            let places = [0, 1, 2].map(|number| FIRST + number * distance);
            assert_eq!(find(&region, stride, 2, row(&places, &places[2..], has_virtual_lpis)), Some(places[2]));
        }
    }

    #[test]
    fn a_row_without_an_end_is_left_where_its_region_ends() {
        let looked = RefCell::new(Vec::new());
        let nobody = |at| {
            looked.borrow_mut().push(at);
            Typer { affinity: u64::MAX, is_last: false, has_virtual_lpis: false }
        };
        assert_eq!(find(&[Range::sized(FIRST, 3 * REDISTRIBUTOR)], None, 1, nobody), None);
        assert_eq!(*looked.borrow(), [0, 1, 2].map(|number| FIRST + number * REDISTRIBUTOR));
    }
}
