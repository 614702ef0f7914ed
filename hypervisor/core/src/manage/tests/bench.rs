//! The machine of the tests.

use alloc::boxed::Box;
use std::sync::{Mutex, MutexGuard, OnceLock};

use portcullis_abi::{bundle, firmware, manage, map};
use portcullis_arch::account::Account;
use portcullis_board::Range;
use portcullis_board::{Board, InterruptController, PowerControl};
use portcullis_bundle::{Cores, Settings, VmConfig};
use portcullis_gate::{Call, Conduit, Conduits, Profile, Row, Service, Support, Verdict};

use crate::cpu::physical_core::Core;
use crate::links::Links;
use crate::machine::{Machine, Usage, place};
use crate::memory::stage2::Stage2;
use crate::run::{start::start, worker::Worker};
use crate::service;
use crate::trap;
use crate::vm::Vcpu;
use crate::vm::power::PowerState;
use crate::vm::step::Step;
use crate::vm::{Parts, Vm, failure::Failure, pv_time, state::Action};

/// Number of the control VM.
pub const OPS: u64 = 0;
/// A VM with one vCPU.
pub const A: u64 = 1;
/// A VM with two vCPUs, which starts again once when it fails.
pub const B: u64 = 2;
/// Number of VMs.
pub const VMS: u64 = 3;
/// Bytes of RAM of each VM.
pub const MEMORY: usize = 4 << 20;
/// A counter that the tests can expect.
pub const FREE: u64 = 12_345;

struct NoController;

impl InterruptController for NoController {
    fn init_core(&self, _: usize) -> bool {
        true
    }
    fn enable_private(&self, _: usize, _: u32, _: bool) {}
    fn enable_shared(&self, _: u32, _: u64) {}
    fn set_trigger(&self, _: u32, _: bool) {}
    fn set_shared(&self, _: u32, _: bool) {}
    fn route_shared(&self, _: u32, _: u64) {}
    fn quiet_shared(&self, _: u32) {}
    fn maintenance_interrupt(&self) -> u32 {
        25
    }
}

struct NoPower;

impl PowerControl for NoPower {
    fn start_core(&self, _: u64, _: u64, _: u64) -> Result<(), i64> {
        Ok(())
    }

    fn power_off(&self) -> ! {
        panic!("the machine was switched off")
    }

    fn reset(&self) -> ! {
        panic!("the machine was reset")
    }
}

static BOARD: Board = Board {
    name: "test",
    serial: None,
    interrupts: &NoController,
    power: &NoPower,
    firmware: None,
    entropy: None,
    wall_clock: None,
    soc: None,
};

/// What the fake board supports: everything that needs no clock. No VM has a watchdog.
pub const SUPPORT: Support =
    Support { vendor_hyp: firmware::VENDOR_HYP_FUNC_FEAT, psci: 0x1_0001, sip: 0, ..Support::FULL };

static MACHINE: OnceLock<&'static Machine> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());

/// The machine, to one test at a time, with the control VM running and the others just created.
pub struct Bench {
    _turn: MutexGuard<'static, ()>,
}

