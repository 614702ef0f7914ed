//! Calls of EFI firmware: each finds x18 and TPIDR_EL2 as the firmware left them. QEMU's firmware would not notice, as EDK2 does
//! not use x18 and U-Boot finds its own by itself; so it is looked for in the image and in the source.

use anyhow::{Context, Result, bail, ensure};

use super::speculation::Instruction;

/// The function that makes all calls, the entry of EFI firmware, and the first compiled code behind it.
pub const SYMBOLS: [&str; 3] = ["portcullis_efi_call", "efi_entry", "portcullis_efi"];

/// The only function of a source file that may call what is no name.
const WAY: &str = "with_platform";

/// LDP x17, x18, [x16, #n]; STR x18, [x9, #n]; STR x10, [x9, #n], each with the mask of what is not n (Arm ARM, C6.2).
const LOAD: (u32, u32) = (0xa940_4a11, 0xffc0_7fff);
const KEEP_PLATFORM: (u32, u32) = (0xf900_0132, 0xffc0_03ff);
const KEEP_THREAD: (u32, u32) = (0xf900_012a, 0xffc0_03ff);
/// MSR TPIDR_EL2, x9; MSR TPIDR_EL2, xzr; MRS x10, TPIDR_EL2 (D19.2).
const GIVE_THREAD: (u32, u32) = (0xd51c_d049, u32::MAX);
const TAKE_THREAD: (u32, u32) = (0xd51c_d05f, u32::MAX);
const READ_THREAD: (u32, u32) = (0xd53c_d04a, u32::MAX);
/// BLR x17, and BLR of any register.
const CALL: (u32, u32) = (0xd63f_0220, u32::MAX);
const ANY_CALL: (u32, u32) = (0xd63f_0000, 0xffff_fc1f);
/// RET.
const RETURN: (u32, u32) = (0xd65f_03c0, u32::MAX);

/// Looks that the function at `way` calls once, with the firmware's values in both registers, and takes them back; and that the
/// entry at `entry` keeps these before the compiled code at `compiled` begins. Returns how often that function is called.
///
/// # Errors
///
/// What is missing.
pub fn registers(code: &[Instruction], [way, entry, compiled]: [u64; 3]) -> Result<usize> {
    let from = |start: u64| code.iter().skip_while(move |(at, _)| *at < start);
    let is = |(value, mask): (u32, u32)| move |word: &u32| word & mask == value;
    let body: Vec<u32> = from(way).map(|(_, word)| *word).take_while(|word| !is(RETURN)(word)).collect();
    let place = |body: &[u32], what| body.iter().position(is(what));
    let call = place(&body, CALL).context("portcullis_efi_call has no BLR x17")?;
    ensure!(body.iter().filter(|word| is(ANY_CALL)(word)).count() == 1, "portcullis_efi_call calls more than once");
    let before = |what| place(&body, what).is_some_and(|at| at < call);
    ensure!(before(LOAD), "portcullis_efi_call does not load the firmware's x18 before its call");
    ensure!(before(GIVE_THREAD), "portcullis_efi_call does not give TPIDR_EL2 back before its call");
    ensure!(
        place(&body, TAKE_THREAD).is_some_and(|at| at > call),
        "portcullis_efi_call does not take TPIDR_EL2 after its call"
    );

    let goes_to = |(at, word): &Instruction, target| branch(*at, *word) == Some(target);
    let begin: Vec<u32> = from(entry).take_while(|one| !goes_to(one, compiled)).map(|(_, word)| *word).collect();
    ensure!(place(&begin, RETURN).is_none(), "efi_entry does not come to portcullis_efi");
    ensure!(place(&begin, KEEP_PLATFORM).is_some(), "efi_entry does not keep the firmware's x18");
    let read = place(&begin, READ_THREAD).context("efi_entry does not read the firmware's TPIDR_EL2")?;
    ensure!(begin.get(read + 1).is_some_and(is(KEEP_THREAD)), "efi_entry does not keep the firmware's TPIDR_EL2");
    match code.iter().filter(|one| goes_to(one, way)).count() {
        0 => bail!("nothing calls portcullis_efi_call: nothing was looked at"),
        calls => Ok(calls),
    }
}

