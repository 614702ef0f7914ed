use super::*;

/// str x8, [sp]; madd x0, x1, x2, x3; add x4, x4, #1; nop; ldr x0, [x9].
const STR: u32 = 0xf900_03e8;
const MADD: u32 = 0x9b02_0c20;
const ADD: u32 = 0x9100_0484;
const NOP: u32 = 0xd503_201f;
const LOAD: u32 = 0xf940_0120;
const RET: u32 = 0xd65f_03c0;
/// Where the code begins, and where the room for two veneers is: behind its file's first page.
const START: u64 = 0x1000;
const ROOM: (u64, usize, u64) = (0x3000, 0x3000, 2 * VENEER);

fn program(words: &[u32]) -> Program {
    let word = |(number, word): (usize, &u32)| Word { at: START + number as u64 * 4, offset: number * 4, word: *word };
    Program { code: words.iter().enumerate().map(word).collect(), names: [START].into(), room: Some(ROOM) }
}

/// What the code is afterwards, with the veneers behind it, and what was done.
fn mended(program: Program) -> (Vec<u32>, Mended) {
    let mut words: Vec<u32> = program.code.iter().map(|word| word.word).collect();
    let length = words.len();
    let (mended, changes) = plan(program).unwrap();
    for Change { offset, word } in changes {
        let place = if offset < ROOM.1 { offset / 4 } else { length + (offset - ROOM.1) / 4 };
        if words.len() <= place {
            words.resize(place + 1, 0);
        }
        words[place] = word;
    }
    (words, mended)
}

const SWAPPED: Mended = Mended { swapped: 1, moved: 0 };
const MOVED: Mended = Mended { swapped: 0, moved: 1 };

/// b to the veneer from the third word, and back to the fourth.
const THERE: u32 = 0x1400_0000 | ((0x3000 - 0x1008) / 4);
const BACK: u32 = 0x1400_0000 | (((0x100c - 0x3004) / 4) as u32 & 0x3ff_ffff);

#[test]
fn a_pair_changes_places() {
    assert_eq!(mended(program(&[ADD, STR, MADD, RET])), (vec![ADD, MADD, STR, RET], SWAPPED));
    // The one that comes last then is looked at with what follows.
    let both = (vec![ADD, MADD, MADD, STR, RET], Mended { swapped: 2, moved: 0 });
    assert_eq!(mended(program(&[ADD, STR, MADD, MADD, RET])), both);
    assert_eq!(mended(program(&[ADD, NOP, MADD, RET])), (vec![ADD, NOP, MADD, RET], Mended::default()));
}

#[test]
fn where_it_cannot_the_second_one_moves() {
    let moved = |first| (vec![ADD, first, THERE, RET, MADD, BACK], MOVED);
    // It is loaded into what is multiplied into.
    assert_eq!(mended(program(&[ADD, LOAD, MADD, RET])), moved(LOAD));
    // Behind another access it would be a pair with that; and what is before the first word is not known.
    let (words, done) = mended(program(&[STR, STR, MADD, RET]));
    assert_eq!((words, done), (vec![STR, STR, THERE, RET, MADD, BACK], MOVED));
    assert_eq!(mended(program(&[STR, MADD, RET])).1, MOVED);
}

#[test]
fn what_is_reached_by_another_way_stays_in_its_place() {
    // b, b.eq, cbz, tbz x0, #0, adr x1 from the third word after it, and from the first one.
    for (place, way) in [
        (3, 0x1400_0000 | (-1i32 as u32 & 0x3ff_ffff)),
        (3, 0x5400_0000 | (-1i32 as u32 & 0x7_ffff) << 5),
        (3, 0xb400_0000 | (-1i32 as u32 & 0x7_ffff) << 5),
        (3, 0x3600_0000 | (-1i32 as u32 & 0x3fff) << 5),
        (3, 0x1000_0001 | (-1i32 as u32 & 0x7_ffff) << 5),
        (0, 0x1400_0002),
        (0, 0x9400_0002),
        (0, 0x3700_0040),
        (0, 0x1000_0041),
    ] {
        let mut words = [ADD, STR, MADD, RET];
        words[place] = way;
        assert_eq!(mended(program(&words)).1, MOVED, "{way:08x}");
    }
    let mut named = program(&[ADD, STR, MADD, RET]);
    named.names.insert(START + 8);
    assert_eq!(mended(named).1, MOVED, "it has a name");
    // br x3 may lead anywhere in its function, and not into others; blr x3 and ret lead to functions.
    assert_eq!(mended(program(&[ADD, STR, MADD, 0xd61f_0060])).1, MOVED);
    for elsewhere in [0xd63f_0060, RET] {
        assert_eq!(mended(program(&[elsewhere, STR, MADD, ADD])).1, SWAPPED, "{elsewhere:08x}");
    }
    let mut other = program(&[ADD, STR, MADD, RET, 0xd61f_0060]);
    other.names.insert(START + 16);
    assert_eq!(mended(other).1, SWAPPED, "that is the next function's");
}

#[test]
fn without_room_nothing_is_done_and_with_too_little_that_is_said() {
    let mut none = program(&[ADD, LOAD, MADD, RET]);
    none.room = None;
    assert_eq!(mended(none).1, Mended::default());
    let error = plan(program(&[ADD, LOAD, MADD, LOAD, MADD, LOAD, MADD])).unwrap_err().to_string();
    assert!(error.contains("more than 2 veneers; leave more room"), "{error}");
}

#[test]
fn pairs_are_found_where_they_follow_each_other_in_memory() {
    assert_eq!(pairs(&program(&[ADD, LOAD, MADD, STR, MADD])), [0x1004, 0x100c]);
    let mut apart = program(&[ADD, LOAD, MADD]);
    apart.code[2].at += 4;
    assert!(pairs(&apart).is_empty());
    assert!(branch(0, 1 << 27).is_err() && branch(1 << 27, 0).is_ok());
}
