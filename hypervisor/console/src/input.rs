//! The keyboard: what goes to a guest, and the keys behind the escape key.

use super::answer::Part;
use super::attachment::Attachment;
use super::choice::{Choice, Meaning, Names, NoVm, Step};
use super::console::{Console, bit};
use super::escape::Terminal;
use super::log::Text;
use super::reset::RESET;
use super::ring::RESETS;

/// The escape key, Ctrl-].
const ESCAPE: u8 = 0x1d;
/// Most VMs whose numbers are one digit each, so that a digit is one of them.
const DIGITS: usize = 9;
/// The other keys, as the help has them.
const KEYS: &str = "or the first letters of its name and Enter, 0 or d detach, q power off, ] send Ctrl-], ? this help";
/// What stands before a choice.
const CHOOSE: &str = "attach to: ";

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
            Part::Key(key) | Part::Coded(key) if self.keys.choice.is_some() => return self.choose(key, attachment),
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
        let vm = vm.filter(|&vm| vm < self.guests.count()).and_then(|vm| u8::try_from(vm).ok());
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
                self.ready |= bit(vm);
            }
        }
    }

    /// The port of VM `vm` is open, or is closed. Returns whether the terminal is attached to that VM, too.
    pub fn set_port(&self, vm: usize, open: bool, attachment: &Attachment) -> bool {
        attachment.set_port(vm, open);
        self.attached() == Some(vm)
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

    /// Takes the key behind the escape key. One that can mean one thing only is acted upon at once, any other begins a choice.
    fn command(&mut self, key: u8, attachment: &Attachment, state: &dyn Fn(usize) -> &'static str) -> InputAction {
        self.keys.choice = None;
        let is_name = |key: u8| self.guests.names().any(|name| name.as_bytes().first() == Some(&key));
        match key {
            b'1'..=b'9' => {
                let number = usize::from(key.wrapping_sub(b'0'));
                if number.saturating_mul(10) <= self.guests.count() {
                    self.begin_choice(key, CHOOSE);
                } else {
                    return self.act(Choice::of(key), attachment);
                }
            }
            b'd' if is_name(key) => self.begin_choice(key, "(d and Enter detaches) attach to: "),
            b'q' if is_name(key) => self.begin_choice(key, "(q and Enter powers off) attach to: "),
            b'0' | b'd' | b'q' => return self.act(Choice::of(key), attachment),
            b'?' => self.help(state),
            b']' => return self.to_attached(ESCAPE),
            b'a'..=b'z' | b'A'..=b'Z' => self.begin_choice(key, CHOOSE),
            _ => _ = self.log(format_args!("unknown key; Ctrl-] then ? shows the keys")),
        }
        InputAction::None
    }

    fn begin_choice(&mut self, key: u8, note: &str) {
        let choice = Choice::of(key);
        self.keys.choice = Some(choice);
        self.show_choice(note, choice.as_str());
    }

    /// Takes a key while a VM is being chosen.
    fn choose(&mut self, key: u8, attachment: &Attachment) -> InputAction {
        let Some(mut choice) = self.keys.choice.take() else { return InputAction::None };
        let stands = match choice.step(key) {
            Step::Complete if !choice.as_str().is_empty() => return self.act(choice, attachment),
            Step::Complete | Step::Ended => {
                self.log(format_args!("nothing was chosen; Ctrl-] then ? lists the VMs"));
                return InputAction::None;
            }
            Step::Added(byte) => self.echo(&[byte]),
            Step::Removed => self.echo(b"\x08 \x08"),
            Step::Same => self.echo(b""),
        };
        self.keys.choice = Some(choice);
        if !stands {
            // Somebody's line has come in between.
            self.show_choice(CHOOSE, choice.as_str());
        }
        InputAction::None
    }

    /// Does what was chosen, or says why not.
    fn act(&mut self, choice: Choice, attachment: &Attachment) -> InputAction {
        match choice.meaning(self.guests.names()) {
            Meaning::Vm(vm) => self.attach(Some(vm), attachment),
            Meaning::Detach => self.attach(None, attachment),
            Meaning::PowerOff => return InputAction::PowerOff,
            Meaning::NoVm(why) => {
                let why = self.explain(why, choice.as_str());
                self.log_text(&why);
            }
        }
        InputAction::None
    }

    /// Says why `text` means no VM, and what would.
    fn explain(&self, why: NoVm, text: &str) -> Text {
        let names = self.guests.names();
        match (why, self.guests.count()) {
            (_, 0) => Text::of(format_args!("there is no VM to attach to")),
            (NoVm::Number, 1) => Text::of(format_args!("no VM has the number {text}; there is 1 alone")),
            (NoVm::Number, most) => {
                Text::of(format_args!("no VM has the number {text}; there are 1 to {most}, Ctrl-] then ? lists them"))
            }
            (NoVm::Name, _) => Text::of(format_args!("no VM's name begins with {text}; there are {}", Names(names))),
            (NoVm::Several, _) => {
                let known = Names(names.filter(|name| name.starts_with(text)));
                Text::of(format_args!("{text} begins the names of {known}; type more of one, or its number"))
            }
        }
    }

    fn to_attached(&self, byte: u8) -> InputAction {
        self.attached().map_or(InputAction::None, |vm| InputAction::Guest { vm, byte })
    }

    fn hint(&mut self) {
        let first = self.guests.get(0).map(|guest| guest.name);
        match (self.guests.count(), first) {
            (1, Some(name)) => self.log(format_args!("press Ctrl-] then 1 to attach to {}", name.as_str())),
            (2..=DIGITS, Some(name)) => self.log(format_args!(
                "press Ctrl-] then 1 to attach to {}, 2 and up for the other VMs, ? for help",
                name.as_str()
            )),
            (_, Some(_)) => self.log(format_args!(
                "press Ctrl-] then a VM's number, or the first letters of its name, and Enter to attach to it, ? for help"
            )),
            _ => self.log(format_args!("there is no VM to type to; Ctrl-] then q powers the machine off")),
        };
    }

    /// Shows the keys, and the VMs.
    fn help(&mut self, state: &dyn Fn(usize) -> &'static str) {
        let (count, attached) = (self.guests.count(), self.attached());
        self.log_all(count.saturating_add(1), |guests, line| match line.checked_sub(1) {
            None if count <= DIGITS => Text::of(format_args!("Ctrl-] then: 1 to {DIGITS} attach to a VM, {KEYS}")),
            None => Text::of(format_args!("Ctrl-] then: a VM's number and Enter attach to it, {KEYS}")),
            Some(vm) => {
                let name = guests.get(vm).map_or("", |guest| guest.name.as_str());
                let mark = if attached == Some(vm) { ", attached" } else { "" };
                Text::of(format_args!("{line} {name} {}{mark}", state(vm)))
            }
        });
    }
}
