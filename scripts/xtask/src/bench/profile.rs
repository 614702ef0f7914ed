//! Where instructions are spent, by function: those up to the first guest, and those of work between VMs.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSymbol};

use super::controls;
use super::guest::Guest;
use super::links;
use super::measure::{Bench, Profile};
use super::measurement::{self, CPU};
use super::repetition::COUNT;
use super::report::{Cells, Style, draw, number};
use super::transfers;
use crate::metal;
use bench_guests::configuration::Configuration;
use bench_guests::controls::Control;
use bench_guests::links::Work;
use bench_guests::transfers::Transfer;

/// Functions in the list.
const LONGEST: usize = 40;

/// Runs the boot and returns the list.
///
/// # Errors
///
/// The run, or a program without symbols.
pub fn boot(bench: &Bench) -> Result<String> {
    let configuration = Configuration { batches: 1, ..Configuration::DEFAULT };
    let mut run = measurement::alone("profile", Guest::Calls, CPU, configuration, "");
    run.profile = Profile::Boot;
    by_function(bench, &bench.run(&run)?.results.profile, 1)
}

/// Runs each kind of work that two VMs have between them, or the control VM with EL2, and returns their lists: instructions of a
/// unit, rounded down.
///
/// # Errors
///
/// As of [`boot`].
pub fn links(bench: &Bench) -> Result<String> {
    let mut lists = String::new();
    for work in Work::ALL {
        let mut run = links::network(links::VMS[0], &Work::ALL);
        run.name = format!("profile-{}", work.name());
        run.profile = Profile::Windows(work as usize);
        let profile = bench.run(&run)?.results.profile;
        let list = by_function(bench, &profile, u64::from(COUNT) * work.units() as u64)?;
        lists += &format!("{}\n{list}\n", work.name());
    }
    for transfer in Transfer::ALL {
        let mut run = transfers::pair(bench)?;
        run.name = format!("profile-{}", transfer.name());
        run.profile = Profile::Windows(transfer as usize);
        let profile = bench.run(&run)?.results.profile;
        lists += &format!("{}\n{}\n", transfer.name(), by_function(bench, &profile, u64::from(COUNT))?);
    }
    for control in Control::ALL {
        let key = control.name();
        let mut run = controls::run(&format!("profile-{key}"), control);
        run.profile = Profile::Windows(control as usize);
        let profile = bench.run(&run)?.results.profile;
        lists += &format!("{key}\n{}\n", by_function(bench, &profile, u64::from(COUNT))?);
    }
    Ok(lists)
}

/// The list of what an instruction each ran so often, divided by `units`.
fn by_function(bench: &Bench, profile: &[(u64, u64)], units: u64) -> Result<String> {
    let elf = fs::read(metal::program(bench.environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    let mut symbols = BTreeMap::new();
    for symbol in file.symbols().filter(|symbol| symbol.is_definition()) {
        let name = symbol.name().unwrap_or_default();
        if !name.is_empty() && !name.starts_with('$') {
            symbols.insert(symbol.address(), name.to_owned());
        }
    }
    let mut functions: BTreeMap<&str, u64> = BTreeMap::new();
    for (address, count) in profile {
        let name = symbols.range(..=address).next_back().map_or("?", |(_, name)| name.as_str());
        *functions.entry(name).or_default() += count;
    }
    let mut functions: Vec<_> = functions.into_iter().collect();
    functions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    functions.iter_mut().for_each(|(_, count)| *count /= units);
    let total: u64 = functions.iter().map(|(_, count)| count).sum();
    let mut cells: Cells = vec![vec!["function".to_owned(), "instructions".to_owned()]];
    cells.push(vec!["all".to_owned(), number(total as f64)]);
    for (name, count) in functions.into_iter().take(LONGEST) {
        cells.push(vec![format!("{:#}", rustc_demangle::demangle(name)), number(count as f64)]);
    }
    Ok(draw(Style::Terminal, &cells))
}
