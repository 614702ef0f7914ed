//! The board's RAM: a bar of what each takes of it, and below it who that is. Parts are to scale, but none is too small to be seen.

use system::{Board, HYPERVISOR_MEMORY, Manifest, Source};

use crate::page::{MARGIN, Page, Weight, width_of};
use crate::palette;

/// Height of the bar.
const BAR: f64 = 30.0;
/// Width of the smallest part.
const SMALLEST: f64 = 6.0;
/// From row to row of the legend.
const ROW: f64 = 20.0;

/// What takes RAM.
struct Part {
    name: String,
    bytes: u64,
    fill: &'static str,
    outline: &'static str,
}

/// Draws it from `top` on. Where it ends.
pub fn draw(page: &mut Page, top: f64, manifest: &Manifest, board: &Board) -> f64 {
    page.heading(top, &format!("RAM, {}", size(board.memory)));
    let parts = parts(manifest, board);
    let whole = page.width() - MARGIN * 2.0;
    let sum: f64 = parts.iter().map(|part| part.bytes as f64).sum();
    let widths: Vec<f64> = parts.iter().map(|part| (part.bytes as f64 / sum * whole).max(SMALLEST)).collect();
    // What the smallest ones have too much, the others give.
    let scale = whole / widths.iter().sum::<f64>();
    let (mut x, y) = (MARGIN, top + 14.0);
    for (part, width) in parts.iter().zip(widths) {
        page.tile([x, y, width * scale, BAR], part.fill, part.outline, &format!("{}: {}", part.name, size(part.bytes)));
        x += width * scale;
    }
    let (mut x, mut y) = (MARGIN, y + BAR + 12.0);
    for part in &parts {
        let text = format!("{}, {}", part.name, size(part.bytes));
        let needed = 18.0 + width_of(&text, 11.0) + 18.0;
        if x + needed > MARGIN + whole && x > MARGIN {
            (x, y) = (MARGIN, y + ROW);
        }
        page.tile([x, y, 12.0, 12.0], part.fill, part.outline, "");
        page.text([x + 18.0, y + 10.0], (11.0, Weight::Plain), palette::INK, &text);
        x += needed;
    }
    y + 12.0
}

/// What takes RAM, in the manifest's order; what is left comes last. Where each lies the hypervisor decides at boot.
fn parts(manifest: &Manifest, board: &Board) -> Vec<Part> {
    let own = Part {
        name: "hypervisor, firmware".to_owned(),
        bytes: HYPERVISOR_MEMORY,
        fill: palette::HYPERVISOR,
        outline: palette::HYPERVISOR,
    };
    let mut parts = vec![own];
    for (number, vm) in manifest.vms.iter().enumerate() {
        let (fill, outline) = palette::vm(number);
        parts.push(Part { name: vm.name.clone(), bytes: vm.memory, fill, outline });
    }
    for memory in &manifest.shared_memory {
        let name = format!("shared memory {}", memory.name);
        parts.push(Part { name, bytes: memory.size, fill: palette::PAPER, outline: palette::MEMORY });
    }
    for disk in &manifest.disks {
        if let Source::Scratch(bytes) = disk.source {
            let name = format!("disk {}", disk.name);
            parts.push(Part { name, bytes, fill: palette::PAPER, outline: palette::DISK });
        }
    }
    let taken: u64 = parts.iter().map(|part| part.bytes).sum();
    if let Some(bytes) = board.memory.checked_sub(taken).filter(|bytes| *bytes != 0) {
        let name = "images of the VMs, free".to_owned();
        parts.push(Part { name, bytes, fill: palette::EMPTY, outline: palette::RULE });
    }
    parts
}

/// Bytes in the largest unit that leaves them whole.
pub fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{} {name}", bytes / unit))
}
