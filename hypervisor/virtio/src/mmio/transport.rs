//! The registers of one device, and what accesses do to them.

use virtio_spec::DeviceStatus;

use crate::fault::Fault;
use crate::features::{Features, VERSION_1};
use crate::layout::Layout;

use super::queues::Setup;
use super::registers::*;

/// Status: the driver can drive the device.
pub(super) const DRIVER_OK: u8 = DeviceStatus::DRIVER_OK.bits();
/// Status: features are negotiated.
pub(super) const FEATURES_OK: u8 = DeviceStatus::FEATURES_OK.bits();
/// Status: the device cannot go on.
pub(super) const NEEDS_RESET: u8 = DeviceStatus::DEVICE_NEEDS_RESET.bits();
/// Status: what a driver can set.
const BY_DRIVER: u8 = DeviceStatus::ACKNOWLEDGE.bits()
    | DeviceStatus::DRIVER.bits()
    | DRIVER_OK
    | FEATURES_OK
    | DeviceStatus::FAILED.bits();
/// Status: all of its bits.
pub(super) const STATUS_BITS: u8 = BY_DRIVER | NEEDS_RESET;

/// What a device is to its driver, from the first access on.
#[derive(Clone, Copy, Debug)]
pub struct Identity<const QUEUES: usize> {
    /// DeviceID.
    pub device: u32,
    /// The features that are offered.
    pub features: u64,
    /// Whether features, all of which are offered, go together (virtio 1.2, section 2.2.1).
    pub accepts: fn(u64) -> bool,
    /// How large each queue can be: powers of two.
    pub queues: [u16; QUEUES],
}

/// What is to be done because of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The device is in use: its queues are as [`Transport::layout`] has them.
    DriverOk,
    /// The queue with this number has new chains.
    Notify(u16),
    /// The interrupt line stays high, since another cause came before the acknowledgement: the guest is to get one more edge. The
    /// line falls and rises once.
    Raise,
    /// The device is not to touch the queue any more. The access ends when it does not.
    Stop(u16),
    /// The device is to forget everything. The access ends when no core works at it any more, and [`Transport::finish_reset`] was
    /// called: a driver frees its rings at once.
    Reset,
    /// The driver went against the specification; the device needs a reset. The number is the queue's, if it was about one.
    Failed(Option<u16>, Fault),
}

/// The registers of one device with `QUEUES` queues. Whoever has it serializes accesses.
#[derive(Clone, Debug)]
pub struct Transport<const QUEUES: usize> {
    pub(super) identity: Identity<QUEUES>,
    pub(super) status: u8,
    /// Status was written with 0, and the device has yet to come to rest.
    pub(super) resetting: bool,
    pub(super) device_features_sel: u32,
    pub(super) driver_features_sel: u32,
    pub(super) driver_features: u64,
    pub(super) queue_sel: u32,
    pub(super) interrupt: u32,
    pub(super) generation: u32,
    pub(super) queues: [Setup; QUEUES],
}

impl<const QUEUES: usize> Transport<QUEUES> {
    /// A device after its reset.
    pub const fn new(identity: Identity<QUEUES>) -> Self {
        const FRESH: Setup =
            Setup { size: 0, layout: Layout { size: 0, descriptors: 0, available: 0, used: 0 }, ready: false };
        Self {
            identity,
            status: 0,
            resetting: false,
            device_features_sel: 0,
            driver_features_sel: 0,
            driver_features: 0,
            queue_sel: 0,
            interrupt: 0,
            generation: 0,
            queues: [FRESH; QUEUES],
        }
    }

    /// Reads `size` bytes (1, 2, 4 or 8) at `offset` into the frame of a device whose configuration is `config`. Registers are
    /// read by 32 bits at multiples of 4; else they read as zero (section 4.2.2.2). The configuration is read by any width.
    pub fn read(&self, offset: u64, size: u8, config: &[u8]) -> u64 {
        if offset >= CONFIG {
            return read_config(config, offset.wrapping_sub(CONFIG), size);
        }
        if size != 4 {
            return 0;
        }
        u64::from(match offset {
            MAGIC => MAGIC_VALUE,
            VERSION => VERSION_VALUE,
            DEVICE_ID => self.identity.device,
            VENDOR_ID => VENDOR_VALUE,
            DEVICE_FEATURES => half(self.identity.features, self.device_features_sel),
            QUEUE_NUM_MAX => self.most().map_or(0, u32::from),
            QUEUE_READY => self.selected().map_or(0, |queue| u32::from(queue.ready)),
            INTERRUPT_STATUS => self.interrupt,
            STATUS => u32::from(self.status),
            CONFIG_GENERATION => self.generation,
            _ if matches!(offset & !7, SHM_LEN | SHM_BASE) && offset & 3 == 0 => u32::MAX,
            _ => 0,
        })
    }

