//! What the Linux guests report about their firmware: lines `[VM] firmware-check: KEY=VALUE ...`, written by
//! `guest-images/linux/init`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The reports of all VMs that are expected to make one.
#[derive(Debug)]
pub struct Reports {
    vms: BTreeMap<String, Report>,
}

/// The report of one VM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    values: BTreeMap<String, String>,
    /// Seconds by which the VM's PTP clock was ahead of this machine's when its line came.
    pub ptp_offset: Option<f64>,
    /// The same of its system clock.
    pub date_offset: Option<f64>,
    /// The same of its real-time clock.
    pub rtc_offset: Option<f64>,
    /// The last line was there.
    pub done: bool,
}

impl Reports {
    /// Waits for reports of these VMs.
    pub fn new(vms: impl IntoIterator<Item = String>) -> Self {
        Self { vms: vms.into_iter().map(|vm| (vm, Report::default())).collect() }
    }

    /// Takes a line of the console. Whether it was part of a report.
    pub fn take(&mut self, line: &str, now: SystemTime) -> bool {
        let Some((vm, text)) = split(line) else { return false };
        let Some(report) = self.vms.get_mut(vm) else { return false };
        if text == "done" {
            report.done = true;
        }
        for (key, value) in pairs(text) {
            match key.as_str() {
                "time" => report.ptp_offset = offset(&value, now),
                "date" => report.date_offset = offset(&value, now),
                "hwclock" => report.rtc_offset = offset(&value, now),
                _ => {}
            }
            report.values.insert(key, value);
        }
        true
    }

    /// Every VM has said its last line; false if there is none to wait for.
    pub fn complete(&self) -> bool {
        !self.vms.is_empty() && self.vms.values().all(|report| report.done)
    }

    /// The VMs that have not.
    pub fn missing(&self) -> Vec<&str> {
        self.vms.iter().filter(|(_, report)| !report.done).map(|(vm, _)| vm.as_str()).collect()
    }

    /// Every VM with its report, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Report)> {
        self.vms.iter().map(|(vm, report)| (vm.as_str(), report))
    }

    /// The report of `vm`, if one is expected.
    pub fn get(&self, vm: &str) -> Option<&Report> {
        self.vms.get(vm)
    }
}

impl Report {
    /// What the VM said about `key`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }
}

/// Seconds by which a time, in seconds since 1970, is ahead of `now`.
fn offset(time: &str, now: SystemTime) -> Option<f64> {
    Some(time.parse::<f64>().ok()? - now.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

/// VM and text of a line of a report.
fn split(line: &str) -> Option<(&str, &str)> {
    let (vm, text) = line.strip_prefix('[')?.split_once("] ")?;
    Some((vm, text.trim_start().strip_prefix("firmware-check: ")?))
}

/// The pairs KEY=VALUE of a line; a value in quotes may have spaces.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while let Some((key, after)) = rest.split_once('=') {
        let quoted = after.strip_prefix('"').and_then(|inner| inner.split_once('"'));
        let (value, next) = quoted.unwrap_or_else(|| after.split_once(' ').unwrap_or((after, "")));
        pairs.push((key.to_owned(), value.to_owned()));
        rest = next.trim_start();
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pairs_have_quotes_and_empty_values() {
        let pairs = pairs(r#"ptp=yes name="KVM virtual PTP" time=12.5 bytes= last=1"#);
        let flat: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        assert_eq!(flat, ["ptp:yes", "name:KVM virtual PTP", "time:12.5", "bytes:", "last:1"]);
    }

    #[test]
    fn reports_are_complete_when_all_have_finished() {
        let mut reports = Reports::new(["a".to_owned(), "b".to_owned()]);
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        for line in ["[a] firmware-check: ptp=yes time=1001.5", "[a] firmware-check: done", "[c] firmware-check: done"]
        {
            reports.take(line, now);
        }
        assert!(!reports.complete());
        assert_eq!(reports.missing(), ["b"]);
        assert_eq!(reports.get("a").unwrap().value("ptp"), Some("yes"));
        assert!((reports.get("a").unwrap().ptp_offset.unwrap() - 1.5).abs() < 1e-6);
        assert!(reports.take("[b] firmware-check: rtc=yes date=999 hwclock=1003", now));
        let report = reports.get("b").unwrap();
        assert_eq!((report.date_offset, report.rtc_offset), (Some(-1.0), Some(3.0)));
        assert!(!reports.take("[b] not a firmware-check: done", now));
        assert!(!reports.take("firmware-check: done", now));
        assert!(reports.take("[b] firmware-check: done", now));
        assert!(reports.complete());
    }

    #[test]
    fn nothing_expected_is_never_complete() {
        assert!(!Reports::new([]).complete());
    }
}
