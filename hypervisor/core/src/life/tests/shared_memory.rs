//! Memory that VMs share: who may do what with it, and what becomes of a state page.

use portcullis_abi::map;
use portcullis_arch::fake::Event;
use portcullis_board::{Range, Regions};
use portcullis_bundle::links::Sharer;

use crate::life::shared_memory::{Description, SharedMemory, SharedMemoryError, share};
use crate::memory::stage2::Stage2;
use crate::tests::rig::{MEMORY, Rig, vm};
use crate::vm::state::{Action, Phase};
use crate::vm::state_pages::STATE_PAGE;

/// Bytes that are shared in these tests.
const SIZE: u64 = 0x8000;

/// Memory of a writer, the VM with number 1, and a reader, with number 2.
fn description(cached: bool) -> Description {
    let sharers = [(1, true), (2, false)].map(|(vm, writes)| Sharer { vm, writes }).into();
    Description { name: "frames", size: SIZE, cached, sharers }
}

/// Memory that is there, and full of what somebody left.
fn free() -> Regions {
    let layout = std::alloc::Layout::from_size_align(MEMORY as usize, MEMORY as usize).unwrap();
    let mut free = Regions::new();
    // SAFETY: the layout has a size.
    let memory = unsafe {
        let memory = std::alloc::alloc(layout);
        memory.write_bytes(0xa5, MEMORY as usize);
        memory
    };
    free.add(Range::sized(memory as u64, MEMORY)).unwrap();
    free
}

/// Permissions and kind of memory of a page: S2AP and MemAttr.
fn page(stage2: &Stage2, ipa: u64) -> Option<(u64, u64)> {
    stage2.descriptor(ipa).map(|descriptor| (descriptor >> 6 & 3, descriptor >> 2 & 0xf))
}

#[test]
fn each_writes_its_own_state_page_and_what_it_may() {
    const READ: u64 = 0b01;
    const WRITE: u64 = 0b11;
    for (cached, kind) in [(false, 0b0101), (true, 0b1111)] {
        let shared = [SharedMemory::take(description(cached), &mut free(), 0).unwrap()];
        for (number, expected) in [(1, [WRITE, READ, WRITE]), (2, [READ, WRITE, READ])] {
            let mut stage2 = Stage2::new();
            let ends = share(&shared, number, &mut stage2, &[]).unwrap();
            let [end] = ends.as_slice() else { panic!("it has one end") };
            assert_eq!((end.name, end.ipa, end.size), ("frames", map::SHARED_MEMORY, 2 * STATE_PAGE + SIZE));
            for (at, access) in [0, STATE_PAGE, 2 * STATE_PAGE].into_iter().zip(expected) {
                assert_eq!(page(&stage2, end.ipa + at), Some((access, kind)), "VM {number}, {at:#x}");
            }
            assert_eq!(page(&stage2, end.ipa + end.size - 0x1000), Some((expected[2], kind)));
            assert_eq!(page(&stage2, end.ipa + end.size), None, "what is behind it is nobody's");
            // SAFETY: the memory is this test's own.
            let seen = unsafe { core::slice::from_raw_parts(end.memory.start as *const u8, MEMORY as usize) };
            assert!(seen.iter().all(|byte| *byte == 0), "nothing of what somebody left");
        }
        let mut stage2 = Stage2::new();
        assert!(share(&shared, 0, &mut stage2, &[]).unwrap().is_empty() && page(&stage2, map::SHARED_MEMORY).is_none());
    }
}

#[test]
fn it_lies_where_the_vm_has_nothing_else() {
    let shared = [SharedMemory::take(description(false), &mut free(), 0).unwrap()];
    let at = |taken: &[Range]| share(&shared, 1, &mut Stage2::new(), taken).map(|ends| ends[0].ipa);
    let window = map::SHARED_MEMORY;
    assert_eq!(at(&[Range::sized(window - 0x1000, 0x1000)]), Ok(window));
    assert_eq!(at(&[Range::sized(window + 0x20_0000, 0x1000)]), Ok(window));
    assert_eq!(at(&[Range::sized(window, 0x1000)]), Ok(window + 0x20_0000));
    assert_eq!(at(&[Range::sized(window + 0x20_0000, 0x30_0000), Range::sized(window - 1, 2)]), Ok(window + 0x60_0000));
    assert_eq!(at(&[Range::sized(window, 0x3000_0000)]), Err(SharedMemoryError::Unmappable("frames")));
    let error = SharedMemory::take(description(false), &mut Regions::new(), 0).unwrap_err();
    assert_eq!(error.to_string(), "shared memory 'frames' wants 2 MiB in one piece; 0 MiB are free in all");
}

#[test]
fn a_state_page_is_zero_once_its_vm_has_ended_and_nothing_else_is() {
    for cached in [false, true] {
        let rig = Rig::with_shared_memory(&[vm("ops", &[0]), vm("a", &[1]), vm("b", &[2])], &[description(cached)]);
        rig.settle();
        let memory = rig.vm(1).shared[0].memory;
        assert_eq!(rig.vm(2).shared[0].memory, memory);
        // SAFETY: the memory was leaked for the machine, whose cores do not run meanwhile.
        let bytes = || unsafe { core::slice::from_raw_parts_mut(memory.start as *mut u8, MEMORY as usize) };
        bytes().fill(7);
        let page = |place: usize| bytes()[place * STATE_PAGE as usize..][..STATE_PAGE as usize].to_vec();
        rig.keep_events();
        rig.at(0, || rig.vm(1).stop(Action::Off));
        rig.settle();
        assert_eq!(rig.vm(1).phase(), Phase::Stopped);
        assert!(page(0).iter().all(|byte| *byte == 0) && page(1).iter().all(|byte| *byte == 7), "cached: {cached}");
        assert!(bytes()[2 * STATE_PAGE as usize..].iter().all(|byte| *byte == 7));
        // It is in memory as well: who has his caches off reads it.
        let store = |event: &Event| matches!(*event, Event::Store(at, _) if at == memory.start as usize);
        let maintained = |event: &Event| matches!(*event, Event::Maintain(_, at, _) if at == memory.start as usize);
        let events = rig.events();
        let first = |what: &dyn Fn(&Event) -> bool| events.iter().position(|(core, event)| *core == 1 && what(event));
        let (stored, cleaned) = (first(&store).unwrap(), first(&maintained).unwrap());
        assert_eq!(cached, stored < cleaned, "written back behind it, or out of the caches before it: {events:?}");
        // The next life begins with it.
        rig.at(0, || rig.vm(1).wait_manager_lock().restart()).unwrap();
        rig.settle();
        assert!(page(0).iter().all(|byte| *byte == 0));
    }
}
