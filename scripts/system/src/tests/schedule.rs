//! Shared cores: time slices and `[[core]]`.

use super::super::{Core, Window};
use super::{Bench, vm};

/// VM `rt` on cores 1 and 0, VM `linux` on cores 1, 1 and 2. Line 13 is the next one.
fn vms() -> String {
    let rt = vm("cores = [1, 0]").replace("\"a\"", "\"rt\"");
    let linux = vm("cores = [1, 1, 2]").replace("\"a\"", "\"linux\"");
    rt + &linux + "\n\n"
}

/// The same with `[[core]]` and these lines, the first of which is line 14.
fn core(lines: &str) -> String {
    vms() + "[[core]]\n" + lines + "\n"
}

/// Core 1 with these windows in line 17 and nothing in the background.
fn windows(windows: &str) -> String {
    core(&format!("number = 1\nschedule = \"cyclic\"\nframe = \"10ms\"\nwindows = [{windows}]"))
}

#[test]
fn cores_are_shared() {
    let manifest = Bench::new().parse(&vms()).unwrap();
    assert_eq!(manifest.vms[1].cores, [1, 1, 2]);
    assert_eq!(manifest.vms[1].slices, [5_000; 3]);
    Bench::new().parse(&core("number = 1\nschedule = \"round-robin\"")).unwrap();
    assert!(Bench::new().parse(&core("number = 1")).unwrap().cores.is_empty());
}

