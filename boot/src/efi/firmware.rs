//! EFI firmware as [`portcullis_efi`] asks for it.

use core::ffi::c_void;
use core::fmt;
use core::ptr;

use portcullis_arch::{checksum, cpu, id, timer};
use portcullis_board::Range;
use portcullis_board::vm_memory::EL2_END;
use portcullis_efi::{Firmware, Path, Table};
use portcullis_platform::facts::List;
use portcullis_tree::{self as tree, be32};
use uefi_raw::protocol::device_path::{DevicePathProtocol, DeviceSubType, DeviceType};
use uefi_raw::protocol::loaded_image::LoadedImageProtocol;
use uefi_raw::table::boot::{AllocateType, BootServices, MemoryDescriptor, MemoryType};
use uefi_raw::table::system::SystemTable;
use uefi_raw::time::Time;
use uefi_raw::{Handle, Status};

use super::calls::with_platform;
use super::{console, files, tables};
use crate::heap;

/// Bytes of a page (UEFI 7.2).
const PAGE: usize = 4096;
/// Bytes of the heap: what is known of the VMs while the bundle is checked.
pub const HEAP: usize = 256 << 10;
/// Descriptors for which there is room beyond those of a map that was asked for: it grows by what the room takes.
const MORE: usize = 8;
/// How often a map is asked for that has become larger again.
const ATTEMPTS: usize = 4;
/// Most nodes of a device path that are looked at.
const NODES: usize = 32;

/// EFI firmware before its boot services are left.
pub struct Efi {
    handle: Handle,
    table: &'static SystemTable,
    boot: &'static BootServices,
    /// The image as the firmware knows it.
    image: Option<&'static LoadedImageProtocol>,
    /// Room for a memory map.
    map: Range,
    /// Pages that were taken, to be given back if nothing is started: the heap, the bundle, and a map that grows at each attempt.
    taken: List<Range, 8>,
}

impl Efi {
    /// The firmware that has started this image.
    ///
    /// # Safety
    ///
    /// The arguments are those that EFI firmware starts an application with, and boot services last as long as this is used.
    pub unsafe fn new(handle: Handle, table: *mut SystemTable) -> Self {
        // SAFETY: passed on to the caller (UEFI 4.1.1); what the tables lead to stays where it is.
        let table = unsafe { &*table };
        // SAFETY: as above.
        let boot = unsafe { &*table.boot_services };
        // SAFETY: as above; an image that was started has this protocol (UEFI 9.1).
        let image =
            unsafe { tables::protocol(boot, handle, LoadedImageProtocol::GUID).cast::<LoadedImageProtocol>().as_ref() };
        // SAFETY: as above; `exit` closes it, and `free`.
        unsafe { console::open(table.stdout) };
        Self { handle, table, boot, image, map: Range::default(), taken: List::default() }
    }

    /// Gives back all that was taken.
    pub fn free(&mut self) {
        console::close();
        while let Some(range) = self.taken.pop() {
            // SAFETY: the pages are those that were allocated, and nothing refers to them any more. Of a failure nobody could
            // be told.
            _ = unsafe { with_platform(self.boot.free_pages)(range.start, (range.size() as usize).div_ceil(PAGE)) };
        }
    }

    /// Gives the heap memory, until boot services are left.
    ///
    /// # Errors
    ///
    /// The firmware's status.
    pub fn start_heap(&mut self) -> Result<(), Status> {
        let range = self.take(HEAP)?;
        // SAFETY: the pages were just taken. The hypervisor's entry gives it other memory; if nothing is started nobody uses it.
        unsafe { heap::init(range) };
        Ok(())
    }

