//! A VM's end of the console: its emulated UART between the guest and the machine's serial line.

use portcullis_abi::state::{self, Unfit};
use portcullis_arch::timer;
use portcullis_console::LineBuffer;
use portcullis_devices::Device;
use portcullis_devices::uart::registers::{CR, DR, LCR_H};
use spin::mutex::{TicketMutex, TicketMutexGuard};

use super::log::Follower;
use super::owner::Owner;
use super::port::Port;
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;
use crate::serial::SERIAL;

/// An unfinished line is looked at again after this part of a second.
const STANDING: u64 = 50;

/// What a look at a VM's unfinished line finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It has stood for long enough to be shown, and has been if that was wanted.
    pub due: bool,
    /// Something stands there, or may.
    pub stands: bool,
}

/// One VM's end.
pub struct GuestConsole {
    /// The VM's number.
    vm: usize,
    port: TicketMutex<Port>,
}

impl GuestConsole {
    /// Makes the end of VM `vm`, its UART out of reset.
    pub fn new(vm: usize) -> Self {
        Self { vm, port: TicketMutex::new(Port::new()) }
    }

    /// Says who may follow what the VM writes, which is [kept](Self::keep_log).
    pub fn set_follower(&self, follower: &'static dyn Follower) {
        self.port.lock().log.set_follower(follower);
    }