#[test]
fn slices() {
    let bench = Bench::new();
    let slices = |slice: &str| {
        bench.parse(&(vm("cores = [0, 1, 0]") + "slice = " + slice)).map(|manifest| manifest.vms[0].slices.clone())
    };
    assert_eq!(slices("\"2ms\"").unwrap(), [2_000; 3]);
    assert_eq!(slices("[\"100us\", \"1s\", \"5ms\"]").unwrap(), [100, 1_000_000, 5_000]);
    bench.says(
        &vm(r#"slice = "99us""#),
        r#"demo.toml:6:9: error: a slice of 99us
 6 | slice = "99us"
   |         ^^^^^^
help: a slice is 100us to 1s
"#,
    );
    bench.says(
        &vm(r#"slice = "5 ms""#),
        r#"demo.toml:6:9: error: "5 ms" is not a time
 6 | slice = "5 ms"
   |         ^^^^^^
help: write a whole number of us, ms or s, like "500us", "5ms" or "1s"
"#,
    );
    bench.says(
        &vm(r#"slice = ["1001ms", 5]"#),
        r#"demo.toml:6:9: error: 2 slices, but `cores` lists 1
 6 | slice = ["1001ms", 5]
   |         ^^^^^^^^^^^^^
help: list one for each vCPU, or write one for all: slice = "5ms"

demo.toml:6:10: error: a slice of 1001ms
 6 | slice = ["1001ms", 5]
   |          ^^^^^^^^
help: a slice is 100us to 1s

demo.toml:6:20: error: `slice` is a time like "5ms", but here is a number
 6 | slice = ["1001ms", 5]
   |                    ^
help: write it like `slice = "5ms"`
"#,
    );
}

#[test]
fn windows_follow_each_other() {
    let text = core(
        r#"number = 2
schedule = "cyclic"
frame = "1s"
windows = [{ vm = "linux", length = "999900us" }, { vm = "linux", length = "100us" }]
[[core]]
number = 1
schedule = "cyclic"
frame = "10ms"
background = ["linux"]
[[core.windows]]
vm = "rt"
length = "2ms"
[[core.windows]]
vm = "linux"
at = "5ms"
length = "4ms""#,
    );
    let manifest = Bench::new().parse(&text).unwrap();
    let window = |vm, start, length| Window { vm, start, length };
    let one = vec![window(0, 0, 2_000), window(1, 5_000, 4_000)];
    let two = vec![window(1, 0, 999_900), window(1, 999_900, 100)];
    let expected = [
        Core { number: 1, frame: 10_000, windows: one, background: vec![1] },
        Core { number: 2, frame: 1_000_000, windows: two, background: vec![] },
    ];
    assert_eq!(manifest.cores, expected);
    let summary = "\
VM     cores  memory  image  services
rt     1,0    64 MiB  raw    default
linux  1,1,2  64 MiB  raw    default
core 1: frame 10ms: rt 0-2ms, linux 5-9ms; rest: linux
core 2: frame 1s: linux 0-999900us, linux 999900-1000000us; rest: idle
";
    assert_eq!(manifest.to_string(), summary);
}

#[test]
fn windows_that_do_not_fit() {
    let bench = Bench::new();
    bench.says(
        &windows(r#"{ vm = "rt", length = "0ms" }, { vm = "linux", length = "2s" }"#),
        r#"demo.toml:17:34: error: a window of 0us
 17 | windows = [{ vm = "rt", length = "0ms" }, { vm = "linux", length = "2s" }]
    |                                  ^^^^^
help: a window is 100us to 1s

demo.toml:17:68: error: a window of 2s
 17 | windows = [{ vm = "rt", length = "0ms" }, { vm = "linux", length = "2s" }]
    |                                                                    ^^^^
help: a window is 100us to 1s
"#,
    );
    bench.says(
        &windows("{ vm = \"rt\", length = \"2ms\" },\n{ vm = \"linux\", at = \"1ms\", length = \"2ms\" }"),
        r#"demo.toml:18:22: error: this window starts at 1ms, but the one in line 17 ends at 2ms
 18 | { vm = "linux", at = "1ms", length = "2ms" }]
    |                      ^^^^^
help: windows stand in the order of their time and do not overlap: from 2ms on it is free
"#,
    );
    bench.says(
        &windows("{ vm = \"rt\", at = \"8ms\", length = \"2ms\" },\n{ vm = \"linux\", length = \"100us\" }"),
        r#"demo.toml:18:1: error: this window ends at 10100us, but the frame at 10ms
 18 | { vm = "linux", length = "100us" }]
    | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: make the frame longer, or the windows shorter or fewer
"#,
    );
    bench.says(
        &windows(""),
        r#"demo.toml:13:1: error: VM "rt" has a vCPU on core 1, but neither a window nor a place in `background`: it could never run there
 13 | [[core]]
    | ^^^^^^^^
help: give it a window, or list it in `background`

demo.toml:13:1: error: VM "linux" has a vCPU on core 1, but neither a window nor a place in `background`: it could never run there
 13 | [[core]]
    | ^^^^^^^^
help: give it a window, or list it in `background`

demo.toml:17:11: error: a cyclic schedule with 0 windows
 17 | windows = []
    |           ^^
help: list 1 to 16 windows
"#,
    );
    let many = r#"{ vm = "rt", length = "100us" }, "#.repeat(16) + r#"{ vm = "linux", length = "100us" }"#;
    let report = bench.report(&windows(&many));
    assert!(report.starts_with("demo.toml:17:11: error: a cyclic schedule with 17 windows\n"), "{report}");
}

#[test]
fn vms_of_windows() {
    let bench = Bench::new();
    bench.says(
        &windows(r#"{ vm = "linus", length = "2ms" }, { vm = "ops", length = "2ms" }, { length = "2ms" }"#),
        r#"demo.toml:17:19: error: there is no VM "linus"
 17 | windows = [{ vm = "linus", length = "2ms" }, { vm = "ops", length = "2ms" }, { length = "2ms" }]
    |                   ^^^^^^^
help: did you mean "linux"?

demo.toml:17:53: error: there is no VM "ops"
 17 | windows = [{ vm = "linus", length = "2ms" }, { vm = "ops", length = "2ms" }, { length = "2ms" }]
    |                                                     ^^^^^
help: name one of the VMs of this file

demo.toml:17:78: error: a window without `vm`
 17 | windows = [{ vm = "linus", length = "2ms" }, { vm = "ops", length = "2ms" }, { length = "2ms" }]
    |                                                                              ^^^^^^^^^^^^^^^^^^
help: write it like `vm = "linux-a"` inside its braces
"#,
    );
    let lines = r#"number = 2
schedule = "cyclic"
frame = "10ms"
windows = [{ vm = "linux", length = "2ms" }]
background = ["rt", "linux", "linux"]"#;
    bench.says(
        &core(lines),
        r#"demo.toml:18:15: error: VM "rt" has no vCPU on core 2
 18 | background = ["rt", "linux", "linux"]
    |               ^^^^
help: name a VM whose `cores` have this core

demo.toml:18:30: error: "linux" is listed twice in `background`
 18 | background = ["rt", "linux", "linux"]
    |                              ^^^^^^^
help: list it once
"#,
    );
    let alone = windows(r#"{ vm = "rt", length = "2ms" }"#);
    bench.says(
        &alone,
        r#"demo.toml:13:1: error: VM "linux" has a vCPU on core 1, but neither a window nor a place in `background`: it could never run there
 13 | [[core]]
    | ^^^^^^^^
help: give it a window, or list it in `background`
"#,
    );
    bench.parse(&(alone + "background = [\"linux\"]")).unwrap();
}

#[test]
fn frames() {
    let bench = Bench::new();
    let rest = "windows = [{ vm = \"rt\", length = \"100us\" }]\nbackground = [\"linux\"]";
    let cyclic = |lines: &str| core(&format!("number = 1\nschedule = \"cyclic\"\n{lines}{rest}"));
    bench.says(
        &cyclic(""),
        r#"demo.toml:13:1: error: [[core]] without `frame`
 13 | [[core]]
    | ^^^^^^^^
help: add a line like `frame = "10ms"`
"#,
    );
    for frame in ["0us", "999us", "1000001us", "2s"] {
        let report = bench.report(&cyclic(&format!("frame = \"{frame}\"\n")));
        let expected = format!("demo.toml:16:9: error: a frame of {frame}\n");
        assert!(report.starts_with(&expected) && report.ends_with("help: a frame is 1ms to 1s\n"), "{report}");
    }
    for frame in ["1ms", "1s"] {
        bench.parse(&cyclic(&format!("frame = \"{frame}\"\n"))).unwrap();
    }
}

#[test]
fn keys_that_do_not_fit_the_schedule() {
    let bench = Bench::new();
    bench.says(
        &core("number = 1\nframe = \"10ms\"\nbackground = []"),
        r#"demo.toml:15:9: error: `frame` on a core without a cyclic schedule
 15 | frame = "10ms"
    |         ^^^^^^
help: add schedule = "cyclic", or leave the line out

demo.toml:16:14: error: `background` on a core without a cyclic schedule
 16 | background = []
    |              ^^
help: add schedule = "cyclic", or leave the line out
"#,
    );
    bench.says(
        &core("number = 1\nschedule = \"cyclical\"\nframe = 3\nlength = \"1ms\""),
        r#"demo.toml:15:12: error: "cyclical" is not a schedule
 15 | schedule = "cyclical"
    |            ^^^^^^^^^^
help: did you mean "cyclic"?

demo.toml:17:1: error: unknown key `length`
 17 | length = "1ms"
    | ^^^^^^
help: `length` belongs to a window: write it inside its braces
"#,
    );
}

#[test]
fn numbers_of_cores() {
    let bench = Bench::new();
    bench.says(
        &core("number = 4\n[[core]]\nnumber = 3\n[[core]]\n[[core]]\nnumber = 1\n[[core]]\nnumber = 1"),
        r#"demo.toml:14:10: error: there is no core 4 on qemu-virt
 14 | number = 4
    |          ^
help: qemu-virt has 4 cores: 0 to 3

demo.toml:16:10: error: no VM has a vCPU on core 3
 16 | number = 3
    |          ^
help: leave this [[core]] out, or name the core in the `cores` of a VM

demo.toml:17:1: error: [[core]] without `number`
 17 | [[core]]
    | ^^^^^^^^
help: add a line like `number = 1`

demo.toml:21:10: error: a second [[core]] of the number 1; the first is in line 18
 21 | number = 1
    |          ^
help: describe each core once
"#,
    );
}
