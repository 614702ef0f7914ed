//! The table at the end of the guests' checks: which VM found which service.

use super::report::{Report, Reports};

/// Heading of each column, and what stands in it.
type Column = (&'static str, fn(&Report) -> String);

const COLUMNS: [Column; 8] = [
    ("kernel", |report| plain(report, "kernel")),
    ("CPUs", |report| plain(report, "cpus")),
    ("PSCI", |report| plain(report, "psci")),
    ("SMCCC", |report| plain(report, "smccc")),
    ("vendor", |report| plain(report, "vendor")),
    ("TRNG", |report| plain(report, "trng")),
    ("PV time", |report| plain(report, "pv-time")),
    ("PTP, difference to this clock", |report| match (report.value("ptp"), report.ptp_offset) {
        (Some("yes"), Some(offset)) => format!("yes, {offset:+.3} s"),
        _ => plain(report, "ptp"),
    }),
];

/// The table, line by line.
pub fn table(reports: &Reports) -> Vec<String> {
    let mut rows: Vec<Vec<String>> =
        vec![["VM"].into_iter().chain(COLUMNS.map(|(title, _)| title)).map(str::to_owned).collect()];
    for (vm, report) in reports.iter() {
        rows.push([vm.to_owned()].into_iter().chain(COLUMNS.map(|(_, value)| value(report))).collect());
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=COLUMNS.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn plain(report: &Report, key: &str) -> String {
    report.value(key).filter(|value| !value.is_empty()).unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn columns_line_up() {
        let mut reports = Reports::new(["linux-a".to_owned(), "b".to_owned()]);
        reports.take("[linux-a] firmware-check: kernel=6.12 cpus=2 psci=1.3 smccc=1.1", UNIX_EPOCH);
        reports.take("[linux-a] firmware-check: vendor=yes trng=yes pv-time=yes ptp=yes time=0.25", UNIX_EPOCH);
        reports.take("[b] firmware-check: trng=no ptp=no", UNIX_EPOCH);
        assert_eq!(
            table(&reports),
            [
                "VM       kernel  CPUs  PSCI  SMCCC  vendor  TRNG  PV time  PTP, difference to this clock",
                "b        -       -     -     -      -       no    -        no",
                "linux-a  6.12    2     1.3   1.1    yes     yes   yes      yes, +0.250 s",
            ]
        );
    }
}
