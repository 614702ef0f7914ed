//! The VMs: a box each, side by side, in their manifest's order.

use system::{Action, Manifest, Vm};

use crate::page::{Anchor, MARGIN, Page, Weight, cut, width_of};
use crate::{palette, ram};

/// Height of a line in a box.
const LINE: f64 = 18.0;
/// Height of what is said of a service.
const CHIP: f64 = 17.0;
/// Within a box.
const PADDING: f64 = 12.0;
/// Between two boxes.
const GAP: f64 = 20.0;
/// A page with fewer VMs is not narrower.
const NARROWEST: f64 = 960.0;
/// A box is not narrower.
const BOX: f64 = 212.0;

/// Where the boxes stand.
pub struct Columns {
    count: usize,
    width: f64,
    each: f64,
}

impl Columns {
    /// Those of a system.
    pub fn of(manifest: &Manifest) -> Self {
        let count = manifest.vms.len().max(1);
        let gaps = GAP * (count - 1) as f64;
        let width = (MARGIN * 2.0 + BOX * count as f64 + gaps).max(NARROWEST);
        Self { count, width, each: (width - MARGIN * 2.0 - gaps) / count as f64 }
    }

    /// Width of the page.
    pub const fn width(&self) -> f64 {
        self.width
    }

    /// Left edge and width of the box of a VM.
    pub fn place(&self, vm: usize) -> (f64, f64) {
        (MARGIN + (self.each + GAP) * vm.min(self.count) as f64, self.each)
    }
}

/// Draws them from `top` on. Where they end.
pub fn draw(page: &mut Page, top: f64, manifest: &Manifest, columns: &Columns) -> f64 {
    let described: Vec<Description> = manifest.vms.iter().map(|vm| Description::of(vm, manifest)).collect();
    let inner = columns.place(0).1 - PADDING * 2.0;
    let heights = described.iter().map(|description| description.height(inner));
    let height = heights.fold(0.0, f64::max) + 52.0;
    for (number, (vm, description)) in manifest.vms.iter().zip(&described).enumerate() {
        let (left, width) = columns.place(number);
        let (fill, outline) = palette::vm(number);
        page.tile([left, top, width, height], fill, outline, &format!("VM {number}: {}", vm.name));
        page.text([left + PADDING, top + 24.0], (15.0, Weight::Bold), palette::INK, &vm.name);
        if manifest.control.as_ref() == Some(&vm.name) {
            page.anchored(
                Anchor::End,
                [left + width - PADDING, top + 24.0],
                (11.0, Weight::Bold),
                outline,
                "control VM",
            );
        } else if !vm.settings.autostart {
            page.anchored(
                Anchor::End,
                [left + width - PADDING, top + 24.0],
                (11.0, Weight::Plain),
                palette::FAINT,
                "started by it",
            );
        }
        description.draw(page, left + PADDING, top + 34.0, inner, outline);
    }
    top + height
}

/// What is said of a VM.
struct Description {
    lines: Vec<String>,
    services: Vec<(&'static str, bool)>,
    rest: Vec<String>,
}

impl Description {
    fn of(vm: &Vm, manifest: &Manifest) -> Self {
        let image = vm.kernel.as_ref().or_else(|| vm.flash.iter().flatten().next());
        let image = image.and_then(|image| image.name()).unwrap_or_else(|| "no image".to_owned());
        let cores: Vec<String> = vm.cores.iter().map(u32::to_string).collect();
        let plural = if cores.len() == 1 { ("vCPU", "core") } else { ("vCPUs", "cores") };
        let lines = vec![
            image,
            format!("{} {} on {} {}", cores.len(), plural.0, plural.1, cores.join(", ")),
            format!("{} of RAM", ram::size(vm.memory)),
        ];
        let (services, mut rest) = match &vm.firmware {
            Some(firmware) => (firmware.services(), firmware.versions()),
            None if manifest.control.as_ref() == Some(&vm.name) => {
                (Vec::new(), vec!["firmware: all the board has".to_owned()])
            }
            None if manifest.control.is_some() && !vm.settings.autostart => {
                (Vec::new(), vec!["firmware: set before its start".to_owned()])
            }
            None => (Vec::new(), vec!["firmware: all the board has".to_owned()]),
        };
        for filter in vm.firmware.iter().flat_map(|firmware| &firmware.filters) {
            let action = match filter.action {
                Action::Handle => "as registers say",
                Action::Deny => "denied",
                Action::Forward => "to EL3",
            };
            rest.push(format!("{:#010x} +{:#x}: {action}", filter.base, filter.count));
        }
        if vm.settings.watchdog != 0 {
            rest.push(format!("watchdog: {} s", vm.settings.watchdog));
        }
        if vm.settings.movable {
            rest.push("movable".to_owned());
        }
        rest.extend(vm.devices.iter().map(|path| format!("device {path}")));
        Self { lines, services, rest }
    }

    /// Rows of chips in a box of this width.
    fn chip_rows(&self, width: f64) -> Vec<Vec<(&'static str, bool, f64)>> {
        let mut rows: Vec<Vec<(&'static str, bool, f64)>> = Vec::new();
        let mut left = f64::INFINITY;
        for (name, granted) in &self.services {
            let chip = width_of(name, 10.0) + 14.0;
            if left + chip > width {
                rows.push(Vec::new());
                left = 0.0;
            }
            if let Some(row) = rows.last_mut() {
                row.push((name, *granted, left));
            }
            left += chip + 5.0;
        }
        rows
    }

    fn height(&self, width: f64) -> f64 {
        let chips = self.chip_rows(width).len() as f64;
        let gap = if chips > 0.0 { 6.0 } else { 0.0 };
        (self.lines.len() + self.rest.len()) as f64 * LINE + chips * (CHIP + 4.0) + gap
    }

    fn draw(&self, page: &mut Page, x: f64, top: f64, width: f64, outline: &str) {
        let mut y = top;
        for line in &self.lines {
            y += LINE;
            page.text([x, y - 5.0], (12.0, Weight::Plain), palette::INK, &cut(line, 12.0, width));
        }
        let rows = self.chip_rows(width);
        if !rows.is_empty() {
            y += 4.0;
        }
        for row in &rows {
            for (name, granted, left) in row {
                let chip = width_of(name, 10.0) + 14.0;
                let (fill, edge, ink) =
                    if *granted { (outline, outline, palette::PAPER) } else { ("none", palette::RULE, palette::FAINT) };
                let about = if *granted { "answered" } else { "refused" };
                page.tile([x + left, y, chip, CHIP], fill, edge, &format!("{name}: {about}"));
                page.anchored(Anchor::Middle, [x + left + chip / 2.0, y + 12.0], (10.0, Weight::Plain), ink, name);
            }
            y += CHIP + 4.0;
        }
        if !rows.is_empty() {
            y += 2.0;
        }
        for line in &self.rest {
            y += LINE;
            page.text([x, y - 5.0], (11.0, Weight::Plain), palette::FAINT, &cut(line, 11.0, width));
        }
    }
}
