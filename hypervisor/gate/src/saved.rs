//! Saving a VM's firmware policy as a plain structure, and taking one on.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]

use portcullis_abi::state::{self, FilterRange, Unfit};

use crate::atomic::Ordering;
use crate::error::FilterError;
use crate::filter::Filter;
use crate::identifiers::{MAX_RANGES, RangeRequest};
use crate::profile::{Marks, Profile, Rule};
use crate::register::Register;
use crate::row::Row;
use crate::support::Support;

const _: () = assert!(MAX_RANGES == 32, "the structure's array is as long");

impl Row {
    /// Returns the policy: registers, marks, and the ranges of `filter`, the VM's own.
    pub fn save(&self, filter: &Filter) -> state::Firmware {
        let profile = self.profile();
        let mut ranges = [FilterRange::default(); MAX_RANGES];
        for (saved, range) in ranges.iter_mut().zip(filter.ranges()) {
            let count = range.last.wrapping_sub(range.first).wrapping_add(1);
            *saved = FilterRange { first: range.first, count, action: range.action as u32 };
        }
        state::Firmware {
            version: state::Firmware::VERSION,
            keep: (profile.rule() == Rule::Keep).into(),
            written: profile.is_written().into(),
            frozen: profile.is_frozen().into(),
            registers: Register::ALL.map(|register| profile.register(register)),
            ranges: filter.ranges().len() as u32,
            filter: ranges,
            reserved: 0,
        }
    }

    /// Gives a VM that was just created the policy that was saved; conduits and control stay its own. Every value passes what a
    /// manager's would: `support` is what this board supports, `firmware` says whether there is an EL3 to forward to. `filter` is
    /// the VM's. The caller must know what [`Row::create`] asks for.
    ///
    /// # Errors
    ///
    /// [`Unfit`]: a register's name, or that of a mark or of the filter. Nothing has changed then.
    pub fn restore(
        &self,
        saved: &state::Firmware,
        support: &Support,
        firmware: bool,
        filter: &mut Filter,
    ) -> Result<(), Unfit> {
        let (profile, restored) = self.restored(saved, support, firmware)?;
        *filter = restored;
        // The filter is published with the word, as by a freeze. Conduits and control do not change meanwhile.
        self.replace(profile, Ordering::Release);
        Ok(())
    }

    /// Returns what [`restore`](Self::restore) would give the VM, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Unfit`], as that.
    pub fn restored(
        &self,
        saved: &state::Firmware,
        support: &Support,
        firmware: bool,
    ) -> Result<(Profile, Filter), Unfit> {
        Unfit::check_version(saved.version, state::Firmware::VERSION)?;
        for (mark, name) in
            [(saved.keep, "the rule"), (saved.written, "the mark of a write"), (saved.frozen, "the freeze")]
        {
            if mark > 1 {
                return Err(Unfit::Value(name));
            }
        }
        Unfit::check_reserved(saved.reserved)?;
        let mut registers = Profile(0);
        for (&register, &value) in Register::ALL.iter().zip(&saved.registers) {
            if Support::FULL.check(register, value) != Ok(value) {
                return Err(Unfit::Value(register.name()));
            }
            if support.check(register, value) != Ok(value) {
                return Err(Unfit::Absent(register.name()));
            }
            registers = registers.with(register, value);
        }
        let restored = restore_filter(saved, firmware)?;
        let filtered = saved.frozen != 0 && !restored.ranges().is_empty();
        let marks = Marks { keep: saved.keep != 0, written: saved.written != 0, frozen: saved.frozen != 0, filtered };
        Ok((self.profile().restored(registers, marks), restored))
    }
}

