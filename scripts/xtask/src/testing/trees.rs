//! What the hypervisor would know of real boards: its reader of device trees, over all that Debian's kernel comes with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_board::Range;
use portcullis_platform::facts::cores::CoreStart;
use portcullis_platform::facts::{Facts, FactsError, Gic, LeftOut};
use portcullis_platform::{assemble, boards};
use portcullis_tree::Tree;

use super::filter::Filter;
use super::tally::Tally;
use crate::device_trees::DeviceTrees;
use crate::environment::Environment;

/// Where the counts stand.
const DOCUMENT: &str = "docs/boards.md";
/// RAM of a board whose firmware would say how much it has: start and size of a GiB.
const RAM: (u32, u32) = (0x4000_0000, 0x4000_0000);
/// What there is at the least, whatever else changes in a kernel: trees that are understood and have a console, by its driver.
const LEAST: [(&str, usize); 9] = [
    ("a PL011", 28),
    ("a BCM2835 mini UART", 3),
    ("a Cadence UART", 20),
    ("a 16550", 250),
    ("a 16550 of words", 70),
    ("a UART of TI's", 40),
    ("an i.MX UART", 110),
    ("a Meson UART", 80),
    (ANY, 640),
];
/// All of them together.
const ANY: &str = "any";

/// What became of a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It is understood, and this driver has the console.
    Console(&'static str),
    /// The same, and its interrupt is not the GIC's.
    Deaf(&'static str),
    /// It is understood, and nothing that is known is a console.
    Silent,
    /// It is understood, and more than that is there.
    LeftOut(String),
    /// It is refused in these words.
    Refused(String),
}

/// What became of all trees.
#[derive(Debug, Default)]
struct Counts {
    outcomes: BTreeMap<Outcome, usize>,
    /// Trees in which the firmware's RAM was put.
    without_ram: usize,
}

/// Runs the tests of this part that are selected.
///
/// # Errors
///
/// The trees cannot be had.
pub fn run(environment: &Environment, filter: &Filter, tally: &mut Tally) -> Result<()> {
    const NAMES: [&str; 4] = ["understood", "documented", "raspberry-pi-5", "flipped"];
    let [understood, documented, pi_5, flipped] = NAMES.map(|name| filter.selects("trees", name));
    if !understood && !documented && !pi_5 && !flipped {
        return Ok(());
    }
    let start = Instant::now();
    let trees = DeviceTrees::of_debian(environment)?;
    if pi_5 {
        match raspberry_pi_5(&fs::read(trees.file("broadcom/bcm2712-rpi-5-b.dtb")?)?) {
            Ok(()) => tally.pass("trees raspberry-pi-5", start.elapsed()),
            Err(error) => tally.fail("trees raspberry-pi-5", &format!("{error:#}")),
        }
    }
    if flipped {
        let tree = fs::read(trees.file("xilinx/zynqmp-zcu102-rev1.0.dtb")?)?;
        match flip(tree) {
            Ok(()) => tally.pass("trees flipped", start.elapsed()),
            Err(error) => tally.fail("trees flipped", &format!("{error:#}")),
        }
    }
    let mut counts = Counts::default();
    for file in files(&trees.folder)? {
        counts.add(&fs::read(&file)?).with_context(|| format!("{}", file.display()))?;
    }
    if understood {
        let short = counts.short();
        match short.is_empty() {
            true => tally.pass("trees understood", start.elapsed()),
            false => tally.fail("trees understood", &short.join("\n")),
        }
    }
    if documented {
        let section = counts.section(&trees.package);
        let document = fs::read_to_string(environment.root.join(DOCUMENT))?;
        // Counts of another kernel are not those of the one that is named.
        if !document.contains(&format!("`{}`", trees.package)) || document.contains(&section) {
            tally.pass("trees documented", start.elapsed());
        } else {
            let place = environment.target().join("test/device-trees.md");
            fs::create_dir_all(environment.target().join("test"))?;
            fs::write(&place, section)?;
            tally.fail("trees documented", &format!("{DOCUMENT} has other counts than those in {}", place.display()));
        }
    }
    Ok(())
}

/// Reads the tree with each of its numbers as another one, in turn. None ends in a panic, and what is refused is told why.
fn flip(mut tree: Vec<u8>) -> Result<()> {
    let (mut understood, mut refused) = (0, 0);
    for at in (0..tree.len() & !3).step_by(4) {
        let place = at..at + 4;
        let value = tree[place.clone()].to_vec();
        tree[place.clone()].iter_mut().for_each(|byte| *byte = !*byte);
        match std::panic::catch_unwind(|| read(&tree)) {
            Ok(Ok(())) => understood += 1,
            Ok(Err(words)) => {
                ensure!(!words.is_empty(), "what is wrong with the number at {at:#x} is not told");
                refused += 1;
            }
            Err(_) => anyhow::bail!("the other number at {at:#x} ends in a panic"),
        }
        tree[place].copy_from_slice(&value);
    }
    ensure!(understood > 1000 && refused > 1000, "{understood} trees are understood, {refused} refused");
    Ok(())
}

/// Reads a tree as the boot does, as far as no hardware is asked. Why it is refused, if it is.
fn read(tree: &[u8]) -> Result<(), String> {
    let facts = Facts::from_tree(tree).map_err(|error| error.to_string())?;
    facts.timer.check(100_000_000).map_err(|error| error.to_string())?;
    for range in assemble::ranges(&facts) {
        assemble::is_taken(&facts, &range);
    }
    Ok(())
}

/// What has to be known of a Raspberry Pi 5 (Linux, `bcm2712.dtsi`).
fn raspberry_pi_5(tree: &[u8]) -> Result<()> {
    let facts = Facts::from_tree(tree).map_err(|error| anyhow!("{error}"))?;
    let frames =
        [(0x10_7fff_9000, 0x1000), (0x10_7fff_a000, 0x2000), (0x10_7fff_c000, 0x2000), (0x10_7fff_e000, 0x2000)];
    let [distributor, cpu_interface, hypervisor_interface, virtual_interface] =
        frames.map(|(start, size)| Range::sized(start, size));
    let gic = Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_interface, maintenance: 25 };
    ensure!(facts.gic == gic, "its GIC is {:x?}", facts.gic);
    let uart = facts.uart.context("it has no console")?;
    let console = (uart.driver.name, uart.registers.start, uart.intid, uart.clock);
    ensure!(console == ("a PL011", 0x10_7d00_1000, Some(153), Some(9_216_000)), "its console is {console:x?}");
    let cores: Vec<u64> = facts.cores.iter().map(|core| core.mpidr).collect();
    ensure!(cores == [0, 0x100, 0x200, 0x300], "its cores are {cores:x?}");
    ensure!(facts.cores.iter().all(|core| core.start == CoreStart::Psci), "its cores start otherwise than by PSCI");
    ensure!(boards::find(&facts.compatible).compatible == "brcm,bcm2712", "it has no file among the boards");
    let kept = assemble::firmware_memory(&facts).iter().chain(facts.reserved.iter());
    ensure!(kept.into_iter().any(|range| *range == Range::sized(0, 0x8_0000)), "TF-A's RAM is not kept");
    Ok(())
}