    /// Takes memory for `size` bytes, as loaders' data.
    fn take(&mut self, size: usize) -> Result<Range, Status> {
        // Where EL2 maps what it uses; this is the highest address of the last page (UEFI 7.2.1).
        let (mut start, pages) = (EL2_END - 1, size.div_ceil(PAGE));
        // SAFETY: boot services are there, or memory is all that is asked for.
        let status = unsafe {
            with_platform(self.boot.allocate_pages)(
                AllocateType::MAX_ADDRESS,
                MemoryType::LOADER_DATA,
                pages,
                &mut start,
            )
        };
        if status != Status::SUCCESS {
            return Err(status);
        }
        let range = Range::sized(start, pages as u64 * PAGE as u64);
        // One that is not noted is not given back, and no more than that.
        _ = self.taken.push(range);
        Ok(range)
    }

    /// Reads what `read` puts into memory for it, which is told the number of bytes that there is room for.
    fn fill(
        &mut self,
        size: usize,
        read: impl FnOnce(*mut c_void, usize) -> Result<usize, Status>,
    ) -> Result<&'static [u8], Status> {
        let range = self.take(size.max(1))?;
        let length = read(ptr::with_exposed_provenance_mut(range.start as usize), size)?;
        // SAFETY: the pages are taken, and stay until nothing was started or for ever; as many bytes have been written.
        Ok(unsafe { core::slice::from_raw_parts(range.start as *const u8, length.min(size)) })
    }
}

impl Firmware for Efi {
    fn level(&self) -> u64 {
        cpu::exception_level()
    }

    fn reach(&self) -> u64 {
        EL2_END
    }

    fn has_crc32(&self) -> bool {
        checksum::present()
    }

    fn memory_model(&self) -> u64 {
        id::memory_model()
    }

    fn has(&self, table: Table) -> bool {
        // SAFETY: the firmware's table.
        !unsafe { tables::find(self.table, table.guid()) }.is_null()
    }

