//! The bundle: what a checked manifest becomes. Format: `portcullis_abi::bundle`.

use std::io::{self, Write};
use std::path::Path;

use portcullis_abi::bundle as abi;
use vm_fdt::FdtWriter;

use crate::manifest::{Core, Firmware, Manifest, Vm};

/// Offset of `off_dt_struct` in the header of a device tree blob (Devicetree Specification 0.4, section 5.2).
const OFF_DT_STRUCT: usize = 8;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The blob could not be built.
    #[error("the bundle cannot be built: {0}; a bundle holds at most 4 GiB, images included")]
    Build(vm_fdt::Error),
    /// The file could not be written.
    #[error("the bundle {path} cannot be written: {cause}")]
    Write {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
}

impl From<vm_fdt::Error> for Error {
    fn from(error: vm_fdt::Error) -> Self {
        Self::Build(error)
    }
}

/// The bundle of `manifest`.
///
/// # Errors
///
/// [`Error::Build`] if the blob would be too large.
pub fn blob(manifest: &Manifest) -> Result<Vec<u8>, Error> {
    let mut fdt = FdtWriter::new()?;
    let root = fdt.begin_node("")?;
    fdt.property_u32(abi::CHECKSUM, 0)?;
    fdt.property_u32(abi::BUNDLE, abi::VERSION)?;
    if let Some(control) = &manifest.control {
        fdt.property_string(abi::CONTROL, control)?;
    }
    for (number, vm) in manifest.vms.iter().enumerate() {
        let node = fdt.begin_node(&format!("{}{number:x}", abi::VM_NODE))?;
        write_vm(&mut fdt, vm)?;
        fdt.end_node(node)?;
    }
    for core in &manifest.cores {
        write_core(&mut fdt, core)?;
    }
    fdt.end_node(root)?;
    let mut blob = fdt.finish()?;
    seal(&mut blob);
    Ok(blob)
}

/// Writes the bundle of `manifest` to `path`: completely or not at all.
///
/// # Errors
///
/// As [`blob`], and [`Error::Write`].
pub fn write(manifest: &Manifest, path: &Path) -> Result<(), Error> {
    let blob = blob(manifest)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is private by default, but a bundle is for everyone to read, as far as the umask allows.
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(folder).and_then(|mut file| {
        file.write_all(&blob)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    });
    written.map_err(|cause| Error::Write { path: path.display().to_string(), cause })
}

fn write_vm(fdt: &mut FdtWriter, vm: &Vm) -> Result<(), Error> {
    fdt.property_string(abi::NAME, &vm.name)?;
    fdt.property_u64(abi::MEMORY, vm.memory)?;
    fdt.property_array_u32(abi::CORES, &vm.cores)?;
    if vm.slices.iter().any(|slice| *slice != abi::SLICE) {
        fdt.property_array_u32(abi::SLICES, &vm.slices)?;
    }
    fdt.property_string(abi::CMDLINE, &vm.cmdline)?;
    if vm.autostart {
        fdt.property_null(abi::AUTOSTART)?;
    }
    if vm.audit {
        fdt.property_null(abi::AUDIT)?;
    }
    if vm.stop_on_fault {
        fdt.property_null(abi::STOP_ON_FAULT)?;
    }
    if vm.restart_limit != 0 {
        fdt.property_u32(abi::RESTART_LIMIT, vm.restart_limit)?;
    }
    fdt.property_u32(abi::CONDUITS, vm.conduits)?;
    if vm.machine != 0 {
        fdt.property_u32(abi::MACHINE, vm.machine)?;
    }
    if !vm.devices.is_empty() {
        fdt.property_string_list(abi::DEVICES, vm.devices.clone())?;
    }
    if vm.trust_dma {
        fdt.property_null(abi::TRUST_DMA)?;
    }
    fdt.property(abi::KERNEL, &vm.kernel.bytes)?;
    if let Some(initrd) = &vm.initrd {
        fdt.property(abi::INITRD, &initrd.bytes)?;
    }
    // Nodes follow the properties (Devicetree Specification 0.4, section 5.4.2).
    if let Some(firmware) = &vm.firmware {
        write_firmware(fdt, firmware)?;
    }
    Ok(())
}

fn write_firmware(fdt: &mut FdtWriter, firmware: &Firmware) -> Result<(), Error> {
    let node = fdt.begin_node(abi::FIRMWARE)?;
    if firmware.keep {
        fdt.property_null(abi::KEEP)?;
    }
    let registers =
        [(abi::STD, firmware.std), (abi::STD_HYP, firmware.std_hyp), (abi::VENDOR_HYP, firmware.vendor_hyp)];
    for (name, value) in registers {
        if let Some(value) = value {
            fdt.property_u64(name, value)?;
        }
    }
    fdt.property_u32(abi::PSCI, firmware.psci)?;
    if !firmware.filters.is_empty() {
        let cells = firmware.filters.iter().flat_map(|filter| [filter.base, filter.count, filter.action.number()]);
        fdt.property_array_u32(abi::FILTER, &cells.collect::<Vec<_>>())?;
    }
    fdt.end_node(node)?;
    Ok(())
}

fn write_core(fdt: &mut FdtWriter, core: &Core) -> Result<(), Error> {
    let node = fdt.begin_node(&format!("{}{:x}", abi::CORE_NODE, core.number))?;
    fdt.property_u32(abi::FRAME, core.frame)?;
    let cells = core.windows.iter().flat_map(|window| [window.vm as u32, window.start, window.length]);
    fdt.property_array_u32(abi::WINDOWS, &cells.collect::<Vec<_>>())?;
    if !core.background.is_empty() {
        let cells: Vec<u32> = core.background.iter().map(|vm| *vm as u32).collect();
        fdt.property_array_u32(abi::BACKGROUND, &cells)?;
    }
    fdt.end_node(node)?;
    Ok(())
}

/// Puts the checksum of `blob`, a bundle, into its place.
pub fn seal(blob: &mut [u8]) {
    let mut offset = [0; 4];
    offset.copy_from_slice(&blob[OFF_DT_STRUCT..][..4]);
    let place = u32::from_be_bytes(offset) as usize + abi::CHECKSUM_OFFSET;
    blob[place..][..4].fill(0);
    let checksum = crc32fast::hash(blob).to_be_bytes();
    blob[place..][..4].copy_from_slice(&checksum);
}

#[cfg(test)]
mod tests;