/// The filter, range by range as a manager would add them.
fn restore_filter(saved: &state::Firmware, firmware: bool) -> Result<Filter, Unfit> {
    const RANGE: Unfit = Unfit::Value("a range of the filter");
    let (mut filter, mut next) = (Filter::new(), 0u64);
    let count = saved.ranges as usize;
    let Some((ranges, rest)) = saved.filter.split_at_checked(count) else {
        return Err(Unfit::Value("the number of ranges"));
    };
    if rest.iter().any(|range| *range != FilterRange::default()) {
        return Err(Unfit::Value("a range behind the last"));
    }
    for range in ranges {
        let action = u8::try_from(range.action).map_err(|_| RANGE)?;
        let request = RangeRequest { base: range.first, count: range.count, action, ..RangeRequest::default() };
        if u64::from(range.first) < next {
            return Err(RANGE);
        }
        next = u64::from(range.first).saturating_add(range.count.into());
        // A filter takes ranges until the VM starts, which is later.
        match filter.insert(&request, Profile(0), firmware) {
            Ok(()) => {}
            Err(FilterError::NoFirmware) => return Err(Unfit::Absent("a range that goes to firmware at EL3")),
            Err(_) => return Err(RANGE),
        }
    }
    Ok(filter)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::call::Conduits;

    /// What a board might support.
    fn some_support(random: &mut Rng) -> Support {
        Support {
            std: random.u64(..4),
            std_hyp: random.u64(..2),
            vendor_hyp: random.u64(..4),
            psci: [0x1_0000, 0x1_0001, 0x1_0003][random.u64(..3) as usize],
            workaround_1: random.u64(..3),
            ..Support::FULL
        }
    }

    /// A VM as a manager might have left it.
    fn some_vm(random: &mut Rng, support: &Support) -> (Row, Filter) {
        let (row, mut filter) = (Row::new(), Filter::new());
        row.create(support, Conduits::BOTH);
        for _ in 0..random.u64(..6) {
            let register = Register::ALL[random.u64(..Register::ALL.len() as u64) as usize];
            let _ = match random.u64(..8) {
                0 => row.clear_all(),
                1 => row.set_rule(Rule::Keep),
                _ => row.set(register, support.limit(register) & random.u64(..u64::MAX), support),
            };
        }
        for _ in 0..random.u64(..5) {
            let base = [0x8400_0050, 0xc400_0053, 0x8600_0000, 0x0, 0xc300_0000][random.u64(..5) as usize];
            let action = random.u64(..3) as u8;
            let request = RangeRequest { base, count: 1 + random.u64(..3) as u32, action, ..RangeRequest::default() };
            let _ = filter.insert(&request, row.profile(), true);
        }
        if random.u64(..2) == 0 {
            row.freeze(Some(&filter));
        }
        (row, filter)
    }

    #[test]
    fn what_was_saved_is_what_is_restored() {
        let mut random = Rng::with_seed(0x9e37_79b9_7f4a_7c15);
        for _ in 0..if cfg!(miri) { 50 } else { 5000 } {
            let support = some_support(&mut random);
            let (row, filter) = some_vm(&mut random, &support);
            let saved = row.save(&filter);
            let (other, mut ranges) = (Row::new(), Filter::new());
            other.create(&support, Conduits::BOTH);
            assert_eq!(other.restore(&saved, &support, true, &mut ranges), Ok(()));
            assert_eq!((other.profile(), ranges.ranges()), (row.profile(), filter.ranges()));
            assert_eq!(other.save(&ranges), saved);
        }
    }

    #[test]
    fn permissions_are_not_restored() {
        let (control, row) = (Row::new(), Row::new());
        control.create_control(&Support::FULL, Conduits::BOTH);
        control.permit_suspend();
        row.create(&Support::FULL, Conduits::NONE);
        let before = row.profile();
        assert_eq!(row.restore(&control.save(&Filter::new()), &Support::FULL, true, &mut Filter::new()), Ok(()));
        assert_eq!(row.profile(), before, "neither control nor suspend nor a conduit");
    }

    #[test]
    fn what_no_vm_has_is_refused_by_name() {
        const RANGE: Unfit = Unfit::Value("a range of the filter");
        let (row, mut filter) = (Row::new(), Filter::new());
        row.create(&Support::FULL, Conduits::BOTH);
        let request = RangeRequest { base: 0xc300_0000, count: 2, action: 2, ..RangeRequest::default() };
        filter.insert(&request, row.profile(), true).unwrap();
        let good = row.save(&filter);
        let no_trng = Support { std: 0, ..Support::FULL };
        type Damage = (fn(&mut state::Firmware), Unfit);
        let damages: &[Damage] = &[
            (|saved| saved.version = 9, Unfit::Version { saved: 9, known: 3 }),
            (|saved| saved.reserved = 1, Unfit::Value("a reserved word")),
            (|saved| saved.keep = 2, Unfit::Value("the rule")),
            (|saved| saved.written = 2, Unfit::Value("the mark of a write")),
            (|saved| saved.frozen = 2, Unfit::Value("the freeze")),
            (|saved| saved.registers[0] = 0x1_0007, Unfit::Value("PSCI_VERSION")),
            (|saved| saved.registers[2] = 1, Unfit::Value("WORKAROUND_2")),
            (|saved| saved.registers[7] = 1 << 63, Unfit::Value("VENDOR_HYP_2")),
            (|saved| saved.registers[8] = 0x1_0003, Unfit::Value("SMCCC_VERSION")),
            (|saved| saved.ranges = 33, Unfit::Value("the number of ranges")),
            (|saved| saved.ranges = 0, Unfit::Value("a range behind the last")),
            (|saved| saved.filter[0].action = 3, RANGE),
            (|saved| saved.filter[0].action = 0x100, RANGE),
            (|saved| saved.filter[0].count = 0, RANGE),
            (|saved| saved.filter[0].first = 0x8400_0000, RANGE),
            (|saved| (saved.ranges, saved.filter[1]) = (2, FilterRange { action: 1, ..saved.filter[0] }), RANGE),
        ];
        let (other, mut ranges) = (Row::new(), Filter::new());
        other.create(&Support::FULL, Conduits::BOTH);
        let before = other.profile();
        for (number, (damage, expected)) in damages.iter().enumerate() {
            let mut bad = good;
            damage(&mut bad);
            assert_eq!(other.restore(&bad, &Support::FULL, true, &mut ranges), Err(*expected), "damage {number}");
            assert_eq!((other.profile(), ranges.ranges()), (before, &[][..]), "damage {number}");
        }
        assert_eq!(other.restore(&good, &no_trng, true, &mut ranges), Err(Unfit::Absent("STD")));
        let no_el3 = other.restore(&good, &Support::FULL, false, &mut ranges);
        assert_eq!(no_el3, Err(Unfit::Absent("a range that goes to firmware at EL3")));
        assert_eq!(other.restore(&good, &Support::FULL, true, &mut ranges), Ok(()));
    }
}
