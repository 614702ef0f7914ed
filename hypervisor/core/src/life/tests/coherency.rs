//! Every guest begins with its RAM at the point of coherency, and with zeros where nobody of its VM has been.
//!
//! What the cores map, write and clean is held against one rule: when a guest begins, each line of its RAM has gone out of the
//! caches since its VM's last life, and from then on no core had a write-back alias of it. So no line can come over what the guest
//! writes with its caches off (Arm ARM, B2.7.2 and B2.16).

use std::collections::BTreeMap;

use portcullis_arch::fake::Event;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_bundle::VmConfig;
use portcullis_devices::Memory;

use crate::memory::stage1::{Use, block};
use crate::tests::rig::{Rig, vm};
use crate::vm::Vm;
use crate::vm::activity::Activity;
use crate::vm::power::PowerState;
use crate::vm::state::{Action, Phase};

const LINE: u64 = 64;
const BLOCK: u64 = 2 << 20;
/// Bytes of RAM of a VM here: blocks enough that one is in no slot.
const MEMORY: u64 = 4 * BLOCK;
/// What a boot loader left.
const LEFT: u8 = 0xa5;

/// The caches, as far as a VM's RAM may be in them.
struct Caches {
    vm: &'static Vm,
    /// By line: whether none can have it.
    out: Vec<bool>,
    /// By EL2's address: the write-back alias that is there.
    aliases: BTreeMap<u64, u64>,
    /// Whether any core maps some of it.
    mapped: BTreeMap<u64, u64>,
    /// The core of the first vCPU may have instructions of what was there before.
    fetched: bool,
    /// 1: that core has the VM's tables. 2: its guest has begun.
    begun: usize,
}

impl Caches {
    fn of(vm: &'static Vm) -> Self {
        let out = vec![false; (vm.memory.size() / LINE) as usize];
        Self { vm, out, aliases: BTreeMap::new(), mapped: BTreeMap::new(), fetched: true, begun: 0 }
    }

    /// The lines of a range of EL2's that are the VM's.
    fn lines(&self, start: u64, size: u64) -> std::ops::Range<usize> {
        let line = |at: u64| at.clamp(self.vm.memory.start, self.vm.memory.end) - self.vm.memory.start;
        (line(start) / LINE) as usize..line(start + size).div_ceil(LINE) as usize
    }

    fn follow(&mut self, core: usize, event: &Event) {
        match *event {
            Event::Map(at, descriptor) => {
                self.aliases.remove(&at);
                self.mapped.remove(&at);
                let start = descriptor & !(BLOCK - 1) & 0xffff_ffff_ffff;
                if descriptor == 0 || !(self.vm.memory.start..self.vm.memory.end).contains(&start) {
                    return;
                }
                self.mapped.insert(at, start);
                if descriptor == block(start, Use::Data) {
                    self.aliases.insert(at, start);
                    let lines = self.lines(start, BLOCK);
                    self.out[lines].fill(false);
                } else {
                    assert_eq!(descriptor, block(start, Use::Uncached));
                }
            }
            Event::Maintain("dc civac", start, size) => {
                for line in self.lines(start as u64, size as u64) {
                    let at = self.vm.memory.start + line as u64 * LINE;
                    self.out[line] = !self.aliases.values().any(|&alias| (alias..alias + BLOCK).contains(&at));
                }
            }
            Event::Store(start, size) => {
                let lines = self.lines(start as u64, size as u64);
                if lines.is_empty() {
                    return;
                }
                self.fetched = true;
                let cached = self.aliases.values().any(|&alias| (alias..alias + BLOCK).contains(&(start as u64)));
                if cached {
                    self.out[lines].fill(false);
                } else {
                    assert!(self.out[lines].iter().all(|out| *out), "a line that is written past may still be there");
                }
            }
            Event::Instruction("tlbi vmalls12e1") if core == self.first_core() => self.fetched = false,
            // Of this VM, if it is its tables that the core has; and not when a guest goes on.
            Event::Write("vttbr_el2", value) if core == self.first_core() => {
                self.begun = usize::from(value == self.vm.vttbr())
            }
            Event::Enter(entry) if core == self.first_core() && self.begun == 1 && entry == ENTRY => {
                let missing = self.out.iter().filter(|out| !**out).count();
                assert_eq!(missing, 0, "lines of {} that some cache may have", self.vm.name());
                assert!(self.mapped.is_empty() && !self.fetched, "{:x?}", self.mapped);
                // From here on it is the guest that fills caches.
                self.out.fill(false);
                self.fetched = true;
                self.begun = 2;
            }
            _ => {}
        }
    }

    fn first_core(&self) -> usize {
        self.vm.vcpus()[0].core
    }
}

/// Where a raw kernel begins (docs/manifest.md).
const ENTRY: u64 = portcullis_abi::map::RAM + (512 << 10);

/// Lets cores go on until the VM is in its guest, or has ended.
fn settle(rig: &Rig, vm: usize) {
    let vm = rig.vm(vm);
    rig.settle();
    while vm.phase() == Phase::Running && vm.vcpus()[0].activity() == Activity::Off || vm.is_scrubbing() {
        rig.advance(5_000);
        rig.interrupt(vm.vcpus()[0].core, EL2_TIMER_INTID);
    }
}

/// What is not zero in the RAM of a VM, but for its images.
fn strange(rig: &Rig, vm: usize) -> usize {
    let vm_ = rig.vm(vm);
    let layout = vm_.config.layout(vm_.ram).unwrap();
    let images = [Some(layout.kernel), Some(layout.dtb), layout.initrd];
    let own = |at: u64| images.iter().flatten().any(|image| (image.start..image.end).contains(&at));
    rig.ram(vm).iter().zip(vm_.ram..).filter(|(byte, at)| **byte != 0 && !own(*at)).count()
}

