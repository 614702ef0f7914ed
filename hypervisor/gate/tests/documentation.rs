//! The tables in `docs/gate.md`: that of the calls against the oracle, a row per function with its name, gate and kind of
//! answer; that of bits and filter made from the gate itself; that of the functions that do not exist against the gate with
//! everything open.
#![allow(unexpected_cfgs, reason = "loom is switched on by RUSTFLAGS, as its documentation asks")]
#![cfg(not(any(loom, miri)))]

#[allow(dead_code, reason = "this test reads the oracle's table, not its answers")]
mod oracle;

use oracle::{Entry, Expect, Gate, TABLE};
use portcullis_gate::{
    Action, Call, Conduit, Conduits, Filter, Profile, RangeRequest, Register, Return, Support, Verdict, decide,
};

const PAGE: &str = include_str!("../../../docs/gate.md");

/// The gate of an entry in the page's words.
fn gate(entry: &Entry) -> String {
    match entry.gate {
        Gate::Open => "open".into(),
        Gate::Psci(0x2) => "PSCI 0.2".into(),
        Gate::Psci(version) => format!("PSCI {}.{}", version >> 16, version & 0xffff),
        Gate::Bit(register, bit) => {
            let register = ["STD", "STD_HYP", "VENDOR_HYP", "VENDOR_HYP_2", "SIP"][register];
            format!("{register} bit {}", bit.trailing_zeros())
        }
        Gate::Level(workaround) => format!("WORKAROUND_{} is not 0", workaround + 1),
        Gate::Suspend => "PSCI 1.0, and `suspend`".into(),
        Gate::Soc => "SMCCC 1.2, and a SoC is named".into(),
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
        Expect::SmcccVersion => "the SMCCC_VERSION register".into(),
        Expect::Speaks(_) | Expect::VendorWords => "see \"Discovery\"".into(),
        Expect::Serve(_) => "served".into(),
    }
}

#[test]
fn the_page_lists_every_call_as_the_oracle_has_it() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        // The first table's: the others come later.
        .skip_while(|line| !line.starts_with("| 0x"))
        .take_while(|line| line.starts_with("| 0x"))
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

/// What a call and the question about it get, in the page's words, by both conduits; and by the AArch32 state, where only
/// SMC32 exists.
fn outcome(profile: Profile, filter: &Filter, id: u32) -> String {
    let through = |conduit, aarch32| {
        let run = |id: u32, x1: u32| {
            let x = [id.into(), x1.into(), 0, 0];
            decide(profile, Some(filter), &Call { aarch32, ..Call::new(conduit, x) })
        };
        let call = match run(id, 0) {
            Verdict::Deny => "-1",
            Verdict::Forward => "EL3",
            Verdict::Answer(_) | Verdict::Serve(_) => "served",
        };
        let says = match id {
            0x8400_0050..=0x8400_0053 | 0xc400_0053 => words(run(0x8400_0051, id)),
            0xc500_0020 | 0xc500_0021 => words(run(0xc500_0020, id)),
            0x8600_0000 | 0x8600_0001 => bit(run(0x8600_0000, 0), 0, id & 1),
            0xc600_0040 | 0xc600_0041 => bit(run(0x8600_0000, 0), 2, id & 1),
            _ => "",
        };
        format!("{call}{}{says}", if says.is_empty() { "" } else { ", " })
    };
    let hvc = through(Conduit::Hvc, false);
    assert_eq!(hvc, through(Conduit::Smc, false), "{id:#x}: the conduits differ");
    let narrow = through(Conduit::Hvc, true);
    assert!(id & 0x4000_0000 == 0 || narrow.starts_with("-1"), "{id:#x}: SMC64 from AArch32 is {narrow}");
    hvc
}

fn words(answer: Verdict) -> &'static str {
    match answer {
        Verdict::Answer(Return([0, ..])) => "yes",
        Verdict::Answer(_) => "no",
        Verdict::Forward => "EL3 says",
        Verdict::Deny => "not told",
        Verdict::Serve(_) => panic!("discovery is no service"),
    }
}

fn bit(answer: Verdict, register: usize, bit: u32) -> &'static str {
    match answer {
        Verdict::Answer(Return(x)) if x[register] >> bit & 1 == 1 => "yes",
        Verdict::Answer(_) => "no",
        _ => "not told",
    }
}

