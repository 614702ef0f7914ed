//! Which SoC a VM is told that it runs on (DEN0028 section 7.4).

use portcullis_abi::result::SMCCC_INVALID_PARAMETER;
use portcullis_board::SocId;
use portcullis_gate::Return;

/// Type 0 is the version, 1 the revision. The gate lets nobody call who has no `soc`.
pub fn serve(soc: Option<SocId>, kind: u64) -> Return {
    match (soc, kind) {
        (Some(soc), 0) => Return::value(soc.version.into()),
        (Some(soc), 1) => Return::value(soc.revision.into()),
        (Some(_), _) => Return::code(SMCCC_INVALID_PARAMETER),
        (None, _) => Return::NOT_SUPPORTED,
    }
}
