//! `scripts/bench`: what the hypervisor costs, next to what others cost.

pub mod bounds;
pub mod collect;
pub mod document;
pub mod firmware;
pub mod growth;
pub mod guest;
pub mod json;
pub mod measure;
pub mod peers;
pub mod plugin;
pub mod profile;
pub mod report;
pub mod rows;
pub mod size;
pub mod switches;
pub mod windows;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use crate::environment::Environment;
use crate::flatten::Sections;
use crate::options;
use bounds::Bounds;
use collect::Measurements;
use growth::{Costs, Variation};
use measure::Bench;
use report::Style;
use rows::{Figure, Row, Table};
use windows::Windows;

/// Everything that one run of the bench finds out.
#[derive(Clone, Debug)]
pub struct Figures {
    /// QEMU's version.
    pub qemu: String,
    /// The measurements by key.
    pub measurements: Measurements,
    /// The rows of the tables with their figures.
    pub rows: Vec<(Row, Vec<Figure>)>,
    /// The hypervisor's sections.
    pub sections: Sections,
    /// Windows of a cyclic schedule.
    pub windows: Vec<Windows>,
    /// Instructions per call under each variation.
    pub growth: Vec<(Variation, Costs)>,
    /// What comes of that.
    pub growth_figures: Vec<Figure>,
    /// Measurements of others, by their key in the rows, if they were made again.
    pub measured_others: BTreeMap<String, Measurements>,
}

impl Figures {
    /// Measures this hypervisor.
    ///
    /// # Errors
    ///
    /// A missing tool, or a run that failed.
    pub fn measure(bench: &Bench) -> Result<Self> {
        let rows = rows::load(bench.environment)?;
        let mut measurements = collect::all(bench)?;
        let (sections, sizes) = size::sizes(bench.environment)?;
        measurements.extend(sizes);
        let windows = windows::measure(bench)?;
        measurements.extend(windows.iter().flat_map(Windows::measurements));
        let mut growth: Vec<(Variation, Costs)> = Vec::new();
        for variation in Variation::ALL {
            growth.push((variation, growth::measure(bench, variation)?));
        }
        let (_, alone) = growth.first().context("nothing to compare with")?;
        let compared = growth.iter().skip(1);
        let growth_figures = compared.map(|(variation, costs)| growth::figure(*variation, alone, costs)).collect();
        let rows: Result<Vec<_>> =
            rows.into_iter().map(|row| row.figures(&measurements).map(|figures| (row, figures))).collect();
        let qemu = bench.environment.get("QEMU_VERSION")?.to_owned();
        let measured_others = BTreeMap::new();
        Ok(Self { qemu, measurements, rows: rows?, sections, windows, growth, growth_figures, measured_others })
    }

    /// Every figure that has a bound.
    pub fn all(&self) -> Vec<Figure> {
        let rows = self.rows.iter().flat_map(|(_, figures)| figures);
        rows.chain(&self.growth_figures).cloned().collect()
    }

    /// What another needs for a row: measured now, or as the row says.
    pub fn other(&self, row: &Row, key: &str) -> Option<u64> {
        let measured = self.measured_others.get(key).and_then(|measurements| {
            let values = row.measure.iter().filter_map(|key| measurements.get(key)).map(|found| found.value as u64);
            values.max()
        });
        // What the row leaves out has no meaning there, whatever it costs.
        row.others.get(key).map(|known| measured.unwrap_or(*known))
    }

    fn section_table(&self, style: Style) -> String {
        let mut cells = vec![["section", "bytes", "in the image"].map(str::to_owned).to_vec()];
        for section in &self.sections.0 {
            let (size, file) = (section.size as f64, section.in_file as f64);
            cells.push(vec![section.name.clone(), report::number(size), report::number(file)]);
        }
        report::draw(style, &cells)
    }

    fn print(&self) {
        for (table, _) in Table::ALL {
            println!("{}", report::table(Style::Terminal, table, self));
            if !self.measured_others.is_empty() && table.has_others() {
                println!("{}", report::ratios(Style::Terminal, table, self));
            }
        }
        println!("{}", self.section_table(Style::Terminal));
        println!("{}", report::windows(Style::Terminal, &self.windows));
        println!("{}", report::growth(Style::Terminal, self));
    }
}

/// Runs the command. Whether every figure is within its bound.
///
/// # Errors
///
/// A missing tool, a run that failed, or a file that cannot be written.
pub fn bench(options: options::Bench) -> Result<bool> {
    let environment = Environment::load()?;
    let bench = Bench::new(&environment)?;
    if options.profile {
        println!("{}", profile::boot(&bench)?);
        return Ok(true);
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
    figures.print();
    let json = environment.target().join("bench.json");
    fs::write(&json, format!("{:#}\n", json::value(&figures, &bounds)))?;
    println!("all of it: {}", json.display());
    if options.docs {
        document::write(&environment, &figures)?;
    }
    let excesses = report::excesses(&figures.all(), &bounds);
    for excess in &excesses {
        println!("too much: {excess}");
    }
    Ok(excesses.is_empty())
}
