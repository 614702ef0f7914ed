//! The figures as text: aligned for a terminal, or as tables of Markdown.

use std::fmt::Write;

use super::bounds::Bounds;
use super::figures::Figures;
use super::rows::{Figure, Row, Table};
use super::windows::{BUCKETS, Windows};
use crate::flatten::Sections;

/// How the tables are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Aligned columns.
    Terminal,
    /// Tables of Markdown.
    Markdown,
}

/// A table's headings and rows of cells; the first column is text, the others are numbers.
pub type Cells = Vec<Vec<String>>;

/// Draws a table.
pub fn draw(style: Style, cells: &Cells) -> String {
    let columns = cells.first().map_or(0, Vec::len);
    let width = |column: usize| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (number, row) in cells.iter().enumerate() {
        let padded = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        let padded: Vec<String> = padded.collect();
        match style {
            Style::Terminal => _ = writeln!(text, "{}", padded.join("  ").trim_end()),
            Style::Markdown => _ = writeln!(text, "| {} |", padded.join(" | ")),
        }
        if number == 0 && style == Style::Markdown {
            let rule: Vec<&str> = (0..columns).map(|column| if column == 0 { "---" } else { "---:" }).collect();
            _ = writeln!(text, "| {} |", rule.join(" | "));
        }
    }
    text
}

/// A number as it is read best.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 { group(value as u64) } else { format!("{value:.2}") }
}