    /// Writes `value`, which is `size` bytes long, at `offset` into the frame. Only 32 bits at multiples of 4 are registers; the
    /// configuration cannot be written.
    pub fn write(&mut self, offset: u64, size: u8, value: u64) -> Effect {
        if size != 4 || self.resetting {
            return Effect::None;
        }
        let value = value as u32;
        match offset {
            QUEUE_NOTIFY => return self.notify(value),
            INTERRUPT_ACK => {
                return if self.acknowledge(value) { Effect::Raise } else { Effect::None };
            }
            STATUS => return self.write_status(value),
            DEVICE_FEATURES_SEL => self.device_features_sel = value,
            DRIVER_FEATURES_SEL => self.driver_features_sel = value,
            DRIVER_FEATURES if self.status & FEATURES_OK == 0 => match self.driver_features_sel {
                0 => self.driver_features = self.driver_features & !0xffff_ffff | u64::from(value),
                1 => self.driver_features = self.driver_features & 0xffff_ffff | u64::from(value) << 32,
                _ => {}
            },
            QUEUE_SEL => self.queue_sel = value,
            QUEUE_READY => return self.write_ready(value),
            QUEUE_NUM => self.set_up(|queue| queue.size = value),
            QUEUE_DESC..SHM_LEN => self.set_up(|queue| queue.set_half(offset, value)),
            _ => {}
        }
        Effect::None
    }

    /// Whether the interrupt line is high. It is an edge that the guest has: the line falls when all causes are acknowledged,
    /// and if there are others than those that were, it rises again at once ([`Effect::Raise`]).
    #[inline]
    pub const fn level(&self) -> bool {
        self.interrupt != 0
    }

    /// InterruptStatus.
    #[inline]
    pub const fn interrupt_status(&self) -> u32 {
        self.interrupt
    }

    /// Takes note that the driver has seen these causes of its interrupt, what it writes to InterruptACK. Returns whether there are
    /// others, so that the line is to fall and rise ([`Effect::Raise`]): a cause that came between the read of InterruptStatus and
    /// this has made no edge, and the driver waits for one.
    #[inline]
    pub const fn acknowledge(&mut self, causes: u32) -> bool {
        if self.resetting {
            return false;
        }
        self.interrupt &= !causes;
        self.level()
    }

    /// The queues below 64 whose notifications are looked at, a bit each.
    pub fn notifiable(&self) -> u64 {
        if !self.is_running() {
            return 0;
        }
        let ready = (0..u64::BITS).zip(&self.queues).filter(|(_, queue)| queue.ready);
        ready.fold(0, |queues, (number, _)| queues | 1 << number)
    }

    /// Takes note that chains were given back, and that the driver wants to be interrupted.
    #[inline]
    pub const fn used(&mut self) {
        if self.is_running() {
            self.interrupt |= INTERRUPT_USED;
        }
    }

    /// Takes note that the configuration is another one: a driver in use is told.
    pub const fn changed(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.tell();
    }

    /// The device cannot go on until its driver resets it (section 2.1.2). Returns whether that is new.
    pub const fn fail(&mut self) -> bool {
        if self.resetting || self.status & NEEDS_RESET != 0 {
            return false;
        }
        self.tell();
        self.status |= NEEDS_RESET;
        true
    }

    /// Whether the driver uses the device, and the device can go on.
    #[inline]
    pub const fn is_running(&self) -> bool {
        self.status & (DRIVER_OK | NEEDS_RESET) == DRIVER_OK && !self.resetting
    }

    /// Whether the device waits for [`finish_reset`](Self::finish_reset).
    #[inline]
    pub const fn is_resetting(&self) -> bool {
        self.resetting
    }

    /// The features that were negotiated; none before FEATURES_OK.
    #[inline]
    pub const fn accepted(&self) -> u64 {
        if self.status & FEATURES_OK == 0 { 0 } else { self.driver_features }
    }

    /// Those that concern queues.
    pub const fn features(&self) -> Features {
        Features::new(self.accepted())
    }

    /// Where queue `number` is, if its driver has it in use.
    pub fn layout(&self, number: u16) -> Option<Layout> {
        let queue = self.queues.get(usize::from(number))?;
        (queue.ready && self.is_running()).then(|| queue.layout())
    }