impl Bench {
    pub fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        place::share(MACHINE.get_or_init(assemble));
        let bench = Self { _turn: turn };
        Machine::get().clock.forget();
        let _ = bench.call(manage::TRACE_SET, [0; 3]);
        for vm in [A, B] {
            if matches!(bench.state(vm).0, manage::PHASE_RUNNING | manage::PHASE_PAUSED | manage::PHASE_SUSPENDED) {
                bench.vm(vm).stop(Action::Off);
                bench.settle(vm);
            }
            bench.ok(manage::RECREATE, [vm, 0, 0]);
            bench.settle(vm);
            assert_eq!(bench.state(vm), (manage::PHASE_CREATED, manage::PROGRESS_NONE));
        }
        bench
    }

    pub fn vm(&self, number: u64) -> &'static Vm {
        &Machine::get().vms[number as usize]
    }

    pub fn vcpu(&self, number: u64, index: usize) -> &'static Vcpu {
        &self.vm(number).vcpus()[index]
    }

    /// A call as a vCPU of VM `number` makes it: through the gate, then to its service.
    pub fn call_from(&self, number: u64, function: u32, [x1, x2, x3]: [u64; 3]) -> [u64; 4] {
        // A test may have several threads.
        place::share(MACHINE.get_or_init(assemble));
        let vcpu = self.vcpu(number, 0);
        let call = Call::new(Conduit::Hvc, [function.into(), x1, x2, x3]);
        match vcpu.vm.decide(&call) {
            Verdict::Serve(Service::Management(_)) => {
                match service::serve(vcpu, Service::Management(function), call.arguments()) {
                    service::Outcome::Return(results) => results.0,
                    service::Outcome::Leave(_) => panic!("a management call returns"),
                }
            }
            Verdict::Deny => [u64::MAX, 0, 0, 0],
            other => panic!("{other:?}"),
        }
    }

    /// A call of the control VM: status and values.
    pub fn call(&self, function: u32, arguments: [u64; 3]) -> (i64, [u64; 3]) {
        let [status, values @ ..] = self.call_from(OPS, function, arguments);
        (status.cast_signed(), values)
    }

    /// A call of the control VM that succeeds.
    #[track_caller]
    pub fn ok(&self, function: u32, arguments: [u64; 3]) -> [u64; 3] {
        let (status, values) = self.call(function, arguments);
        assert_eq!(status, manage::SUCCESS, "{function:#x} {arguments:x?}");
        values
    }

    /// A call of the control VM that does nothing.
    #[track_caller]
    pub fn fails(&self, function: u32, arguments: [u64; 3], expected: i64) {
        assert_eq!(self.call(function, arguments), (expected, [0; 3]), "{function:#x} {arguments:x?}");
    }

    pub fn get(&self, vm: u64, register: u64) -> u64 {
        self.ok(manage::REGISTER_GET, [vm, register, 0])[0]
    }

    /// Phase and progress of a VM.
    pub fn state(&self, vm: u64) -> (u64, u64) {
        let [word, ..] = self.ok(manage::VM_STATE, [vm, 0, 0]);
        (word & 0xff, word >> 8 & 0xff)
    }

    /// What the core of a vCPU does next, where it need not enter a guest. False: nothing.
    pub fn step(&self, vcpu: &'static Vcpu) -> bool {
        let vm = vcpu.vm;
        let parked = vm.sets().parked & vcpu.bit() != 0;
        match vcpu.step() {
            Step::Nothing => return false,
            Step::Scrub => vm.scrub_piece(1 << 20),
            Step::Cancel | Step::Retire => vm.retired(vcpu),
            Step::Load => vm.load_and_start(vcpu, 1 << 10),
            Step::Hold => {
                vm.parked(vcpu);
                return !parked;
            }
            Step::Start => {
                assert!(vm.unparked(vcpu));
                vcpu.pretend_on();
            }
            Step::Run | Step::Sleep => {
                assert!(vm.unparked(vcpu));
                return parked;
            }
            Step::Wake => {
                assert!(vm.unparked(vcpu));
                vcpu.pretend_on();
            }
        }
        true
    }

    /// Plays the cores of a VM until none has anything to do.
    pub fn settle(&self, vm: u64) {
        while self.vm(vm).vcpus().iter().any(|vcpu| self.step(vcpu)) {}
    }

    /// Starts a VM and lets its first vCPU run.
    #[track_caller]
    pub fn run(&self, vm: u64) {
        self.ok(manage::START, [vm, 0, 0]);
        self.settle(vm);
        assert_eq!(self.state(vm), (manage::PHASE_RUNNING, manage::PROGRESS_NONE));
    }

    /// A guest that runs switches on its second vCPU.
    pub fn second_vcpu(&self, vm: u64) {
        let vcpu = self.vcpu(vm, 1);
        assert!(vcpu.switch_on(PowerState::OnPending, map::RAM, 0));
        self.settle(vm);
    }

    /// The RAM of a VM.
    pub fn ram(&self, vm: u64) -> &'static mut [u8] {
        let range = self.vm(vm).memory;
        // SAFETY: the memory was leaked for this VM, and the test that has the turn is alone with it.
        unsafe { core::slice::from_raw_parts_mut(range.start as *mut u8, range.size() as usize) }
    }

    pub fn account(&self, vm: u64, vcpu: usize) -> &'static Account {
        self.vcpu(vm, vcpu).account()
    }

    /// A fault of a VM's vCPU.
    pub fn fault(&self, vm: u64, failure: Failure) {
        self.vm(vm).fail(failure);
        self.settle(vm);
    }

    /// What a call of a VM gets.
    pub fn verdict(&self, vm: u64, function: u32) -> Verdict {
        self.vm(vm).decide(&Call::new(Conduit::Smc, [function.into(), 0, 0, 0]))
    }

    pub fn profile(&self, vm: u64) -> Profile {
        self.vm(vm).row.profile()
    }
}