/// The table of bits and filter: for each function that has a bit, and one that has no name here, with its bit clear and
/// set, without a range and with each kind of range over it alone.
fn bits_and_filter() -> String {
    let full = Profile::created(&Support::FULL, Conduits::BOTH).with(Register::VendorHyp2, 3);
    let rows = TABLE.iter().filter_map(|entry| match entry.gate {
        Gate::Bit(register, bit) => {
            let registers = [Register::Std, Register::StdHyp, Register::VendorHyp, Register::VendorHyp2, Register::Sip];
            let register = registers[register];
            Some((entry.id, entry.name, full.with(register, full.register(register) & !bit)))
        }
        _ => None,
    });
    let mut text = String::from(
        "| function | name | bit 0 | bit 1 | bit 0, deny | bit 1, deny | bit 0, forward | bit 1, forward |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (id, name, clear) in rows.chain([(0xc200_0000, "a silicon provider's", full)]) {
        text += &format!("| {id:#010x} | {name} |");
        for action in [None, Some(Action::Deny), Some(Action::Forward)] {
            for profile in [clear, full] {
                let mut filter = Filter::new();
                let request = |action| RangeRequest { base: id, count: 1, action: action as u8, reserved: [0; 15] };
                let refused = action.is_some_and(|action| filter.insert(&request(action), Profile(0), true).is_err());
                let cell = if refused { "no such range".into() } else { outcome(profile, &filter, id) };
                text += &format!(" {cell} |");
            }
        }
        text += "\n";
    }
    text
}

#[test]
fn the_page_has_the_table_of_bits_and_filter() {
    let table = bits_and_filter();
    assert!(PAGE.contains(&table), "docs/gate.md does not have this table any more:\n{table}");
}

/// The rows of the table of functions that do not exist: identifiers and name.
fn absent() -> impl Iterator<Item = (Vec<u32>, &'static str)> {
    let (_, section) = PAGE.split_once("### Functions that do not exist\n").expect("the section is there");
    let rows = section.lines().skip_while(|line| !line.starts_with("| 0x")).take_while(|line| line.starts_with("| 0x"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 3 && !cells[2].is_empty(), "{line}: no reason");
        let number = |id: &str| u32::from_str_radix(id.trim_start_matches("0x"), 16).expect("an identifier");
        (cells[0].split(", ").map(number).collect(), cells[1])
    })
}

#[test]
fn what_the_page_says_does_not_exist_is_refused_with_everything_open() {
    let open = Profile::created(&Support::FULL, Conduits::BOTH).with(Register::VendorHyp2, 3);
    let newest = |profile: Profile, register: Register| {
        let version = register.versions().last().expect("a version");
        profile.with(register, u64::from(*version))
    };
    let open = newest(newest(open, Register::PsciVersion), Register::SmcccVersion);
    let mut last = 0;
    for (ids, name) in absent() {
        assert!(ids[0] > last, "{name} is not in its place");
        last = ids[0];
        for id in ids {
            for conduit in [Conduit::Hvc, Conduit::Smc] {
                let run = |id: u32, x1: u32| decide(open, None, &Call::new(conduit, [id.into(), x1.into(), 0, 0]));
                assert_eq!(run(id, 0), Verdict::Deny, "{name}");
                // SMCCC_ARCH_FEATURES, PSCI_FEATURES, TRNG_FEATURES, PV_TIME_FEATURES.
                for speaker in [0x8000_0001, 0x8400_000a, 0x8400_0051, 0xc500_0020] {
                    assert_eq!(words(run(speaker, id)), "no", "{speaker:#x} about {name}");
                }
            }
        }
    }
}

/// PSCI's numbers up to SYSTEM_OFF2 (DEN0022F): each has a row in one of the two tables.
#[test]
fn every_psci_function_has_a_row() {
    let absent: Vec<u32> = absent().flat_map(|(ids, _)| ids).collect();
    for id in 0x8400_0000..=0x8400_0015 {
        let served = TABLE.iter().any(|entry| entry.id == id);
        assert!(served != absent.contains(&id), "{id:#x} is in both tables, or in none");
    }
}
