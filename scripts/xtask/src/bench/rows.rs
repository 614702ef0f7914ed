//! The rows of the tables: `scripts/figures/rows.toml`.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use toml::de::{DeTable, DeValue};

use super::measurement::Measurements;
use crate::environment::Environment;

/// Others with their headings, in the order of the columns.
pub type Others = &'static [(&'static str, &'static str)];

/// The others whose figures are known for most tables.
pub const OTHERS: [(&str, &str); 6] = [
    ("floor", "floor"),
    ("bao", "Bao, A72"),
    ("hvisor", "hvisor, A72"),
    ("xen", "Xen 4.20"),
    ("kvm-nvhe", "KVM nVHE"),
    ("kvm-vhe", "KVM VHE"),
];

/// Those of links: one copy by general registers, and KVM's two transports.
const LINK_OTHERS: [(&str, &str); 3] =
    [("floor", "floor"), ("kvm-pci", "KVM, virtio-pci"), ("kvm-mmio", "KVM, virtio-mmio")];

/// Those of moving: one copy by general registers, and QEMU with KVM, to a pipe.
const MOVING_OTHERS: [(&str, &str); 2] = [("floor", "floor"), ("kvm", "QEMU/KVM")];

/// Which table a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Firmware calls, by HVC and by SMC.
    Call,
    /// What else a guest feels.
    Operation,
    /// What it costs that VMs reach each other through links.
    Link,
    /// What it costs to save a VM and to restore one.
    Moving,
    /// What it costs that vCPUs share a core.
    Sharing,
    /// Boot, sizes.
    Machine,
}

impl Table {
    /// Every table with its key in the file.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Call, "call"),
        (Self::Operation, "operation"),
        (Self::Link, "link"),
        (Self::Moving, "moving"),
        (Self::Sharing, "sharing"),
        (Self::Machine, "machine"),
    ];

    /// The others that have figures for its rows.
    pub const fn others(self) -> Others {
        match self {
            Self::Call | Self::Operation | Self::Machine => &OTHERS,
            Self::Link => &LINK_OTHERS,
            Self::Moving => &MOVING_OTHERS,
            Self::Sharing => &[],
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its table.
    pub table: Table,
    /// What it is about.
    pub name: String,
    /// What it is counted in.
    pub unit: String,
    /// Keys of its measurements.
    pub measure: Vec<String>,
    /// What was asked for.
    pub at_most: Option<u64>,
    /// What others need.
    pub others: BTreeMap<String, u64>,
}

/// How many instructions more a call may take by SMC, which has to step over the instruction.
pub const SMC_EXTRA: u64 = 3;

/// A figure: a row's value, for calls one for each conduit.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name, unique.
    pub name: String,
    /// The value.
    pub value: f64,
    /// What was asked for.
    pub at_most: Option<u64>,
}

impl Row {
    /// The names of its figures, the keys of their measurements, and what was asked for.
    fn parts(&self) -> Vec<(String, Vec<String>, Option<u64>)> {
        if self.table != Table::Call {
            return vec![(self.name.clone(), self.measure.clone(), self.at_most)];
        }
        let by_smc = self.measure.iter().map(|key| key.replace("hvc ", "smc ")).collect();
        vec![
            (format!("{} by HVC", self.name), self.measure.clone(), self.at_most),
            (format!("{} by SMC", self.name), by_smc, self.at_most.map(|most| most + SMC_EXTRA)),
        ]
    }

    /// The names of its figures.
    pub fn names(&self) -> Vec<String> {
        self.parts().into_iter().map(|(name, ..)| name).collect()
    }

    /// Its figures.
    ///
    /// # Errors
    ///
    /// A measurement is missing.
    pub fn figures(&self, measurements: &Measurements) -> Result<Vec<Figure>> {
        let figure = |(name, keys, at_most): (String, Vec<String>, Option<u64>)| {
            let mut value = f64::MIN;
            for key in keys {
                let measurement = measurements.get(&key);
                value = value.max(measurement.with_context(|| format!("'{key}' was not measured"))?.value);
            }
            Ok(Figure { name, value, at_most })
        };
        self.parts().into_iter().map(figure).collect()
    }
}

