//! Numbers for the services, which the [answers](crate::answers) hold and the path of a call branches on: each one's place
//! among those of the table.

use crate::table::SERVICES;
use crate::verdict::{Service, TrngFunction};

/// What tells services apart: a function of PSCI from others, and one that is called often from all others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ptp,
    Rnd64,
    Psci,
    Other,
}

const fn kind(service: Service) -> Kind {
    match service {
        Service::Ptp => Kind::Ptp,
        Service::Trng(TrngFunction::Rnd64) => Kind::Rnd64,
        Service::Psci(..) => Kind::Psci,
        _ => Kind::Other,
    }
}

/// The first code of this kind, and the one past the last. The codes of a kind lie beside each other.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
#[expect(clippy::cast_possible_truncation, reason = "there are few")]
const fn codes(of: Kind) -> (u32, u32) {
    let (mut first, mut count, mut at) = (SERVICES.len(), 0, 0);
    while at < SERVICES.len() {
        if kind(SERVICES[at]) as u8 == of as u8 {
            assert!(count == 0 || at == first + count, "the codes of one kind do not lie beside each other");
            first = if count == 0 { at } else { first };
            count += 1;
        }
        at += 1;
    }
    (first as u32, (first + count) as u32)
}

/// What is called most often of all is compared with zero, which takes one instruction less.
const _: () = assert!(Service::PTP == 0);

impl Service {
    /// The code of [`Self::Ptp`], which is called most often of all.
    pub const PTP: u32 = codes(Kind::Ptp).0;
    /// The code of TRNG_RND64.
    pub const RND64: u32 = codes(Kind::Rnd64).0;
    /// The first code of a PSCI function.
    pub const PSCI: u32 = codes(Kind::Psci).0;
    /// The code past the last of a PSCI function.
    pub const PSCI_END: u32 = codes(Kind::Psci).1;

    /// A number for the service and the form in which it was called, for [`Self::from_code`].
    pub fn code(self) -> Option<u32> {
        BY_CODE.iter().position(|&service| service == self).and_then(|at| u32::try_from(at).ok())
    }

    /// The service with this code.
    #[inline]
    pub fn from_code(code: u32) -> Option<Self> {
        BY_CODE.get(code as usize).copied()
    }
}

static BY_CODE: [Service; SERVICES.len()] = SERVICES;
