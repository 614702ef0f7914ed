//! The bundle: what a checked manifest becomes. Format: `portcullis_abi::bundle`.

pub mod images;

use std::io::{self, Write};
use std::path::Path;

use portcullis_abi::bundle as abi;
use portcullis_bundle::baseline;
use vm_fdt::FdtWriter;

use crate::{Core, Disk, Firmware, Image, Manifest, Served, Source, Vm};
use images::Images;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tree could not be built.
    #[error("the bundle cannot be built: {0}")]
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

/// A bundle as it is written: its parts in their order.
#[derive(Debug)]
pub struct Bundle<'a> {
    header: [u8; abi::HEADER_SIZE],
    /// The tree, and what fills it up to where the images begin.
    tree: Vec<u8>,
    images: Images<'a>,
}

impl<'a> Bundle<'a> {
    /// Makes the bundle of `manifest`.
    ///
    /// # Errors
    ///
    /// [`Error::Build`] if the tree cannot be built.
    pub fn new(manifest: &'a Manifest) -> Result<Self, Error> {
        let mut images = Images::default();
        let mut tree = tree(manifest, &mut images)?;
        let beginning = (abi::HEADER_SIZE + tree.len()).next_multiple_of(abi::ALIGNMENT as usize);
        tree.resize(beginning - abi::HEADER_SIZE, 0);

        let mut header = [0; abi::HEADER_SIZE];
        let mut put = |offset: usize, bytes: &[u8]| header[offset..][..bytes.len()].copy_from_slice(bytes);
        put(0, &abi::MAGIC);
        put(abi::VERSION_OFFSET, &abi::VERSION.to_be_bytes());
        put(abi::SIZE_OFFSET, &(beginning as u64 + images.size()).to_be_bytes());
        put(abi::IMAGES_OFFSET, &(beginning as u64).to_be_bytes());
        let mut bundle = Self { header, tree, images };
        let mut sum = crc32fast::Hasher::new();
        let mut skip = abi::CHECKED_OFFSET;
        for part in bundle.parts() {
            sum.update(&part[skip.min(part.len())..]);
            skip = 0;
        }
        let sum = sum.finalize().to_be_bytes();
        bundle.header[abi::CHECKSUM_OFFSET..][..sum.len()].copy_from_slice(&sum);
        Ok(bundle)
    }

    /// The bundle's bytes, in pieces.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        [&self.header[..], &self.tree].into_iter().chain(self.images.parts())
    }
}

/// Writes the bundle of `manifest` to `path`: completely or not at all.
///
/// # Errors
///
/// As [`Bundle::new`], and [`Error::Write`].
pub fn write(manifest: &Manifest, path: &Path) -> Result<(), Error> {
    let bundle = Bundle::new(manifest)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is private by default, but a bundle is for everyone to read, as far as the umask allows.
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(folder).and_then(|mut file| {
        for part in bundle.parts() {
            file.write_all(part)?;
        }
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    });
    written.map_err(|cause| Error::Write { path: path.display().to_string(), cause })
}

/// The tree, whose images are added to `images`.
fn tree<'a>(manifest: &'a Manifest, images: &mut Images<'a>) -> Result<Vec<u8>, vm_fdt::Error> {
    let mut fdt = FdtWriter::new()?;
    let root = fdt.begin_node("")?;
    if let Some(control) = &manifest.control {
        fdt.property_string(abi::CONTROL, control)?;
    }
    for (number, vm) in manifest.vms.iter().enumerate() {
        let node = fdt.begin_node(&format!("{}{number:x}", abi::VM_NODE))?;
        write_vm(&mut fdt, vm, manifest.consoles.get(number).copied().flatten(), images)?;
        fdt.end_node(node)?;
    }
    for core in &manifest.cores {
        write_core(&mut fdt, core)?;
    }
    write_links(&mut fdt, manifest)?;
    write_disks(&mut fdt, &manifest.disks, images)?;
    fdt.end_node(root)?;
    fdt.finish()
}