/// Every way in which a VM comes to its first instruction.
fn every_start(rig: &Rig, vm: usize) {
    let (index, vm) = (vm, rig.vm(vm));
    rig.soil(index, LEFT);
    rig.keep_events();
    let mut caches = Caches::of(vm);
    let mut lives = 0;
    let mut live = |rig: &Rig, what: &str| {
        settle(rig, index);
        rig.events().iter().for_each(|(core, event)| caches.follow(*core, event));
        lives += 1;
        assert_eq!((caches.begun, vm.phase()), (2, Phase::Running), "{what}: it has begun");
        caches.begun = 0;
    };
    live(rig, "first start");
    assert_eq!(strange(rig, index), 0, "nothing of a boot loader's is left");

    // What it lives on: EL2 copies in and out on both of its cores, and looks at its tables.
    let first = vm.vcpus()[0].core;
    for core in vm.vcpus().iter().map(|vcpu| vcpu.core) {
        rig.at(core, || {
            let mut memory = vm.memory_on(core).unwrap();
            memory.copy_out(vm.ram + 3, &[7; 100]).unwrap();
            memory.copy_out(vm.ram + MEMORY - 4, &[7; 4]).unwrap();
            memory.peek(vm.ram + BLOCK).unwrap();
        });
    }
    rig.at(first, || vm.stop(Action::Reset));
    live(rig, "reset by its guest");
    assert_eq!(rig.ram(index)[3], 7, "as on a board it finds what it had");

    rig.at(0, || vm.manager_lock().unwrap().stop()).unwrap();
    settle(rig, index);
    assert_eq!(vm.phase(), Phase::Stopped);
    rig.at(0, || vm.manager_lock().unwrap().restart()).unwrap();
    live(rig, "restart");

    rig.at(0, || vm.manager_lock().unwrap().stop()).unwrap();
    settle(rig, index);
    rig.at(0, || vm.manager_lock().unwrap().recreate()).unwrap();
    settle(rig, index);
    assert_eq!(vm.phase(), Phase::Created);
    rig.at(0, || vm.manager_lock().unwrap().start()).unwrap();
    live(rig, "recreate");
    assert_eq!(strange(rig, index), 0, "nothing of its former lives is left");
    assert_eq!(lives, 4);
}

#[test]
fn on_cores_of_its_own() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { memory: MEMORY, ..vm("a", &[1]) }]);
    every_start(&rig, 1);
}

#[test]
fn with_a_second_vcpu_that_has_been_on() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { memory: MEMORY, ..vm("a", &[1, 2]) }]);
    let (a, vcpu) = (rig.vm(1), rig.vcpu(1, 1));
    let mut caches = Caches::of(a);
    rig.keep_events();
    settle(&rig, 1);
    // CPU_ON.
    rig.at(1, || {
        a.sets.on(vcpu.bit());
        assert!(vcpu.switch_on(PowerState::OnPending, ENTRY, 0));
        rig.machine.kick(2);
    });
    settle(&rig, 1);
    assert!(rig.is_in_guest(2));
    rig.at(2, || a.memory_on(2).unwrap().copy_in(a.ram, &mut [0]).unwrap());
    rig.events().iter().for_each(|(core, event)| caches.follow(*core, event));
    assert!(!caches.aliases.is_empty(), "its core keeps the block");
    rig.at(1, || a.stop(Action::Reset));
    caches.begun = 0;
    settle(&rig, 1);
    rig.events().iter().for_each(|(core, event)| caches.follow(*core, event));
    assert_eq!(caches.begun, 2);
}

#[test]
fn in_pieces_on_a_core_that_it_shares() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { memory: MEMORY, ..vm("a", &[1]) }, vm("b", &[1])]);
    every_start(&rig, 1);
}

/// A start that is stopped half way leaves neither what others had, nor what was there when it goes on.
#[test]
fn a_first_start_that_is_stopped_begins_again() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { memory: MEMORY, ..vm("a", &[1]) }]);
    let a = rig.vm(1);
    rig.soil(1, LEFT);
    rig.keep_events();
    rig.at(1, || (0..3).for_each(|_| a.load_and_start(rig.vcpu(1, 0), 0x9000)));
    assert_eq!(rig.ram(1)[3 * 0x9000], LEFT);
    rig.at(0, || a.manager_lock().unwrap().stop()).unwrap();
    settle(&rig, 1);
    assert_eq!(a.phase(), Phase::Stopped);
    rig.at(0, || a.manager_lock().unwrap().restart()).unwrap();
    settle(&rig, 1);
    let mut caches = Caches::of(a);
    rig.events().iter().for_each(|(core, event)| caches.follow(*core, event));
    assert_eq!((caches.begun, strange(&rig, 1)), (2, 0));
}

/// No other core is told of anything while a VM is put in place: neither its instructions nor its translations are forgotten.
#[test]
fn nobody_else_notices() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { memory: MEMORY, ..vm("a", &[1]) }, vm("b", &[1])]);
    rig.keep_events();
    settle(&rig, 1);
    rig.at(1, || rig.vm(1).stop(Action::Reset));
    settle(&rig, 1);
    let broadcast = |event: &Event| match event {
        Event::Instruction(name) | Event::Maintain(name, ..) => {
            (name.starts_with("tlbi") || name.starts_with("ic")) && name.ends_with("is")
        }
        _ => false,
    };
    let events = rig.events();
    let begins = events.iter().filter(|(_, event)| matches!(event, Event::Enter(ENTRY))).count();
    assert!(begins >= 3, "{begins} guests have begun");
    let told: Vec<_> = events.into_iter().filter(|(_, event)| broadcast(event)).collect();
    assert_eq!(told, []);
}
