//! A driver at random: registers of a virtio device over MMIO, and rings, descriptors and tables that mean something and that do
//! not.
#![no_main]

use fuzz::operations;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::features::EVERY;
use portcullis_virtio::mmio::{Effect, Identity, Transport, registers};
use portcullis_virtio::{Chain, Layout, MAX_CHAIN, Queue};

/// Bytes of the guest's memory, so few that rings, tables and buffers meet.
const SIZE: usize = 1 << 14;
const END: u64 = START + SIZE as u64;

const IDENTITY: Identity<2> =
    Identity { device: 1, features: EVERY | 3, accepts: |features| features & 3 != 2, queues: [256, 8] };

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

/// A device that gives back what it gets, early or late.
struct Device {
    transport: Transport<2>,
    queues: [Option<Queue>; 2],
    chain: Chain,
    ram: Ram,
}

fn run(steps: &mut Unstructured) -> Result<()> {
    let mut device =
        Device { transport: Transport::new(IDENTITY), queues: [None, None], chain: Chain::new(), ram: Ram::new(SIZE) };
    let mut drivers = [Driver::new(START, 16), Driver::new(START + 0x400, 8)];
    if steps.ratio(7, 8)? {
        device.start(steps, &drivers)?;
    }
    while !steps.is_empty() {
        let which = usize::from(steps.arbitrary::<bool>()?);
        let step = steps.int_in_range(0..=12u8)?;
        // What a driver writes is one; what a device does is counted where it does it.
        operations::count(u64::from((2..=10).contains(&step)));
        match step {
            0 => {
                let offset = u64::from(steps.arbitrary::<u16>()? & 0x1fc);
                let value = steps.arbitrary::<u32>()?;
                let value = if steps.ratio(3, 4)? { value & 0xf } else { value };
                device.write(offset, value);
            }
            1 => _ = device.transport.read(steps.arbitrary()?, 1 << steps.int_in_range(0..=3)?, &[1, 2, 3]),
            2 | 3 => {
                let (flags, next) = (steps.arbitrary::<u16>()? & 7, steps.arbitrary::<u16>()? & 0x1f);
                let number = steps.int_in_range(0..=drivers[which].layout.size - 1)?;
                let buffer = (address(steps)?, length(steps)?);
                drivers[which].set(&mut device.ram, number, buffer, flags, next);
            }
            4 => {
                let table = START + 0x1000 + u64::from(steps.arbitrary::<u8>()?) * 16;
                let (flags, next) = (steps.arbitrary::<u16>()? & 7, steps.arbitrary::<u16>()? & 0xf);
                let buffer = (address(steps)?, length(steps)?);
                Driver::describe(&mut device.ram, table, next & 3, buffer, flags, next);
            }
            5 => drivers[which].offer(&mut device.ram, steps.int_in_range(0..=20)?),
            6 | 7 => {
                let buffers: Vec<(u64, u32)> =
                    (0..steps.int_in_range(1..=9)?).map(|i| (START + 0x2000 + i * 64, 16)).collect();
                let readable = steps.int_in_range(0..=buffers.len())?;
                if steps.arbitrary()? {
                    drivers[which].give(&mut device.ram, &buffers, readable);
                } else {
                    drivers[which].give_indirect(&mut device.ram, START + 0x1000, &buffers, readable);
                }
            }
            8 => {
                let place = steps.int_in_range(0..=SIZE - 2)?;
                device.ram.bytes[place..place + 2].copy_from_slice(&steps.arbitrary::<[u8; 2]>()?);
            }
            9 | 10 => device.write(registers::QUEUE_NOTIFY, which as u32),
            11 => device.work(which, steps)?,
            _ => device.save_and_restore(),
        }
        assert!(device.ram.bytes.len() == SIZE);
        let driver = &mut drivers[which];
        while let Some((head, _)) = driver.used(&device.ram)
            && head < driver.layout.size
        {}
    }
    Ok(())
}

impl Device {
    /// As a driver begins.
    fn start(&mut self, steps: &mut Unstructured, drivers: &[Driver; 2]) -> Result<()> {
        let features =
            EVERY & !(u64::from(steps.int_in_range(0..=3u8)?) << 28) | u64::from(steps.int_in_range(0..=3u8)?);
        self.write(registers::DRIVER_FEATURES_SEL, 1);
        self.write(registers::DRIVER_FEATURES, (features >> 32) as u32);
        self.write(registers::DRIVER_FEATURES_SEL, 0);
        self.write(registers::DRIVER_FEATURES, features as u32);
        self.write(registers::STATUS, 11);
        for (number, driver) in (0..).zip(drivers) {
            let Layout { size, descriptors, available, used } = driver.layout;
            self.write(registers::QUEUE_SEL, number);
            self.write(registers::QUEUE_NUM, size.into());
            self.write(registers::QUEUE_DESC, descriptors as u32);
            self.write(registers::QUEUE_DRIVER, available as u32);
            self.write(registers::QUEUE_DEVICE, used as u32);
            self.write(registers::QUEUE_READY, 1);
        }
        self.write(registers::STATUS, 15);
        Ok(())
    }