fn assemble() -> &'static Machine {
    let workers = (0..4).map(|core| Worker::new(Core::new(core, core as u64, 0, 0))).collect();
    let workers: &'static [Worker] = Vec::leak(workers);
    let physical: Vec<&'static Core> = workers.iter().map(|worker| &worker.core).collect();
    let names = ["ops", "a", "b-with-16-chars-"];
    let cores: [&[u32]; 3] = [&[0], &[1], &[2, 3]];
    let vms = names.into_iter().zip(cores).enumerate().map(|(index, (name, cores))| {
        let row: &'static Row = Box::leak(Box::new(Row::new()));
        let control = index as u64 == OPS;
        if control {
            row.create_control(&SUPPORT, Conduits::BOTH);
        } else {
            row.create(&SUPPORT, Conduits::BOTH);
        }
        let layout = std::alloc::Layout::from_size_align(MEMORY, 2 << 20).unwrap();
        // SAFETY: the layout has a size.
        let memory = Range::sized(unsafe { std::alloc::alloc_zeroed(layout) } as u64, MEMORY as u64);
        let page = Box::leak(Box::default());
        let config = VmConfig {
            name,
            memory: MEMORY as u64,
            cores: Cores::of(cores).unwrap(),
            slices: Default::default(),
            cmdline: "",
            settings: Settings {
                autostart: control,
                restart_limit: u32::from(index as u64 == B),
                conduits: 3,
                machine: if index as u64 == B { bundle::MACHINE_OFF | bundle::MACHINE_RESET } else { 0 },
                ..Settings::default()
            },
            devices: Default::default(),
            implementations: Default::default(),
            cpu: None,
            soc: None,
            firmware: None,
            kernel: &[0x14; 4096],
            flash: None,
            initrd: None,
            dtb: None,
            wish: Default::default(),
            console: None,
            tree_room: 0x4000,
        };
        let pv_time = pv_time::PvTime::new(page, 1_000_000);
        Vm::new(
            index,
            config,
            row,
            Parts {
                memory,
                stage2: Stage2::new(),
                pv_time,
                generation: None,
                devices: Vec::new(),
                flash: None,
                wires: None,
                shared: Vec::new(),
                links: None,
            },
            control,
        )
    });
    let vms: &'static [Vm] = Vec::leak(vms.collect());
    for vm in vms {
        vm.add_vcpus();
    }
    let usage = || Usage { free: FREE, heap_peak: 0 };
    let machine = Machine::assemble(
        &BOARD,
        Vec::leak(physical),
        vms,
        Links::new(Default::default()),
        trap::handlers(),
        SUPPORT,
        usage,
    );
    start(machine, workers);
    let ops = &vms[OPS as usize].vcpus()[0];
    while ops.power() == PowerState::LoadPending {
        ops.vm.load_and_start(ops, 1 << 20);
    }
    ops.pretend_on();
    machine
}
