//! `target/bench.json`: the figures for other programs.

use serde_json::{Map, Value, json};

use super::bounds::Bounds;
use super::figures::Figures;
use super::measurement;

/// Everything that is known, as one object.
pub fn value(figures: &Figures, bounds: &Bounds) -> Value {
    let mut list = Map::new();
    for (row, values) in &figures.rows {
        let others =
            row.table.others().iter().filter_map(|(key, _)| Some(((*key).to_owned(), json!(figures.other(row, key)?))));
        let others: Map<String, Value> = others.collect();
        for figure in values {
            let entry = json!({
                "value": figure.value, "unit": row.unit, "asked_for": figure.at_most,
                "bound": bounds.of(figure), "others": others,
            });
            list.insert(figure.name.clone(), entry);
        }
    }
    for figure in &figures.growth_figures {
        let entry = json!({
            "value": figure.value, "unit": "instructions", "asked_for": figure.at_most, "bound": bounds.of(figure),
        });
        list.insert(figure.name.clone(), entry);
    }
    let measurements = figures.measurements.iter().map(|(key, measurement)| {
        let kinds = measurement.kinds.iter().map(|(kind, count)| (kind.clone(), json!(count)));
        let kinds: Map<String, Value> = kinds.collect();
        (key.clone(), json!({ "value": measurement.value, "max": measurement.max, "kinds": kinds }))
    });
    let windows = figures
        .windows
        .iter()
        .map(|beside| (beside.storm.name().to_owned(), json!({ "late_ticks": beside.late, "had_ticks": beside.had })));
    let growth = figures.growth.iter().map(|(variation, costs)| (variation.name(), json!(costs)));
    let sections = figures.sections.0.iter().map(|section| {
        json!({ "name": section.name, "address": section.address, "bytes": section.size, "in_file": section.in_file })
    });
    json!({
        "qemu": figures.qemu,
        "cpu": measurement::CPU,
        "figures": list,
        "measurements": measurements.collect::<Map<_, _>>(),
        "windows": windows.collect::<Map<_, _>>(),
        "growth": growth.collect::<Map<_, _>>(),
        "sections": sections.collect::<Vec<_>>(),
    })
}
