//! The reader of bundles. Magic, size and checksum are made right, so that it comes to the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_abi::bundle::{HEADER_SIZE, MAGIC, SIZE_OFFSET, VERSION, VERSION_OFFSET};
use portcullis_bundle::Bundle;
use system::bundle::seal;

fuzz_target!(|data: &[u8]| {
    // As it came.
    read(data);
    if data.len() < HEADER_SIZE {
        return;
    }
    let mut blob = data.to_vec();
    let mut put = |offset: usize, bytes: &[u8]| blob[offset..][..bytes.len()].copy_from_slice(bytes);
    put(0, &MAGIC);
    put(VERSION_OFFSET, &VERSION.to_be_bytes());
    put(SIZE_OFFSET, &(data.len() as u64).to_be_bytes());
    seal(&mut blob);
    read(&blob);
});

fn read(data: &[u8]) {
    match Bundle::parse(data) {
        Ok(bundle) => {
            assert!(bundle.control().is_none_or(|control| bundle.vms().nth(control).is_some()));
            for vm in bundle.vms() {
                assert!(!vm.cores.as_slice().is_empty());
            }
            bundle.cores().for_each(|core| assert!(core.windows().count() > 0));
        }
        // It says what is wrong.
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