/// The device trees in a folder and those below it, overlays not among them.
fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "dtb") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl Counts {
    /// Counts a tree, with RAM if its firmware would add that.
    fn add(&mut self, tree: &[u8]) -> Result<()> {
        let mut facts = Facts::from_tree(tree);
        if matches!(facts, Err(FactsError::NoNode { node: "memory", .. })) {
            self.without_ram += 1;
            facts = Facts::from_tree(&with_ram(tree)?);
        }
        let outcome = match facts {
            Err(error) => Outcome::Refused(error.to_string()),
            Ok(facts) if facts.left_out != LeftOut::default() => Outcome::LeftOut(facts.left_out.to_string()),
            Ok(facts) => facts.uart.map_or(Outcome::Silent, |uart| match uart.intid {
                Some(_) => Outcome::Console(uart.driver.name),
                None => Outcome::Deaf(uart.driver.name),
            }),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        Ok(())
    }

    /// Trees whose outcome is like this.
    fn of(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|(outcome, _)| is(outcome)).map(|(_, count)| count).sum()
    }

    /// What there is less of than at the least.
    fn short(&self) -> Vec<String> {
        let count = |name: &str| {
            self.of(|outcome| matches!(outcome, Outcome::Console(driver) if name == ANY || *driver == name))
        };
        let short = LEAST.into_iter().filter(|(name, least)| count(name) < *least);
        short
            .map(|(name, least)| format!("{} trees have {name} as console, {least} at the least", count(name)))
            .collect()
    }

    /// The counts in words, for the document.
    fn section(&self, package: &str) -> String {
        let all = self.of(|_| true);
        let mut text = format!(
            "Of the {all} trees of `{package}`, {} of which have no RAM before firmware has put it there:\n\n| trees | are |\n| --- | --- |\n",
            self.without_ram
        );
        let with_console = self.of(|outcome| matches!(outcome, Outcome::Console(_)));
        text += &format!("| **{with_console}** | understood, and the console is one of those that follow |\n");
        for (outcome, count) in &self.outcomes {
            text += &match outcome {
                Outcome::Console(driver) => format!("| {count} | understood; the console is {driver} |\n"),
                Outcome::Deaf(driver) => {
                    format!("| {count} | understood; the console is {driver}, whose interrupt is not the GIC's |\n")
                }
                Outcome::Silent => {
                    format!("| {count} | understood; nothing that there is a driver for is a console |\n")
                }
                Outcome::LeftOut(words) => format!("| {count} | understood, with a line: {words} |\n"),
                Outcome::Refused(words) => format!("| {count} | refused: {words} |\n"),
            };
        }
        text
    }
}

