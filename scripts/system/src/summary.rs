//! The system as a table for people.

use std::fmt;

use super::{Core, Manifest, Window, duration, memory};

impl fmt::Display for Manifest {
    /// One line per VM: its name, cores, memory, image and firmware services. Then one per core with a cyclic schedule: its
    /// frame, whose time is when, and who has the rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["VM", "cores", "memory", "image", "services"].map(str::to_owned)];
        for vm in &self.vms {
            let cores: Vec<String> = vm.cores.iter().map(u32::to_string).collect();
            let image = vm.kernel.as_ref().or_else(|| vm.flash.iter().flatten().next());
            let image =
                image.and_then(|image| image.path.file_name()).unwrap_or_default().to_string_lossy().into_owned();
            let image = if vm.store.is_some() { "none".to_owned() } else { image };
            let services = vm.firmware.as_ref().map_or("default".to_owned(), ToString::to_string);
            rows.push([vm.name.clone(), cores.join(","), memory::show(vm.memory), image, services]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths = [width(0), width(1), width(2), width(3)];
        for row in &rows {
            for (cell, width) in row.iter().zip(widths) {
                write!(f, "{cell:width$}  ")?;
            }
            writeln!(f, "{}", row[4])?;
        }
        self.cores.iter().try_for_each(|core| self.core(f, core))
    }
}

impl Manifest {
    fn core(&self, f: &mut fmt::Formatter<'_>, core: &Core) -> fmt::Result {
        let name = |vm: usize| self.vms.get(vm).map_or("?", |vm| vm.name.as_str());
        let windows: Vec<String> =
            core.windows.iter().map(|window| format!("{} {}", name(window.vm), span(window))).collect();
        let rest: Vec<&str> = core.background.iter().map(|vm| name(*vm)).collect();
        let (frame, windows) = (duration::show(core.frame.into()), windows.join(", "));
        let rest = if rest.is_empty() { "idle".to_owned() } else { rest.join(", ") };
        writeln!(f, "core {}: frame {frame}: {windows}; rest: {rest}", core.number)
    }
}

/// Start and end of a window, in milliseconds if both are whole.
fn span(window: &Window) -> String {
    let (start, end) = (window.start, window.start.saturating_add(window.length));
    match start.is_multiple_of(1_000) && end.is_multiple_of(1_000) {
        true => format!("{}-{}ms", start / 1_000, end / 1_000),
        false => format!("{start}-{end}us"),
    }
}
