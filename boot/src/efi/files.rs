//! What the firmware and the boot loaders have in files: an initial RAM disk that is offered, and files on a volume.

use core::ffi::c_void;
use core::ptr;

use portcullis_efi::{Path, transfer};
use uefi_raw::protocol::device_path::{DevicePathProtocol, DeviceSubType, DeviceType};
use uefi_raw::protocol::file_system::{FileAttribute, FileMode, FileProtocolV1, SimpleFileSystemProtocol};
use uefi_raw::protocol::media::LoadFile2Protocol;
use uefi_raw::table::boot::BootServices;
use uefi_raw::{Boolean, Guid, Handle, Status, guid};

use super::calls::with_platform;
use super::tables;

/// The vendor media device path at which boot loaders offer an initial RAM disk (Linux, Documentation/arch/x86/boot.rst; the same
/// GUID everywhere).
const INITRD: Guid = guid!("5568e427-68fc-4f3d-ac74-ca555231cc68");

/// A device path of a vendor's node and the end.
#[repr(C, packed)]
struct Media {
    vendor: DevicePathProtocol,
    guid: Guid,
    end: DevicePathProtocol,
}

static MEDIA: Media = Media {
    vendor: DevicePathProtocol {
        major_type: DeviceType::MEDIA,
        sub_type: DeviceSubType::MEDIA_VENDOR,
        length: ((size_of::<DevicePathProtocol>() + size_of::<Guid>()) as u16).to_le_bytes(),
    },
    guid: INITRD,
    end: DevicePathProtocol {
        major_type: DeviceType::END,
        sub_type: DeviceSubType::END_ENTIRE,
        length: (size_of::<DevicePathProtocol>() as u16).to_le_bytes(),
    },
};

/// An initial RAM disk that a boot loader offers (LoadFile2, UEFI 13.2).
pub struct Offer {
    protocol: *mut LoadFile2Protocol,
    /// What is left of the device path: its end.
    path: *const DevicePathProtocol,
}

impl Offer {
    /// Finds it. None if nobody offers one.
    ///
    /// # Safety
    ///
    /// `boot` must be the firmware's, and boot services last as long as this is used.
    pub unsafe fn find(boot: &BootServices) -> Option<Self> {
        let mut path: *const DevicePathProtocol = (&raw const MEDIA).cast();
        let mut handle = ptr::null_mut();
        // SAFETY: passed on to the caller; the device path has an end.
        let status =
            unsafe { with_platform(boot.locate_device_path)(&LoadFile2Protocol::GUID, &mut path, &mut handle) };
        // SAFETY: what is left is a node of the same path.
        if status != Status::SUCCESS || unsafe { (*path).major_type } != DeviceType::END {
            return None;
        }
        // SAFETY: passed on to the caller.
        let protocol = unsafe { tables::protocol(boot, handle, LoadFile2Protocol::GUID) }.cast::<LoadFile2Protocol>();
        (!protocol.is_null()).then_some(Self { protocol, path })
    }

    /// Its size in bytes.
    ///
    /// # Errors
    ///
    /// The loader's status.
    pub fn size(&self) -> Result<usize, Status> {
        let mut size = 0;
        let status = self.load(ptr::null_mut(), &mut size);
        transfer::announced(status, size)
    }

    /// Reads it into `buffer`, which has room for `room` bytes. Returns how many have come.
    ///
    /// # Errors
    ///
    /// The loader's status.
    pub fn read(&self, buffer: *mut c_void, room: usize) -> Result<usize, Status> {
        let mut size = room;
        let status = self.load(buffer, &mut size);
        transfer::arrived(status, room, size)
    }

    fn load(&self, buffer: *mut c_void, size: &mut usize) -> Status {
        // SAFETY: the protocol was found with boot services that are there yet.
        unsafe { with_platform((*self.protocol).load_file)(self.protocol, self.path, Boolean::FALSE, size, buffer) }
    }
}

/// A file that is open (UEFI 13.5).
pub struct File(*mut FileProtocolV1);

impl File {
    /// Opens the file `path` on the volume of a device. None if there is no volume or no such file.
    ///
    /// # Safety
    ///
    /// `boot` must be the firmware's, and boot services last as long as this is used.
    pub unsafe fn open(boot: &BootServices, device: Handle, path: &Path) -> Option<Result<Self, Status>> {
        if device.is_null() {
            return None;
        }
        // SAFETY: passed on to the caller.
        let volume = unsafe { tables::protocol(boot, device, SimpleFileSystemProtocol::GUID) };
        let volume = volume.cast::<SimpleFileSystemProtocol>();
        if volume.is_null() {
            return None;
        }
        let mut root = ptr::null_mut();
        // SAFETY: the firmware's protocol.
        if unsafe { with_platform((*volume).open_volume)(volume, &mut root) } != Status::SUCCESS {
            return None;
        }
        let (root, mut file) = (Self(root), ptr::null_mut());
        let name = path.terminated().as_ptr();
        // SAFETY: the volume is open, and the path ends in a zero.
        let status =
            unsafe { with_platform((*root.0).open)(root.0, &mut file, name, FileMode::READ, FileAttribute::empty()) };
        match status {
            Status::SUCCESS => Some(Ok(Self(file))),
            Status::NOT_FOUND => None,
            status => Some(Err(status)),
        }
    }

    /// Its size in bytes.
    ///
    /// # Errors
    ///
    /// The firmware's status; it is a folder, for example.
    pub fn size(&self) -> Result<usize, Status> {
        let mut size = 0;
        // SAFETY: the file is open. This position is the end (UEFI 13.5.10).
        let there = unsafe { with_platform((*self.0).set_position)(self.0, u64::MAX) };
        // SAFETY: as above.
        let told = unsafe { with_platform((*self.0).get_position)(self.0, &mut size) };
        // SAFETY: as above.
        let back = unsafe { with_platform((*self.0).set_position)(self.0, 0) };
        match [there, told, back].into_iter().find(|status| *status != Status::SUCCESS) {
            Some(status) => Err(status),
            None => usize::try_from(size).map_err(|_| Status::BAD_BUFFER_SIZE),
        }
    }

    /// Reads it from its beginning into `buffer`, which has room for `room` bytes. Returns how many have come.
    ///
    /// # Errors
    ///
    /// The firmware's status.
    pub fn read(&self, buffer: *mut c_void, room: usize) -> Result<usize, Status> {
        transfer::whole(room, |at, size| {
            // SAFETY: the file is open, and behind what has come there is room for `size` bytes.
            unsafe { with_platform((*self.0).read)(self.0, size, buffer.byte_add(at)) }
        })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the file is open, and nobody uses it after this. It always succeeds.
        _ = unsafe { with_platform((*self.0).close)(self.0) };
    }
}
