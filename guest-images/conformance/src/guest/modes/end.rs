//! The end of the machine, or of this VM alone if it may no more: SYSTEM_OFF or SYSTEM_RESET after a while.

use conformance::profile::Profile;
use guest_runtime::{console, counter, power};
use portcullis_abi::function::{PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET};

use crate::guest::door::Door;
use crate::guest::report;

/// Waits, says that it goes, and goes. The cases are summed up before: nothing comes behind.
pub fn run(profile: &Profile, reset: bool) {
    counter::delay(profile.seconds * 1_000_000);
    report::pass(format_args!("end/time to go"));
    report::finish();
    console::drain();
    let function = if reset { PSCI_SYSTEM_RESET } else { PSCI_SYSTEM_OFF };
    let answer = Door::new(power::conduit()).call(function.into(), [0; 3]);
    report::fail(format_args!("end/{function:#x}"), &"no return", &answer);
}
