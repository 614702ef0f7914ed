//! What the VM of a profile is offered.

use portcullis_abi::firmware;

use super::Profile;

impl Profile {
    /// Whether HVC (or else SMC) is open.
    pub fn is_open(&self, hvc: bool) -> bool {
        if hvc { self.hvc } else { self.smc }
    }

    /// Whether the TRNG calls are served.
    pub fn has_trng(&self) -> bool {
        self.std & firmware::STD_TRNG != 0
    }

    /// Whether the device tree has seeds.
    pub fn has_seeds(&self) -> bool {
        self.kaslr && self.has_trng()
    }

    /// Whether the PV time calls are served.
    pub fn has_pv_time(&self) -> bool {
        self.std_hyp & firmware::STD_HYP_PV_TIME != 0
    }

    /// Whether the vendor UID and feature calls are served.
    pub fn has_vendor_identity(&self) -> bool {
        self.vendor_hyp & firmware::VENDOR_HYP_FUNC_FEAT != 0
    }

    /// Whether the implementation-version call is served.
    pub fn has_impl_version(&self) -> bool {
        self.vendor_hyp_2 & firmware::VENDOR_HYP_2_IMPL_VERSION != 0
    }

    /// Whether the implementation-CPU call is served.
    pub fn has_impl_cpus(&self) -> bool {
        self.vendor_hyp_2 & firmware::VENDOR_HYP_2_IMPL_CPUS != 0
    }

    /// Whether the PTP call is served.
    pub fn has_ptp(&self) -> bool {
        self.vendor_hyp & firmware::VENDOR_HYP_PTP != 0
    }
}
