//! A board's UART slower than the guests.

use super::*;

#[test]
fn a_flooding_guest_is_stalled_and_loses_nothing() {
    let mut bench = Bench::new(&["a"]);
    bench.slow = true;
    let lines = if cfg!(miri) { 150 } else { 4000 };
    let text: Vec<u8> = (0..lines).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    let (mut sent, mut stalls) = (0, 0);
    while sent < text.len() {
        sent += bench.send(0, &text[sent..]);
        stalls += usize::from(sent < text.len());
        bench.pump(16);
    }
    assert!(stalls > lines / 4, "the guest saw TXFF: {stalls}");
    bench.slow = false;
    bench.settle();
    let want: String = (0..lines).map(|n| format!("[a] line {n}\r\n")).collect();
    assert_eq!(bench.seen(), want);
}

#[test]
fn an_attached_flooding_guest_loses_nothing() {
    let mut bench = Bench::new(&["a"]);
    bench.escape(b'1');
    bench.seen();
    bench.slow = true;
    let text: Vec<u8> = (0..if cfg!(miri) { 1_500_u32 } else { 40_000 }).map(|n| (n % 251) as u8).collect();
    let mut sent = 0;
    while sent < text.len() {
        sent += bench.send(0, &text[sent..]);
        bench.pump(16);
    }
    bench.slow = false;
    bench.settle();
    assert_eq!(bench.out, text);
}

#[test]
fn the_interrupt_tells_the_guest_to_go_on() {
    let mut bench = Bench::new(&["a"]);
    bench.slow = true;
    bench.vms[0].0.write(registers::IMSC, registers::INT::TX::SET.value);
    while bench.send(0, b"abcdefg\n") == 8 {}
    bench.vms[0].0.write(registers::ICR, registers::INT::TX::SET.value);
    assert!(!bench.vms[0].0.irq_level());
    let popped = (0..10_000).find(|_| {
        bench.pump(1);
        bench.vms[0].0.irq_level()
    });
    assert!(popped.is_some_and(|count| count <= 1024), "{popped:?}");
}

#[test]
fn a_flood_does_not_delay_another_guest_or_the_hypervisor() {
    let mut bench = Bench::new(&["flood", "b"]);
    bench.slow = true;
    while bench.send(0, b"noise\n") == 6 {}
    bench.say(1, "quiet\n");
    assert!(bench.console.log(format_args!("warning")));
    for _ in 0..(1024 + 64) / 16 {
        bench.pump(16);
        while bench.send(0, b"noise\n") == 6 {}
    }
    let seen = bench.seen();
    assert!(seen.contains("\r\n[b] quiet\r\nportcullis: warning\r\n[flood] noise\r\n"), "{seen}");
}

#[test]
fn floods_share_the_line() {
    for attached in [false, true] {
        let mut bench = Bench::new(&["a", "b", "c", "d"]);
        if attached {
            bench.escape(b'1');
            bench.seen();
        }
        bench.slow = true;
        for _ in 0..if cfg!(miri) { 250 } else { 5000 } {
            for (vm, text) in [&b"aaaaaaa\n"[..], b"bbbbbbb\n", b"ccccccc\n", b"ddddddd\n"].iter().enumerate() {
                while bench.send(vm, text) == text.len() {}
            }
            bench.pump(16);
        }
        let seen = bench.seen();
        for byte in "abcd".chars() {
            let count = seen.matches(byte).count();
            let share = count * 4 * 14 / 7;
            assert!(share * 2 > seen.len(), "{byte}: {count} of {}, attached {attached}", seen.len());
        }
    }
}

#[test]
fn dropped_lines_of_the_hypervisor_are_counted() {
    let mut bench = Bench::new(&["a"]);
    bench.slow = true;
    while bench.send(0, b"noise\n") == 6 {}
    let lines = if cfg!(miri) { 160 } else { 500 };
    let taken = (0..lines).filter(|n| bench.console.log(format_args!("line {n}\nand more"))).count();
    assert!((50..150).contains(&taken), "{taken}");
    bench.slow = false;
    bench.settle();
    bench.log("after");
    let seen = bench.seen();
    let own: Vec<&str> = seen.lines().filter(|line| line.starts_with("portcullis: ")).collect();
    assert_eq!(own.len(), 2 * taken + 2);
    assert_eq!(own[2 * taken - 1], "portcullis: and more");
    let lost = 2 * (lines - taken);
    assert_eq!(own[2 * taken], format!("portcullis: {lost} lines of this log were dropped, the console was full"));
    assert_eq!(own[2 * taken + 1], "portcullis: after");
}

#[test]
fn an_unknown_vm_is_not_heard() {
    let mut bench = Bench::new(&["a"]);
    let mut line = LineBuffer::new();
    let mut bytes = b"x\n".iter().copied();
    assert!(line.fill(|| bytes.next(), false));
    assert!(bench.console.submit(1, &mut line));
    assert!(line.is_empty());
    bench.settle();
    assert_eq!(bench.seen(), "");
}

#[test]
fn lines_about_one_vm_take_no_room_from_others() {
    let mut bench = Bench::new(&["noisy", "b"]);
    bench.slow = true;
    let lines = if cfg!(miri) { 120 } else { 1000 };
    let taken = (0..lines).filter(|_| bench.console.log_about(0, false, format_args!("noisy: reset"))).count();
    assert!((10..100).contains(&taken), "{taken}");
    assert!(bench.console.log_about(1, false, format_args!("b vcpu 0: stopped: access outside memory")));
    for vm in [0, 1, 99] {
        assert!(bench.console.log_about(vm, true, format_args!("{vm}: off")), "there is room for an end");
    }
    assert!(bench.console.log(format_args!("of its own")));
    bench.slow = false;
    bench.settle();
    let seen = bench.seen();
    for line in ["b vcpu 0: stopped: access outside memory", "0: off", "1: off", "99: off", "of its own"] {
        assert!(seen.contains(&format!("portcullis: {line}\r\n")), "{line}");
    }
    assert!(!seen.contains("dropped"), "{seen}");
    assert_eq!(seen.matches("noisy: reset").count(), taken);
}
