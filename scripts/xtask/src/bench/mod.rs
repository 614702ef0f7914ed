//! `scripts/bench`: what the hypervisor costs, next to what others cost.

pub mod bounds;
pub mod collect;
pub mod controls;
pub mod document;
pub mod figures;
pub mod firmware;
pub mod growth;
pub mod guest;
pub mod hardened;
pub mod json;
pub mod links;
pub mod measure;
pub mod measurement;
pub mod moving;
pub mod peers;
pub mod plugin;
pub mod profile;
pub mod quotes;
pub mod repetition;
pub mod report;
pub mod rows;
pub mod size;
pub mod switches;
pub mod transfers;
pub mod windows;

use std::fs;

use anyhow::Result;

use self::bounds::Bounds;
use self::figures::Figures;
use self::measure::Bench;
use self::report::Style;
use self::rows::Table;
use crate::environment::Environment;
use crate::options;

/// Runs the command. Whether every figure is within its bound.
///
/// # Errors
///
/// A missing tool, a run that failed, or a file that cannot be written.
pub fn bench(options: options::Bench) -> Result<bool> {
    let environment = Environment::load()?;
    let bench = Bench::new(&environment)?;
    if options.profile {
        println!("{}", if options.links { profile::links(&bench)? } else { profile::boot(&bench)? });
        return Ok(true);
    }
    if options.links {
        let mut figures = Figures::measure_links(&bench)?;
        if options.peers {
            figures.measured_others = peers::measure_links(&bench)?;
        }
        for table in [Table::Link, Table::Moving] {
            println!("{}", report::table(Style::Terminal, table, &figures));
        }
        if options.peers {
            println!("{}", report::ratios(Style::Terminal, Table::Link, &figures));
        }
        return Ok(is_within(&figures, &Bounds::load(&environment)?));
    }
    let mut figures = Figures::measure(&bench)?;
    if options.peers {
        figures.measured_others = peers::measure(&bench)?;
    }
    let mut bounds = Bounds::load(&environment)?;
    if options.accept {
        bounds.accept(&figures.all());
        bounds.store(&environment)?;
    }
    print(&figures);
    let json = environment.target().join("bench.json");
    fs::write(&json, format!("{:#}\n", json::value(&figures, &bounds)))?;
    println!("all of it: {}", json.display());
    if options.docs {
        document::write(&environment, &figures)?;
    }
    Ok(is_within(&figures, &bounds))
}

/// Whether every figure is within its bound. Prints those that are not.
fn is_within(figures: &Figures, bounds: &Bounds) -> bool {
    let excesses = report::excesses(&figures.all(), bounds);
    for excess in &excesses {
        println!("too much: {excess}");
    }
    excesses.is_empty()
}

/// Prints every table.
fn print(figures: &Figures) {
    for (table, _) in Table::ALL {
        println!("{}", report::table(Style::Terminal, table, figures));
        if !figures.measured_others.is_empty() && !table.others().is_empty() {
            println!("{}", report::ratios(Style::Terminal, table, figures));
        }
    }
    println!("{}", report::sections(Style::Terminal, &figures.sections));
    println!("{}", report::windows(Style::Terminal, &figures.windows));
    println!("{}", report::growth(Style::Terminal, figures));
}
