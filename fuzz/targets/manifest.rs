//! The reader of manifests. What it takes becomes a bundle that the hypervisor takes.
#![no_main]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_bundle::Bundle;
use system::{Board, Images, Manifest, Report, bundle};
use tempfile::NamedTempFile;

/// Every guest is this small file, in which nothing shows that it is no kernel.
static IMAGE: LazyLock<NamedTempFile> = LazyLock::new(|| file(64));
/// What every guest has in its flash: a block of it.
static FLASH: LazyLock<NamedTempFile> = LazyLock::new(|| file(256 << 10));

fn file(size: usize) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), vec![0x14; size]).expect("a temporary file");
    file
}

struct AnyGuest;

impl Images for AnyGuest {
    fn names(&self) -> Vec<String> {
        vec!["debian".into(), "conformance".into(), "ops".into()]
    }

    fn kernel(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(Some(IMAGE.path().to_owned()))
    }

    fn initrd(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }

    fn flash(&self, _: &str) -> Result<Option<PathBuf>, Box<dyn Error + Send + Sync>> {
        Ok(Some(FLASH.path().to_owned()))
    }
}

/// A manifest that is right: what comes behind the reader is reached.
const RIGHT: &str = r#"
[[vm]]
name = "a"
image = "ops"
memory = "16M"
cores = [0]
"#;

fn read(text: &str) -> Result<Manifest, Report> {
    let board = Board {
        name: "qemu-virt".into(),
        cores: 8,
        memory: 2 << 30,
        forwards: true,
        time: true,
        cpu: None,
        ram: None,
        devices: Vec::new(),
    };
    Manifest::parse("fuzz.toml", text, Path::new("/nowhere"), &board, &AnyGuest)
}

fuzz_target!(init: read(RIGHT).map(drop).unwrap_or_else(|report| panic!("{report}")), |text: &str| {
    match read(text) {
        Ok(manifest) => {
            let made = bundle::Bundle::new(&manifest).expect("a right manifest becomes a bundle");
            let bytes: Vec<u8> = made.parts().flatten().copied().collect();
            let read = Bundle::parse(&bytes).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.vms().count(), manifest.vms.len());
            assert!(read.vms().zip(&manifest.vms).all(|(read, vm)| read.name == vm.name));
        }
        Err(report) => assert!(!report.to_string().is_empty()),
    }
});
