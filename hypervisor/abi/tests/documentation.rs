//! `docs/abi.md` against the numbers: a row per call and per status, and the names in lists.

use portcullis_abi::manage;

const PAGE: &str = include_str!("../../../docs/abi.md");

/// The rows of the table whose first header is `first`, without the head.
fn table(first: &str) -> Vec<Vec<&'static str>> {
    let mut lines = PAGE.lines().skip_while(|line| !line.starts_with(&format!("| {first} |")));
    assert!(lines.next().is_some(), "no table of {first}");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split(" |").map(str::trim).collect()).collect()
}

#[test]
fn every_call_has_its_row() {
    let rows = table("function");
    assert_eq!(rows.len(), manage::ALL.len() + 1);
    for (row, (name, id)) in rows.iter().zip(manage::ALL) {
        assert_eq!(row[..2], [format!("{id:#010x}").as_str(), name]);
    }
    assert_eq!(rows.last().unwrap()[0], "others");
}

#[test]
fn calls_only_return_statuses_that_exist() {
    for row in table("function") {
        for error in row[4].split(", ").filter(|error| !error.is_empty()) {
            let name = error.split(" (").next().unwrap_or_default();
            // An explanation in brackets may have commas of its own.
            if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
                assert!(manage::STATUSES.iter().any(|&(known, _)| known == name), "{name} of {}", row[1]);
            }
        }
    }
}

#[test]
fn every_status_has_its_row() {
    let rows: Vec<(String, &str)> = table("number").iter().map(|row| (row[0].to_owned(), row[1])).collect();
    let expected: Vec<(String, &str)> =
        manage::STATUSES.iter().map(|&(name, number)| (number.to_string(), name)).collect();
    assert_eq!(rows, expected);
}

#[test]
fn calls_are_in_order_and_within_their_range() {
    assert!(manage::ALL.is_sorted_by(|(_, a), (_, b)| a < b));
    assert!(manage::ALL.iter().all(|&(_, id)| (manage::BASE..manage::BASE + manage::COUNT).contains(&id)));
    assert!(manage::STATUSES.is_sorted_by(|(_, a), (_, b)| *a == *b + 1));
}

#[test]
fn phases_progress_and_activities_have_their_rows() {
    for (row, (number, name)) in table("phase | number").iter().zip(manage::PHASES.iter().enumerate()) {
        assert_eq!(row[..2], [name, number.to_string().as_str()]);
    }
    for (row, (number, name)) in table("progress").iter().zip(manage::PROGRESSES.iter().enumerate().skip(1)) {
        assert_eq!(row[..2], [name, number.to_string().as_str()]);
    }
    for (row, (number, name)) in table("activity").iter().zip(manage::VCPUS.iter().enumerate()) {
        assert_eq!(row[..2], [name, number.to_string().as_str()]);
    }
    for (row, (number, name)) in table("record").iter().zip(manage::TRACE_KINDS.iter().enumerate()) {
        assert_eq!(row[..2], [name, number.to_string().as_str()]);
    }
    assert_eq!(table("record").len(), manage::TRACE_KINDS.len());
    for (row, (number, name)) in table("event").iter().zip(manage::EVENTS.iter().enumerate().skip(1)) {
        assert_eq!(row[..2], [name, number.to_string().as_str()]);
    }
    for (row, (number, name)) in table("what a transfer is").iter().zip(manage::TRANSFERS.iter().enumerate()).skip(1) {
        assert_eq!(row[..2], [name, number.to_string().as_str()]);
    }
    assert_eq!(table("what a transfer is").len(), manage::TRANSFERS.len());
    let lengths = ["phase | number", "progress", "activity", "event"].map(|title| table(title).len());
    let [phases, progresses] = [manage::PHASES.len(), manage::PROGRESSES.len() - 1];
    assert_eq!(lengths, [phases, progresses, manage::VCPUS.len(), manage::EVENTS.len() - 1]);
    for number in [manage::EVENTS_KEPT, manage::EVENT_REFUSALS_RATE, manage::TRACE_KEPT] {
        assert!(PAGE.contains(&format!(" {number} ")), "{number}");
    }
}

#[test]
fn lists_of_names_are_complete() {
    let list = |names: &[&str]| {
        let items: Vec<String> = names.iter().enumerate().map(|(number, name)| format!("{number} {name}")).collect();
        items.join(", ")
    };
    let text = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    for names in
        [&manage::SERVICES[..], &manage::CONDUITS, &manage::EXITS, &manage::TRACE_LEAVES, &manage::TRACE_VERDICTS]
    {
        assert!(text.contains(&list(names)), "{}", list(names));
    }
    for (number, reason) in manage::FAILURES.iter().enumerate() {
        assert!(PAGE.contains(&format!("| {number} | {reason} |")), "{reason}");
    }
}
