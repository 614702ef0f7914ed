//! What the command line comes to.

use super::*;

fn parse(line: &'static str) -> Result<Profile, Problem> {
    Profile::parse(Arguments::new(line))
}

#[test]
fn an_empty_line_is_the_full_door() {
    let profile = parse("").unwrap();
    assert!(profile.has_trng() && profile.has_pv_time() && profile.has_vendor_identity() && profile.has_ptp());
    assert!(profile.hvc && profile.smc);
    assert_eq!((profile.psci, profile.smccc, profile.mode, profile.cpus), (0x1_0003, 0x1_0001, Mode::Cases, 1));
}

#[test]
fn every_argument_is_read() {
    let profile = parse(
        "std=0 std-hyp=0 vendor-hyp=0x2 psci=1.0 smccc=1.2 conduits=smc cpus=2 trng=other gic=0 watchdog=30 suspend=1 \
         mode=storm",
    );
    let profile = profile.unwrap();
    assert!(!profile.has_trng() && !profile.has_pv_time() && !profile.has_vendor_identity() && profile.has_ptp());
    assert!(!profile.is_open(true) && profile.is_open(false));
    assert_eq!((profile.psci, profile.mode, profile.cpus, profile.gic), (0x1_0000, Mode::Storm, 2, false));
    assert_eq!((profile.smccc, profile.watchdog, profile.suspend), (0x1_0002, 30, true));
}

#[test]
fn a_trng_without_backend_is_not_expected() {
    assert!(!parse("std=1 trng=none").unwrap().has_trng());
}

#[test]
fn groups_are_chosen_by_name() {
    let profile = parse("only=id,gic").unwrap();
    assert_eq!(GROUPS.map(|name| profile.wants(name)), [true, false, false, false, false, true]);
    assert_eq!(GROUPS.map(|name| parse("").unwrap().wants(name)), [true; GROUPS.len()]);
}

#[test]
fn wrong_arguments_are_named() {
    for (line, got) in [
        ("stdhyp=1", "stdhyp"),
        ("std=one", "one"),
        ("psci=1.4", "1.4"),
        ("smccc=1.3", "1.3"),
        ("conduits=both", "both"),
        ("mode=fast", "fast"),
        ("trng=dice", "dice"),
        ("access=prod", "prod"),
        ("worst=ever", "ever"),
        ("only=gic,usb", "gic,usb"),
        ("forward=0x82000000", "0x82000000"),
        ("firmware=uefi", "uefi"),
    ] {
        assert_eq!(parse(line).unwrap_err().got, got, "{line}");
    }
}
