//! Has no pair of the erratum be left in a program.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use super::pair::{is_access, is_pair, may_change_places};
use super::program::{Program, Word};

/// Bytes of a veneer: the instruction that has moved, and a branch back.
const VENEER: u64 = 8;

/// How the pairs of a program were mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// So many have changed places.
    pub swapped: usize,
    /// Of so many the second one has moved to a veneer.
    pub moved: usize,
}

/// Returns the addresses of the pairs in a program.
pub fn pairs(program: &Program) -> Vec<u64> {
    let is_there = |words: &&[Word]| matches!(words, [a, b] if a.at + 4 == b.at && is_pair(a.word, b.word));
    program.code.windows(2).filter(is_there).filter_map(|words| words.first()).map(|word| word.at).collect()
}

/// Mends an ELF file in place, if its linker script has left room for veneers; else it stays as it is.
///
/// # Errors
///
/// It is no ELF file, or needs more veneers than there is room for.
pub fn mend(elf: &mut [u8]) -> Result<Mended> {
    let (mended, changes) = plan(Program::read(elf)?)?;
    for Change { offset, word } in changes {
        let place = elf.get_mut(offset..offset + 4).context("the program ends too early")?;
        place.copy_from_slice(&word.to_le_bytes());
    }
    Ok(mended)
}

/// A word of the file that becomes another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    offset: usize,
    word: u32,
}

fn plan(mut program: Program) -> Result<(Mended, Vec<Change>)> {
    let (mut mended, mut changes) = (Mended::default(), Vec::new());
    let Some((room, room_offset, size)) = program.room else { return Ok((mended, changes)) };
    let targets = targets(&program.code);
    for place in 1..program.code.len() {
        let [first, second] = [program.code[place - 1], program.code[place]];
        if first.at + 4 != second.at || !is_pair(first.word, second.word) {
            continue;
        }
        // Nobody may come to the second one by another way, and the one before must not be an access, too.
        let before = place.checked_sub(2).map(|before| program.code[before].word);
        let is_apart = before.is_some_and(|before| !is_access(before));
        let is_reached =
            targets.contains(&second.at) || program.names.contains(&second.at) || jumps(&program, second.at);
        if is_apart && !is_reached && may_change_places(first.word, second.word) {
            changes.push(Change { offset: first.offset, word: second.word });
            changes.push(Change { offset: second.offset, word: first.word });
            // What follows is looked at behind the one that comes last now.
            (program.code[place - 1].word, program.code[place].word) = (second.word, first.word);
            mended.swapped += 1;
            continue;
        }
        let used = mended.moved as u64 * VENEER;
        ensure!(
            used + VENEER <= size,
            "Cortex-A53's erratum 835769 takes more than {} veneers; leave more room in the linker script",
            size / VENEER
        );
        let (at, offset) = (room + used, room_offset + used as usize);
        let there = branch(second.at, at)?;
        changes.push(Change { offset: second.offset, word: there });
        changes.push(Change { offset, word: second.word });
        changes.push(Change { offset: offset + 4, word: branch(at + 4, second.at + 4)? });
        program.code[place].word = there;
        mended.moved += 1;
    }
    Ok((mended, changes))
}

/// Whether the piece of code around `at` jumps to places that only data knows.
fn jumps(program: &Program, at: u64) -> bool {
    let piece = program.piece(at);
    let words = program.code.iter().skip_while(|word| word.at < piece.start).take_while(|word| word.at < piece.end);
    // BR, BRAA and their like, not BLR and RET (Arm ARM, C4.1.93, "Unconditional branch (register)").
    words.into_iter().any(|word| word.word & 0xfeff_f000 == 0xd61f_0000)
}

/// Where branches lead, and what has its address taken beside its own instruction.
fn targets(code: &[Word]) -> BTreeSet<u64> {
    code.iter().filter_map(|word| target(*word)).collect()
}

fn target(Word { at, word, .. }: Word) -> Option<u64> {
    let distance = |bits: u32, low: u32| i64::from((word << (32 - low - bits)) as i32 >> (32 - bits)) << 2;
    let bytes = match word {
        // B and BL; B.cond, BC.cond; CBZ, CBNZ; TBZ, TBNZ.
        _ if word & 0x7c00_0000 == 0x1400_0000 => distance(26, 0),
        _ if word & 0xff00_0000 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 => distance(19, 5),
        _ if word & 0x7e00_0000 == 0x3600_0000 => distance(14, 5),
        // ADR: bits 23:5 are the upper ones, 30:29 the lower ones.
        _ if word & 0x9f00_0000 == 0x1000_0000 => distance(19, 5) | i64::from(word >> 29 & 3),
        _ => return None,
    };
    Some(at.wrapping_add_signed(bytes))
}

/// B from one address to another.
fn branch(from: u64, to: u64) -> Result<u32> {
    let distance = to.wrapping_sub(from) as i64 >> 2;
    ensure!((-(1 << 25)..1 << 25).contains(&distance), "a veneer at {to:#x} is too far from {from:#x}");
    Ok(0x1400_0000 | distance as u32 & 0x03ff_ffff)
}

#[cfg(test)]
mod tests;
