//! The table of calls in `docs/gate.md` against the oracle: a row per function, with its name, gate and kind of answer.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(loom))]

#[allow(dead_code, reason = "this test reads the oracle's table, not its answers")]
mod oracle;

use oracle::{Entry, Expect, Gate, TABLE};

const PAGE: &str = include_str!("../../../docs/gate.md");

/// The gate of an entry in the page's words.
fn gate(entry: &Entry) -> String {
    match entry.gate {
        Gate::Open => "open".into(),
        Gate::Psci(0x2) => "PSCI 0.2".into(),
        Gate::Psci(version) => format!("PSCI {}.{}", version >> 16, version & 0xffff),
        Gate::Bit(register, bit) => {
            let register = ["STD", "STD_HYP", "VENDOR_HYP", "VENDOR_HYP_2"][register];
            format!("{register} bit {}", bit.trailing_zeros())
        }
        Gate::Level(workaround) => format!("WORKAROUND_{} is not 0", workaround + 1),
        Gate::Never => "never".into(),
    }
}

/// How the answer's cell starts.
fn answer(entry: &Entry) -> String {
    match entry.expect {
        _ if entry.gate == Gate::Never => String::new(),
        Expect::Value([x0 @ 0..10, 0, 0, 0]) => format!("{x0}"),
        Expect::Value([x0, 0, 0, 0]) => format!("{x0:#x}"),
        Expect::Value(words) => words.map(|word| format!("{word:#x}")).join(", "),
        Expect::PsciVersion => "the PSCI_VERSION register".into(),
        Expect::Speaks(_) | Expect::VendorWords => "see \"Discovery\"".into(),
        Expect::Serve(_) => "served".into(),
    }
}

#[test]
fn the_page_lists_every_call_as_the_oracle_has_it() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| 0x"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), TABLE.len());
    for (row, entry) in rows.iter().zip(TABLE) {
        assert_eq!(row[..3], [format!("{:#010x}", entry.id), entry.name.into(), gate(entry)]);
        let (cell, start) = (row[3], answer(entry));
        let rest = cell.strip_prefix(&start);
        assert!(
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':')),
            "{}: {cell}, not {start}",
            entry.name
        );
    }
}