/// The tree with a node more, for RAM. It is put together by hand, as boards' trees have names that a strict writer refuses
/// (Devicetree Specification, chapter 5).
fn with_ram(tree: &[u8]) -> Result<Vec<u8>> {
    /// FDT_END_NODE, FDT_END: the root's end, and the tree's.
    const END: [u32; 2] = [2, 9];
    let word = |at: usize| Some(u32::from_be_bytes(*tree.get(at..)?.first_chunk()?));
    let part = |offset: usize, size: usize| {
        let (start, length) = (word(offset)? as usize, word(size)? as usize);
        tree.get(start..start.checked_add(length)?)
    };
    let (structure, strings) = part(8, 36).zip(part(12, 32)).context("it is no device tree")?;
    let body = structure.strip_suffix(bytes(&END).as_slice()).context("its structure has another end")?;
    let reserved = word(16).and_then(|at| tree.get(at as usize..)).context("it is no device tree")?;
    let reserved = reserved.chunks_exact(16).take_while(|entry| entry.iter().any(|byte| *byte != 0)).flatten();
    let root = Tree::new(tree).map_err(|error| anyhow!("{error}"))?.root();
    let cells = |name: &[u8], usual| {
        let value = root.property(name).and_then(|value| value.first_chunk::<4>());
        value.map_or(usual, |value| u32::from_be_bytes(*value) as usize).min(2)
    };
    let number = |value: u32, cells: usize| [0, value].into_iter().skip(2 - cells).collect::<Vec<u32>>();
    let reg = [number(RAM.0, cells(b"#address-cells", 2)), number(RAM.1, cells(b"#size-cells", 1))].concat();
    let name = strings.len() as u32;
    // FDT_BEGIN_NODE "memory"; FDT_PROP device_type = "memory"; FDT_PROP reg; FDT_END_NODE.
    let memory = [u32::from_be_bytes(*b"memo"), u32::from_be_bytes(*b"ry\0\0")];
    let length = reg.len() as u32 * 4;
    let node = [&[1][..], &memory, &[3, 7, name], &memory, &[3, length, name + 12], &reg, &END[..1], &END].concat();
    let structure = [body, &bytes(&node)].concat();
    let strings = [strings, b"device_type\0reg\0"].concat();
    let mut reserved: Vec<u8> = reserved.copied().collect();
    reserved.extend([0; 16]);
    let at = [40, 40 + reserved.len(), 40 + reserved.len() + structure.len()];
    let total = at[2] + strings.len();
    let header = [0xd00d_feed, total, at[1], at[2], at[0], 17, 16, 0, strings.len(), structure.len()];
    Ok([bytes(&header.map(|word| word as u32)), reserved, structure, strings].concat())
}

/// Words as a device tree has them.
fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIRT: &[u8] = include_bytes!("../../../../platform/tests/data/qemu-virt-gicv3.dtb");

    #[test]
    fn ram_is_added_to_what_is_there() {
        let tree = with_ram(VIRT).unwrap();
        let (before, after) = (Facts::from_tree(VIRT).unwrap(), Facts::from_tree(&tree).unwrap());
        assert_eq!((after.memory.len(), after.cores.len(), after.uart), (1, before.cores.len(), before.uart));
        // The machine's own 128 MiB are the start of it, so they are one range.
        assert_eq!((before.memory[0].size(), after.memory[0].size()), (128 << 20, u64::from(RAM.1)));
        assert!(with_ram(b"no tree").is_err());
    }

    #[test]
    fn outcomes_are_counted_and_told() {
        let mut counts = Counts::default();
        counts.add(VIRT).unwrap();
        counts.add(b"no tree").unwrap();
        let text = counts.section("linux-image-x");
        assert!(text.contains("Of the 2 trees of `linux-image-x`, 0 of which"), "{text}");
        assert!(text.contains("| 1 | understood; the console is a PL011 |"), "{text}");
        assert!(text.contains("| 1 | refused: the device tree is broken"), "{text}");
        let short = counts.short();
        assert!(
            short[0] == "1 trees have a PL011 as console, 28 at the least" && short.len() == LEAST.len(),
            "{short:?}"
        );
    }
}
