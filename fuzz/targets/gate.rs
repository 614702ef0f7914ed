//! Calls of VMs with any registers and any filter: gate, published filter and the vectors' table agree.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_gate::fast_table::{Answers, Resolution};
use portcullis_gate::forwards::Forwards;
use portcullis_gate::{
    Call, Conduit, Conduits, Filter, KNOWN, Profile, Published, RangeRequest, Register, Row, Support, Verdict, decide,
};

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn run(steps: &mut Unstructured) -> Result<()> {
    let (row, mut filter) = (Row::new(), Filter::new());
    row.create(&Support::FULL, Conduits::from_bits(steps.int_in_range(0..=3)?).unwrap_or(Conduits::NONE));
    for _ in 0..steps.int_in_range(0..=8)? {
        let _ = row.set(*steps.choose(&Register::ALL)?, steps.arbitrary()?, &Support::FULL);
    }
    for _ in 0..steps.int_in_range(0..=40)? {
        let (base, count) = (identifier(steps)?, steps.arbitrary::<u32>()? >> steps.int_in_range(0..=31)?);
        let request = RangeRequest { base, count, action: steps.int_in_range(0..=3)?, ..RangeRequest::default() };
        let _ = filter.insert(&request, row.profile(), steps.ratio(7, 8)?);
    }
    let (published, forwards) = (Published::new(), Forwards::new());
    published.publish(&filter);
    forwards.build(&filter);
    let profile = row.freeze(Some(&filter));
    let conduit = if steps.arbitrary()? { Conduit::Hvc } else { Conduit::Smc };
    let answers = Box::new(Answers::new());
    answers.build(profile, Some(&filter), conduit, |_, _| 0);
    while !steps.is_empty() {
        let x = [identifier(steps)?.into(), identifier(steps)?.into(), steps.arbitrary()?, steps.arbitrary()?];
        call(profile, &filter, &published, &answers, &forwards, conduit, x);
    }
    Ok(())
}

fn call(
    profile: Profile,
    filter: &Filter,
    published: &Published,
    answers: &Answers,
    forwards: &Forwards,
    conduit: Conduit,
    x: [u64; 4],
) {
    let call = Call::new(conduit, x);
    let verdict = decide(profile, Some(filter), &call);
    assert_eq!(decide(profile, Some(published), &call), verdict, "{call:x?}");
    assert_eq!(decide(profile, Some(filter), &Call { immediate: 1, ..call }), Verdict::Deny, "{call:x?}");
    let [x0, x1, ..] = x;
    let resolved = match answers.resolve(x0, x1, forwards) {
        Resolution::Answer(results) => Verdict::Answer(results),
        Resolution::Deny => Verdict::Deny,
        Resolution::Serve(service) => Verdict::Serve(service),
        Resolution::Forward => Verdict::Forward,
        // It is the gate that is asked.
        Resolution::Slow => return,
    };
    assert_eq!(resolved, verdict, "{call:x?}");
}

/// An identifier that may mean something, or one that is near to it.
fn identifier(steps: &mut Unstructured) -> Result<u32> {
    Ok(match steps.int_in_range(0..=3u8)? {
        0 => steps.arbitrary()?,
        1 => *steps.choose(&KNOWN)?,
        2 => *steps.choose(&KNOWN)? ^ 1 << steps.int_in_range(0..=31)?,
        _ => 0x8200_0000 | steps.arbitrary::<u32>()? & 0x4100_00ff,
    })
}
