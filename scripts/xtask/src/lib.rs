//! The work behind `scripts/`: manifests, bundles, images, QEMU runs and tests.
