//! Everything that one run of the bench finds out.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::growth::{self, Costs, Variation};
use super::measure::Bench;
use super::measurement::Measurements;
use super::rows::{self, Figure, Row, Table};
use super::windows::{self, Windows};
use super::{collect, controls, hardened, links, moving, size, transfers};
use crate::flatten::Sections;

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
        let mut measurements = collect::all(bench)?;
        measurements.extend(hardened::measure(bench)?);
        measurements.extend(links::measure(bench)?);
        measurements.extend(moving::measure(bench)?);
        measurements.extend(transfers::measure(bench)?);
        measurements.extend(controls::measure(bench)?);
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
        Ok(Self { sections, windows, growth, growth_figures, ..Self::of(bench, measurements, &|_| true)? })
    }

    /// Measures what links between VMs cost, and to save and restore one, and nothing else.
    ///
    /// # Errors
    ///
    /// As for [`measure`](Self::measure).
    pub fn measure_links(bench: &Bench) -> Result<Self> {
        let mut measurements = links::measure(bench)?;
        measurements.extend(transfers::measure(bench)?);
        measurements.extend(controls::measure(bench)?);
        measurements.extend(moving::measure(bench)?);
        Self::of(bench, measurements, &|table| table == Table::Link || table == Table::Moving)
    }

    /// The figures of rows of the chosen tables, and nothing else.
    fn of(bench: &Bench, measurements: Measurements, is_chosen: &dyn Fn(Table) -> bool) -> Result<Self> {
        let rows = rows::load(bench.environment)?.into_iter().filter(|row| is_chosen(row.table));
        let rows: Result<Vec<_>> = rows.map(|row| row.figures(&measurements).map(|figures| (row, figures))).collect();
        let qemu = bench.environment.get("QEMU_VERSION")?.to_owned();
        Ok(Self {
            qemu,
            measurements,
            rows: rows?,
            sections: Sections::default(),
            windows: Vec::new(),
            growth: Vec::new(),
            growth_figures: Vec::new(),
            measured_others: BTreeMap::new(),
        })
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
}
