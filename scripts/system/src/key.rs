//! The manifest's vocabulary: every section with its keys, and the nearest known word to an unknown one.

/// A key of a section.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// A right line, for the help of an error.
    pub example: &'static str,
}

/// A kind of section of the manifest.
#[derive(Debug)]
pub struct Kind {
    /// How its header is written.
    pub title: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

macro_rules! keys {
    ($($name:literal: $example:literal),* $(,)?) => { &[$(Key { name: $name, example: $example }),*] };
}

/// The manifest as a whole.
pub static ROOT: Kind = Kind {
    title: "the manifest",
    keys: keys! { "machine": "[machine]", "vm": "[[vm]]", "core": "[[core]]", "wire": "[[wire]]", "shared-memory": "[[shared-memory]]", "network": "[[network]]", "serial": "[[serial]]", "disk": "[[disk]]" },
};
/// What concerns the whole machine.
pub static MACHINE: Kind =
    Kind { title: "[machine]", keys: keys! { "control": r#"control = "ops""#, "control-port": "control-port = true" } };
/// One VM.
pub static VM: Kind = Kind {
    title: "[[vm]]",
    keys: keys! {
        "name": r#"name = "linux-a""#,
        "image": r#"image = "guest.img""#,
        "store": r#"store = "96M""#,
        "initrd": r#"initrd = "initrd.img""#,
        "cmdline": r#"cmdline = "console=ttyAMA0""#,
        "memory": r#"memory = "256M""#,
        "load": "load = 0x40200000",
        "tree": r#"tree = "low""#,
        "cores": "cores = [1]",
        "slice": r#"slice = "5ms""#,
        "autostart": "autostart = true",
        "audit": "audit = true",
        "on-fault": r#"on-fault = "stop""#,
        "restart": r#"restart = "on-failure""#,
        "restart-limit": "restart-limit = 3",
        "conduits": r#"conduits = ["hvc", "smc"]"#,
        "machine": r#"machine = ["off", "reset"]"#,
        "devices": r#"devices = ["/pl061@9030000"]"#,
        "trust-dma": "trust-dma = true",
        "rtc": "rtc = true",
        "flash": r#"flash = "firmware.fd""#,
        "suspend": "suspend = true",
        "movable": "movable = true",
        "kaslr": "kaslr = false",
        "implementations": "implementations = [{ midr = 0x410fd083 }]",
        "cpu": r#"cpu = "cortex-a72""#,
        "soc-id": "soc-id = { version = 0x043b0102, revision = 1 }",
        "watchdog": r#"watchdog = "30s""#,
        "firmware": "[vm.firmware]",
    },
};
/// A CPU implementation that a VM is told of.
pub static IMPLEMENTATION: Kind = Kind {
    title: "a CPU implementation",
    keys: keys! {
        "midr": "midr = 0x410fd083",
        "revidr": "revidr = 0",
        "aidr": "aidr = 0",
    },
};
/// A CPU that a VM is shown.
pub static CPU: Kind = Kind {
    title: "a CPU",
    keys: keys! {
        "base": r#"base = ["cortex-a72", "cortex-a76"]"#,
        "midr": "midr = 0x410fd083",
        "revidr": "revidr = 0",
        "crypto": "crypto = false",
        "registers": "registers = { ID_AA64ISAR0_EL1 = 0x10000 }",
    },
};
/// The name of a SoC.
pub static SOC_ID: Kind = Kind {
    title: "a SoC",
    keys: keys! {
        "version": "version = 0x043b0102",
        "revision": "revision = 1",
    },
};
/// The firmware registers of one VM.
pub static FIRMWARE: Kind = Kind {
    title: "[vm.firmware]",
    keys: keys! {
        "std": r#"std = ["trng"]"#,
        "std-hyp": r#"std-hyp = ["pv-time"]"#,
        "vendor-hyp": r#"vendor-hyp = ["func-feat", "ptp"]"#,
        "vendor-hyp-2": r#"vendor-hyp-2 = ["impl-ver", "impl-cpus"]"#,
        "psci": r#"psci = "1.3""#,
        "smccc": r#"smccc = "1.1""#,
        "rule": r#"rule = "keep""#,
        "filter": "[[vm.firmware.filter]]",
    },
};
/// One range of function identifiers of a VM.
pub static FILTER: Kind = Kind {
    title: "[[vm.firmware.filter]]",
    keys: keys! {
        "base": "base = 0xc2000000",
        "count": "count = 0x100",
        "action": r#"action = "deny""#,
    },
};

/// The schedule of one core.
pub static CORE: Kind = Kind {
    title: "[[core]]",
    keys: keys! {
        "number": "number = 1",
        "schedule": r#"schedule = "cyclic""#,
        "frame": r#"frame = "10ms""#,
        "windows": r#"windows = [{ vm = "linux-a", length = "2ms" }]"#,
        "background": r#"background = ["linux-a"]"#,
    },
};
/// One window of a core.
pub static WINDOW: Kind = Kind {
    title: "a window",
    keys: keys! {
        "vm": r#"vm = "linux-a""#,
        "at": r#"at = "5ms""#,
        "length": r#"length = "2ms""#,
    },
};

/// A wire from VM to VM.
pub static WIRE: Kind = Kind {
    title: "[[wire]]",
    keys: keys! {
        "name": r#"name = "ready""#,
        "from": r#"from = "linux-a""#,
        "to": r#"to = "linux-b""#,
        "from-line": "from-line = 0",
        "to-line": "to-line = 1",
    },
};
/// Memory that VMs share.
pub static SHARED_MEMORY: Kind = Kind {
    title: "[[shared-memory]]",
    keys: keys! {
        "name": r#"name = "frames""#,
        "size": r#"size = "1M""#,
        "rw": r#"rw = ["linux-a"]"#,
        "ro": r#"ro = ["linux-b"]"#,
        "cached": "cached = true",
    },
};

/// Ethernet between VMs.
pub static NETWORK: Kind = Kind {
    title: "[[network]]",
    keys: keys! {
        "name": r#"name = "lan""#,
        "vms": r#"vms = ["linux-a", "linux-b"]"#,
        "mtu": "mtu = 1500",
        "segmentation": "segmentation = false",
    },
};
/// A VM at a network.
pub static PORT: Kind = Kind {
    title: "a port",
    keys: keys! {
        "vm": r#"vm = "linux-a""#,
        "mac": r#"mac = "02:00:00:00:00:01""#,
        "bridge": "bridge = true",
        "rate": "rate = 10000",
    },
};
/// A pair of serial ports.
pub static SERIAL: Kind = Kind {
    title: "[[serial]]",
    keys: keys! { "name": r#"name = "uplink""#, "between": r#"between = ["linux-a", "linux-b"]"# },
};
/// A disk of a VM.
pub static DISK: Kind = Kind {
    title: "[[disk]]",
    keys: keys! {
        "name": r#"name = "data""#,
        "vm": r#"vm = "linux-a""#,
        "image": r#"image = "data.img""#,
        "scratch": r#"scratch = "64M""#,
        "served-by": r#"served-by = "linux-b""#,
        "size": r#"size = "64M""#,
        "read-only": "read-only = true",
        "export": r#"export = "data""#,
        "timeout": r#"timeout = "30s""#,
        "block-size": "block-size = 4096",
    },
};

static KINDS: [&Kind; 16] = [
    &ROOT,
    &MACHINE,
    &VM,
    &IMPLEMENTATION,
    &CPU,
    &SOC_ID,
    &FIRMWARE,
    &FILTER,
    &CORE,
    &WINDOW,
    &WIRE,
    &SHARED_MEMORY,
    &NETWORK,
    &PORT,
    &SERIAL,
    &DISK,
];

impl Kind {
    /// A right line for the key `name`.
    pub fn example(&self, name: &str) -> &'static str {
        self.keys.iter().find(|key| key.name == name).map_or(self.title, |key| key.example)
    }

    /// Whether it is written in braces, without a header.
    pub fn is_in_braces(&self) -> bool {
        self.title.starts_with("a ")
    }

    /// What would be right in the place of the unknown key `name`.
    pub fn help(&self, name: &str) -> String {
        let here: Vec<&str> = self.keys.iter().map(|key| key.name).collect();
        if let Some(near) = nearest(name, &here) {
            return format!("did you mean `{near}`?");
        }
        // TOML sections end at the next header, so a key under the wrong header is an easy mistake.
        let plain = name.to_lowercase().replace('_', "-");
        let mut everywhere = KINDS.iter().flat_map(|kind| kind.keys.iter().map(move |key| (kind, key)));
        if let Some((home, key)) = everywhere.find(|(_, key)| key.name == plain) {
            return match key.example.starts_with('[') {
                true => format!("write it as {}", key.example),
                false if home.is_in_braces() => {
                    format!("`{plain}` belongs to {}: write it inside its braces", home.title)
                }
                false => format!("`{plain}` belongs to {}: move it directly under that header", home.title),
            };
        }
        format!("the keys of {} are {}", self.title, here.join(", "))
    }
}

/// The known word that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let distance = |candidate: &str| match plain(candidate) {
        candidate if word.len() >= 3 && candidate.starts_with(&word) => 0,
        candidate => strsim::osa_distance(&word, &candidate),
    };
    let best = known.iter().copied().min_by_key(|candidate| distance(candidate))?;
    (distance(best) <= (best.len() / 3).max(1)).then_some(best)
}

/// `words` as an enumeration for a message: `"a", "b" and "c"`.
pub fn enumeration(words: &[String]) -> String {
    match words {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `words` quoted, as an enumeration.
pub fn quoted(words: &[&str]) -> String {
    enumeration(&words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_words() {
        let keys = ["name", "image", "initrd", "cmdline", "memory", "cores"];
        for (word, expected) in [
            ("memroy", Some("memory")),
            ("mem", Some("memory")),
            ("Memory", Some("memory")),
            ("cmd-line", Some("cmdline")),
            ("core", Some("cores")),
            ("nmae", Some("name")),
            ("kernel", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &keys), expected, "{word:?}");
        }
        assert_eq!(nearest("std_hyp", &["std", "std-hyp"]), Some("std-hyp"));
        assert_eq!(nearest("word", &[]), None);
    }

    #[test]
    fn enumerations() {
        assert_eq!(quoted(&["a", "b", "c"]), r#""a", "b" and "c""#);
        assert_eq!(quoted(&["a"]), r#""a""#);
        assert_eq!(quoted(&[]), "none");
    }

    #[test]
    fn the_documentation_has_every_key() {
        let document = include_str!("../../../docs/manifest.md");
        let titled = [&MACHINE, &VM, &FIRMWARE, &FILTER, &CORE, &WIRE, &SHARED_MEMORY, &SERIAL, &DISK]
            .map(|kind| (kind, kind.title));
        for (kind, title) in titled.into_iter().chain([
            (&WINDOW, "windows"),
            (&IMPLEMENTATION, "implementations"),
            (&CPU, "cpu"),
            (&SOC_ID, "soc-id"),
        ]) {
            let (_, section) = document.split_once(&format!("## `{title}`")).expect(title);
            let section = section.split("\n## ").next().unwrap();
            let rows: Vec<&str> =
                section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
            let keys: Vec<&str> =
                kind.keys.iter().map(|key| key.name).filter(|name| !["firmware", "filter"].contains(name)).collect();
            assert_eq!(rows, keys, "{title}");
        }
    }
}
