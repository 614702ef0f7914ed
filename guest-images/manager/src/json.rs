//! Reports as JSON. Names of fields, once there, stay; numbers are numbers, and bit masks and addresses, too.

use controls::function;
use controls::management::{Entry, State};
use controls::names::name;
use controls::register::Shown;
use controls::report::audit::Audit;
use controls::report::clock::Clock;
use controls::report::conduit;
use controls::report::counters::Counters;
use controls::report::filter::{Filter, Range};
use controls::report::links::{Counted, Listed};
use controls::report::refusals::Seen;
use controls::report::registers::{Registers, register_name, rule_name};
use controls::report::vms::{Vm, Vms};
use portcullis_abi::manage::{
    CLOCK_BOARD, CLOCK_CALL, CONDUITS, EXITS, LINKS, SERVICES, STATE_AUDIT, STATE_CONTROL, STATE_FROZEN,
    STATE_RESTARTS, link_counters,
};
use serde_json::{Map, Value, json};

/// `vms`.
pub fn vms(vms: &Vms) -> Value {
    json!({
        "cores": vms.machine.cores,
        "free": vms.machine.free,
        "vms": vms.vms.iter().map(vm).collect::<Vec<_>>(),
    })
}

fn vm(vm: &Vm) -> Value {
    let has = |mark| vm.state.marks & mark != 0;
    let failure = vm.failure.map(|failure| {
        json!({
            "reason": failure.reason_name(),
            "vcpu": failure.vcpu,
            "pc": failure.pc,
            "address": failure.address,
            "syndrome": failure.syndrome,
        })
    });
    let vcpus = vm.vcpus.iter().map(|vcpu| {
        json!({
            "core": vcpu.core,
            "state": vcpu.activity_name(),
            "ran_ns": vcpu.ran,
            "stolen_ns": vcpu.stolen,
            "switches": vcpu.switches,
        })
    });
    json!({
        "number": vm.number,
        "name": vm.name.as_str(),
        "state": vm.state.phase_name(),
        "progress": vm.state.progress_name(),
        "memory": vm.state.memory,
        "restarts": vm.state.restarts,
        "control": has(STATE_CONTROL),
        "frozen": has(STATE_FROZEN),
        "audited": has(STATE_AUDIT),
        "restarts_on_failure": has(STATE_RESTARTS),
        "failure": failure,
        "vcpus": vcpus.collect::<Vec<_>>(),
    })
}

/// The state of a VM.
pub fn phase(name: &str, state: &State) -> Value {
    json!({
        "vm": name,
        "state": state.phase_name(),
        "progress": state.progress_name(),
        "restarts": state.restarts,
    })
}

/// `regs`.
pub fn registers(registers: &Registers) -> Value {
    let entries = registers.entries.iter().map(|&Entry { id, value: number, supported }| {
        let mut entry = value(id, number);
        if let Value::Object(fields) = &mut entry {
            fields.insert("supported".to_owned(), json!(supported));
        }
        entry
    });
    json!({
        "registers": entries.collect::<Vec<_>>(),
        "rule": rule_name(registers.rule),
        "written": registers.written,
        "frozen": registers.frozen,
    })
}

/// `get` and `set`.
pub fn value(id: u64, value: u64) -> Value {
    let names = Shown { id, value }.to_string();
    json!({ "register": register_name(id), "identifier": id, "value": value, "names": names })
}

/// `links`. What an end's kind says of it is in `about`, as docs/abi.md has it of LINK_END.
pub fn links(listed: &Listed) -> Value {
    let ends = listed.ends.iter().map(|end| {
        json!({
            "link": end.link.as_str(),
            "kind": name(&LINKS, end.kind.into()),
            "vm": end.vm.as_str(),
            "up": end.up,
            "intid": (end.intid != 0).then_some(end.intid),
            "about": end.about,
        })
    });
    json!({ "ends": ends.collect::<Vec<_>>(), "more": listed.more })
}

/// `stats`.
pub fn stats(counters: &Counters, links: &[Counted]) -> Value {
    let services = SERVICES.iter().zip(counters.services).map(|(name, [answered_hvc, answered_smc, hvc, smc])| {
        let answered = json!({ "hvc": answered_hvc, "smc": answered_smc });
        ((*name).to_owned(), json!({ "answered": answered, "refused": { "hvc": hvc, "smc": smc } }))
    });
    json!({
        "services": services.collect::<Map<_, _>>(),
        "forwarded": named(&CONDUITS, &counters.forwarded),
        "exits": named(&EXITS, &counters.exits),
        "links": links.iter().map(counted).collect::<Vec<_>>(),
    })
}

fn counted(Counted { link, up, counts }: &Counted) -> Value {
    let counts = named(link_counters(link.kind), counts);
    json!({ "link": link.name.as_str(), "kind": link.kind_name(), "up": up, "counts": counts })
}

fn named(names: &[&str], counts: &[u64]) -> Map<String, Value> {
    names.iter().zip(counts).map(|(name, count)| ((*name).to_owned(), json!(count))).collect()
}

/// `refused`.
pub fn refusals(seen: &Seen) -> Value {
    let calls = seen.refusals.iter().map(|refusal| {
        json!({
            "age_us": seen.age(refusal),
            "vcpu": refusal.vcpu,
            "conduit": conduit(refusal.smc),
            "function": refusal.function,
            "name": function::name(refusal.function),
        })
    });
    json!({ "total": seen.refusals.first().map_or(0, |newest| newest.total), "calls": calls.collect::<Vec<_>>() })
}

/// `audit`.
pub fn audit(audit: &Audit) -> Value {
    let functions = audit.functions.iter().map(|used| {
        json!({
            "function": used.function,
            "name": function::name(used.function),
            "conduit": conduit(used.smc),
            "refused": used.refused,
            "forwarded": used.forwarded,
            "after_us": used.after,
        })
    });
    json!({
        "audited": audit.audited,
        "functions": functions.collect::<Vec<_>>(),
        "lost": audit.lost,
        "registers": audit.registers.iter().map(|&(id, number)| value(id, number)).collect::<Vec<_>>(),
        "forwarded": audit.forwarded.iter().map(range).collect::<Vec<_>>(),
    })
}

/// `filter`.
pub fn filter(filter: &Filter) -> Value {
    json!({ "ranges": filter.0.iter().map(range).collect::<Vec<_>>() })
}

/// A range of the filter.
pub fn range(range: &Range) -> Value {
    json!({ "first": range.first, "last": range.last(), "count": range.count, "action": range.action_name() })
}

/// `time`.
pub fn clock(clock: &Clock) -> Value {
    let source = match clock.source {
        CLOCK_BOARD => "board",
        CLOCK_CALL => "set",
        _ => return json!({ "time": null, "ns": null, "source": "unknown" }),
    };
    json!({ "time": clock.date().to_string(), "ns": clock.time, "source": source })
}
