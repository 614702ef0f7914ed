//! GICD_ITARGETSRn: where SPIs go.

use super::*;

const INTID: u64 = 40;

fn targets(gic: &Vgic, intid: u64) -> u64 {
    gic.read_gicv2_distributor(0, ITARGETSR + intid, 1, &Core::v2(4))
}

#[test]
fn private_ones_show_the_reader() {
    let gic = fresh(3);
    for vcpu in 0..3 {
        let _ = write(&gic, vcpu, ITARGETSR, 0);
        let _ = write(&gic, vcpu, ITARGETSR + 28, 0xffff_ffff);
        let own = 0x0101_0101 << vcpu;
        assert_eq!([0, 16, 28].map(|offset| read(&gic, vcpu, ITARGETSR + offset)), [own; 3]);
    }
}

#[test]
fn bytes_of_vcpus_that_exist() {
    let gic = fresh(3);
    let _ = write(&gic, 0, ITARGETSR + 32, 0xff04_0201);
    assert_eq!(read(&gic, 0, ITARGETSR + 32), 0x0704_0201);
    let _ = write_byte(&gic, 0, ITARGETSR + 33, 0xf8);
    assert_eq!(read(&gic, 0, ITARGETSR + 32), 0x0704_0001);
    let _ = write(&gic, 0, ITARGETSR + 284, 0x0101_0101);
    let _ = write(&gic, 0, ITARGETSR + 288, 0x0101_0101);
    assert_eq!([284, 288, 0x3fc].map(|offset| read(&gic, 0, ITARGETSR + offset)), [0x0101_0101, 0, 0]);
}

#[test]
fn with_one_vcpu_there_is_no_choice() {
    let gic = fresh(1);
    let _ = write(&gic, 0, ITARGETSR + 40, 0xffff_ffff);
    assert_eq!([0, 40].map(|offset| read(&gic, 0, ITARGETSR + offset)), [0, 0]);
    let _ = write(&gic, 0, CTLR, 1);
    let _ = write(&gic, 0, ISENABLER + 4, 1 << 8);
    let _ = write(&gic, 0, ISPENDR + 4, 1 << 8);
    assert_eq!(drain(&mut Core::v2(4), &gic, 0), [(40, 0)]);
}

#[test]
fn one_that_goes_nowhere_waits() {
    let gic = enabled(2);
    let [mut first, mut second]: [Core; 2] = cores(&gic);
    let _ = write_byte(&gic, 0, ITARGETSR + INTID, 0);
    assert!(write(&gic, 0, ISPENDR + 4, 1 << 8).is_empty());
    assert_eq!((drain(&mut first, &gic, 0), drain(&mut second, &gic, 1)), (vec![], vec![]));
    assert_eq!(write_byte(&gic, 0, ITARGETSR + INTID, 0b10).collect::<Vec<_>>(), [1]);
    assert_eq!((drain(&mut first, &gic, 0), drain(&mut second, &gic, 1)), (vec![], vec![(40, 0)]));
}

#[test]
fn one_that_goes_to_several_comes_once() {
    let gic = enabled(3);
    let mut cores: [Core; 3] = cores(&gic);
    let _ = write_byte(&gic, 0, ITARGETSR + INTID, 0b110);
    assert_eq!(targets(&gic, INTID), 0b110);
    assert_eq!(write(&gic, 0, ISPENDR + 4, 1 << 8).collect::<Vec<_>>(), [1]);
    let came: Vec<_> = cores.iter_mut().enumerate().map(|(vcpu, core)| drain(core, &gic, vcpu)).collect();
    assert_eq!(came, [vec![], vec![(40, 0)], vec![]]);
}

#[test]
fn one_that_is_sent_elsewhere_moves() {
    let gic = enabled(2);
    let [mut first, mut second]: [Core; 2] = cores(&gic);
    let _ = write(&gic, 0, ISPENDR + 4, 1 << 8);
    let _ = first.enter(&gic, 0);
    assert_eq!(first.pending(), [(0, 40)]);
    assert_eq!(write_byte(&gic, 1, ITARGETSR + INTID, 0b10).collect::<Vec<_>>(), [0]);
    assert_eq!(first.enter(&gic, 0).collect::<Vec<_>>(), [1]);
    assert!(first.valid().is_empty());
    assert_eq!(drain(&mut second, &gic, 1), [(40, 0)]);
}
