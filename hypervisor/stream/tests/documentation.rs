//! `docs/moving.md` against the format.

use portcullis_stream::{Each, Fault, Kind, Section};

const PAGE: &str = include_str!("../../../docs/moving.md");

#[test]
fn every_section_has_its_row() {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with("| number |")).skip(2);
    let rows: Vec<Vec<&str>> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), Kind::ALL.len());
    for (row, kind) in rows.iter().zip(Kind::ALL) {
        let whose = match kind {
            kind if kind.is_run() => "run",
            kind => match kind.each() {
                Each::Vm => "VM",
                Each::Vcpu => "vCPU",
                Each::Transport => "transport",
                Each::Port => "port",
            },
        };
        let expected = [&(kind as u32).to_string(), kind.name(), whose, &kind.body().to_string()];
        assert_eq!(row[..4], expected);
        assert_eq!(row[4].starts_with("header: "), kind.is_header(), "{}", kind.name());
        assert_eq!(row[5], if kind.is_optional() { "yes" } else { "" }, "{}", kind.name());
    }
}

#[test]
fn the_messages_are_those_that_are_shown() {
    let world = Section { kind: Kind::World, index: 3 };
    let of = |kind| Some(Section::of(kind));
    for error in [
        Fault::<&str>::NotAStream.of(None),
        Fault::Version(2).of(None),
        Fault::Sum(1, 2).of(Some(world)),
        Fault::Order(Section::of(Kind::Gic)).of(of(Kind::Uart)),
        Fault::Cut.of(of(Kind::Memory)),
    ] {
        assert!(PAGE.lines().any(|line| line == error.to_string()), "{error}");
    }
}