fn write_vm<'a>(
    fdt: &mut FdtWriter,
    vm: &'a Vm,
    console: Option<usize>,
    images: &mut Images<'a>,
) -> Result<(), vm_fdt::Error> {
    fdt.property_string(abi::NAME, &vm.name)?;
    fdt.property_u64(abi::MEMORY, vm.memory)?;
    fdt.property_array_u32(abi::CORES, &vm.cores)?;
    if vm.slices.iter().any(|slice| *slice != abi::SLICE) {
        fdt.property_array_u32(abi::SLICES, &vm.slices)?;
    }
    fdt.property_string(abi::CMDLINE, &vm.cmdline)?;
    for (name, value) in vm.settings.properties() {
        fdt.property(name, &value)?;
    }
    if !vm.devices.is_empty() {
        fdt.property_string_list(abi::DEVICES, vm.devices.clone())?;
    }
    if !vm.implementations.is_empty() {
        let words = vm.implementations.iter().flat_map(|one| [one.midr, one.revidr, one.aidr]);
        fdt.property_array_u64(abi::IMPLEMENTATIONS, &words.collect::<Vec<_>>())?;
    }
    if let Some(cpu) = &vm.cpu {
        fdt.property_array_u64(abi::CPU, &baseline::words(cpu))?;
    }
    if let Some(slot) = console {
        fdt.property_u32(abi::CONSOLE, slot as u32)?;
    }
    if let Some(soc) = vm.soc {
        fdt.property_array_u32(abi::SOC_ID, &[soc.version, soc.revision])?;
    }
    let mut place = |image: &'a Image| images.add(&image.bytes).map(u64::to_be_bytes);
    if let Some(kernel) = &vm.kernel {
        fdt.property(abi::KERNEL, place(kernel).as_flattened())?;
    }
    if let Some(flash) = &vm.flash {
        let places: Vec<_> = flash.iter().flat_map(&mut place).collect();
        fdt.property(abi::FLASH, places.as_flattened())?;
    }
    if let Some(initrd) = &vm.initrd {
        fdt.property(abi::INITRD, place(initrd).as_flattened())?;
    }
    if let Some(load) = vm.load {
        fdt.property_u64(abi::LOAD, load)?;
    }
    if vm.tree_low {
        fdt.property_null(abi::TREE_LOW)?;
    }
    // Nodes follow the properties (Devicetree Specification 0.4, section 5.4.2).
    if let Some(firmware) = &vm.firmware {
        write_firmware(fdt, firmware)?;
    }
    Ok(())
}

fn write_firmware(fdt: &mut FdtWriter, firmware: &Firmware) -> Result<(), vm_fdt::Error> {
    let node = fdt.begin_node(abi::FIRMWARE)?;
    if firmware.keep {
        fdt.property_null(abi::KEEP)?;
    }
    for ((name, _), value) in abi::REGISTERS.into_iter().zip(firmware.registers) {
        if let Some(value) = value {
            fdt.property_u64(name, value)?;
        }
    }
    if !firmware.filters.is_empty() {
        let cells = firmware.filters.iter().flat_map(|filter| [filter.base, filter.count, filter.action.number()]);
        fdt.property_array_u32(abi::FILTER, &cells.collect::<Vec<_>>())?;
    }
    fdt.end_node(node)?;
    Ok(())
}

