//! `load`.

use controls::calls::{Calls, Failure};
use controls::management;
use controls::report::vms::doing;
use controls::status::Status;
use controls::vm::title;
use portcullis_abi::manage::{BAD_STATE, BUSY, LOAD, NOT_PERMITTED};
use serde_json::json;

use super::Session;
use crate::error::Error;
use crate::images::{Images, Source};
use crate::port::{Data, Failed, Port};
use crate::transfer::{in_the_way, standing};
use crate::vm::find;

/// `load`. The port for calls is others' while the files go by the other one.
pub fn load(session: &mut Session) -> Result<(), Error> {
    let (path, disk, cmdline) = (session.word("kernel"), session.word("initrd"), session.word("cmdline"));
    let mut kernel = Source::open(path)?;
    kernel.check_kernel(path)?;
    let initrd = if disk.is_empty() { None } else { Some(Source::open(disk)?) };
    let lengths = [kernel.length, initrd.as_ref().map_or(0, |initrd| initrd.length)];
    let mut images = Images::new(kernel, initrd, cmdline)?;
    let mut port = session.port()?;
    let vm = find(&mut port, session.word("VM"))?;
    let name = title(&mut port, vm);
    let mut data = Data::open(session.place).map_err(Failed::from)?;
    port.call(LOAD, [vm, images.total, 0]).map_err(|failed| explain(&mut port, vm, failed))?;
    drop(port);
    data.send(&mut images, &mut || Ok(standing(&mut session.port()?)?))?;
    let [kernel, initrd] = lengths;
    let text = format_args!(
        "{name} has a kernel of {kernel} bytes and an initial RAM disk of {initrd}; `start` or `restart` begins it"
    );
    Ok(session.output.done(text, || json!({ "vm": name.as_str(), "kernel": kernel, "initrd": initrd }))?)
}

/// Why nothing is loaded, in words that say what would be right.
fn explain(port: &mut Port, vm: u64, failed: Failed) -> Error {
    let text = match failed.status() {
        Some(Status(NOT_PERMITTED)) => {
            let name = title(port, vm);
            format!("{name} has an image of its own; only what has image = \"none\" in the manifest is loaded")
        }
        Some(Status(BAD_STATE)) => match management::vm_state(port, vm) {
            Ok(state) => format!("{} is {}; `stop` it first", title(port, vm), doing(&state)),
            Err(failed) => return failed.into(),
        },
        Some(Status(BUSY)) => in_the_way(port, vm),
        _ => return failed.into(),
    };
    Error::Call(failed, Some(text))
}
