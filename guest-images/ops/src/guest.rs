//! The guest's main function.

use core::panic::PanicInfo;

use controls::calls::Calls;
use controls::status::Status;
use guest_runtime::console::{self as lines, Console};
use guest_runtime::{cpu, exception, gic, power};
use ops_shell::command::COMMANDS;
use ops_shell::context::Context;
use ops_shell::editor::Editor;
use ops_shell::script;
use ops_shell::vocabulary::Shell;
use portcullis_abi::manage;
use spin::Mutex;

use crate::keyboard;
use crate::vm::Vm;

guest_runtime::main!(run);

/// Too large for the stack.
static EDITOR: Mutex<Editor> = Mutex::new(Editor::new("ops> "));

fn run(line: &'static str) -> ! {
    // Begins the report of cases for whoever counts them.
    lines::line(format_args!("ops: arguments {line:?}"));
    gic::init_distributor();
    gic::init_cpu();
    exception::set_interrupt_handler(keyboard::handle);
    keyboard::init();
    cpu::unmask_interrupts();

    let mut vm = Vm;
    introduce(&mut vm);
    let mut console = Console;
    let mut context = Context::new(&mut vm, &mut console, COMMANDS);
    script::run(&mut context, line);
    if context.ending.is_none() {
        converse();
    }
    power::off()
}

/// Says whether this VM may manage, and by which version of the interface.
fn introduce(vm: &mut Vm) {
    match vm.call(manage::VERSION, [u64::from(manage::ABI_VERSION), 0, 0]) {
        Ok([version, ..]) => lines::line(format_args!(
            "ops: management interface {}.{}; help lists the commands",
            version >> 16,
            version & 0xffff
        )),
        Err(Status(manage::NOT_SUPPORTED)) => {
            lines::line(format_args!("ops: this is not the control VM: no command that asks about VMs works here"));
        }
        Err(status) => lines::line(format_args!("ops: {status}")),
    }
}

/// The shell at the keyboard, until `exit`.
fn converse() {
    let (mut vm, mut console, mut output) = (Vm, Console, Console);
    let words = Shell::new(&mut vm);
    let mut editor = EDITOR.lock();
    let _ = editor.begin(&mut console);
    loop {
        // The console takes everything, so that there is no error.
        let Ok(Some(line)) = editor.feed(keyboard::next(), &words, &mut console) else { continue };
        let mut context = Context::new(&mut vm, &mut output, COMMANDS);
        script::run_commands(&mut context, &line, false);
        context.sum_up();
        if context.ending.is_some() {
            return;
        }
        let _ = editor.begin(&mut console);
    }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    lines::urgent_line(format_args!("ops: panic: {info}"));
    power::off()
}
