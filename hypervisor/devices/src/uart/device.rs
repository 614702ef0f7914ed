//! The UART behind the seam, and its state as a plain structure.

use portcullis_abi::{map, state};

use super::fifo::{DEPTH, Fifo};
use super::pl011::{FROM_LINE, Pl011, Value};
use super::registers::*;
use crate::{Description, Device, Frame, Trigger, Unfit};

/// All bits of a received character that exist: the character, its error bits (UARTDR 11:0), and where it came from.
const CELL_MASK: u16 = 0xfff | FROM_LINE;

impl Device for Pl011 {
    type World<'a> = ();
    type State = state::Pl011;

    const DESCRIPTION: Description = Description {
        node: "pl011@9000000",
        compatible: "arm,pl011\0arm,primecell",
        frames: &[Frame { start: map::UART, size: map::UART_SIZE }],
        interrupt: Some((map::UART_INTID, Trigger::Level)),
        clock_names: "uartclk\0apb_pclk",
        clocks: 2,
        bank_width: None,
        gpio_cells: None,
    };

    fn read(&mut self, (): (), offset: u64, _: u8) -> u64 {
        u64::from(Self::read(self, offset))
    }

    fn write(&mut self, (): (), offset: u64, _: u8, value: u64) {
        Self::write(self, offset, value as u32);
    }

    fn level(&self) -> bool {
        self.irq_level()
    }

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn save(&self) -> state::Pl011 {
        let (transmit, transmit_length) = self.transmit.save();
        let (receive, receive_length) = self.receive.save();
        state::Pl011 {
            version: state::Pl011::VERSION,
            control: self.cr.get(),
            line_control: self.lcr.get(),
            fifo_levels: self.ifls.get(),
            mask: self.imsc.get(),
            raw: self.ris.get(),
            receive_status: self.rsr.get(),
            overrun: u32::from(self.overrun),
            low_power: self.ilpr,
            divisor: self.ibrd,
            divisor_fraction: self.fbrd,
            dma: self.dmacr,
            transmit_length,
            receive_length,
            transmit,
            receive,
        }
    }

    fn restore(&mut self, state: &state::Pl011) -> Result<(), Unfit> {
        Unfit::check_version(state.version, state::Pl011::VERSION)?;
        let within = |value: u32, mask: u32, part| if value & !mask == 0 { Ok(value) } else { Err(Unfit::Value(part)) };
        let mut restored = Self {
            cr: Value::new(within(state.control, exists::CR, "UARTCR")?),
            lcr: Value::new(within(state.line_control, exists::LCR_H, "UARTLCR_H")?),
            ifls: Value::new(within(state.fifo_levels, exists::IFLS, "UARTIFLS")?),
            imsc: Value::new(within(state.mask, exists::INT, "UARTIMSC")?),
            ris: Value::new(within(state.raw, exists::INT, "UARTRIS")?),
            rsr: Value::new(within(state.receive_status, RSR::OE::SET.value | RSR::BE::SET.value, "UARTRSR")?),
            overrun: within(state.overrun, 1, "the overrun mark")? != 0,
            ilpr: within(state.low_power, exists::ILPR, "UARTILPR")?,
            ibrd: within(state.divisor, exists::IBRD, "UARTIBRD")?,
            fbrd: within(state.divisor_fraction, exists::FBRD, "UARTFBRD")?,
            dmacr: within(state.dma, exists::DMACR, "UARTDMACR")?,
            transmit: Fifo::restore(state.transmit, state.transmit_length).ok_or(Unfit::Value("the transmit FIFO"))?,
            receive: Fifo::restore(state.receive, state.receive_length).ok_or(Unfit::Value("the receive FIFO"))?,
            ..Self::new()
        };
        if state.receive.iter().any(|cell| cell & !CELL_MASK != 0) {
            return Err(Unfit::Value("the receive FIFO"));
        }
        restored.derive();
        *self = restored;
        Ok(())
    }
}

const _: () = assert!(state::Pl011::VERSION == 1 && DEPTH == 32, "the structure's FIFOs are as deep as the UART's");

#[cfg(test)]
mod tests {
    use super::*;

    /// A UART after hostile traffic from a seed.
    fn used(mut seed: u64) -> Pl011 {
        let mut uart = Pl011::new();
        seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for _ in 0..200 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            match seed % 5 {
                0 => _ = uart.receive((seed >> 32) as u8),
                1 => _ = uart.transmitted(),
                2 => _ = Device::read(&mut uart, (), (seed >> 8) % 0x13 * 4, 4),
                _ => Device::write(&mut uart, (), (seed >> 8) % 0x13 * 4, 4, seed >> 32),
            }
        }
        uart
    }

    #[test]
    fn what_was_saved_goes_on_as_before() {
        for seed in 0..if cfg!(miri) { 5 } else { 1000 } {
            let mut uart = used(seed);
            let state = uart.save();
            let mut restored = Pl011::new();
            restored.restore(&state).unwrap();
            assert_eq!(restored.save(), state);
            assert_eq!(restored.level(), uart.level());
            for step in 0..40 {
                assert_eq!(restored.read(FR), uart.read(FR), "{seed} {step}");
                assert_eq!(restored.read(DR), uart.read(DR), "{seed} {step}");
                assert_eq!(restored.transmitted(), uart.transmitted(), "{seed} {step}");
                assert_eq!(restored.receive(step), uart.receive(step), "{seed} {step}");
                assert_eq!(restored.read(RIS), uart.read(RIS), "{seed} {step}");
            }
            assert_eq!(restored.save(), uart.save());
        }
    }

    #[test]
    fn a_state_that_no_uart_has_is_refused_and_changes_nothing() {
        let good = used(7).save();
        let damaged = [
            state::Pl011 { version: 2, ..good },
            state::Pl011 { control: 1 << 3, ..good },
            state::Pl011 { line_control: 0x100, ..good },
            state::Pl011 { fifo_levels: 0x40, ..good },
            state::Pl011 { mask: 0x800, ..good },
            state::Pl011 { raw: 0x800, ..good },
            state::Pl011 { receive_status: 1, ..good },
            state::Pl011 { overrun: 2, ..good },
            state::Pl011 { low_power: 0x100, ..good },
            state::Pl011 { divisor: 1 << 16, ..good },
            state::Pl011 { divisor_fraction: 0x40, ..good },
            state::Pl011 { dma: 8, ..good },
            state::Pl011 { transmit_length: 33, ..good },
            state::Pl011 { receive_length: u32::MAX, ..good },
            state::Pl011 { receive: [0x1000; 32], ..good },
        ];
        let mut uart = used(8);
        let before = uart.save();
        for state in damaged {
            let unfit = uart.restore(&state).unwrap_err();
            assert!(unfit.to_string().starts_with("its state is "), "{unfit}");
            assert_eq!(uart.save(), before);
        }
    }
}