    /// UART, line and input, for who knows what to do with them. Lock order: before the console's.
    pub fn lock(&self) -> TicketMutexGuard<'_, Port> {
        self.port.lock()
    }

    /// Reads the register at `offset` for the guest.
    #[inline]
    pub fn read<O: Owner>(&self, owner: &O, offset: u64) -> u64 {
        let mut port = self.port.lock();
        let value = port.uart.read(offset);
        if offset == DR {
            self.supply(owner, &mut port);
        }
        u64::from(value)
    }

    /// Writes the register at `offset` for the guest.
    #[inline]
    pub fn write<O: Owner>(&self, owner: &O, offset: u64, value: u64) {
        let mut port = self.port.lock();
        port.uart.write(offset, value as u32);
        match offset {
            DR => self.take_output(&mut port),
            CR => {
                self.take_output(&mut port);
                return self.supply(owner, &mut port);
            }
            LCR_H => return self.supply(owner, &mut port),
            _ => {}
        }
        drive(owner, &mut port);
    }

    /// Takes a byte that was typed. Without room it is lost.
    pub fn receive<O: Owner>(&self, owner: &O, byte: u8) {
        let mut port = self.port.lock();
        port.receive(byte);
        drive(owner, &mut port);
    }

    /// Takes what was typed at the follower's, as far as there is room: when there is more, that one is called. Returns how many
    /// bytes that are.
    pub fn receive_all<O: Owner + ?Sized>(&self, owner: &O, bytes: &[u8]) -> usize {
        let mut port = self.port.lock();
        let taken = port.typed.push_all(bytes);
        if taken < bytes.len() {
            port.typed.hold_line();
        }
        port.supply();
        drive(owner, &mut port);
        taken
    }

    /// Lets the guest's output go on, which had stalled and has room now.
    pub fn go_on<O: Owner>(&self, owner: &O) {
        let mut port = self.port.lock();
        self.take_output(&mut port);
        if port.unfinished {
            self.end_line(&mut port);
        }
        drive(owner, &mut port);
    }

    /// Shows what the guest, which has stopped, left unfinished: now, or when there is room.
    pub fn finish(&self) {
        let mut port = self.port.lock();
        self.take_output(&mut port);
        self.end_line(&mut port);
    }

    fn end_line(&self, port: &mut Port) {
        port.unfinished = !self.show(port, |line| SERIAL.finish(self.vm, line));
    }

    /// Has the console take finished lines. Out of line: most characters only go to the line. False: there is nothing to go on
    /// with.
    #[inline(never)]
    fn submit(&self, port: &mut Port) -> bool {
        if !port.log.is_kept() {
            return SERIAL.submit(self.vm, &mut port.line);
        }
        let before = port.line.bytes().len();
        let taken = self.show(port, |line| SERIAL.submit(self.vm, line));
        if taken && port.line.bytes().len() == before {
            // Whoever follows has it, and the console has it as an unfinished line.
            self.stand();
            return false;
        }
        taken
    }

    /// Has the console take what it does of the line, all of which is in the log then.
    fn show<R>(&self, port: &mut Port, show: impl FnOnce(&mut LineBuffer) -> R) -> R {
        let Port { line, log, .. } = port;
        log.take(line.bytes());
        let result = show(line);
        log.left(line.bytes().len());
        if log.take_call() {
            log.call();
        }
        result
    }

    /// Keeps the last of what the guest writes from now on.
    pub fn keep_log(&self) {
        self.port.lock().log.keep();
    }

    /// Forgets what it has written: its VM is made anew.
    pub fn clear_log(&self) {
        self.port.lock().log.clear();
    }

    /// Reads what it has written of late; see [`Log::read`](super::log::Log::read).
    pub fn read_log(&self, position: u64, to: &mut [u8]) -> Option<(u64, usize)> {
        let mut port = self.port.lock();
        // What stands in a line that is not finished counts, too.
        let Port { line, log, .. } = &mut *port;
        log.take(line.bytes());
        log.read(position, to)
    }

    /// Somebody follows what it writes from now on, or nobody does any more.
    pub fn follow(&self, follows: bool) {
        let log = &mut self.port.lock().log;
        if follows { log.follow() } else { log.leave() }
    }

    /// Whether there is something for who follows it.
    pub fn has_next(&self) -> bool {
        let mut port = self.port.lock();
        let Port { line, log, .. } = &mut *port;
        log.take(line.bytes());
        log.has_next()
    }

    /// Tells once how many bytes who follows it was too slow for.
    pub fn take_lost(&self) -> u64 {
        self.port.lock().log.take_lost()
    }

    /// Reads what comes next for who follows it. Returns how many bytes that are.
    pub fn read_next(&self, to: &mut [u8]) -> usize {
        self.port.lock().log.read_next(to)
    }

    /// Resets the UART, and lowers its interrupt line.
    pub fn reset<O: Owner>(&self, owner: &O) {
        let mut port = self.port.lock();
        port.reset();
        self.supply(owner, &mut port);
    }

    /// Returns the UART's state. What was typed and the guest has not read stays here, as does the line that it is writing.
    pub fn save(&self) -> state::Pl011 {
        self.port.lock().uart.save()
    }

    /// Takes a UART's state on, of a VM none of whose vCPUs runs.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(&self, saved: &state::Pl011) -> Result<(), Unfit> {
        let mut port = self.port.lock();
        port.uart.restore(saved)?;
        // Its level is in the virtual GIC that is restored, too.
        let _ = port.take_level_change();
        Ok(())
    }

    /// Looks at the unfinished line, and shows it if `show` says so and it has stood for long enough.
    pub fn look_at_line(&self, show: bool) -> Standing {
        // A guest that hammers its UART has it most of the time: next time, then.
        let Some(mut port) = self.port.try_lock() else { return Standing { due: false, stands: true } };
        let due = port.line.tick();
        if due && show {
            self.show(&mut port, |line| SERIAL.submit_partial(self.vm, line));
        }
        Standing { due, stands: !port.line.is_empty() }
    }

    /// Moves what the UART has sent to the line, and finished lines to the console.
    fn take_output(&self, port: &mut Port) {
        loop {
            let Port { uart, line, .. } = port;
            if !line.fill(|| uart.transmitted(), SERIAL.attachment.is(self.vm)) {
                break;
            }
            if !self.submit(port) {
                return;
            }
        }
        if !port.line.is_empty() {
            self.stand();
        }
    }

    /// The line is not finished: it will be looked at.
    #[inline]
    fn stand(&self) {
        if let Some(core) = Core::current() {
            core.arm_once(Timer::StandingLine, || timer::count().saturating_add(timer::frequency() / STANDING));
        }
    }

    /// After the guest has read from its UART, or set it up: gives it more of what was typed, and lets the serial line go on if
    /// that made room. Inlined, it would have every access of the guest's save two registers more.
    #[inline(never)]
    fn supply<O: Owner>(&self, owner: &O, port: &mut Port) {
        port.supply();
        if port.typed.take_room() {
            Self::let_go(port);
        }
        drive(owner, port);
    }

    /// Lets whoever waits for room go on.
    #[cold]
    #[inline(never)]
    fn let_go(port: &Port) {
        SERIAL.set_receive_interrupt(true);
        port.log.call();
    }
}