fn write_core(fdt: &mut FdtWriter, core: &Core) -> Result<(), vm_fdt::Error> {
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

/// Writes what connects VMs, a folder for each kind that there is.
fn write_links(fdt: &mut FdtWriter, manifest: &Manifest) -> Result<(), vm_fdt::Error> {
    if !manifest.wires.is_empty() {
        let folder = fdt.begin_node(abi::WIRES)?;
        for wire in &manifest.wires {
            let node = fdt.begin_node(&wire.name)?;
            for (name, end) in [(abi::FROM, &wire.from), (abi::TO, &wire.to)] {
                fdt.property_array_u32(name, &[end.vm as u32, end.line as u32])?;
            }
            fdt.end_node(node)?;
        }
        fdt.end_node(folder)?;
    }
    if !manifest.shared_memory.is_empty() {
        let folder = fdt.begin_node(abi::SHARED_MEMORY)?;
        for memory in &manifest.shared_memory {
            let node = fdt.begin_node(&memory.name)?;
            fdt.property_u64(abi::SIZE, memory.size)?;
            if memory.cached {
                fdt.property_null(abi::CACHED)?;
            }
            let cells = memory.sharers.iter().flat_map(|sharer| [sharer.vm as u32, sharer.writes.into()]);
            fdt.property_array_u32(abi::SHARERS, &cells.collect::<Vec<_>>())?;
            fdt.end_node(node)?;
        }
        fdt.end_node(folder)?;
    }
    if !manifest.serials.is_empty() {
        let folder = fdt.begin_node(abi::SERIALS)?;
        for serial in &manifest.serials {
            let node = fdt.begin_node(&serial.name)?;
            fdt.property_array_u32(abi::BETWEEN, &serial.vms.map(|vm| vm as u32))?;
            fdt.end_node(node)?;
        }
        fdt.end_node(folder)?;
    }
    if !manifest.networks.is_empty() {
        let folder = fdt.begin_node(abi::NETWORKS)?;
        for network in &manifest.networks {
            let node = fdt.begin_node(&network.name)?;
            fdt.property_u32(abi::MTU, network.mtu.into())?;
            if !network.segmentation {
                fdt.property_null(abi::UNSEGMENTED)?;
            }
            let cells = network.ports.iter().flat_map(|port| {
                let [a, b, c, d, e, f] = port.mac;
                let mac = [u32::from_be_bytes([0, 0, a, b]), u32::from_be_bytes([c, d, e, f])];
                [port.vm as u32, port.slot as u32, mac[0], mac[1], port.bridge.into(), port.rate.unwrap_or(0)]
            });
            fdt.property_array_u32(abi::PORTS, &cells.collect::<Vec<_>>())?;
            fdt.end_node(node)?;
        }
        fdt.end_node(folder)?;
    }
    Ok(())
}

/// Writes the disks, if there are any.
fn write_disks<'a>(fdt: &mut FdtWriter, disks: &'a [Disk], images: &mut Images<'a>) -> Result<(), vm_fdt::Error> {
    if disks.is_empty() {
        return Ok(());
    }
    let folder = fdt.begin_node(abi::DISKS)?;
    for disk in disks {
        let node = fdt.begin_node(&disk.name)?;
        fdt.property_array_u32(abi::CLIENT, &[disk.vm as u32, disk.slot as u32])?;
        if disk.block != abi::BLOCKS[0] {
            fdt.property_u32(abi::BLOCK, disk.block)?;
        }
        match &disk.source {
            Source::Image(image) => {
                fdt.property(abi::IMAGE, images.add(&image.bytes).map(u64::to_be_bytes).as_flattened())?;
            }
            Source::Scratch(size) => {
                fdt.property_null(abi::SCRATCH)?;
                fdt.property_u64(abi::SIZE, *size)?;
            }
            Source::Served(Served { server, size, read_only, export, timeout }) => {
                fdt.property_u32(abi::SERVER, *server as u32)?;
                fdt.property_u64(abi::SIZE, *size)?;
                if *read_only {
                    fdt.property_null(abi::READ_ONLY)?;
                }
                if !export.is_empty() {
                    fdt.property_string(abi::EXPORT, export)?;
                }
                fdt.property_u32(abi::TIMEOUT, *timeout)?;
            }
        }
        fdt.end_node(node)?;
    }
    fdt.end_node(folder)?;
    Ok(())
}

/// Puts the checksum of `blob`, a bundle, into its place.
pub fn seal(blob: &mut [u8]) {
    let sum = crc32fast::hash(&blob[abi::CHECKED_OFFSET..]).to_be_bytes();
    blob[abi::CHECKSUM_OFFSET..][..sum.len()].copy_from_slice(&sum);
}

#[cfg(test)]
mod tests;
