//! A VM with two disks: an image, each sector of which begins with its number, and RAM. The driver is that of the crate
//! `virtio-drivers`.

use guest_virtio::{Memory, transports};
use virtio_drivers::device::blk::{SECTOR_SIZE, VirtIOBlk};
use virtio_drivers::transport::DeviceType;
use virtio_drivers::transport::mmio::MmioTransport;

use crate::guest::report;

/// Bytes that are asked for at once at the most.
const LONGEST: usize = 64 << 10;

static mut BUFFER: [u8; LONGEST] = [0; LONGEST];

type Disk = VirtIOBlk<Memory, MmioTransport<'static>>;

/// The disk whose name begins so.
fn disk(name: &str) -> Option<Disk> {
    let mut disks = transports(DeviceType::Block).filter_map(|(_, transport)| Disk::new(transport).ok());
    disks.find_map(|mut disk| {
        let mut id = [0; 20];
        let length = disk.device_id(&mut id).ok()?;
        id.get(..length)?.starts_with(name.as_bytes()).then_some(disk)
    })
}

/// Writes what the sectors of a range have, whose numbers count from `seed` on.
fn fill(bytes: &mut [u8], sector: usize, seed: usize) {
    for (number, sector) in (sector + seed..).zip(bytes.chunks_mut(SECTOR_SIZE)) {
        sector.fill(number as u8);
        sector[..4].copy_from_slice(&(number as u32).to_le_bytes());
    }
}

/// Whether they have it.
fn holds(bytes: &[u8], sector: usize, seed: usize) -> bool {
    (sector + seed..).zip(bytes.chunks(SECTOR_SIZE)).all(|(number, sector)| {
        sector[..4] == (number as u32).to_le_bytes() && sector[4..].iter().all(|byte| *byte == number as u8)
    })
}

/// Reads the image and writes the RAM.
pub fn run() {
    let buffer = &raw mut BUFFER;
    // SAFETY: one vCPU runs, and nobody else has it.
    let buffer = unsafe { &mut *buffer };
    image(buffer);
    scratch(buffer);
}

fn image(buffer: &mut [u8; LONGEST]) {
    let Some(mut disk) = disk("image-") else {
        return report::fail(format_args!("disks/image"), &"a disk", &"none");
    };
    report::equal(format_args!("disks/image-read-only"), true, disk.readonly());
    let sectors = disk.capacity() as usize;
    report::equal(format_args!("disks/image-size"), 2048, sectors);
    let mut wrong = None;
    for length in [512, 4096, 20_480, LONGEST] {
        for sector in (0..sectors).step_by(length / SECTOR_SIZE) {
            let bytes = &mut buffer[..length.min((sectors - sector) * SECTOR_SIZE)];
            bytes.fill(0xee);
            if (disk.read_blocks(sector, bytes).is_err() || !holds(bytes, sector, 0)) && wrong.is_none() {
                wrong = Some((length, sector));
            }
        }
    }
    report::equal(format_args!("disks/image-content"), None, wrong);
    report::equal(
        format_args!("disks/image-behind-its-end"),
        true,
        disk.read_blocks(sectors, &mut buffer[..512]).is_err(),
    );
    report::equal(format_args!("disks/image-is-not-written"), true, disk.write_blocks(0, &buffer[..512]).is_err());
    let kept = disk.read_blocks(0, &mut buffer[..512]).is_ok() && holds(&buffer[..512], 0, 0);
    report::equal(format_args!("disks/image-is-kept"), true, kept);
}

fn scratch(buffer: &mut [u8; LONGEST]) {
    let Some(mut disk) = disk("scratch-") else {
        return report::fail(format_args!("disks/scratch"), &"a disk", &"none");
    };
    report::equal(format_args!("disks/scratch-writable"), false, disk.readonly());
    let (sectors, at_once) = (disk.capacity() as usize, LONGEST / SECTOR_SIZE);
    report::equal(format_args!("disks/scratch-size"), 3 << 11, sectors);
    let mut each = |what: &str, act: &mut dyn FnMut(&mut Disk, usize, &mut [u8]) -> bool| {
        let wrong = (0..sectors).step_by(at_once).find(|sector| !act(&mut disk, *sector, buffer));
        report::equal(format_args!("disks/scratch-{what}"), None, wrong);
    };
    each("begins-with-zeros", &mut |disk, sector, bytes| {
        bytes.fill(0xee);
        disk.read_blocks(sector, bytes).is_ok() && bytes.iter().all(|byte| *byte == 0)
    });
    each("is-written", &mut |disk, sector, bytes| {
        fill(bytes, sector, 7);
        disk.write_blocks(sector, bytes).is_ok()
    });
    // At sectors that are no multiples of what was written at once, across blocks of 2 MiB too.
    each("keeps-it", &mut |disk, sector, bytes| {
        let bytes = &mut bytes[..LONGEST - 3 * SECTOR_SIZE];
        disk.read_blocks(sector + 3, bytes).is_ok() && holds(bytes, sector + 3, 7)
    });
    report::equal(format_args!("disks/scratch-is-flushed"), true, disk.flush().is_ok());
    report::equal(
        format_args!("disks/scratch-behind-its-end"),
        true,
        disk.write_blocks(sectors, &buffer[..512]).is_err(),
    );
}