    /// Ends a reset, also that of the VM: no core works at the device any more.
    pub const fn finish_reset(&mut self) {
        // A driver that compares generations is the one from before the reset.
        let generation = self.generation;
        *self = Self::new(self.identity);
        self.generation = generation;
    }

    /// Raises the interrupt of a changed configuration.
    const fn tell(&mut self) {
        if self.is_running() {
            self.interrupt |= INTERRUPT_CONFIG;
        }
    }

    fn notify(&self, number: u32) -> Effect {
        match u16::try_from(number) {
            Ok(number) if self.layout(number).is_some() => Effect::Notify(number),
            _ => Effect::None,
        }
    }

    fn write_status(&mut self, value: u32) -> Effect {
        if value == 0 {
            if self.status == 0 {
                self.finish_reset();
                return Effect::None;
            }
            self.resetting = true;
            return Effect::Reset;
        }
        let new = value as u8 & BY_DRIVER & !self.status;
        if new & DRIVER_OK != 0 && (self.status | new) & FEATURES_OK == 0 {
            return self.refuse(None, Fault::Legacy);
        }
        self.status |= new & !(FEATURES_OK | DRIVER_OK);
        if new & FEATURES_OK != 0 && self.is_acceptable() {
            self.status |= FEATURES_OK;
        }
        // The bit stays clear where the features do not fit, and a driver that goes on all the same has been told.
        if new & DRIVER_OK != 0 && self.status & FEATURES_OK != 0 {
            self.status |= DRIVER_OK;
            if self.is_running() {
                return Effect::DriverOk;
            }
        }
        Effect::None
    }

    /// Whether the driver's features go together, and are offered.
    pub(super) fn is_acceptable(&self) -> bool {
        let Self { driver_features, identity, .. } = self;
        driver_features & !identity.features == 0
            && driver_features & VERSION_1 != 0
            && (identity.accepts)(*driver_features)
    }

    fn write_ready(&mut self, value: u32) -> Effect {
        let running = self.is_running();
        let (Ok(number), Some(most)) = (u16::try_from(self.queue_sel), self.most()) else { return Effect::None };
        let Some(queue) = self.queues.get_mut(usize::from(number)) else { return Effect::None };
        if value & 1 == 0 {
            let was = core::mem::replace(&mut queue.ready, false);
            return if was && running { Effect::Stop(number) } else { Effect::None };
        }
        // What is in use is fixed when DRIVER_OK is set.
        if self.status & DRIVER_OK != 0 || queue.ready {
            return Effect::None;
        }
        let size = queue.size;
        match queue.layout().check(most) {
            Ok(()) => {
                queue.ready = true;
                Effect::None
            }
            Err(Fault::Size { most, .. }) => self.refuse(Some(number), Fault::Size { size, most }),
            Err(fault) => self.refuse(Some(number), fault),
        }
    }

    /// Changes the selected queue while it is not in use.
    fn set_up(&mut self, change: impl FnOnce(&mut Setup)) {
        let running = self.status & DRIVER_OK != 0;
        let queue = usize::try_from(self.queue_sel).ok().and_then(|number| self.queues.get_mut(number));
        if let Some(queue) = queue.filter(|queue| !queue.ready && !running) {
            change(queue);
        }
    }

    fn refuse(&mut self, queue: Option<u16>, fault: Fault) -> Effect {
        if self.fail() { Effect::Failed(queue, fault) } else { Effect::None }
    }

    fn selected(&self) -> Option<&Setup> {
        self.queues.get(usize::try_from(self.queue_sel).ok()?)
    }

    /// How large the selected queue can be.
    fn most(&self) -> Option<u16> {
        self.identity.queues.get(usize::try_from(self.queue_sel).ok()?).copied()
    }
}

/// The half of `features` that `selector` names.
const fn half(features: u64, selector: u32) -> u32 {
    match selector {
        0 => features as u32,
        1 => (features >> 32) as u32,
        _ => 0,
    }
}

/// Reads `size` bytes of a configuration, little-endian; zeros behind its end.
fn read_config(config: &[u8], offset: u64, size: u8) -> u64 {
    let mut bytes = [0; 8];
    let there = usize::try_from(offset).ok().and_then(|offset| config.get(offset..)).unwrap_or_default();
    bytes.iter_mut().zip(there).take(usize::from(size)).for_each(|(byte, there)| *byte = *there);
    u64::from_le_bytes(bytes)
}
