//! A transport's registers as a plain structure.

use portcullis_abi::state::{self, Unfit};

use crate::layout::Layout;

use super::queues::Setup;
use super::registers::{INTERRUPT_CONFIG, INTERRUPT_USED};
use super::transport::{DRIVER_OK, FEATURES_OK, STATUS_BITS, Transport};

impl<const QUEUES: usize> Transport<QUEUES> {
    /// Returns all that the transport remembers. What is saved stands still, so that no reset is under way: none then.
    pub fn save(&self) -> Option<state::VirtioTransport> {
        (!self.resetting).then_some(state::VirtioTransport {
            version: state::VirtioTransport::VERSION,
            device: self.identity.device,
            status: u32::from(self.status),
            device_features_sel: self.device_features_sel,
            driver_features_sel: self.driver_features_sel,
            queue_sel: self.queue_sel,
            interrupt: self.interrupt,
            generation: self.generation,
            driver_features: self.driver_features,
        })
    }

    /// Returns the registers of queue `number`; none: there is no such queue.
    pub fn save_setup(&self, number: usize) -> Option<state::VirtioSetup> {
        self.queues.get(number).map(|queue| state::VirtioSetup {
            size: queue.size,
            ready: u32::from(queue.ready),
            descriptors: queue.layout.descriptors,
            available: queue.layout.available,
            used: queue.layout.used,
        })
    }

    /// Puts the transport into a state that was saved.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the transport is as before.
    pub fn restore(
        &mut self,
        state: &state::VirtioTransport,
        setups: &[state::VirtioSetup; QUEUES],
    ) -> Result<(), Unfit> {
        Unfit::check_version(state.version, state::VirtioTransport::VERSION)?;
        if state.device != self.identity.device {
            return Err(Unfit::Value("the virtio device's identifier"));
        }
        let status = u8::try_from(state.status).ok().filter(|status| status & !STATUS_BITS == 0);
        let status = status.filter(|status| status & (DRIVER_OK | FEATURES_OK) != DRIVER_OK);
        let mut restored = Self {
            status: status.ok_or(Unfit::Value("a virtio device's Status"))?,
            device_features_sel: state.device_features_sel,
            driver_features_sel: state.driver_features_sel,
            driver_features: state.driver_features,
            queue_sel: state.queue_sel,
            interrupt: state.interrupt,
            generation: state.generation,
            ..Self::new(self.identity)
        };
        // A driver is told nothing before DRIVER_OK.
        let causes = if restored.status & DRIVER_OK == 0 { 0 } else { INTERRUPT_USED | INTERRUPT_CONFIG };
        if state.interrupt & !causes != 0 {
            return Err(Unfit::Value("a virtio device's InterruptStatus"));
        }
        if restored.accepted() & !self.identity.features != 0 {
            return Err(Unfit::Absent("features of a virtio device"));
        }
        if restored.status & FEATURES_OK != 0 && !restored.is_acceptable() {
            return Err(Unfit::Value("the features that a virtio driver accepted"));
        }
        for (number, setup) in setups.iter().enumerate() {
            restored.restore_setup(number, setup)?;
        }
        *self = restored;
        Ok(())
    }

    /// Puts the registers of queue `number` into a state that was saved, behind those that all queues share.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the transport is as before.
    pub fn restore_setup(&mut self, number: usize, setup: &state::VirtioSetup) -> Result<(), Unfit> {
        let place = self.queues.get_mut(number).zip(self.identity.queues.get(number));
        let (queue, most) = place.ok_or(Unfit::Absent("a virtqueue"))?;
        let state::VirtioSetup { size, ready, descriptors, available, used } = *setup;
        let restored = Setup { size, layout: Layout { size: 0, descriptors, available, used }, ready: ready == 1 };
        if ready > 1 || restored.ready && restored.layout().check(*most).is_err() {
            return Err(Unfit::Value("a virtqueue's registers"));
        }
        *queue = restored;
        Ok(())
    }
}