/// Where a BL at `at` goes to (Arm ARM, C6.2). None: it is none.
fn branch(at: u64, word: u32) -> Option<u64> {
    let distance = i64::from(((word << 6) as i32) >> 6) * 4;
    (word >> 26 == 0b10_0101).then(|| at.wrapping_add_signed(distance))
}

/// Looks that a source file calls no function pointer but by [`WAY`]: what stands before the arguments of a call is a name, or a
/// call of it; and no field that is called so elsewhere is used without it. Returns how many such calls there are.
///
/// # Errors
///
/// A call of something else, which is told.
pub fn by_the_way(source: &str) -> Result<usize> {
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    let text: String = lines.collect::<Vec<_>>().concat();
    let (mut calls, mut fields, mut inside) = (0, Vec::new(), Vec::new());
    for (end, _) in text.match_indices(")(") {
        let start = opening(&text, end).context("a parenthesis that nothing opens")?;
        let before = text.get(..start).unwrap_or_default();
        let called = text.get(start + 1..end).unwrap_or_default();
        ensure!(before.ends_with(WAY), "({called})(...) is called, and not by {WAY}");
        calls += 1;
        inside.push(start..end);
        fields.push(called.rsplit('.').next().unwrap_or_default().trim_end_matches(',').to_owned());
    }
    for field in &fields {
        let name = format!(".{field}");
        for (at, _) in text.match_indices(&name) {
            let next = text.get(at + name.len()..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            let other = next == '(' || next == '_' || next.is_alphanumeric();
            ensure!(other || inside.iter().any(|range| range.contains(&at)), "{name} is used, and not by {WAY}");
        }
    }
    Ok(calls)
}

/// Where the parenthesis is opened that is closed at `end`.
fn opening(text: &str, end: usize) -> Option<usize> {
    let mut depth = 0;
    text.get(..=end)?.char_indices().rev().find_map(|(at, character)| {
        depth += i32::from(character == ')') - i32::from(character == '(');
        (depth == 0).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// STP, LDP, MSR, BLR, MSR, RET; STR x18, MRS, STR x10, BL +8, RET; and the compiled code: BL to the first of them, RET.
    const GOOD: [u32; 13] = [
        0xa9bf_7bfd,
        0xa940_4a11,
        0xd51c_d049,
        0xd63f_0220,
        0xd51c_d05f,
        0xd65f_03c0,
        0xf900_0532,
        0xd53c_d04a,
        0xf900_092a,
        0x9400_0002,
        0xd65f_03c0,
        0x97ff_fff5,
        0xd65f_03c0,
    ];
    const PLACES: [u64; 3] = [0x1000, 0x1018, 0x102c];

    fn looked_at(words: [u32; 13]) -> Result<usize> {
        registers(&(0x1000u64..).step_by(4).zip(words).collect::<Vec<_>>(), PLACES)
    }

    #[test]
    fn each_instruction_is_needed() {
        assert_eq!(looked_at(GOOD).unwrap(), 1);
        for missing in [1, 2, 3, 4, 6, 7, 8, 9, 11] {
            let mut words = GOOD;
            words[missing] = 0xd503_201f;
            assert!(looked_at(words).is_err(), "{missing}");
        }
        for (one, other) in [(1, 3), (2, 3), (3, 4)] {
            let mut words = GOOD;
            words.swap(one, other);
            assert!(looked_at(words).is_err(), "{one} and {other}");
        }
        // A second call, with whatever is in the registers by then.
        let mut words = GOOD;
        words[0] = 0xd63f_0100;
        assert!(looked_at(words).is_err());
    }

    #[test]
    fn a_call_past_it_is_found() {
        let source = |call: &str| by_the_way(&format!("fn f() {{\n    with_platform(a.close)(b);\n    {call}\n}}\n"));
        assert_eq!(source("").unwrap(), 1);
        assert_eq!(source("with_platform((*self.0).open)(root.0, &mut file); // (x)(y)").unwrap(), 2);
        assert_eq!(source("with_platform(\n  boot.stall,\n)(\n  1,\n);").unwrap(), 2);
        assert_eq!(source("self.close(1); a.closed;").unwrap(), 1);
        for wrong in
            ["(boot.stall)(1);", "((*self.0).open)(root.0);", "let call = a.close; call(b);", "other(a.open)(b);"]
        {
            assert!(source(wrong).is_err(), "{wrong}");
        }
    }
}
