//! Every function behind the gate: the one place that says what a function is.
//!
//! Everything else derives from it: which identifiers have a name, what each needs, its answer, what it is counted as,
//! which discovery call tells of it, the codes of the services, and what a board can have at the most. The oracle of the
//! tests says the same a second time, and shares nothing with it.

use portcullis_abi::firmware::{
    STD_HYP_PV_TIME, STD_TRNG, VENDOR_HYP_2_IMPL_CPUS, VENDOR_HYP_2_IMPL_VERSION, VENDOR_HYP_FUNC_FEAT, VENDOR_HYP_PTP,
};
use portcullis_abi::function::*;
use portcullis_abi::{firmware, manage, result};

use crate::function::Need::{self, Bit, Level, Nothing, Suspend};
use crate::function::Query::{Arch, Psci, PvTime, Trng, Vendor};
use crate::function::Reply::{self, Features, Serve, VendorWords, Words};
use crate::function::{Function, Queries, Query};
use crate::function_id::{FunctionId, Width};
use crate::group::Group;
use crate::register::Register;
use crate::verdict::{PsciFunction, Service, TrngFunction};

/// A row: a function and its name in the specifications.
struct Row {
    name: &'static str,
    function: Function,
}

const fn row(id: u32, name: &'static str, group: Group, need: Need, reply: Reply, queries: &[Query]) -> Row {
    Row { name, function: Function { id, group, need, reply, queries: Queries::of(queries) } }
}

const fn value(value: u32) -> Reply {
    Words([value, 0, 0, 0])
}

const fn psci(function: PsciFunction, width: Width) -> Reply {
    Serve(Service::Psci(function, width))
}

const fn trng(function: TrngFunction) -> Reply {
    Serve(Service::Trng(function))
}

use Group as G;
use PsciFunction as P;
use TrngFunction as T;
use Width::{Smc32, Smc64};

const TRNG: Need = Bit(Register::Std, STD_TRNG);
const PV_TIME: Need = Bit(Register::StdHyp, STD_HYP_PV_TIME);
const FUNC_FEAT: Need = Bit(Register::VendorHyp, VENDOR_HYP_FUNC_FEAT);
const PTP: Need = Bit(Register::VendorHyp, VENDOR_HYP_PTP);
const IMPL_VERSION: Need = Bit(Register::VendorHyp2, VENDOR_HYP_2_IMPL_VERSION);
const IMPL_CPUS: Need = Bit(Register::VendorHyp2, VENDOR_HYP_2_IMPL_CPUS);
const SIP_WATCHDOG: Need = Bit(Register::Sip, firmware::SIP_WATCHDOG);
const PSCI_0_2: Need = Need::Psci(PSCI_VERSION_0_2);
const PSCI_1_0: Need = Need::Psci(PSCI_VERSION_1_0);
const PSCI_1_1: Need = Need::Psci(PSCI_VERSION_1_1);
const PSCI_1_3: Need = Need::Psci(PSCI_VERSION_1_3);
const NOT_REQUIRED: u32 = result::PSCI_MIGRATION_NOT_REQUIRED as u32;

/// How many functions there are.
const COUNT: usize = 37;

