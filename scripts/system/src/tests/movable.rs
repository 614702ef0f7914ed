//! `movable`, and what keeps a VM from it.

use super::Bench;

/// A control VM and one that is movable, with these lines.
fn system(lines: &str, rest: &str) -> String {
    format!(
        "[machine]\ncontrol = \"ops\"\n[[vm]]\nname = \"ops\"\nimage = \"raw\"\nmemory = \"8M\"\ncores = [0]\n[[vm]]\nname = \"a\"\n\
         image = \"raw\"\nmemory = \"8M\"\ncores = [1]\nmovable = true\n{lines}{rest}"
    )
}

#[test]
fn a_vm_of_its_own_can_be_movable() {
    let bench = Bench::new();
    for lines in ["devices = []\ntrust-dma = false\n", "flash = []\n"] {
        let manifest = bench.parse(&system(lines, "")).unwrap();
        assert!(manifest.vms[1].settings.movable && !manifest.vms[0].settings.movable);
    }
}

#[test]
fn it_can_be_at_what_is_saved_with_it() {
    let bench = Bench::new();
    for link in [
        "[[network]]\nname = \"lan\"\nvms = [\"ops\", { vm = \"a\" }]\n",
        "[[serial]]\nname = \"cable\"\nbetween = [\"ops\", \"a\"]\n",
        "[[wire]]\nname = \"w\"\nfrom = \"ops\"\nto = \"a\"\n",
        "[[disk]]\nname = \"d\"\nvm = \"a\"\nscratch = \"1M\"\n",
        "[[disk]]\nname = \"d\"\nvm = \"a\"\nserved-by = \"ops\"\nsize = \"1M\"\n",
    ] {
        bench.parse(&system("", link)).unwrap_or_else(|report| panic!("{link}: {report}"));
    }
}

#[test]
fn what_the_board_keeps_is_refused_with_both_lines() {
    let bench = Bench::new();
    bench.says(
        &system("devices = [\"/pl061@9030000\"]\n", ""),
        r#"demo.toml:13:11: error: a VM with `devices`, in line 14, cannot be saved: a device of the board stays where it is
 13 | movable = true
    |           ^^^^
help: leave `movable` out, or `devices`
"#,
    );
    bench.says(
        &system("trust-dma = true\n", ""),
        r#"demo.toml:13:11: error: a VM with `trust-dma`, in line 14, cannot be saved: its memory is where its devices write
 13 | movable = true
    |           ^^^^
help: leave `movable` out, or `trust-dma`
"#,
    );
}

#[test]
fn what_connects_it_with_others_is_refused_with_both_lines() {
    let bench = Bench::new();
    let shared = "[[shared-memory]]\nname = \"m\"\nsize = \"1M\"\nrw = [\"ops\"]\nro = [\"a\"]\n";
    bench.says(
        &system("", shared),
        r#"demo.toml:13:11: error: VM "a" is at a [[shared-memory]], by line 18, and cannot be saved
 13 | movable = true
    |           ^^^^
help: leave one out: what others write cannot be saved
"#,
    );
}

#[test]
fn somebody_else_has_to_be_there_to_save_it() {
    let bench = Bench::new();
    let alone = "[[vm]]\nname = \"a\"\nimage = \"raw\"\nmemory = \"8M\"\ncores = [1]\nmovable = true\n";
    bench.says(
        alone,
        r#"demo.toml:6:11: error: VM "a" is movable, and nobody can save it
 6 | movable = true
   |           ^^^^
help: add [machine] with control = "...", or leave `movable` out
"#,
    );
    bench.says(
        &format!("[machine]\ncontrol = \"a\"\n{alone}"),
        r#"demo.toml:8:11: error: VM "a" is the control VM, by line 2, which nobody else can save
 8 | movable = true
   |           ^^^^
help: leave `movable` out
"#,
    );
}