/// Groups of three digits in large numbers.
fn group(value: u64) -> String {
    let digits = value.to_string();
    if value < 100_000 {
        return digits;
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn optional(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| number(value as f64))
}

/// One of the tables: the figures, what they must be at most, and the others.
pub fn table(style: Style, which: Table, figures: &Figures) -> String {
    let mut heading = vec![match which {
        Table::Call => "call".to_owned(),
        Table::Operation => "operation".to_owned(),
        Table::Link => "between two VMs".to_owned(),
        Table::Moving => "a VM that moves".to_owned(),
        Table::Sharing => "sharing a core".to_owned(),
        Table::Machine => "machine".to_owned(),
    }];
    let own: &[&str] = match which {
        Table::Call => &["HVC", "SMC", "at most"],
        Table::Link => &["Portcullis", "at most", "exits", "guests"],
        _ => &["Portcullis", "at most"],
    };
    heading.extend(own.iter().map(|&text| text.to_owned()));
    let others = which.others();
    heading.extend(others.iter().map(|(_, heading)| (*heading).to_owned()));
    let mut cells = vec![heading];
    for (row, values) in figures.rows.iter().filter(|(row, _)| row.table == which) {
        let name = if row.unit == "instructions" { row.name.clone() } else { format!("{}, {}", row.name, row.unit) };
        let mut line = vec![name];
        line.extend(values.iter().map(marked));
        line.push(optional(row.at_most));
        if which == Table::Link {
            line.extend(["eret", "guest"].map(|kind| counted(row, figures, kind)));
        }
        line.extend(others.iter().map(|(key, _)| optional(figures.other(row, key))));
        cells.push(line);
    }
    draw(style, &cells)
}

/// What was counted of one kind for a unit of a row's work: how often guests were entered (`eret`), what they executed (`guest`).
fn counted(row: &Row, figures: &Figures, kind: &str) -> String {
    let measured = row.measure.iter().filter_map(|key| figures.measurements.get(key));
    let most = measured.filter_map(|found| found.kinds.get(kind).copied()).max_by(f64::total_cmp);
    most.map_or_else(|| "-".to_owned(), number)
}

/// A figure, with a mark if it is more than was asked for.
fn marked(figure: &Figure) -> String {
    let over = figure.at_most.is_some_and(|most| figure.value > most as f64);
    format!("{}{}", number(figure.value), if over { "!" } else { "" })
}

/// How many times more the others need, where both have a figure.
pub fn ratios(style: Style, which: Table, figures: &Figures) -> String {
    let mut cells = vec![vec!["times as many as Portcullis".to_owned()]];
    if let Some(heading) = cells.first_mut() {
        heading.extend(which.others().iter().map(|(_, heading)| (*heading).to_owned()));
    }
    let compared = figures.rows.iter().filter(|(row, _)| row.table == which && !row.others.is_empty());
    for (row, values) in compared {
        let Some(own) = values.first().map(|figure| figure.value).filter(|value| *value > 0.0) else { continue };
        let mut line = vec![row.name.clone()];
        line.extend(which.others().iter().map(|(key, _)| {
            figures.other(row, key).map_or_else(|| "-".to_owned(), |other| format!("{:.1}", other as f64 / own))
        }));
        cells.push(line);
    }
    draw(style, &cells)
}

/// How late windows began, by the neighbour that they had.
pub fn windows(style: Style, windows: &[Windows]) -> String {
    let mut heading = vec!["windows that began late, beside".to_owned()];
    heading.extend(BUCKETS.iter().map(|end| format!("< {end} us")));
    heading.extend([format!(">= {} us", BUCKETS.last().unwrap_or(&0)), "latest, us".to_owned(), "lost, us".to_owned()]);
    let mut cells = vec![heading];
    for beside in windows {
        let mut line = vec![beside.storm.name().to_owned()];
        line.extend(beside.histogram().into_iter().map(|count| number(count as f64)));
        line.extend([number(beside.latest()), number(beside.lost())]);
        cells.push(line);
    }
    draw(style, &cells)
}

/// The sections of the hypervisor.
pub fn sections(style: Style, sections: &Sections) -> String {
    let mut cells = vec![["section", "bytes", "in the image"].map(str::to_owned).to_vec()];
    for section in &sections.0 {
        let (size, file) = (section.size as f64, section.in_file as f64);
        cells.push(vec![section.name.clone(), number(size), number(file)]);
    }
    draw(style, &cells)
}

/// The growth of each call.
pub fn growth(style: Style, figures: &Figures) -> String {
    let mut heading = vec!["call".to_owned()];
    heading.extend(figures.growth.iter().map(|(variation, _)| variation.name()));
    let mut cells = vec![heading];
    let calls = figures.growth.first().map(|(_, costs)| costs.keys().collect::<Vec<_>>()).unwrap_or_default();
    for call in calls {
        let mut line = vec![call.clone()];
        line.extend(
            figures.growth.iter().map(|(_, costs)| costs.get(call).map_or("-".to_owned(), |cost| number(*cost))),
        );
        cells.push(line);
    }
    draw(style, &cells)
}

/// What is more than its bound, one line each.
pub fn excesses(figures: &[Figure], bounds: &Bounds) -> Vec<String> {
    figures.iter().filter_map(|figure| excess(figure, bounds)).collect()
}

/// Why a figure is not within its bound, if it is not.
pub fn excess(figure: &Figure, bounds: &Bounds) -> Option<String> {
    match bounds.of(figure) {
        Some(bound) if figure.value <= bound as f64 => None,
        Some(bound) => Some(format!("{}: {} is more than {}", figure.name, number(figure.value), number(bound as f64))),
        None => Some(format!("{}: there is no bound for it; scripts/bench --accept makes one", figure.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let cells = [["call", "HVC"], ["a long name", "5"], ["b", "1632"]].map(|row| row.map(str::to_owned).to_vec());
        let cells = cells.to_vec();
        assert_eq!(draw(Style::Terminal, &cells), "call          HVC\na long name     5\nb            1632\n");
        assert_eq!(draw(Style::Markdown, &cells).lines().nth(1), Some("| --- | ---: |"));
    }

    #[test]
    fn numbers_are_read_well() {
        assert_eq!(number(1632.0), "1632");
        assert_eq!(number(374_584.0), "374,584");
        assert_eq!(number(103_600_220.0), "103,600,220");
        assert_eq!(number(2568.5), "2568.50");
    }

    #[test]
    fn a_figure_without_a_bound_is_an_excess() {
        let figure = |value, at_most| Figure { name: "a".to_owned(), value, at_most };
        assert_eq!(excess(&figure(5.0, Some(5)), &Bounds::default()), None);
        assert!(excess(&figure(5.01, Some(5)), &Bounds::default()).unwrap().contains("5.01 is more than 5"));
        assert!(excess(&figure(5.0, None), &Bounds::default()).unwrap().contains("no bound"));
    }
}
