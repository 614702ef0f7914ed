//! The Debian package of the program for the control VM.

use super::super::expectation::Expectation::{self, Never, Sequence};
use super::case::{Case, LINUX, NO_OOPS};

/// The package is installed on a Debian by dpkg, and purged: its files, group, lock, udev's rule, unit, manual page and completions
/// are what Debian's own tools find right. Who is of the group manages the machine; who is not is told so.
const PACKAGE_LINUX: &[Expectation] = &[
    NO_OOPS,
    Sequence(&[
        "package-check: $ dpkg --install /portcullis.deb",
        "package-check: Setting up portcullis (",
        "package-check: status=0",
        "package-check: portcullis is install ok installed",
        "package-check: $ dpkg --verify portcullis",
        "package-check: status=0",
        "package-check: group=portcullis:",
        "package-check: lock=660 root:portcullis",
        "package-check: portcullis=660 root:portcullis",
        "package-check: portcullis.events=660 root:portcullis",
        "package-check: portcullis.data=660 root:portcullis",
        "package-check: console.guest=660 root:portcullis",
        "package-check: $ setpriv --reuid 65534 --regid 65534 --groups ",
        "package-check: 1   guest  created  0 of 1    1      4 MiB    0",
        "package-check: status=0",
        "package-check: $ setpriv --reuid 65534 --regid 65534 --clear-groups portcullis vms",
        "cannot be locked: Permission denied (os error 13); root can, or who is in the group portcullis",
        "package-check: status=3",
        "package-check: $ systemd-analyze --man=no verify /usr/lib/systemd/system/portcullis-metrics.service",
        "package-check: status=0, and nothing was said",
        "package-check: $ groff -man -ww -z -Tutf8 /page",
        "package-check: status=0, and nothing was said",
        "package-check: complete -o bashdefault -o default -o nosort -F _portcullis portcullis",
        "package-check: mig: migrate",
        "package-check: status=0",
        "package-check: $ dpkg --purge portcullis",
        "package-check: Purging configuration files for portcullis (",
        "package-check: status=0",
        "package-check: left=",
        "package-check: done",
    ]),
    Never("package-check: left=/"),
];

pub const CASES: &[Case] = &[Case {
    name: "package-linux",
    manifest: "package-linux.toml",
    cores: 2,
    manager: true,
    expectations: PACKAGE_LINUX,
    ..LINUX
}];
