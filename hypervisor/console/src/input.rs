//! The keyboard: what goes to a guest, and the keys behind the escape key.

use core::fmt;

use super::answer::Part;
use super::attachment::Attachment;
use super::console::Console;
use super::escape::Terminal;
use super::reset::RESET;
use super::ring::RESETS;
use super::vm::Name;

/// The escape key, Ctrl-].
const ESCAPE: u8 = 0x1d;

/// What the caller has to do about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputAction {
    /// Nothing.
    None,
    /// Give the byte to the UART of VM `vm`.
    Guest {
        /// Number of the VM, from 0.
        vm: usize,
        /// The byte.
        byte: u8,
    },
    /// Power the machine off.
    PowerOff,
}

impl Console {
    /// Takes a key. `paused`: nothing came for a while before it, which no terminal does amid what it says by itself. `state`
    /// names the state of a VM by its number, for the help. After it the caller looks at [`Console::take_ready`] and at the
    /// ring, as the answer may be there.
    pub fn input(
        &mut self,
        byte: u8,
        paused: bool,
        attachment: &Attachment,
        state: &dyn Fn(usize) -> &'static str,
    ) -> InputAction {
        match self.keys.answers.step(byte, paused) {
            Part::Key(key) | Part::Coded(key) if core::mem::take(&mut self.keys.escape) => {
                return self.command(key, attachment, state);
            }
            Part::Key(ESCAPE) => {
                self.keys.escape = true;
                return InputAction::None;
            }
            // The guest has had its beginning.
            Part::Coded(ESCAPE) => self.keys.escape = true,
            // What comes between the escape key and the person's next one is an answer, and the guest's.
            Part::Key(_) | Part::Coded(_) | Part::Sequence | Part::String => {}
        }
        let action = self.to_attached(byte);
        if action == InputAction::None && !core::mem::replace(&mut self.keys.hinted, true) {
            self.hint();
        }
        action
    }

    /// Attaches the terminal to VM `vm`, or to none.
    pub fn attach(&mut self, vm: Option<usize>, attachment: &Attachment) {
        let vm = vm.filter(|&vm| vm < self.count).and_then(|vm| u8::try_from(vm).ok());
        // What is put back now, and what will have to be.
        if vm.is_some() && self.screen.ring.room(RESETS) < 2 * RESET.len() {
            return;
        }
        self.leave();
        self.attached = vm;
        attachment.set(vm);
        match vm.and_then(|vm| Some((vm, self.guests.get(usize::from(vm))?.name))) {
            None => _ = self.log(format_args!("detached; Ctrl-] then ? shows the keys")),
            Some((vm, name)) => {
                self.log(format_args!("attached to {}; Ctrl-] then 0 detaches", name.as_str()));
                self.screen.forget_torn(vm);
                self.ready |= 1 << (vm & 7);
            }
        }
    }

    /// Brings the terminal back from whatever the attached guest did to it.
    fn leave(&mut self) {
        let Some((vm, guest)) = self.attached.and_then(|vm| Some((vm, self.guests.get_mut(usize::from(vm))?))) else {
            return;
        };
        guest.terminal = Terminal::new();
        self.screen.forget_torn(vm);
        if let Some(torn) = self.screen.open {
            self.screen.remember_torn(torn);
        }
        self.screen.put(RESETS, RESET);
        self.screen.open = None;
    }

    fn command(&mut self, key: u8, attachment: &Attachment, state: &dyn Fn(usize) -> &'static str) -> InputAction {
        match key {
            b'1'..=b'8' => {
                let vm = usize::from(key.wrapping_sub(b'1'));
                if vm < self.count {
                    self.attach(Some(vm), attachment);
                } else {
                    self.log(format_args!("no VM has the number {}; Ctrl-] then ? lists them", key as char));
                }
            }
            b'0' | b'd' => self.attach(None, attachment),
            b'q' => return InputAction::PowerOff,
            b'?' => self.help(state),
            b']' => return self.to_attached(ESCAPE),
            _ => _ = self.log(format_args!("unknown key; Ctrl-] then ? shows the keys")),
        }
        InputAction::None
    }

    fn to_attached(&self, byte: u8) -> InputAction {
        self.attached().map_or(InputAction::None, |vm| InputAction::Guest { vm, byte })
    }

    fn hint(&mut self) {
        match (self.count, self.guests.first().map(|guest| guest.name)) {
            (1, Some(name)) => self.log(format_args!("press Ctrl-] then 1 to attach to {}", name.as_str())),
            (2.., Some(name)) => self.log(format_args!(
                "press Ctrl-] then 1 to attach to {}, 2 and up for the other VMs, ? for help",
                name.as_str()
            )),
            _ => self.log(format_args!("there is no VM to type to; Ctrl-] then q powers the machine off")),
        };
    }

    fn help(&mut self, state: &dyn Fn(usize) -> &'static str) {
        let names = self.guests.map(|guest| guest.name);
        let vms = names.get(..self.count).unwrap_or_default();
        self.log(format_args!("{}", Help { vms, attached: self.attached(), state }));
    }
}

/// The text of the help.
struct Help<'a> {
    vms: &'a [Name],
    attached: Option<usize>,
    state: &'a dyn Fn(usize) -> &'static str,
}

impl fmt::Display for Help<'_> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "Ctrl-] then: 1 to 8 attach to a VM, 0 or d detach, q power off, ] send Ctrl-], ? this help")?;
        for (vm, name) in self.vms.iter().enumerate() {
            let mark = if self.attached == Some(vm) { ", attached" } else { "" };
            write!(out, "\n{} {} {}{mark}", vm.wrapping_add(1), name.as_str(), (self.state)(vm))?;
        }
        Ok(())
    }
}
