//! When a VM that can be saved gets an identifier, and is told that it was restored.

use portcullis_arch::timer;

use crate::machine::Machine;
use crate::vm::Vm;
use crate::vm::generation::IDENTIFIER;

/// What an identifier without entropy is made of: no two have all of it.
struct Origin {
    count: u64,
    time: u64,
    vm: u64,
}

impl Origin {
    /// Two words, by the finalizer of SplitMix64 (Steele, Lea and Flood, 2014) over what there is.
    fn identifier(&self) -> [u64; IDENTIFIER] {
        let mut state = 0u64;
        for word in [self.count, self.time, self.vm] {
            state = mix(state ^ word);
        }
        [1, 2].map(|step: u64| mix(state.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
    }
}

const fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

impl Vm {
    /// A life of the VM begins.
    pub(super) fn begin_generation(&self) {
        if let Some(generation) = &self.generation {
            generation.begin(self.new_identifier());
        }
    }

    /// The VM goes on: it is told that it was restored, if it was.
    pub(super) fn tell_generation(&self) {
        if let Some(generation) = &self.generation {
            let Some(sets) = generation.tell(&self.vgic, || self.new_identifier()) else { return };
            sets.into_iter().for_each(|set| self.kicks.send(set));
            // No core's timer is set for its alarm, which may be long over.
            self.tell_devices_of_time(None);
        }
    }

    /// An identifier that was never there: of random words, or, where there are none now, of the counter and the time of day.
    fn new_identifier(&self) -> [u64; IDENTIFIER] {
        let machine = Machine::get();
        let mut words = [0; IDENTIFIER];
        if machine.board.entropy.is_some_and(|source| machine.draw(source, &self.entropy, &mut words)) {
            return words;
        }
        let count = timer::count();
        let time = machine.wall_clock().and_then(|clock| clock.at(count)).unwrap_or(0);
        Origin { count, time, vm: self.index as u64 }.identifier()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_one_thing_has_another_identifier() {
        let all = [(1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4)];
        let all = all.map(|(count, time, vm)| Origin { count, time, vm }.identifier());
        assert!((0..4).all(|one| (0..one).all(|other| all[one] != all[other])));
        assert!(all.iter().all(|[low, high]| low != high));
    }
}
