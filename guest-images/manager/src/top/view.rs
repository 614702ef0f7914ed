//! What is shown, and what keys change of it.

use controls::lifecycle::Action;
use controls::report::vms::Vm;

use super::keys::{Key, action_of};
use super::rates::Interval;
use super::sample::{Detail, Sample};
use crate::error::Error;

/// What a key asks for.
#[derive(Debug)]
pub enum Asked {
    /// Nothing but what is shown otherwise now.
    Nothing,
    /// An end of it.
    Leave,
    /// A look at once.
    Look,
    /// An action on the VM with this number.
    Do(&'static Action, u64),
}

/// What stands below the VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// vCPUs, calls and exits.
    Calls,
    /// Links.
    Links,
}

/// What is shown.
#[derive(Debug)]
pub struct View {
    before: Option<Sample>,
    now: Sample,
    selected: u64,
    page: Page,
    totals: bool,
    help: bool,
    /// What is done if the answer is yes.
    question: Option<&'static Action>,
    message: Option<String>,
}

impl View {
    /// With the first look.
    pub const fn new(now: Sample) -> Self {
        Self {
            before: None,
            now,
            selected: 0,
            page: Page::Calls,
            totals: false,
            help: false,
            question: None,
            message: None,
        }
    }

    /// The next look. What was said of one that was missed is over.
    pub fn look(&mut self, sample: Sample) {
        let last = (sample.vms.vms.len() as u64).saturating_sub(1);
        self.selected = self.selected.min(last);
        self.before = Some(std::mem::replace(&mut self.now, sample));
    }

    /// A look that has failed: what was seen last stays.
    pub fn missed(&mut self, error: &Error) {
        self.message = Some(error.to_string());
    }

    /// What became of an action.
    pub fn told(&mut self, done: Result<String, Error>) {
        self.message = Some(done.unwrap_or_else(|error| error.to_string()));
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) -> Asked {
        if key == Key::Resized {
            return Asked::Nothing;
        }
        self.message = None;
        if key == Key::Interrupt {
            return Asked::Leave;
        }
        if std::mem::take(&mut self.help) {
            return Asked::Nothing;
        }
        if let Some(action) = self.question.take() {
            return if key == Key::Character('y') { Asked::Do(action, self.selected) } else { Asked::Nothing };
        }
        let last = (self.now.vms.vms.len() as u64).saturating_sub(1);
        let selected = self.selected;
        match key {
            Key::Up | Key::Character('k') => self.selected = selected.saturating_sub(1),
            Key::Down | Key::Character('j') => self.selected = (selected + 1).min(last),
            Key::First => self.selected = 0,
            Key::Last => self.selected = last,
            Key::Tab => self.page = if self.page == Page::Calls { Page::Links } else { Page::Calls },
            Key::Character('t') => self.totals = !self.totals,
            Key::Character('?' | 'h') => self.help = true,
            Key::Character('q') => return Asked::Leave,
            Key::Character(' ') => return Asked::Look,
            Key::Character(character) => return self.begin(character),
            Key::Escape | Key::Interrupt | Key::Resized => {}
        }
        // What was counted of another VM is seen at the next look, which comes at once.
        if self.selected == selected { Asked::Nothing } else { Asked::Look }
    }

    fn begin(&mut self, character: char) -> Asked {
        match action_of(character) {
            None => Asked::Nothing,
            Some(action) if character.is_lowercase() => Asked::Do(action, self.selected),
            Some(action) => {
                self.question = Some(action);
                Asked::Nothing
            }
        }
    }

    /// Number of the selected VM.
    pub const fn selected(&self) -> u64 {
        self.selected
    }

    /// The last look.
    pub const fn now(&self) -> &Sample {
        &self.now
    }

    /// The selected VM.
    pub fn vm(&self) -> Option<&Vm> {
        self.now.vms.vms.iter().find(|vm| vm.number == self.selected)
    }

    /// The VM with this number at the look before, if it is the same one: its name is.
    pub fn before(&self, vm: &Vm) -> Option<&Vm> {
        let before = &self.before.as_ref()?.vms.vms;
        before.iter().find(|before| (before.number, &before.name) == (vm.number, &vm.name))
    }

    /// What was counted of the selected VM, at the last look and at the one before.
    pub fn detail(&self) -> (Option<&Detail>, Option<&Detail>) {
        let of = |sample: &'_ Sample| sample.detail.as_ref().is_some_and(|detail| detail.vm == self.selected);
        let before = self.before.as_ref().filter(|before| of(before));
        (
            Some(&self.now).filter(|now| of(now)).and_then(|now| now.detail.as_ref()),
            before.and_then(|b| b.detail.as_ref()),
        )
    }

    /// The time between the last two looks.
    pub fn interval(&self) -> Option<Interval> {
        Interval::between(self.before.as_ref()?, &self.now)
    }

    /// What stands below the VMs.
    pub const fn page(&self) -> Page {
        self.page
    }

    /// Counts since the VM was created, not per second.
    pub const fn totals(&self) -> bool {
        self.totals
    }

    /// The help is shown.
    pub const fn help(&self) -> bool {
        self.help
    }

    /// What is asked, or told, in the last line; none: which keys there are.
    pub fn line(&self) -> Option<String> {
        let name = self.vm().map_or("", |vm| vm.name.as_str());
        let question = self.question.map(|action| format!("{} {name}? y: yes, any other key: no", action.name));
        question.or_else(|| self.message.clone())
    }
}
