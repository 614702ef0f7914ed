//! What a guest touches of a GICv3 (IHI 0069).

mod distributor;
mod redistributor;
mod sgi;