    fn write(&mut self, offset: u64, value: u32) {
        let before = self.transport.is_running();
        match self.transport.write(offset, 4, value.into()) {
            Effect::DriverOk => {
                assert!(!before && self.transport.is_running());
                let features = self.transport.features();
                let (transport, ram) = (&self.transport, &self.ram);
                let made =
                    [0, 1].map(|number| transport.layout(number).map(|layout| Queue::new(layout, features, ram)));
                for (place, made) in self.queues.iter_mut().zip(made) {
                    match made {
                        Some(Ok(queue)) => *place = Some(queue),
                        Some(Err(fault)) => {
                            assert!(!fault.to_string().is_empty());
                            self.transport.fail();
                        }
                        None => {}
                    }
                }
            }
            Effect::Notify(number) => assert!(before && number < 2),
            Effect::Stop(number) => self.queues[usize::from(number)] = None,
            Effect::Reset => {
                assert!(self.transport.is_resetting());
                self.queues = [None, None];
                self.transport.finish_reset();
                assert_eq!(self.transport.read(registers::STATUS, 4, &[]), 0);
            }
            Effect::Failed(_, fault) => assert!(!fault.to_string().is_empty()),
            Effect::Raise => assert!(self.transport.level()),
            Effect::None => {}
        }
        assert_eq!(self.transport.level(), self.transport.read(registers::INTERRUPT_STATUS, 4, &[]) != 0);
    }

    /// A piece of work at a queue; what is wrong with it ends the device's use.
    fn work(&mut self, which: usize, steps: &mut Unstructured) -> Result<()> {
        if !self.transport.is_running() {
            return Ok(());
        }
        let most = steps.int_in_range(0..=20u8)?;
        let late = steps.arbitrary()?;
        let Self { transport, queues, chain, ram } = self;
        let Some(queue) = &mut queues[which] else { return Ok(()) };
        let mut done = || {
            // This, and to publish and to listen.
            operations::count(3);
            queue.silence(ram)?;
            for _ in 0..most {
                let mark = queue.mark();
                operations::count(1);
                if !queue.take(ram, chain)? {
                    break;
                }
                assert!(chain.descriptors() <= MAX_CHAIN && chain.descriptors() > 0);
                let (mut total, mut reader, mut writer) = (0, chain.reader(), chain.writer());
                while let Some(piece) = reader.piece(u32::MAX).or_else(|| writer.piece(u32::MAX)) {
                    assert!(piece.length > 0 && piece.address >= START);
                    assert!(piece.address.checked_add(piece.length.into()).is_some_and(|end| end <= END));
                    total += u64::from(piece.length);
                }
                assert_eq!(total, u64::from(chain.readable()) + u64::from(chain.writable()));
                let mut bytes = [0; 40];
                let read = chain.reader().read(ram, &mut bytes)?;
                assert_eq!(read as u32, chain.readable().min(40));
                let written = chain.writer().write(ram, &bytes[..read])? as u32;
                assert_eq!(written, chain.writable().min(read as u32));
                operations::count(1);
                match chain.head() % 4 {
                    0 if late => {}
                    1 if late => queue.rewind(mark),
                    _ => queue.put(ram, chain.head(), written)?,
                }
            }
            if !late {
                let heads: Vec<u16> = queue.taken().collect();
                for head in heads {
                    operations::count(2);
                    queue.again(ram, head, chain)?;
                    queue.put(ram, head, 0)?;
                }
            }
            let told = queue.publish(ram)?;
            let more = queue.listen(ram)?;
            Ok::<_, portcullis_virtio::Fault>((told, more))
        };
        match done() {
            Ok((true, _)) => transport.used(),
            Ok(_) => {}
            Err(fault) => {
                assert!(!fault.to_string().is_empty());
                assert!(transport.fail());
            }
        }
        Ok(())
    }

    /// What was saved is as it was.
    fn save_and_restore(&mut self) {
        let state = self.transport.save().unwrap();
        let setups = [0, 1].map(|number| self.transport.save_setup(number).unwrap());
        let mut other = Transport::new(IDENTITY);
        assert_eq!(other.restore(&state, &setups), Ok(()));
        assert_eq!(other.save(), Some(state));
        for (number, queue) in (0..).zip(&mut self.queues) {
            let Some((queue, layout)) = queue.as_mut().zip(other.layout(number)) else { continue };
            let state = queue.save();
            let restored = Queue::restore(layout, other.features(), &self.ram, &state).unwrap();
            assert_eq!(restored.save(), state);
            *queue = restored;
        }
        self.transport = other;
    }
}

/// An address that is in the memory, at its edges, or anywhere.
fn address(steps: &mut Unstructured) -> Result<u64> {
    Ok(match steps.int_in_range(0..=7u8)? {
        0 => steps.arbitrary()?,
        1 => END - u64::from(steps.arbitrary::<u8>()?),
        2 => START + 0x1000 + u64::from(steps.arbitrary::<u8>()?) * 16,
        _ => START + u64::from(steps.arbitrary::<u16>()?) % SIZE as u64,
    })
}

/// A length that is a buffer's, a table's, or anything.
fn length(steps: &mut Unstructured) -> Result<u32> {
    Ok(match steps.int_in_range(0..=7u8)? {
        0 => steps.arbitrary()?,
        1 | 2 => u32::from(steps.arbitrary::<u8>()? & 0xf) * 16,
        _ => steps.arbitrary::<u8>()?.into(),
    })
}
