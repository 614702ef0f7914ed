/*
 * TF-A's random numbers on QEMU's virt machine, which TF-A itself has none for. The service (Arm DEN0098) is TF-A's own;
 * what it asks of a platform is declared in plat/common/plat_trng.h, and this file is the answer. It is compiled into
 * BL31 without a change to TF-A: docs/firmware.md.
 */

#include <stdbool.h>
#include <stdint.h>

#include <arch_features.h>
#include <lib/smccc.h>
#include <plat/common/plat_trng.h>

/* RNDRRS may fail for a moment while its generator is seeded again. */
#define ATTEMPTS 16

/*
 * Says whose random numbers these are: 312da09c-661a-4839-89c9-a91ac4da3454, made for this file. TRNG_GET_UUID returns its
 * bytes in four words of 32 bits, the first byte lowest (DEN0028, section 5.3):
 *
 *     w0 0x9ca02d31   w1 0x39481a66   w2 0x1aa9c989   w3 0x5434dac4
 */
DEFINE_SVC_UUID2(portcullis_test_trng, 0x312da09c, 0x661a, 0x4839, 0x89, 0xc9, 0xa9, 0x1a, 0xc4, 0xda, 0x34, 0x54);

/* All zeros, as at the start, says that there is no source: TF-A then refuses every TRNG call. */
uuid_t plat_trng_uuid;

void plat_entropy_setup(void)
{
	if (is_feat_rng_supported())
		plat_trng_uuid = portcullis_test_trng;
}

bool plat_get_entropy(uint64_t *out)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		uint64_t value, failed;

		/* RNDRRS by its encoding, which any assembler knows. It sets Z if it failed, so both belong in one statement. */
		__asm__ volatile("mrs %0, S3_3_C2_C4_1\n\t"
				 "cset %1, eq"
				 : "=r"(value), "=r"(failed)
				 :
				 : "cc");
		if (failed == 0U) {
			*out = value;
			return true;
		}
	}
	return false;
}
