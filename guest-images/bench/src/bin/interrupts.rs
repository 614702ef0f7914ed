//! Measures interrupts, emulated devices and trapped registers on one vCPU, and interrupts between two. Each operation
//! is done twice before its test: if that ends in an exception, the test is left out and the exception reported.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use core::arch::global_asm;
    use core::cell::UnsafeCell;

    use bench::configuration::Configuration;
    use bench::guest::console::Console;
    use bench::guest::receiver::{self, Receiver};
    use bench::guest::{gic, measure, start};
    use bench::mark;
    use bench::operations::{MAX_OPERATIONS, Operation};

    global_asm!(include_str!("../operations.s"), include_str!("../../../../hypervisor/arch/src/memory.S"));

    type Function = unsafe extern "C" fn(u64, *mut u32, u64, u64, u64, u64) -> u64;

    macro_rules! functions {
        ($($name:ident)*) => {
            unsafe extern "C" {
                $(fn $name(count: u64, ticks: *mut u32, a: u64, b: u64, c: u64, interrupt: u64) -> u64;)*
            }
        };
    }
    functions!(op_empty op_hvc op_smc op_timer op_sgi op_wfi op_ipi op_ipi_idle op_load op_store op_store_after
        op_id_aa64pfr0 op_actlr op_cntp op_mdscr op_ctr op_cntpct op_wfe op_copy);

    /// What is copied. It is there to be read and written with the same.
    #[repr(C, align(64))]
    struct Copied(UnsafeCell<[u8; 64 << 10]>);

    // SAFETY: the first vCPU alone uses it.
    unsafe impl Sync for Copied {}

    static COPIED: Copied = Copied(UnsafeCell::new([0; 64 << 10]));

    const NAME: &str = "interrupts";
    const PSCI_VERSION: u64 = 0x8400_0000;
    /// Values of ICC_SGI1R_EL1: SGI 5 to the first vCPU, SGI 6 to the second.
    const SGI_TO_SELF: u64 = 5 << 24 | 1;
    const SGI_TO_OTHER: u64 = 6 << 24 | 1 << 1;

    bench::main!(first, other);

    fn first(configuration: Configuration, entered: u64) {
        let mut console = Console::new(&configuration);
        measure::introduce(&mut console, NAME, entered);
        gic::start_distributor(&configuration);
        gic::start_cpu(&configuration, 0);
        let (count, syndrome) = measure::exceptions();
        if count != 0 {
            console.text("bench interrupts: the GIC's registers end in exceptions: ").hexadecimal(syndrome).end();
        }
        if configuration.cores == 1 {
            let is_wanted = |operation: &Operation| configuration.tests >> *operation as u32 & 1 != 0;
            for operation in Operation::SINGLE.into_iter().filter(is_wanted) {
                test(&configuration, &mut console, operation);
            }
        } else if start::cpu_on(&configuration, 1) == 0 {
            Receiver::wait();
            test(&configuration, &mut console, Operation::Ipi);
            Receiver::go_idle();
            test(&configuration, &mut console, Operation::IpiIdle);
        } else {
            console.text("bench interrupts: the second vCPU does not start").end();
        }
        measure::finish(&mut console, NAME);
    }

    fn other(configuration: Configuration, number: u64) {
        gic::start_cpu(&configuration, number);
        receiver::receive();
    }

    /// What does an operation, and its arguments a, b, c and interrupt.
    fn function(configuration: &Configuration, operation: Operation) -> (Function, [u64; 4]) {
        let bank = u64::from(configuration.interrupt / 32) * 4;
        let bit = 1 << (configuration.interrupt % 32);
        let enable = configuration.distributor + gic::ISENABLER + bank;
        let disable = configuration.distributor + gic::ICENABLER + bank;
        let private_enable = configuration.redistributors + gic::SGI_FRAME + gic::ISENABLER;
        match operation {
            Operation::Empty => (op_empty, [0; 4]),
            Operation::Hvc => (op_hvc, [PSCI_VERSION, 0, 0, 0]),
            Operation::Smc => (op_smc, [PSCI_VERSION, 0, 0, 0]),
            Operation::Timer => (op_timer, [5_000, 0, 0, gic::TIMER]),
            Operation::SgiSelf => (op_sgi, [SGI_TO_SELF, 0, 0, 5]),
            Operation::WfiShort => (op_wfi, [1_000, 0, 0, gic::TIMER]),
            Operation::WfiLong => (op_wfi, [1_000_000, 0, 0, gic::TIMER]),
            Operation::GicdTyper => (op_load, [configuration.distributor + gic::TYPER, 0, 0, 0]),
            Operation::GicdEnableSame => (op_store, [enable, bit, 0, 0]),
            Operation::GicdEnable => (op_store_after, [enable, bit, disable, 0]),
            Operation::GicdDisable => (op_store_after, [disable, bit, enable, 0]),
            Operation::GicrEnableSame => (op_store, [private_enable, 1 << gic::TIMER, 0, 0]),
            Operation::UartFlags => (op_load, [configuration.uart + 0x18, 0, 0, 0]),
            Operation::UartData => (op_store, [configuration.uart, u64::from(b'.'), 0, 0]),
            Operation::IdRegister => (op_id_aa64pfr0, [0; 4]),
            Operation::Actlr => (op_actlr, [0; 4]),
            Operation::PhysicalTimer => (op_cntp, [0; 4]),
            Operation::Mdscr => (op_mdscr, [0; 4]),
            Operation::CacheType => (op_ctr, [0; 4]),
            Operation::PhysicalCounter => (op_cntpct, [0; 4]),
            Operation::Wfe => (op_wfe, [0; 4]),
            Operation::Copy => (op_copy, [(&raw const COPIED) as u64, size_of_val(&COPIED.0) as u64, 0, 0]),
            Operation::Ipi => (op_ipi, [SGI_TO_OTHER, Receiver::answer(), 0, 0]),
            Operation::IpiIdle => (op_ipi_idle, [SGI_TO_OTHER, Receiver::answer(), 1_000_000, 0]),
        }
    }

    fn test(configuration: &Configuration, console: &mut Console, operation: Operation) {
        let number = operation as u64;
        if configuration.tests >> number & 1 == 0 {
            return;
        }
        static mut TICKS: [u32; MAX_OPERATIONS as usize] = [0; MAX_OPERATIONS as usize];
        let (function, [a, b, c, interrupt]) = function(configuration, operation);
        let count = configuration.count.min(MAX_OPERATIONS);
        // SAFETY: the operations write to the ticks, which the first vCPU alone uses, to the devices and to the words
        // of the receiver, and to nothing else.
        let perform = |count: u32| unsafe { function(u64::from(count), (&raw mut TICKS).cast(), a, b, c, interrupt) };
        measure::clear_exceptions();
        perform(2);
        measure::end_test(mark::WARM_UP);
        let (exceptions, syndrome) = measure::exceptions();
        if exceptions != 0 {
            console.text("operation ").text(operation.name()).text(" exception=").hexadecimal(syndrome).end();
            return;
        }
        let wrong = perform(count);
        measure::end_test(number);
        if operation == Operation::UartData {
            // The characters so far are a line.
            console.end();
        }
        // SAFETY: as above; the operations are over.
        let ticks = unsafe { (&raw const TICKS).read() };
        let shortest = ticks.iter().take(count as usize).min().copied().unwrap_or(0);
        console.text("operation ").text(operation.name()).text(" ticks=").decimal(u64::from(shortest));
        console.text(" wrong=").decimal(wrong).text(" exceptions=").decimal(measure::exceptions().0).end();
    }
}