/// Every function. The order is that of the services' codes: the one that is called most often comes first.
#[rustfmt::skip]
const TABLE: [Row; COUNT] = [
    row(VENDOR_PTP, "VENDOR_PTP", G::Ptp, PTP, Serve(Service::Ptp), &[Vendor]),
    row(TRNG_RND64, "TRNG_RND64", G::Trng, TRNG, trng(T::Rnd64), &[Trng]),
    row(TRNG_GET_UUID, "TRNG_GET_UUID", G::Trng, TRNG, trng(T::GetUuid), &[Trng]),
    row(TRNG_RND32, "TRNG_RND32", G::Trng, TRNG, trng(T::Rnd32), &[Trng]),
    row(TRNG_VERSION, "TRNG_VERSION", G::Trng, TRNG, value(TRNG_VERSION_1_0), &[Trng]),
    row(TRNG_FEATURES, "TRNG_FEATURES", G::Trng, TRNG, Features(Trng), &[Trng]),
    row(PV_TIME_ST, "PV_TIME_ST", G::PvTime, PV_TIME, Serve(Service::PvTimeSt), &[PvTime]),
    row(PV_TIME_FEATURES, "PV_TIME_FEATURES", G::PvTime, PV_TIME, Features(PvTime), &[Arch, PvTime]),
    row(VENDOR_UID, "VENDOR_UID", G::Vendor, FUNC_FEAT, Words(VENDOR_UID_WORDS), &[]),
    row(VENDOR_FEATURES, "VENDOR_FEATURES", G::Vendor, FUNC_FEAT, VendorWords, &[Vendor]),
    row(VENDOR_IMPL_VERSION, "VENDOR_IMPL_VERSION", G::Vendor, IMPL_VERSION, Serve(Service::ImplVersion), &[Vendor]),
    row(VENDOR_IMPL_CPUS, "VENDOR_IMPL_CPUS", G::Vendor, IMPL_CPUS, Serve(Service::ImplCpus), &[Vendor]),
    row(PSCI_CPU_SUSPEND, "CPU_SUSPEND", G::Psci, PSCI_0_2, psci(P::CpuSuspend, Smc32), &[Psci]),
    row(PSCI_CPU_SUSPEND | SMC64, "CPU_SUSPEND", G::Psci, PSCI_0_2, psci(P::CpuSuspend, Smc64), &[Psci]),
    row(PSCI_CPU_OFF, "CPU_OFF", G::Psci, PSCI_0_2, psci(P::CpuOff, Smc32), &[Psci]),
    row(PSCI_CPU_ON, "CPU_ON", G::Psci, PSCI_0_2, psci(P::CpuOn, Smc32), &[Psci]),
    row(PSCI_CPU_ON | SMC64, "CPU_ON", G::Psci, PSCI_0_2, psci(P::CpuOn, Smc64), &[Psci]),
    row(PSCI_AFFINITY_INFO, "AFFINITY_INFO", G::Psci, PSCI_0_2, psci(P::AffinityInfo, Smc32), &[Psci]),
    row(PSCI_AFFINITY_INFO | SMC64, "AFFINITY_INFO", G::Psci, PSCI_0_2, psci(P::AffinityInfo, Smc64), &[Psci]),
    row(PSCI_SYSTEM_OFF, "SYSTEM_OFF", G::Psci, PSCI_0_2, psci(P::SystemOff, Smc32), &[Psci]),
    row(PSCI_SYSTEM_RESET, "SYSTEM_RESET", G::Psci, PSCI_0_2, psci(P::SystemReset, Smc32), &[Psci]),
    row(PSCI_SYSTEM_RESET2, "SYSTEM_RESET2", G::Psci, PSCI_1_1, psci(P::SystemReset2, Smc32), &[Psci]),
    row(PSCI_SYSTEM_RESET2 | SMC64, "SYSTEM_RESET2", G::Psci, PSCI_1_1, psci(P::SystemReset2, Smc64), &[Psci]),
    row(PSCI_SYSTEM_SUSPEND, "SYSTEM_SUSPEND", G::Psci, Suspend, psci(P::SystemSuspend, Smc32), &[Psci]),
    row(PSCI_SYSTEM_SUSPEND | SMC64, "SYSTEM_SUSPEND", G::Psci, Suspend, psci(P::SystemSuspend, Smc64), &[Psci]),
    row(PSCI_SYSTEM_OFF2, "SYSTEM_OFF2", G::Psci, PSCI_1_3, psci(P::SystemOff2, Smc32), &[Psci]),
    row(PSCI_SYSTEM_OFF2 | SMC64, "SYSTEM_OFF2", G::Psci, PSCI_1_3, psci(P::SystemOff2, Smc64), &[Psci]),
    row(WATCHDOG, "WATCHDOG", G::Watchdog, SIP_WATCHDOG, Serve(Service::Watchdog), &[]),
    row(PSCI_VERSION, "PSCI_VERSION", G::Psci, PSCI_0_2, Reply::Register(Register::PsciVersion), &[Psci]),
    row(PSCI_FEATURES, "PSCI_FEATURES", G::Psci, PSCI_1_0, Features(Psci), &[Psci]),
    row(PSCI_MIGRATE_INFO_TYPE, "MIGRATE_INFO_TYPE", G::Psci, PSCI_0_2, value(NOT_REQUIRED), &[Psci]),
    row(SMCCC_VERSION, "SMCCC_VERSION", G::Arch, Nothing, Reply::Register(Register::SmcccVersion), &[Arch, Psci]),
    row(ARCH_FEATURES, "SMCCC_ARCH_FEATURES", G::Arch, Nothing, Features(Arch), &[Arch]),
    row(ARCH_SOC_ID, "SMCCC_ARCH_SOC_ID", G::Arch, Need::Soc, Serve(Service::SocId), &[Arch]),
    row(ARCH_WORKAROUND_1, "SMCCC_ARCH_WORKAROUND_1", G::Arch, Level(Register::Workaround1), value(0), &[Arch]),
    row(ARCH_WORKAROUND_2, "SMCCC_ARCH_WORKAROUND_2", G::Arch, Level(Register::Workaround2), value(0), &[Arch]),
    row(ARCH_WORKAROUND_3, "SMCCC_ARCH_WORKAROUND_3", G::Arch, Level(Register::Workaround3), value(0), &[Arch]),
];