    fn tree(&self, longest: usize) -> Option<&'static [u8]> {
        // SAFETY: as above.
        let start = unsafe { tables::find(self.table, Table::Tree.guid()) };
        if start.is_null() {
            return None;
        }
        // SAFETY: the firmware has a device tree there, of which this is the beginning.
        let header = unsafe { core::slice::from_raw_parts(start, tree::HEADER_SIZE) };
        let length = be32(header, 4).unwrap_or(0) as usize;
        if be32(header, 0) != Some(tree::MAGIC) || length > longest {
            return Some(&[]);
        }
        // SAFETY: it says itself that it is so long, and stays where it is.
        Some(unsafe { core::slice::from_raw_parts(start, length) })
    }

    fn offered(&mut self) -> Option<Result<&'static [u8], Status>> {
        // SAFETY: boot services are there.
        let offer = unsafe { files::Offer::find(self.boot) }?;
        Some(offer.size().and_then(|size| self.fill(size, |buffer, room| offer.read(buffer, room))))
    }

    fn options(&self) -> &[u16] {
        let Some(image) = self.image else { return &[] };
        let options = image.load_options.cast::<u16>();
        if options.is_null() || !options.is_aligned() {
            return &[];
        }
        // SAFETY: the firmware has so many bytes there (UEFI 9.1).
        unsafe { core::slice::from_raw_parts(options, image.load_options_size as usize / 2) }
    }

    fn own_path(&self) -> Path {
        let Some(image) = self.image.filter(|image| !image.file_path.is_null()) else { return Path::none() };
        // SAFETY: the firmware's device path, which ends in an end node (UEFI 10.3.1).
        let nodes = unsafe { Nodes::new(image.file_path) };
        let files = nodes.filter(|(kind, sub, _)| (*kind, *sub) == (DeviceType::MEDIA, DeviceSubType::MEDIA_FILE_PATH));
        let text = |data: &'static [u8]| data.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair));
        Path::joined(files.map(|(_, _, data)| text(data))).unwrap_or(Path::none())
    }

    fn file(&mut self, path: &Path) -> Option<Result<&'static [u8], Status>> {
        let volume = self.image?.device_handle;
        // SAFETY: boot services are there, and the handle is the firmware's.
        match unsafe { files::File::open(self.boot, volume, path) }? {
            Ok(file) => Some(file.size().and_then(|size| self.fill(size, |buffer, room| file.read(buffer, room)))),
            Err(status) => Some(Err(status)),
        }
    }

    fn loaded(&mut self, range: Range) -> &'static [u8] {
        // SAFETY: RAM by the memory map, in which a loader has put it to stay.
        unsafe { core::slice::from_raw_parts(range.start as *const u8, range.size() as usize) }
    }

    fn map(&mut self, each: &mut dyn FnMut(&MemoryDescriptor)) -> Result<usize, Status> {
        for _ in 0..ATTEMPTS {
            let (mut size, mut key, mut step, mut version) = (self.map.size() as usize, 0, 0, 0);
            let buffer = self.map.start as *mut MemoryDescriptor;
            // SAFETY: there is room for as many bytes as `size` says.
            let status = unsafe {
                with_platform(self.boot.get_memory_map)(&mut size, buffer, &mut key, &mut step, &mut version)
            };
            match status {
                Status::SUCCESS if step >= size_of::<MemoryDescriptor>() => {
                    for number in 0..size / step {
                        // SAFETY: the firmware has written a descriptor every `step` bytes; a later version only has more behind.
                        each(&unsafe { buffer.byte_add(number * step).read_unaligned() });
                    }
                    return Ok(key);
                }
                Status::SUCCESS => return Err(Status::INCOMPATIBLE_VERSION),
                Status::BUFFER_TOO_SMALL => {
                    self.map = self.take(size + MORE * step.max(size_of::<MemoryDescriptor>()))?
                }
                status => return Err(status),
            }
        }
        Err(Status::BUFFER_TOO_SMALL)
    }

    fn time(&mut self) -> Option<(Time, u64)> {
        // SAFETY: the firmware's table (UEFI 4.3); runtime services run where they are as long as boot services are there.
        let runtime = unsafe { self.table.runtime_services.as_ref() }?;
        let mut time = Time::invalid();
        // SAFETY: as above; who does not ask for the clock's capabilities gives none a place.
        let status = unsafe { with_platform(runtime.get_time)(&mut time, ptr::null_mut()) };
        (status == Status::SUCCESS).then(|| (time, timer::count()))
    }

    fn exit(&mut self, key: usize) -> Result<(), Status> {
        console::close();
        // SAFETY: nothing of boot services is used after this has succeeded; after a failure nothing but memory and its map.
        match unsafe { with_platform(self.boot.exit_boot_services)(self.handle, key) } {
            Status::SUCCESS => Ok(()),
            status => Err(status),
        }
    }

    fn say(&mut self, line: fmt::Arguments<'_>) {
        console::say(line);
    }
}

/// The nodes of a device path: type, subtype and what follows.
struct Nodes(*const DevicePathProtocol, usize);

impl Nodes {
    /// The nodes of the path at `first`.
    ///
    /// # Safety
    ///
    /// It must end in an end node, and stay as long as the nodes are used.
    const unsafe fn new(first: *const DevicePathProtocol) -> Self {
        Self(first, NODES)
    }
}

impl Iterator for Nodes {
    type Item = (DeviceType, DeviceSubType, &'static [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.1 = self.1.checked_sub(1)?;
        // SAFETY: there is a node, as none before it was the last.
        let node = unsafe { *self.0 };
        let length = usize::from(node.length()).checked_sub(size_of::<DevicePathProtocol>())?;
        if node.major_type == DeviceType::END {
            return None;
        }
        // SAFETY: the node says itself that so much follows.
        let data = unsafe { core::slice::from_raw_parts(self.0.add(1).cast(), length) };
        // SAFETY: one that is not the last is followed by another one.
        self.0 = unsafe { self.0.byte_add(usize::from(node.length())) };
        Some((node.major_type, node.sub_type, data))
    }
}
