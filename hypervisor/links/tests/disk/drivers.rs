//! A disk against the driver of `virtio-drivers`.

use portcullis_links::disk::{Geometry, Local, Medium, Progress};
use portcullis_virtio::mmio::{Effect, Transport};
use portcullis_virtio::{Budget, Cursor, Queue};
use virtio_drivers::Error;
use virtio_drivers::device::blk::VirtIOBlk;

use crate::peer::{Arena, Backend, Peer};

struct Bytes(Vec<u8>);

impl Bytes {
    fn at(&mut self, offset: u64, length: u32) -> &mut [u8] {
        &mut self.0[offset as usize..][..length as usize]
    }
}

impl Medium<Arena> for Bytes {
    fn read(&mut self, offset: u64, guest: &mut Arena, to: &mut Cursor<'_>, length: u32) -> bool {
        to.write(guest, self.at(offset, length)) == Ok(length as usize)
    }

    fn write(&mut self, offset: u64, guest: &mut Arena, from: &mut Cursor<'_>, length: u32) -> bool {
        from.read(guest, self.at(offset, length)) == Ok(length as usize)
    }

    fn clear(&mut self, offset: u64, length: u32) -> bool {
        self.at(offset, length).fill(0);
        true
    }
}

struct Drive {
    disk: Local,
    bytes: Bytes,
    queue: Option<Queue>,
}

impl Backend<1> for Drive {
    fn act(&mut self, effect: Effect, transport: &mut Transport<1>, memory: &mut Arena) {
        match effect {
            Effect::DriverOk => {
                let layout = transport.layout(0).unwrap();
                self.queue = Some(Queue::new(layout, transport.features(), memory).unwrap());
            }
            Effect::Notify(0) => {
                let queue = self.queue.as_mut().unwrap();
                loop {
                    let progress = self.disk.work(queue, memory, &mut self.bytes, &mut Budget::new()).unwrap();
                    if queue.publish(memory).unwrap() {
                        transport.used();
                    }
                    if progress == Progress::Idle && !queue.listen(memory).unwrap() {
                        break;
                    }
                }
            }
            Effect::Failed(queue, fault) => panic!("{queue:?} {fault}"),
            _ => {}
        }
    }

    fn config(&self) -> Vec<u8> {
        self.disk.geometry().config().to_vec()
    }
}

#[test]
fn blocks_are_written_and_read() {
    const BLOCKS: usize = 300;
    for read_only in [false, true] {
        let geometry = Geometry::new("a-disk", BLOCKS as u64 * 512, 512, read_only).unwrap();
        let bytes = Bytes((0..BLOCKS * 512).map(|i| (i / 7) as u8).collect());
        let mut model = bytes.0.clone();
        let drive = Drive { disk: Local::new(geometry), bytes, queue: None };
        let peer = Peer::new(Transport::new(geometry.identity()), drive);
        let mut driver = VirtIOBlk::<Arena, _>::new(peer.clone()).unwrap();
        assert_eq!((driver.capacity(), driver.readonly()), (BLOCKS as u64, read_only));
        let mut id = [0; 20];
        assert_eq!((driver.device_id(&mut id), &id[..7]), (Ok(6), &b"a-disk\0"[..]));
        for round in 0..200 {
            let (block, count) = (round * 37 % 150, 1 + round % 140);
            let mut buffer = vec![round as u8; count * 512];
            let written = driver.write_blocks(block, &buffer);
            if read_only {
                assert_eq!(written, Err(Error::IoError));
            } else {
                assert_eq!(written, Ok(()));
                model[block * 512..][..buffer.len()].copy_from_slice(&buffer);
            }
            driver.read_blocks(block / 2, &mut buffer).unwrap();
            assert_eq!(buffer, model[block / 2 * 512..][..buffer.len()]);
        }
        assert_eq!(driver.flush(), Ok(()));
        assert_eq!(driver.read_blocks(BLOCKS, &mut [0; 512]), Err(Error::IoError));
        assert_eq!(peer.0.borrow().backend.bytes.0, model);
    }
}