/// Reads the rows.
///
/// # Errors
///
/// The file is missing or is not right.
pub fn load(environment: &Environment) -> Result<Vec<Row>> {
    let path = environment.root.join("scripts/figures/rows.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    parse(&text).with_context(|| format!("{} is not right", path.display()))
}

fn parse(text: &str) -> Result<Vec<Row>> {
    let root = DeTable::parse(text)?.into_inner();
    let mut rows = Vec::new();
    for (table, key) in Table::ALL {
        let entries = root.get(key).and_then(|value| value.get_ref().as_array());
        for entry in entries.with_context(|| format!("there is no [[{key}]]"))? {
            let entry = entry.get_ref().as_table().with_context(|| format!("[[{key}]] is no table"))?;
            rows.push(row(table, entry)?);
        }
    }
    Ok(rows)
}

fn row(table: Table, entry: &DeTable) -> Result<Row> {
    let text = |key: &str| entry.get(key).and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    let name = text("name").context("a row without a name")?;
    for key in entry.keys() {
        if !["name", "unit", "measure", "at-most", "others"].contains(&key.get_ref().as_ref()) {
            bail!("{name}: there is no key {}", key.get_ref());
        }
    }
    let measure = entry.get("measure").and_then(|value| value.get_ref().as_array());
    let measure = measure.with_context(|| format!("{name}: measure is missing"))?.iter();
    let measure = measure.filter_map(|key| key.get_ref().as_str()).map(str::to_owned).collect();
    let mut others = BTreeMap::new();
    for (key, value) in entry.get("others").and_then(|value| value.get_ref().as_table()).into_iter().flatten() {
        let key = key.get_ref().as_ref();
        if !table.others().iter().any(|(other, _)| *other == key) {
            bail!("{name}: nobody is called {key}");
        }
        others.insert(key.to_owned(), number(value.get_ref()).with_context(|| format!("{name}: {key} is no number"))?);
    }
    let at_most = entry.get("at-most").map(|value| number(value.get_ref()).context("at-most is no number"));
    let unit = text("unit").unwrap_or_else(|| "instructions".to_owned());
    Ok(Row { table, name, unit, measure, at_most: at_most.transpose()?, others })
}

/// A number that is not negative.
pub fn number(value: &DeValue) -> Option<u64> {
    value.as_integer().and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use bench_guests::calls;
    use bench_guests::operations::Operation;
    use bench_guests::sharing::Storm;

    use super::*;
    use crate::bench::measurement::{CPU_WITH_LOOP, EL3_WITH_WORKAROUNDS, OWN, single};
    use crate::bench::{controls, links, moving, switches, transfers, windows};

    fn committed() -> Vec<Row> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../figures/rows.toml");
        parse(&fs::read_to_string(file).unwrap()).unwrap()
    }

    #[test]
    fn the_committed_rows_measure_what_there_is() {
        let rows = committed();
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), rows.len());
        let operations: Vec<_> =
            Operation::SINGLE.iter().chain(&Operation::PAIR).map(|operation| operation.name()).collect();
        let sharing: Vec<String> =
            Storm::ALL.into_iter().flat_map(windows::keys).chain(switches::KEYS.map(str::to_owned)).collect();
        for row in rows {
            for key in &row.measure {
                let prefixes = [CPU_WITH_LOOP.1, EL3_WITH_WORKAROUNDS.1, OWN];
                let key = &prefixes.iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key).to_owned();
                let known = match row.table {
                    Table::Call => key.split_once("hvc ").is_some_and(|(_, name)| calls::index(name).is_some()),
                    Table::Operation => operations.contains(&key.as_str()),
                    Table::Link => {
                        links::keys().contains(key) || transfers::keys().contains(key) || controls::keys().contains(key)
                    }
                    Table::Moving => moving::KEYS.contains(&key.as_str()),
                    Table::Sharing => sharing.contains(key),
                    Table::Machine => ["boot", "boot-mib", "restart", "seeds", "image-bytes", "static", "peak"]
                        .contains(&key.as_str()),
                };
                assert!(known, "{}: {key}", row.name);
            }
        }
    }

    #[test]
    fn a_row_of_calls_has_two_figures_and_takes_the_largest() {
        let text = "[[call]]\nname = \"a\"\nmeasure = [\"hvc x\", \"closed hvc y\"]\nat-most = 9\n\
            others = { xen = 4 }\n[[operation]]\nname = \"b\"\nmeasure = []\n[[link]]\nname = \"e\"\nmeasure = []\n\
            [[moving]]\nname = \"f\"\nmeasure = []\n\
            [[sharing]]\nname = \"d\"\nmeasure = []\n[[machine]]\nname = \"c\"\nmeasure = []";
        let rows = parse(text).unwrap();
        let measurements = [("hvc x", 1), ("closed hvc y", 5), ("smc x", 7), ("closed smc y", 2)]
            .map(|(k, v)| (k.to_owned(), single(v)));
        let figures = rows[0].figures(&Measurements::from(measurements)).unwrap();
        assert_eq!((figures[0].value, figures[0].at_most), (5.0, Some(9)));
        assert_eq!((figures[1].value, figures[1].at_most), (7.0, Some(12)));
        assert!(rows[0].figures(&Measurements::new()).unwrap_err().to_string().contains("'hvc x' was not measured"));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in ["others = { nobody = 1 }", "colour = 1", "at-most = \"x\""] {
            let text = format!(
                "[[call]]\nname = \"a\"\nmeasure = []\n{line}\n[[operation]]\n[[link]]\n[[moving]]\n[[sharing]]\n[[machine]]\n"
            );
            assert!(parse(&text).is_err(), "{line}");
        }
    }
}
