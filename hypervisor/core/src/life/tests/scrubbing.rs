//! What is left of a VM that is made anew.

use portcullis_abi::map::{FLASH_BANK, RAM};
use portcullis_bundle::VmConfig;

use crate::tests::rig::{MEMORY, Rig, vm};
use crate::vm::state::{Action, Phase};

/// A piece, and not one of which memory or bank are multiples.
const PIECE: u64 = (1 << 20) + 0x1000;

#[test]
fn nothing_that_a_former_life_has_written_is_left() {
    let flash = VmConfig { flash: Some([None, Some(&[9; 0x4_0000])]), ..vm("a", &[1]) };
    let rig = Rig::new(&[vm("ops", &[0]), flash]);
    rig.settle();
    let a = rig.vm(1);
    assert!(rig.cells(1)[..0x4_0000].iter().all(|cell| *cell == 9), "its file");
    // What it writes to its memory, and to the bank's ends.
    let ends = [0, FLASH_BANK - 8];
    rig.at(1, || {
        a.memory_on_first().unwrap().place(RAM, &[7; 8]).unwrap();
        let mut cells = a.flash.as_ref().unwrap().second_on(1).unwrap();
        ends.iter().for_each(|&end| cells.place(end, &[7; 8]).unwrap());
    });
    rig.at(0, || a.stop(Action::Off));
    rig.settle();
    rig.at(0, || a.manager_lock().unwrap().recreate()).unwrap();
    let mut pieces = 0;
    while a.is_scrubbing() {
        rig.at(1, || a.scrub_piece(PIECE));
        pieces += 1;
    }
    // The last one only finds that there is nothing left.
    assert_eq!(pieces, MEMORY.div_ceil(PIECE) + FLASH_BANK.div_ceil(PIECE) + 1);
    assert_eq!(a.phase(), Phase::Created);
    assert!(rig.ram(1).iter().all(|byte| *byte == 0), "RAM");
    assert!(rig.cells(1).iter().all(|cell| *cell == 0), "flash");
    // Its next life has what its files have.
    rig.at(0, || a.manager_lock().unwrap().start()).unwrap();
    rig.settle();
    let (file, rest) = rig.cells(1).split_at(0x4_0000);
    assert!(
        file.iter().all(|cell| *cell == 9) && rest.iter().all(|cell| *cell == 0xff),
        "its file, and nothing behind it"
    );
}