/// Drives the UART's interrupt line.
fn drive<O: Owner + ?Sized>(owner: &O, port: &mut Port) {
    if let Some(level) = port.take_level_change() {
        owner.set_level(port.intid(), level);
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use std::sync::Mutex;

    use portcullis_board::{SerialPort, WallClock};

    use super::*;

    /// A serial line that takes bytes when it is told to.
    #[derive(Default)]
    struct Slow(Mutex<(usize, Vec<u8>)>);

    impl Slow {
        fn take(&self, bytes: usize) {
            self.0.lock().unwrap().0 = bytes;
            SERIAL.send();
        }
    }

    impl SerialPort for Slow {
        fn has_room(&self) -> bool {
            self.0.lock().unwrap().0 != 0
        }
        fn put(&self, byte: u8) {
            let mut this = self.0.lock().unwrap();
            this.0 -= 1;
            this.1.push(byte);
        }
        fn send(&self, next: &mut dyn FnMut() -> Option<u8>) {
            while self.has_room()
                && let Some(byte) = next()
            {
                self.put(byte);
            }
        }
        fn is_idle(&self) -> bool {
            true
        }
        fn get(&self) -> Option<u8> {
            None
        }
        fn set_receive_interrupt(&self, _: bool) {}
        fn set_transmit_interrupt(&self, _: bool) {}
        fn interrupt(&self) -> Option<u32> {
            None
        }
    }

    struct Nobody;

    impl Owner for Nobody {
        fn set_level(&self, _: u32, _: bool) {}
        fn set_level_of(&self, _: usize, _: u32, _: bool) {}
        fn wall_clock(&self) -> Option<&'static dyn WallClock> {
            None
        }
    }

    #[test]
    fn the_last_line_ends_when_there_is_room_again() {
        let line: &Slow = Box::leak(Box::default());
        SERIAL.connect(line);
        SERIAL.add_vm("a");
        let console = GuestConsole::new(0);
        console.keep_log();
        console.write(&Nobody, CR, 0x301);
        let say = |text: &str| text.bytes().for_each(|byte| console.write(&Nobody, DR, byte.into()));
        // More than its share of the ring.
        (0..200).for_each(|_| say("a line that is as long as many others are\n"));
        say("last words");
        console.finish();
        assert!(console.lock().unfinished);
        console.reset(&Nobody);
        console.write(&Nobody, CR, 0x301);
        for _ in 0..40 {
            line.take(1_000);
            console.go_on(&Nobody);
        }
        say("of the next life\n");
        line.take(1_000);
        let seen = line.0.lock().unwrap().1.clone();
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.ends_with("\r\n[a] of the next life\r\n"), "{seen}");
        // The log has each byte once, the last of them, whatever had to wait.
        say("a prompt");
        let shown = seen.replace("[a] ", "").replace("\r\n", "\n") + "a prompt";
        let (mut log, mut position, mut piece) = (Vec::new(), 0, [0; 100]);
        while let Some((next, count)) = console.read_log(position, &mut piece) {
            log.extend(&piece[..count]);
            position = next;
        }
        let log = String::from_utf8(log).unwrap();
        // Where the guest's last line was not finished, the screen has an end of it.
        assert!(log.len() > 500 && shown.replace('\n', "").ends_with(&log.replace('\n', "")), "{log}");
        assert!(log.ends_with("of the next life\na prompt"), "{log}");
        console.clear_log();
        assert_eq!(console.read_log(0, &mut piece), None);
    }
}
