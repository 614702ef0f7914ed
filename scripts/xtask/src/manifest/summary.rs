//! The system as a table for people.

use std::fmt;

use super::{Manifest, memory};

impl fmt::Display for Manifest {
    /// One line per VM: its name, cores, memory, image and firmware services.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["VM", "cores", "memory", "image", "services"].map(str::to_owned)];
        for vm in &self.vms {
            let cores: Vec<String> = vm.cores.iter().map(u32::to_string).collect();
            let image = vm.kernel.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
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
        Ok(())
    }
}
