//! The cores: a lane each. A core with a frame has its windows to scale; another one is its only vCPU's, or takes turns.

use system::{Board, Core, Manifest};

use crate::page::{Anchor, MARGIN, Page, Weight, cut};
use crate::palette;

/// Height of a lane.
const LANE: f64 = 26.0;
/// From lane to lane.
const PITCH: f64 = 34.0;
/// Where lanes begin.
const LEFT: f64 = MARGIN + 62.0;
/// What is said at their right.
const RIGHT: f64 = 190.0;

/// Draws them from `top` on. Where they end.
pub fn draw(page: &mut Page, top: f64, manifest: &Manifest, board: &Board) -> f64 {
    page.heading(top, "Cores");
    let mut y = top + 14.0;
    for number in 0..board.cores {
        page.text([MARGIN, y + 17.0], (12.0, Weight::Plain), palette::INK, &format!("core {number}"));
        let width = page.width() - MARGIN - RIGHT - LEFT;
        let about = match manifest.cores.iter().find(|core| core.number == number) {
            Some(core) => windows(page, y, width, manifest, core),
            None => turns(page, y, width, manifest, number),
        };
        page.text([LEFT + width + 12.0, y + 17.0], (11.0, Weight::Plain), palette::FAINT, &about);
        y += PITCH;
    }
    y - PITCH + LANE
}

fn name(manifest: &Manifest, vm: usize) -> &str {
    manifest.vms.get(vm).map_or("?", |vm| vm.name.as_str())
}

fn part(page: &mut Page, place: [f64; 4], manifest: &Manifest, vm: usize, about: &str) {
    let ((fill, outline), [x, y, width, _]) = (palette::vm(vm), place);
    page.tile(place, fill, outline, about);
    let name = cut(name(manifest, vm), 11.0, width - 6.0);
    page.anchored(Anchor::Middle, [x + width / 2.0, y + 17.0], (11.0, Weight::Plain), palette::INK, &name);
}

/// A frame to scale.
fn windows(page: &mut Page, y: f64, width: f64, manifest: &Manifest, core: &Core) -> String {
    let rest = core.background.iter().map(|vm| name(manifest, *vm)).collect::<Vec<_>>().join(", ");
    let rest = if rest.is_empty() { "idle".to_owned() } else { rest };
    page.tile([LEFT, y, width, LANE], palette::EMPTY, palette::RULE, &format!("what no window has: {rest}"));
    let scale = width / f64::from(core.frame.max(1));
    for window in &core.windows {
        let (start, length) = (f64::from(window.start), f64::from(window.length));
        let about = format!("{}: {} from {}", name(manifest, window.vm), time(window.length), time(window.start));
        part(page, [LEFT + start * scale, y, length * scale, LANE], manifest, window.vm, &about);
    }
    format!("frame of {}; rest: {rest}", time(core.frame))
}

/// The vCPUs that take turns, each with its slice.
fn turns(page: &mut Page, y: f64, width: f64, manifest: &Manifest, number: u32) -> String {
    let mut vcpus = Vec::new();
    for (vm, described) in manifest.vms.iter().enumerate() {
        for (index, core) in described.cores.iter().enumerate().filter(|(_, core)| **core == number) {
            _ = core;
            vcpus.push((vm, index, described.slices.get(index).copied().unwrap_or_default()));
        }
    }
    let total: f64 = vcpus.iter().map(|(_, _, slice)| f64::from((*slice).max(1))).sum();
    let mut x = LEFT;
    for (vm, index, slice) in &vcpus {
        let part_width = width * f64::from((*slice).max(1)) / total;
        part(page, [x, y, part_width, LANE], manifest, *vm, &format!("{} vCPU {index}", name(manifest, *vm)));
        x += part_width;
    }
    match vcpus.as_slice() {
        [] => {
            page.tile([LEFT, y, width, LANE], palette::PAPER, palette::RULE, "no VM has this core");
            "free".to_owned()
        }
        [_] => "its own: no switches".to_owned(),
        [(_, _, first), rest @ ..] if rest.iter().all(|(_, _, slice)| slice == first) => {
            format!("turns of {}", time(*first))
        }
        _ => "turns, to scale".to_owned(),
    }
}

/// Microseconds, in milliseconds if they are whole.
fn time(microseconds: u32) -> String {
    if microseconds.is_multiple_of(1000) {
        format!("{} ms", microseconds / 1000)
    } else {
        format!("{microseconds} \u{b5}s")
    }
}