/// The management calls, whose identifiers are a range: each is offered or none.
const MANAGEMENT: Function = Function {
    id: manage::BASE,
    group: Group::Management,
    need: Need::Control,
    reply: Reply::Manage,
    queries: Queries::of(&[]),
};
/// The last identifier of the management calls.
const MANAGE_LAST: u32 = manage::BASE + manage::COUNT - 1;

/// The functions in ascending order of their identifiers.
static BY_ID: [Function; COUNT] = by_id();

/// The identifier of every function, but for the management calls, in ascending order, as `all` has them.
pub const KNOWN: [u32; COUNT] = known();

/// Whether the answers have a line for the function. What is called rarely may have none where it would share one with another
/// function: with SYSTEM_OFF and ARCH_WORKAROUND_1, these.
pub const fn has_line(function: u32) -> bool {
    !matches!(function, WATCHDOG | PSCI_SYSTEM_SUSPEND)
}

/// Whether one of the calls that ask about a function knows this one.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
pub const fn is_asked_about(function: u32) -> bool {
    let mut at = 0;
    while at < COUNT {
        let queries = TABLE[at].function.queries;
        if TABLE[at].function.id == function {
            return queries.contain(Arch) || queries.contain(Psci) || queries.contain(Trng) || queries.contain(PvTime);
        }
        at += 1;
    }
    false
}

/// The names of the functions, with their identifiers. Both widths of one have the same name.
pub const NAMES: [(&str, u32); COUNT] = names();

/// The service behind each served function, in the order of the table.
pub const SERVICES: [Service; SERVED] = services();
const SERVED: usize = served();

/// The function with this identifier.
pub fn find(id: FunctionId) -> Option<&'static Function> {
    if matches!(id.0, manage::BASE..=MANAGE_LAST) {
        return Some(const { &MANAGEMENT });
    }
    let at = BY_ID.binary_search_by_key(&id.0, |function| function.id).ok()?;
    BY_ID.get(at)
}

/// Every function but the management calls.
pub fn all() -> impl Iterator<Item = &'static Function> {
    BY_ID.iter()
}

/// The functions that a discovery call knows.
pub fn known_to(query: Query) -> impl Iterator<Item = &'static Function> {
    BY_ID.iter().filter(move |function| function.queries.contain(query))
}

/// The bits of a bitmap register that a function needs: those that a board can have at the most.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
pub const fn bits(register: Register) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < COUNT {
        if let Bit(of, bit) = TABLE[at].function.need
            && of as u8 == register as u8
        {
            bits |= bit;
        }
        at += 1;
    }
    bits
}

impl Group {
    /// The group of a function identifier.
    pub fn of(id: FunctionId) -> Self {
        find(id).map_or(Self::Unknown, |function| function.group)
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn by_id() -> [Function; COUNT] {
    let mut sorted = [MANAGEMENT; COUNT];
    let mut at = 0;
    while at < COUNT {
        let mut place = at;
        while place > 0 && sorted[place - 1].id > TABLE[at].function.id {
            sorted[place] = sorted[place - 1];
            place -= 1;
        }
        sorted[place] = TABLE[at].function;
        at += 1;
    }
    sorted
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn known() -> [u32; COUNT] {
    let functions = by_id();
    let mut known = [0; COUNT];
    let mut at = 0;
    while at < COUNT {
        known[at] = functions[at].id;
        at += 1;
    }
    known
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn names() -> [(&'static str, u32); COUNT] {
    let mut names = [("", 0); COUNT];
    let mut at = 0;
    while at < COUNT {
        names[at] = (TABLE[at].name, TABLE[at].function.id);
        at += 1;
    }
    names
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn served() -> usize {
    let (mut served, mut at) = (0, 0);
    while at < COUNT {
        served += matches!(TABLE[at].function.reply, Serve(_)) as usize;
        at += 1;
    }
    served
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn services() -> [Service; SERVED] {
    let mut services = [Service::Ptp; SERVED];
    let (mut served, mut at) = (0, 0);
    while at < COUNT {
        if let Serve(service) = TABLE[at].function.reply {
            services[served] = service;
            served += 1;
        }
        at += 1;
    }
    services
}

/// What the compiler checks of the table: no identifier stands in it twice, and the vendor's feature words have a bit for
/// whatever they are to tell of.
const _: () = {
    let sorted = by_id();
    let mut at = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while at < COUNT {
        let function = sorted[at];
        assert!(at == 0 || sorted[at - 1].id < function.id);
        assert!(!function.queries.contain(Vendor) || FunctionId(function.id).number() < 128);
        at += 1;
    }
};
