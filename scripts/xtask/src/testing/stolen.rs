//! What guests took for stolen time against the hypervisor's account, from the console: the guests' `load-check` lines and the
//! tables of vCPUs that ops printed.

/// Largest difference between the growth of stolen time as a kernel saw it and as the hypervisor counted it.
const AGREEMENT: f64 = 0.02;
/// Largest difference between a kernel's share of stolen time and what the hypervisor's account of running leaves.
const SHARE: f64 = 0.05;
/// Of two VMs that are equally busy each has about half of the cores.
const HALF: std::ops::RangeInclusive<f64> = 0.4..=0.6;
/// Most of its time that a vCPU alone on its core may miss.
const ALONE: f64 = 0.001;
/// A guest's line, and where it stands on the console.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    line: usize,
    /// For how many seconds its CPUs were busy before.
    busy: Option<f64>,
    /// Seconds stolen from all its CPUs.
    stolen: f64,
    cpus: usize,
}

/// The hypervisor's account of one VM: seconds over all its vCPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Account {
    ran: f64,
    stolen: f64,
}

/// What one VM had while it was busy.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Busy {
    /// Seconds for which its CPUs were busy, in all.
    time: f64,
    seen: f64,
    counted: Account,
}

/// What is wrong: `shared` are two VMs that share their cores and are busy at the same time, `alone` is one with a core of its
/// own.
pub fn unlike(shared: [&str; 2], alone: &str, lines: &[String]) -> Option<String> {
    let mut wrong = Vec::new();
    let mut check = |ok: bool, text: String| wrong.extend((!ok).then_some(text));
    for vm in shared {
        match busy(vm, lines) {
            Ok(Busy { seen, counted, time }) => {
                check(
                    (seen - counted.stolen).abs() <= AGREEMENT * counted.stolen,
                    format!("{vm}: its kernel saw {seen:.2} s stolen, the hypervisor counted {:.2} s", counted.stolen),
                );
                let share = counted.ran / (counted.ran + counted.stolen);
                let stolen = seen / time;
                check(
                    (stolen - (1.0 - share)).abs() <= SHARE,
                    format!("{vm}: its kernel saw {stolen:.3} of its time stolen, but it had {share:.3} of its cores"),
                );
                check(HALF.contains(&share), format!("{vm}: it had {share:.3} of its cores, not about half"));
            }
            Err(error) => check(false, error),
        }
    }
    match busy(alone, lines) {
        Ok(Busy { seen, counted, time }) => {
            let most = seen.max(counted.stolen);
            check(most <= ALONE * time, format!("{alone}: {most:.3} s of {time:.1} s were stolen, alone on its core"));
        }
        Err(error) => check(false, error),
    }
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

/// The accounts of a VM over its load. Behind either of its lines it is idle for a while: the first table there shows what it had
/// until then.
fn busy(vm: &str, lines: &[String]) -> Result<Busy, String> {
    let look = |word: &str| {
        let start = format!("[{vm}] load-check: {word} ");
        let found = lines.iter().enumerate().find_map(|(line, text)| look(line, text.strip_prefix(&start)?));
        found.ok_or_else(|| format!("{vm}: there is no line {start}with times"))
    };
    let (before, after) = (look("before")?, look("after")?);
    let start = account(vm, lines, before.line..after.line).ok_or(format!("ops shows nothing of {vm} in time"))?;
    let end = account(vm, lines, after.line..lines.len()).ok_or(format!("ops shows nothing of {vm} after its load"))?;
    Ok(Busy {
        time: after.busy.ok_or(format!("{vm} does not say how long it was busy"))? * after.cpus as f64,
        seen: after.stolen - before.stolen,
        counted: Account { ran: end.ran - start.ran, stolen: end.stolen - start.stolen },
    })
}

/// `cpu0=911 cpu1=328`, with `busy=20.04` before it or not.
fn look(line: usize, text: &str) -> Option<Look> {
    let (mut busy, mut cpus) = (None, Vec::new());
    for field in text.split_whitespace() {
        let (key, value) = field.split_once('=')?;
        let value: f64 = value.parse().ok()?;
        match key {
            "busy" => busy = Some(value),
            _ => cpus.push(value),
        }
    }
    (!cpus.is_empty()).then(|| Look { line, busy, stolen: cpus.iter().sum::<f64>() / 100.0, cpus: cpus.len() })
}

/// The first table among `range` that shows the VM before it is off, its vCPUs summed up.
fn account(vm: &str, lines: &[String], range: std::ops::Range<usize>) -> Option<Account> {
    let row = |line: &String| {
        let mut fields = line.strip_prefix("[ops] ")?.split_whitespace();
        let (name, vcpu) = (fields.next()?, fields.next()?.parse::<usize>().ok()?);
        let is_off = fields.nth(1)? == "off";
        let times: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
        // Seconds that it ran, seconds stolen, switches.
        (name == vm && !is_off && times.len() == 3).then(|| (vcpu, Account { ran: times[0], stolen: times[1] }))
    };
    let mut tables: Vec<Account> = Vec::new();
    for (vcpu, Account { ran, stolen }) in lines[range].iter().filter_map(row) {
        if vcpu == 0 {
            tables.push(Account::default());
        }
        // The range may begin within a table.
        if let Some(table) = tables.last_mut() {
            (table.ran, table.stolen) = (table.ran + ran, table.stolen + stolen);
        }
    }
    tables.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(a_after: &str, a_end: &str) -> Vec<String> {
        let text = format!(
            "[ops] a  1     1     waiting  1.000 s  0.100 s  825
[a] load-check: before cpu0=100 cpu1=50
[b] load-check: before cpu0=100 cpu1=50
[c] load-check: before cpu0=0
[ops] a  1     1     waiting  2.000 s  0.500 s  825
[ops] VM  name     state    vCPUs on  cores  memory   restarts  notes
[ops] 0   a        running  2 of 2    0,1    256 MiB  0
[ops] name     vCPU  core  state    ran       stolen    switches
[ops] a  0     0     waiting  3.000 s  1.000 s  1586
[ops] a  1     1     waiting  2.000 s  0.500 s  825
[ops] b  0     0     waiting  3.000 s  1.000 s  1587
[ops] b  1     1     waiting  2.000 s  0.500 s  826
[ops] c  0     2     running  9.000 s  0.000 s  0
[linux] noise
[linux] noise
[a] load-check: after busy=20.00 {a_after}
[b] load-check: after busy=20.00 cpu0=1100 cpu1=1050
[c] load-check: after busy=20.00 cpu0=0
[ops] {a_end}
[ops] a  1     1     waiting  12.000 s  10.500 s  825
[ops] b  0     0     waiting  13.000 s  11.000 s  1587
[ops] b  1     1     waiting  12.000 s  10.500 s  826
[ops] c  0     2     waiting  29.000 s  0.000 s  0
[ops] a  0     0     waiting  14.000 s  13.000 s  1586
[ops] a  1     1     waiting  13.000 s  12.500 s  825"
        );
        text.lines().map(str::to_owned).collect()
    }

    const END: &str = "a  0     0     waiting  13.000 s  11.000 s  1586";

    #[test]
    fn accounts_that_agree_are_right() {
        assert_eq!(unlike(["a", "b"], "c", &console("cpu0=1100 cpu1=1050", END)), None);
    }

    #[test]
    fn a_kernel_that_saw_something_else_is_wrong() {
        let wrong = unlike(["a", "b"], "c", &console("cpu0=1150 cpu1=1050", END)).unwrap();
        assert_eq!(wrong, "a: its kernel saw 20.50 s stolen, the hypervisor counted 20.00 s");
    }

    #[test]
    fn a_vm_that_had_too_much_is_wrong() {
        let end = "a  0     0     ready  23.000 s  11.000 s  1586";
        let wrong = unlike(["a", "b"], "c", &console("cpu0=1100 cpu1=1050", end)).unwrap();
        assert!(wrong.contains("a: its kernel saw 0.500 of its time stolen, but it had 0.600 of its cores"), "{wrong}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let lines: Vec<String> = console("cpu0=1100 cpu1=1050", END)[..16].to_vec();
        let wrong = unlike(["a", "b"], "c", &lines).unwrap();
        assert!(
            wrong.contains("ops shows nothing of a after its load") && wrong.contains("b: there is no line"),
            "{wrong}"
        );
        assert_eq!((look(0, "busy=1.5"), look(0, "cpu0=x")), (None, None));
    }

    #[test]
    fn what_a_vm_takes_to_go_off_is_none_of_its_load() {
        let off = |line: String| if line.contains("a  0     0     w") { line.replace("waiting", "off") } else { line };
        let lines = console("cpu0=1100 cpu1=1050", END).into_iter();
        let (before, after): (Vec<_>, Vec<_>) = lines.enumerate().partition(|(number, _)| *number < 16);
        let after = after.into_iter().map(|(_, line)| off(line));
        let lines: Vec<String> = before.into_iter().map(|(_, line)| line).chain(after).collect();
        assert_eq!(unlike(["a", "b"], "c", &lines).as_deref(), Some("ops shows nothing of a after its load"));
    }

    #[test]
    fn one_alone_that_missed_something_is_wrong() {
        let lines: Vec<String> = console("cpu0=1100 cpu1=1050", END)
            .into_iter()
            .map(|line| line.replace("29.000 s  0.000 s", "28.000 s  0.030 s"))
            .collect();
        assert!(unlike(["a", "b"], "c", &lines).unwrap().starts_with("c: 0.030 s of 20.0 s were stolen"));
    }
}
