/*
 * The numbers of Portcullis in C: firmware registers and their bits, functions, results, management calls, the guest's map.
 *
 * Made from hypervisor/abi/src by `cargo run -p c-header`; not to be edited. Needs <stdint.h> and nothing else.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef PORTCULLIS_H
#define PORTCULLIS_H

#include <stdint.h>

/* firmware: Firmware pseudo-registers: identifiers and bits, equal to those of Linux KVM for arm64 (`KVM_GET_ONE_REG`, `Documentation/virt/kvm/arm/fw-pseudo-registers.rst`), and those that KVM has none for. */

/**
 * Class (arm64), size (64 bit) and group of the enumerated firmware registers; bits 15:0 hold the index.
 */
#define PORTCULLIS_FIRMWARE_GROUP_FW UINT64_C(0x6030000000140000)

/**
 * Class (arm64), size (64 bit) and group of the bitmap firmware registers; bits 15:0 hold the index.
 */
#define PORTCULLIS_FIRMWARE_GROUP_FW_BITMAP UINT64_C(0x6030000000160000)

/**
 * Our own enumerated firmware registers; bits 15:0 hold the index.
 */
#define PORTCULLIS_FIRMWARE_GROUP_OWN UINT64_C(0xf030000000140000)

/**
 * Our own bitmap firmware registers; bits 15:0 hold the index.
 */
#define PORTCULLIS_FIRMWARE_GROUP_OWN_BITMAP UINT64_C(0xf030000000160000)

/**
 * PSCI version shown to the VM: `major << 16 | minor`.
 */
#define PORTCULLIS_FIRMWARE_PSCI_VERSION PORTCULLIS_FIRMWARE_GROUP_FW

/**
 * State of the Spectre-v2 workaround (CVE-2017-5715) as the VM sees it.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_1 (PORTCULLIS_FIRMWARE_GROUP_FW | UINT64_C(1))

/**
 * State of the speculative store bypass workaround (CVE-2018-3639) as the VM sees it.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_2 (PORTCULLIS_FIRMWARE_GROUP_FW | UINT64_C(2))

/**
 * State of the Spectre-BHB workaround (CVE-2022-23960) as the VM sees it.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_3 (PORTCULLIS_FIRMWARE_GROUP_FW | UINT64_C(3))

/**
 * Services of the Standard Secure owner.
 */
#define PORTCULLIS_FIRMWARE_STD PORTCULLIS_FIRMWARE_GROUP_FW_BITMAP

/**
 * Services of the Standard Hypervisor owner.
 */
#define PORTCULLIS_FIRMWARE_STD_HYP (PORTCULLIS_FIRMWARE_GROUP_FW_BITMAP | UINT64_C(1))

/**
 * Services of the Vendor-specific Hypervisor owner, functions 0 to 63.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP (PORTCULLIS_FIRMWARE_GROUP_FW_BITMAP | UINT64_C(2))

/**
 * Services of the Vendor-specific Hypervisor owner, functions 64 to 127.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP_2 (PORTCULLIS_FIRMWARE_GROUP_FW_BITMAP | UINT64_C(3))

/**
 * SMCCC version shown to the VM: `major << 16 | minor`, 1.1 or 1.2.
 */
#define PORTCULLIS_FIRMWARE_SMCCC_VERSION PORTCULLIS_FIRMWARE_GROUP_OWN

/**
 * Services in the range of the silicon provider.
 */
#define PORTCULLIS_FIRMWARE_SIP PORTCULLIS_FIRMWARE_GROUP_OWN_BITMAP

/**
 * Bit of `PORTCULLIS_FIRMWARE_STD`: the TRNG service, version 1.0 (Arm DEN0098).
 */
#define PORTCULLIS_FIRMWARE_STD_TRNG (UINT64_C(1) << UINT64_C(0))

/**
 * Bit of `PORTCULLIS_FIRMWARE_STD_HYP`: paravirtualized time (Arm DEN0057).
 */
#define PORTCULLIS_FIRMWARE_STD_HYP_PV_TIME (UINT64_C(1) << UINT64_C(0))

/**
 * Bit of `PORTCULLIS_FIRMWARE_VENDOR_HYP`: the vendor UID call and the feature word.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP_FUNC_FEAT (UINT64_C(1) << UINT64_C(0))

/**
 * Bit of `PORTCULLIS_FIRMWARE_VENDOR_HYP`: the PTP clock call.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP_PTP (UINT64_C(1) << UINT64_C(1))

/**
 * Bit of `PORTCULLIS_FIRMWARE_VENDOR_HYP_2`: the implementation-version call is announced.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP_2_IMPL_VERSION (UINT64_C(1) << UINT64_C(0))

/**
 * Bit of `PORTCULLIS_FIRMWARE_VENDOR_HYP_2`: the implementation-CPU call is announced.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP_2_IMPL_CPUS (UINT64_C(1) << UINT64_C(1))

/**
 * Both bits: a guest asks which CPUs it may be on, and works around the errors of all of them. With one alone it does not ask.
 */
#define PORTCULLIS_FIRMWARE_VENDOR_HYP_2_IMPL (PORTCULLIS_FIRMWARE_VENDOR_HYP_2_IMPL_VERSION | PORTCULLIS_FIRMWARE_VENDOR_HYP_2_IMPL_CPUS)

/**
 * Bit of `PORTCULLIS_FIRMWARE_SIP`: the watchdog (`crate::watchdog`).
 */
#define PORTCULLIS_FIRMWARE_SIP_WATCHDOG (UINT64_C(1) << UINT64_C(0))

/**
 * `WORKAROUND_1` and `_3`: vulnerable, no mitigation.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_NOT_AVAILABLE UINT64_C(0)

/**
 * `WORKAROUND_1` and `_3`: the mitigation call exists and is needed.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_AVAILABLE UINT64_C(1)

/**
 * `WORKAROUND_1` and `_3`: unaffected.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_NOT_REQUIRED UINT64_C(2)

/**
 * `WORKAROUND_2`: unaffected, or always mitigated.
 */
#define PORTCULLIS_FIRMWARE_WORKAROUND_2_NOT_REQUIRED UINT64_C(3)

/* function: SMCCC function identifiers (Arm DEN0028) of every service that the gate knows. */

/**
 * `SMCCC_VERSION`.
 */
#define PORTCULLIS_FUNCTION_SMCCC_VERSION UINT32_C(0x80000000)

/**
 * `SMCCC_ARCH_FEATURES`.
 */
#define PORTCULLIS_FUNCTION_ARCH_FEATURES UINT32_C(0x80000001)

/**
 * `SMCCC_ARCH_SOC_ID`, 32-bit form.
 */
#define PORTCULLIS_FUNCTION_ARCH_SOC_ID UINT32_C(0x80000002)

/**
 * `SMCCC_ARCH_WORKAROUND_1`.
 */
#define PORTCULLIS_FUNCTION_ARCH_WORKAROUND_1 UINT32_C(0x80008000)

/**
 * `SMCCC_ARCH_WORKAROUND_2`.
 */
#define PORTCULLIS_FUNCTION_ARCH_WORKAROUND_2 UINT32_C(0x80007fff)

/**
 * `SMCCC_ARCH_WORKAROUND_3`.
 */
#define PORTCULLIS_FUNCTION_ARCH_WORKAROUND_3 UINT32_C(0x80003fff)

/**
 * Bit 30 of a function identifier: the SMC64/HVC64 convention.
 */
#define PORTCULLIS_FUNCTION_SMC64 (UINT32_C(1) << UINT32_C(30))

/**
 * The watchdog call of Linux' `arm,smc-wdt`, in the range of the silicon provider; see `crate::watchdog`.
 */
#define PORTCULLIS_FUNCTION_WATCHDOG UINT32_C(0x82003d06)

/**
 * PSCI (Arm DEN0022) `PSCI_VERSION`.
 */
#define PORTCULLIS_FUNCTION_PSCI_VERSION UINT32_C(0x84000000)

/**
 * PSCI `CPU_SUSPEND`, 32-bit form; the 64-bit form has `PORTCULLIS_FUNCTION_SMC64` set.
 */
#define PORTCULLIS_FUNCTION_PSCI_CPU_SUSPEND UINT32_C(0x84000001)

/**
 * PSCI `CPU_OFF`.
 */
#define PORTCULLIS_FUNCTION_PSCI_CPU_OFF UINT32_C(0x84000002)

/**
 * PSCI `CPU_ON`, 32-bit form; the 64-bit form has `PORTCULLIS_FUNCTION_SMC64` set.
 */
#define PORTCULLIS_FUNCTION_PSCI_CPU_ON UINT32_C(0x84000003)

/**
 * PSCI `AFFINITY_INFO`, 32-bit form; the 64-bit form has `PORTCULLIS_FUNCTION_SMC64` set.
 */
#define PORTCULLIS_FUNCTION_PSCI_AFFINITY_INFO UINT32_C(0x84000004)

/**
 * PSCI `MIGRATE_INFO_TYPE`.
 */
#define PORTCULLIS_FUNCTION_PSCI_MIGRATE_INFO_TYPE UINT32_C(0x84000006)

/**
 * PSCI `SYSTEM_OFF`.
 */
#define PORTCULLIS_FUNCTION_PSCI_SYSTEM_OFF UINT32_C(0x84000008)

/**
 * PSCI `SYSTEM_RESET`.
 */
#define PORTCULLIS_FUNCTION_PSCI_SYSTEM_RESET UINT32_C(0x84000009)

/**
 * PSCI `PSCI_FEATURES`.
 */
#define PORTCULLIS_FUNCTION_PSCI_FEATURES UINT32_C(0x8400000a)

/**
 * PSCI `SYSTEM_SUSPEND`, 32-bit form; the 64-bit form has `PORTCULLIS_FUNCTION_SMC64` set.
 */
#define PORTCULLIS_FUNCTION_PSCI_SYSTEM_SUSPEND UINT32_C(0x8400000e)

/**
 * PSCI `SYSTEM_RESET2`, 32-bit form; the 64-bit form has `PORTCULLIS_FUNCTION_SMC64` set.
 */
#define PORTCULLIS_FUNCTION_PSCI_SYSTEM_RESET2 UINT32_C(0x84000012)

/**
 * PSCI `SYSTEM_OFF2`, 32-bit form; the 64-bit form has `PORTCULLIS_FUNCTION_SMC64` set.
 */
#define PORTCULLIS_FUNCTION_PSCI_SYSTEM_OFF2 UINT32_C(0x84000015)

/**
 * TRNG (Arm DEN0098) `TRNG_VERSION`.
 */
#define PORTCULLIS_FUNCTION_TRNG_VERSION UINT32_C(0x84000050)

/**
 * TRNG `TRNG_FEATURES`.
 */
#define PORTCULLIS_FUNCTION_TRNG_FEATURES UINT32_C(0x84000051)

/**
 * TRNG `TRNG_GET_UUID`.
 */
#define PORTCULLIS_FUNCTION_TRNG_GET_UUID UINT32_C(0x84000052)

/**
 * TRNG `TRNG_RND32`: at most 96 bits.
 */
#define PORTCULLIS_FUNCTION_TRNG_RND32 UINT32_C(0x84000053)

/**
 * TRNG `TRNG_RND64`: at most 192 bits.
 */
#define PORTCULLIS_FUNCTION_TRNG_RND64 UINT32_C(0xc4000053)

/**
 * PV time (Arm DEN0057) `PV_TIME_FEATURES`.
 */
#define PORTCULLIS_FUNCTION_PV_TIME_FEATURES UINT32_C(0xc5000020)

/**
 * PV time `PV_TIME_ST`.
 */
#define PORTCULLIS_FUNCTION_PV_TIME_ST UINT32_C(0xc5000021)

/**
 * Vendor hypervisor feature word, as Linux KVM defines it.
 */
#define PORTCULLIS_FUNCTION_VENDOR_FEATURES UINT32_C(0x86000000)

/**
 * Vendor hypervisor PTP call, as Linux KVM defines it.
 */
#define PORTCULLIS_FUNCTION_VENDOR_PTP UINT32_C(0x86000001)

/**
 * Vendor hypervisor UID call.
 */
#define PORTCULLIS_FUNCTION_VENDOR_UID UINT32_C(0x8600ff01)

/**
 * Vendor hypervisor implementation-version call, as Linux KVM defines it.
 */
#define PORTCULLIS_FUNCTION_VENDOR_IMPL_VERSION UINT32_C(0xc6000040)

/**
 * Vendor hypervisor implementation-CPU call, as Linux KVM defines it.
 */
#define PORTCULLIS_FUNCTION_VENDOR_IMPL_CPUS UINT32_C(0xc6000041)

/**
 * SMCCC 1.1 in the form of `SMCCC_VERSION`.
 */
#define PORTCULLIS_FUNCTION_SMCCC_VERSION_1_1 UINT32_C(0x10001)

/**
 * SMCCC 1.2 in the form of `SMCCC_VERSION`.
 */
#define PORTCULLIS_FUNCTION_SMCCC_VERSION_1_2 UINT32_C(0x10002)

/**
 * The version that `TRNG_VERSION` reports: 1.0.
 */
#define PORTCULLIS_FUNCTION_TRNG_VERSION_1_0 UINT32_C(0x10000)

/**
 * The version that `PORTCULLIS_FUNCTION_VENDOR_IMPL_VERSION` reports: 1.0.
 */
#define PORTCULLIS_FUNCTION_IMPL_VERSION_1_0 UINT32_C(0x10000)

/**
 * PSCI 1.3 in the form of `PSCI_VERSION`.
 */
#define PORTCULLIS_FUNCTION_PSCI_VERSION_1_3 UINT32_C(0x10003)

/**
 * PSCI 1.2 in the form of `PSCI_VERSION`.
 */
#define PORTCULLIS_FUNCTION_PSCI_VERSION_1_2 UINT32_C(0x10002)

/**
 * PSCI 1.1 in the form of `PSCI_VERSION`.
 */
#define PORTCULLIS_FUNCTION_PSCI_VERSION_1_1 UINT32_C(0x10001)

/**
 * PSCI 1.0 in the form of `PSCI_VERSION`.
 */
#define PORTCULLIS_FUNCTION_PSCI_VERSION_1_0 UINT32_C(0x10000)

/**
 * PSCI 0.2 in the form of `PSCI_VERSION`.
 */
#define PORTCULLIS_FUNCTION_PSCI_VERSION_0_2 UINT32_C(0x2)

/* result: Return codes of the services. */

/**
 * SMCCC `NOT_SUPPORTED` (DEN0028 section 7.1); PSCI and TRNG use the same value.
 */
#define PORTCULLIS_RESULT_NOT_SUPPORTED (-INT64_C(1))

/**
 * `SMCCC_ARCH_FEATURES`: the workaround is discoverable but not needed.
 */
#define PORTCULLIS_RESULT_SMCCC_NOT_REQUIRED (-INT64_C(2))

/**
 * SMCCC `INVALID_PARAMETER` (DEN0028 section 7.1).
 */
#define PORTCULLIS_RESULT_SMCCC_INVALID_PARAMETER (-INT64_C(3))

/**
 * PSCI `SUCCESS` (DEN0022 section 5.2.2).
 */
#define PORTCULLIS_RESULT_PSCI_SUCCESS INT64_C(0)

/**
 * PSCI `INVALID_PARAMETERS`.
 */
#define PORTCULLIS_RESULT_PSCI_INVALID_PARAMETERS (-INT64_C(2))

/**
 * PSCI `DENIED`.
 */
#define PORTCULLIS_RESULT_PSCI_DENIED (-INT64_C(3))

/**
 * PSCI `ALREADY_ON`.
 */
#define PORTCULLIS_RESULT_PSCI_ALREADY_ON (-INT64_C(4))

/**
 * PSCI `ON_PENDING`.
 */
#define PORTCULLIS_RESULT_PSCI_ON_PENDING (-INT64_C(5))

/**
 * PSCI `INTERNAL_FAILURE`.
 */
#define PORTCULLIS_RESULT_PSCI_INTERNAL_FAILURE (-INT64_C(6))

/**
 * PSCI `INVALID_ADDRESS`.
 */
#define PORTCULLIS_RESULT_PSCI_INVALID_ADDRESS (-INT64_C(9))

/**
 * `AFFINITY_INFO`: at least one core of the affinity instance is on.
 */
#define PORTCULLIS_RESULT_PSCI_AFFINITY_ON INT64_C(0)

/**
 * `AFFINITY_INFO`: all cores of the affinity instance are off.
 */
#define PORTCULLIS_RESULT_PSCI_AFFINITY_OFF INT64_C(1)

/**
 * `AFFINITY_INFO`: the core is between the two.
 */
#define PORTCULLIS_RESULT_PSCI_AFFINITY_ON_PENDING INT64_C(2)

/**
 * `PSCI_FEATURES` about `SYSTEM_OFF2`: it has the type `PORTCULLIS_RESULT_PSCI_HIBERNATE_OFF` (DEN0022 section 5.11).
 */
#define PORTCULLIS_RESULT_PSCI_FEATURE_HIBERNATE_OFF INT64_C(1)

/**
 * `SYSTEM_OFF2`: the type of a power down after hibernation; 0 stands for it too.
 */
#define PORTCULLIS_RESULT_PSCI_HIBERNATE_OFF UINT32_C(1)

/**
 * `MIGRATE_INFO_TYPE`: no Trusted OS, or one that needs no migration.
 */
#define PORTCULLIS_RESULT_PSCI_MIGRATION_NOT_REQUIRED INT64_C(2)

/**
 * TRNG `INVALID_PARAMETERS` (DEN0098 section 2.2).
 */
#define PORTCULLIS_RESULT_TRNG_INVALID_PARAMETERS (-INT64_C(2))

/**
 * TRNG `NO_ENTROPY`.
 */
#define PORTCULLIS_RESULT_TRNG_NO_ENTROPY (-INT64_C(3))

/* watchdog: The watchdog of a VM: the call of Linux' `arm,smc-wdt` (`drivers/watchdog/arm_smc_wdt.c`, binding `watchdog/arm-smc-wdt.yaml`). */

/**
 * x1: x1 and x2 return the shortest and the longest timeout in seconds.
 */
#define PORTCULLIS_WATCHDOG_INIT UINT32_C(0)

/**
 * x1: the timeout is x2 seconds.
 */
#define PORTCULLIS_WATCHDOG_SET_TIMEOUT UINT32_C(1)

/**
 * x1: on if x2 is 1, off if it is 0.
 */
#define PORTCULLIS_WATCHDOG_ENABLE UINT32_C(2)

/**
 * x1: the guest is alive; the timeout begins anew.
 */
#define PORTCULLIS_WATCHDOG_PET UINT32_C(3)

/**
 * x1: x1 returns the seconds that are left.
 */
#define PORTCULLIS_WATCHDOG_GET_TIMELEFT UINT32_C(4)

/**
 * The shortest timeout in seconds. The longest one is the VM's own.
 */
#define PORTCULLIS_WATCHDOG_TIMEOUT_MIN UINT32_C(1)

/**
 * Done.
 */
#define PORTCULLIS_WATCHDOG_SUCCESS INT64_C(0)

/**
 * x1 names no function.
 */
#define PORTCULLIS_WATCHDOG_NOT_SUPPORTED (-INT64_C(1))

/**
 * x2 is no value of this function's.
 */
#define PORTCULLIS_WATCHDOG_INVALID_PARAMETERS (-INT64_C(2))

/**
 * The watchdog is off.
 */
#define PORTCULLIS_WATCHDOG_DISABLED (-INT64_C(8))

/* manage: Management calls: how the control VM configures, starts, stops and watches the other VMs. */

/**
 * First function identifier of the management calls.
 */
#define PORTCULLIS_MANAGE_BASE UINT32_C(0xc6001000)

/**
 * Function identifiers from `PORTCULLIS_MANAGE_BASE` on that are management calls, whether they have a meaning yet or not.
 */
#define PORTCULLIS_MANAGE_COUNT UINT32_C(0x1000)

/**
 * Version of this interface: major number in bits 31:16, minor in 15:0. The minor one grows with each addition, the major
 * one when something that existed changes.
 */
#define PORTCULLIS_MANAGE_ABI_VERSION UINT32_C(0x10004)

/**
 * `VERSION(x1 = ABI_VERSION that the caller was built for)`: x1 = the hypervisor's version, x2 = `CAN_*` bits.
 * `PORTCULLIS_MANAGE_WRONG_VERSION` if the major numbers differ or the caller's minor one is the larger; x1 and x2 are given all the same.
 */
#define PORTCULLIS_MANAGE_VERSION PORTCULLIS_MANAGE_BASE

/**
 * `MACHINE()`: x1 = number of VMs, x2 = bytes of memory that are free for VMs and the hypervisor, x3 = the caller's VM in
 * bits 7:0, the number of cores in bits 15:8.
 */
#define PORTCULLIS_MANAGE_MACHINE (PORTCULLIS_MANAGE_BASE + UINT32_C(1))

/**
 * `POWER_OFF()`: switches the machine off, whatever runs. Does not return.
 */
#define PORTCULLIS_MANAGE_POWER_OFF (PORTCULLIS_MANAGE_BASE + UINT32_C(2))

/**
 * `VM_NAME(x1 = VM)`: x1, x2 = its name: 16 bytes, the first one in bits 7:0 of x1, padded with zeros.
 */
#define PORTCULLIS_MANAGE_VM_NAME (PORTCULLIS_MANAGE_BASE + UINT32_C(0x10))

/**
 * `VM_STATE(x1 = VM)`: x1 = a `PHASE_*` in bits 7:0, a `PROGRESS_*` in bits 15:8, `STATE_*` bits above them; x2 = number of
 * vCPUs in bits 7:0, a bit per vCPU that is not off in bits 15:8, restarts since creation (asked for by the guest, by a
 * manager or by the policy) in bits 63:32; x3 = bytes of memory.
 */
#define PORTCULLIS_MANAGE_VM_STATE (PORTCULLIS_MANAGE_BASE + UINT32_C(0x11))

/**
 * `VM_FAILURE(x1 = VM)`: why it last failed: x1 = a `FAILURE_*` in bits 7:0 (zero: it has not), the vCPU in bits 15:8, bits
 * 31:0 of the syndrome (ESR_EL2) in bits 63:32; x2 = the guest's program counter; x3 = the address it faulted at, zero if
 * there is none. Kept until the VM is recreated.
 */
#define PORTCULLIS_MANAGE_VM_FAILURE (PORTCULLIS_MANAGE_BASE + UINT32_C(0x12))

/**
 * `VM_VCPU(x1 = VM, x2 = index)`: x1 = the physical core of the vCPU; x2 = 1 if it is not off; x3, since version 1.2, a
 * `VCPU_*`: what it is doing. `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_VM_VCPU (PORTCULLIS_MANAGE_BASE + UINT32_C(0x13))

/**
 * `VM_VCPU_TIMES(x1 = VM, x2 = index)`: since its VM was started: x1 = nanoseconds for which the vCPU ran, x2 = nanoseconds
 * stolen from it: it was ready to run and did not; x3 = how often its core changed over to it from another vCPU. On a core of
 * its own it runs also while it waits for an interrupt. `PORTCULLIS_MANAGE_NO_ITEM` past the last. Since version 1.2.
 */
#define PORTCULLIS_MANAGE_VM_VCPU_TIMES (PORTCULLIS_MANAGE_BASE + UINT32_C(0x14))

/**
 * `REGISTER_LIST(x1 = VM, x2 = index)`: x1 = identifier, x2 = value, x3 = what is supported: the mask of a bitmap register,
 * otherwise the largest value. `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_REGISTER_LIST (PORTCULLIS_MANAGE_BASE + UINT32_C(0x20))

/**
 * `REGISTER_GET(x1 = VM, x2 = identifier)`: x1 = value.
 */
#define PORTCULLIS_MANAGE_REGISTER_GET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x21))

/**
 * `REGISTER_SET(x1 = VM, x2 = identifier, x3 = value)`. By the rule `PORTCULLIS_MANAGE_RULE_CLEAR` the first one since creation clears every
 * bitmap register first. The same value may be written again after the start.
 */
#define PORTCULLIS_MANAGE_REGISTER_SET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x22))

/**
 * `REGISTER_CLEAR(x1 = VM)`: clears every bitmap register; counts as the first write.
 */
#define PORTCULLIS_MANAGE_REGISTER_CLEAR (PORTCULLIS_MANAGE_BASE + UINT32_C(0x23))

/**
 * `RULE_SET(x1 = VM, x2 = RULE_*)`: chooses what the first write does. `PORTCULLIS_MANAGE_FROZEN` after the start, unless it is the same.
 */
#define PORTCULLIS_MANAGE_RULE_SET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x24))

/**
 * `RULE_GET(x1 = VM)`: x1 = `RULE_*`, x2 = 1 if the first write has happened.
 */
#define PORTCULLIS_MANAGE_RULE_GET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x25))

/**
 * `FILTER_ADD(x1 = VM, x2 = first function identifier in bits 31:0 and their number in bits 63:32, x3 = FILTER_*)`. Bits
 * 63:8 of x3 are reserved: `PORTCULLIS_MANAGE_RESERVED` if one is set.
 */
#define PORTCULLIS_MANAGE_FILTER_ADD (PORTCULLIS_MANAGE_BASE + UINT32_C(0x30))

/**
 * `FILTER_LIST(x1 = VM, x2 = index)`: x1 = first function identifier in bits 31:0 and their number in bits 63:32, x2 =
 * `FILTER_*`. In ascending order. `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_FILTER_LIST (PORTCULLIS_MANAGE_BASE + UINT32_C(0x31))

/**
 * `START(x1 = VM)`: from created. The registers freeze now; the images are loaded on the VM's first core.
 */
#define PORTCULLIS_MANAGE_START (PORTCULLIS_MANAGE_BASE + UINT32_C(0x40))

/**
 * `PAUSE(x1 = VM)`: from running. Its vCPUs stand still from their next exit on. Not on the caller's own VM.
 */
#define PORTCULLIS_MANAGE_PAUSE (PORTCULLIS_MANAGE_BASE + UINT32_C(0x41))

/**
 * `RESUME(x1 = VM, x2 = RESUME_*)`: from paused; by `PORTCULLIS_MANAGE_RESUME_GIVEN_AWAY` from given away, too. x2 counts since version 1.4.
 */
#define PORTCULLIS_MANAGE_RESUME (PORTCULLIS_MANAGE_BASE + UINT32_C(0x42))

/**
 * `STOP(x1 = VM)`: from running or paused: takes its vCPUs off their cores, without asking the guest.
 */
#define PORTCULLIS_MANAGE_STOP (PORTCULLIS_MANAGE_BASE + UINT32_C(0x43))

/**
 * `RESTART(x1 = VM)`: from running, paused, stopped or failed: again from its images, with the registers it had.
 */
#define PORTCULLIS_MANAGE_RESTART (PORTCULLIS_MANAGE_BASE + UINT32_C(0x44))

/**
 * `RECREATE(x1 = VM)`: from stopped or failed (from created too: defaults again): memory scrubbed, registers at their
 * defaults and writable, filter empty, counters, refusals, audit and failure forgotten. What the manifest says of its
 * registers is not applied again.
 */
#define PORTCULLIS_MANAGE_RECREATE (PORTCULLIS_MANAGE_BASE + UINT32_C(0x45))

/**
 * `COUNTER(x1 = VM, x2 = COUNTER_*, x3 = index)`: x1 = the count since creation, over all its vCPUs. The index is a
 * `SERVICE_*`, a `CONDUIT_*` or an `EXIT_*`, as the group says; `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_COUNTER (PORTCULLIS_MANAGE_BASE + UINT32_C(0x50))

/**
 * `REFUSED(x1 = VM, x2 = index, 0 is the newest)`: one of the last 64 refused calls: x1 = function identifier in bits 31:0,
 * bit 32 set for an SMC, the vCPU in bits 47:40; x2 = the physical counter (CNTPCT_EL0) then; x3 = calls refused since
 * creation. `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_REFUSED (PORTCULLIS_MANAGE_BASE + UINT32_C(0x51))

/**
 * `AUDIT_SET(x1 = VM, x2 = 0 or 1)`: created VMs only: from its start on the VM has everything that the board supports,
 * whatever its registers say, which read as they were set; each first use is noted. Ranges of its filter that are refused do
 * not count then, ranges that are forwarded do. `PORTCULLIS_MANAGE_FROZEN` after the start.
 */
#define PORTCULLIS_MANAGE_AUDIT_SET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x60))

/**
 * `AUDIT_LIST(x1 = VM, x2 = index)`: a function that the VM has called, in the order of first use: x1 = identifier in bits
 * 31:0, bit 32 set if by SMC, bit 33 set if it was refused even so, bit 34 (since version 1.1) if a range of the VM's filter
 * handed it to EL3; x2 = the physical counter then; x3 = functions that were not noted because the list was full.
 * `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_AUDIT_LIST (PORTCULLIS_MANAGE_BASE + UINT32_C(0x61))

/**
 * `AUDIT_REGISTER(x1 = VM, x2 = identifier)`: x1 = the smallest value of the register that would have let the VM run as it
 * did.
 */
#define PORTCULLIS_MANAGE_AUDIT_REGISTER (PORTCULLIS_MANAGE_BASE + UINT32_C(0x62))

/**
 * `AUDIT_RANGES(x1 = VM)`: x1 = the ranges of the filter by which EL3 was reached, a bit each by the index that
 * `PORTCULLIS_MANAGE_FILTER_LIST` gives it. Since version 1.1.
 */
#define PORTCULLIS_MANAGE_AUDIT_RANGES (PORTCULLIS_MANAGE_BASE + UINT32_C(0x63))

/**
 * `CLOCK_SET(x1 = nanoseconds since 1970-01-01 UTC, x2 = the caller's virtual counter (CNTVCT_EL0) at that moment)`.
 * `PORTCULLIS_MANAGE_NOT_PERMITTED` on a board that has a real-time clock, whose time counts. PTP is supported from then on, which VMs that
 * are still in the phase created see in their registers' masks.
 */
#define PORTCULLIS_MANAGE_CLOCK_SET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x70))

/**
 * `CLOCK_GET()`: x1 = nanoseconds since 1970-01-01 UTC, x2 = the caller's virtual counter at that moment, x3 = `CLOCK_*`:
 * where the time comes from. x1 is zero if it comes from nowhere.
 */
#define PORTCULLIS_MANAGE_CLOCK_GET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x71))

/**
 * `SYSTEM_COUNTER()`: x1 = the physical counter (CNTPCT_EL0) now, by which moments are told elsewhere, x2 = the caller's virtual
 * counter (CNTVCT_EL0) now, x3 = ticks of both in a second (CNTFRQ_EL0): for who cannot read them, as a program of Linux. Since
 * version 1.4.
 */
#define PORTCULLIS_MANAGE_SYSTEM_COUNTER (PORTCULLIS_MANAGE_BASE + UINT32_C(0x72))

/**
 * `LINK(x1 = index)`: a link between VMs: x1, x2 = its name, as for `PORTCULLIS_MANAGE_VM_NAME`; x3 = a `LINK_*` in bits 7:0, how many ends it
 * has in bits 15:8. `PORTCULLIS_MANAGE_NO_ITEM` past the last.
 */
#define PORTCULLIS_MANAGE_LINK (PORTCULLIS_MANAGE_BASE + UINT32_C(0x80))

/**
 * `LINK_END(x1 = link, x2 = index)`: an end of a link: x1 = its VM in bits 7:0, bit 8 set if it is up (a network: another VM of it
 * runs; a serial port: its VM does; a wire: its level is high; a disk: always); x2, of a network the address, the first byte
 * in bits 7:0, of a wire the line, with bit 8 set for who drives it, of a disk the bytes of it, else zero; x3 = the INTID of
 * its interrupt, zero if it has none of its own. `PORTCULLIS_MANAGE_NO_ITEM` if there is no such link or end.
 */
#define PORTCULLIS_MANAGE_LINK_END (PORTCULLIS_MANAGE_BASE + UINT32_C(0x81))

/**
 * `LINK_COUNTER(x1 = link, x2 = end, x3 = index)`: x1 = what was counted at that end since its VM was created. The index is
 * that of a name in `PORTCULLIS_MANAGE_NETWORK_COUNTERS`, `PORTCULLIS_MANAGE_SERIAL_COUNTERS`, `PORTCULLIS_MANAGE_DISK_COUNTERS` or `PORTCULLIS_MANAGE_WIRE_COUNTERS`, as the link's kind
 * says. `PORTCULLIS_MANAGE_NO_ITEM` if there is no such link or end, and past the last.
 */
#define PORTCULLIS_MANAGE_LINK_COUNTER (PORTCULLIS_MANAGE_BASE + UINT32_C(0x82))

/**
 * `LOG(x1 = VM, x2 = position)`: what its guest has written to its console, from the byte at that position on, or from the oldest
 * one that is kept: x1 = the position behind what is returned in bits 55:0, how many bytes that is, up to 16, in bits 63:56;
 * x2, x3 = the bytes, the first one in bits 7:0 of x2. Positions count from 0 since the VM was created. `PORTCULLIS_MANAGE_NO_ITEM` if there is
 * nothing from there on. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_LOG (PORTCULLIS_MANAGE_BASE + UINT32_C(0xa0))

/**
 * Bytes of a VM's console that are kept, the last ones.
 */
#define PORTCULLIS_MANAGE_LOG_KEPT UINT64_C(8192)

/**
 * `TRACE_SET(x1 = 1 on or 0 off, x2 = VMs, a bit each by their numbers; of off, zero)`: every core that runs a vCPU of theirs
 * notes what that does, from its next exit on. `PORTCULLIS_MANAGE_BAD_STATE` if it is so already, `PORTCULLIS_MANAGE_BUSY` while cores have yet to follow the last
 * switch, `PORTCULLIS_MANAGE_NO_MEMORY` if there is none for the records. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_TRACE_SET (PORTCULLIS_MANAGE_BASE + UINT32_C(0xb0))

/**
 * `TRACE_STATE()`: x1 = `PORTCULLIS_MANAGE_TRACE_ON`, the number of cores in bits 15:8, and the cores that have yet to follow the last switch,
 * a bit each, in bits 63:32; x2 = the VMs of the trace that is on, or was last; x3 = CNTPCT when it was switched on. Since version
 * 1.4.
 */
#define PORTCULLIS_MANAGE_TRACE_STATE (PORTCULLIS_MANAGE_BASE + UINT32_C(0xb1))

/**
 * `TRACE_READ(x1 = core, x2 = position)`: x1, x2, x3 = what the core has noted as the record with that number, counted from 0 on
 * since the trace was switched on: a `TRACE_*` says which kind. `PORTCULLIS_MANAGE_NO_ITEM` if there is no such core, or no such record yet. A
 * record that is overwritten is `PORTCULLIS_MANAGE_TRACE_LOST`. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_TRACE_READ (PORTCULLIS_MANAGE_BASE + UINT32_C(0xb2))

/**
 * `PORTCULLIS_MANAGE_VERSION`, x2: a range filter can forward to EL3.
 */
#define PORTCULLIS_MANAGE_CAN_FORWARD (UINT64_C(1) << UINT64_C(0))

/**
 * `PORTCULLIS_MANAGE_VERSION`, x2: the board has a real-time clock, so `PORTCULLIS_MANAGE_CLOCK_SET` is not permitted.
 */
#define PORTCULLIS_MANAGE_CAN_TELL_TIME (UINT64_C(1) << UINT64_C(1))

/**
 * Phase: made, never started: its registers can be written.
 */
#define PORTCULLIS_MANAGE_PHASE_CREATED UINT64_C(0)

/**
 * Phase: started.
 */
#define PORTCULLIS_MANAGE_PHASE_RUNNING UINT64_C(1)

/**
 * Phase: started, its vCPUs stand still.
 */
#define PORTCULLIS_MANAGE_PHASE_PAUSED UINT64_C(2)

/**
 * Phase: switched off by itself or by a manager.
 */
#define PORTCULLIS_MANAGE_PHASE_STOPPED UINT64_C(3)

/**
 * Phase: stopped by the hypervisor for what it did; see `PORTCULLIS_MANAGE_VM_FAILURE`.
 */
#define PORTCULLIS_MANAGE_PHASE_FAILED UINT64_C(4)

/**
 * Phase: its guest has suspended it (PSCI SYSTEM_SUSPEND), and an interrupt or RESUME wakes it. Since version 1.3.
 */
#define PORTCULLIS_MANAGE_PHASE_SUSPENDED UINT64_C(5)

/**
 * Phase: paused, and goes on elsewhere (`PORTCULLIS_MANAGE_GIVE_AWAY`): only FORGET and `PORTCULLIS_MANAGE_RESUME_GIVEN_AWAY` end it. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_PHASE_GIVEN_AWAY UINT64_C(6)

/**
 * Nothing is in progress.
 */
#define PORTCULLIS_MANAGE_PROGRESS_NONE UINT64_C(0)

/**
 * The images are being loaded.
 */
#define PORTCULLIS_MANAGE_PROGRESS_LOADING UINT64_C(1)

/**
 * Its vCPUs are on their way to a halt.
 */
#define PORTCULLIS_MANAGE_PROGRESS_PAUSING UINT64_C(2)

/**
 * Its vCPUs are leaving their cores for good.
 */
#define PORTCULLIS_MANAGE_PROGRESS_STOPPING UINT64_C(3)

/**
 * Its vCPUs are leaving their cores to start again.
 */
#define PORTCULLIS_MANAGE_PROGRESS_RESTARTING UINT64_C(4)

/**
 * Its memory is being scrubbed; then it is created.
 */
#define PORTCULLIS_MANAGE_PROGRESS_SCRUBBING UINT64_C(5)

/**
 * It is being saved. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_PROGRESS_SAVING UINT64_C(6)

/**
 * It is being restored. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_PROGRESS_RESTORING UINT64_C(7)

/**
 * Its images come from the control VM. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_PROGRESS_RECEIVING UINT64_C(8)

/**
 * `PORTCULLIS_MANAGE_VM_STATE`, x1: this is the control VM.
 */
#define PORTCULLIS_MANAGE_STATE_CONTROL (UINT64_C(1) << UINT64_C(16))

/**
 * `PORTCULLIS_MANAGE_VM_STATE`, x1: the firmware registers are frozen.
 */
#define PORTCULLIS_MANAGE_STATE_FROZEN (UINT64_C(1) << UINT64_C(17))

/**
 * `PORTCULLIS_MANAGE_VM_STATE`, x1: the VM is, or will be, audited.
 */
#define PORTCULLIS_MANAGE_STATE_AUDIT (UINT64_C(1) << UINT64_C(18))

/**
 * `PORTCULLIS_MANAGE_VM_STATE`, x1: the VM starts again by itself when it fails, as often as the manifest says.
 */
#define PORTCULLIS_MANAGE_STATE_RESTARTS (UINT64_C(1) << UINT64_C(19))

/**
 * The vCPU is off.
 */
#define PORTCULLIS_MANAGE_VCPU_OFF UINT64_C(0)

/**
 * The vCPU is on its core.
 */
#define PORTCULLIS_MANAGE_VCPU_RUNNING UINT64_C(1)

/**
 * The vCPU would run, but its core runs another one.
 */
#define PORTCULLIS_MANAGE_VCPU_READY UINT64_C(2)

/**
 * The vCPU waits for an interrupt, and its core is free for others.
 */
#define PORTCULLIS_MANAGE_VCPU_WAITING UINT64_C(3)

/**
 * The vCPU stands still, with its VM.
 */
#define PORTCULLIS_MANAGE_VCPU_PAUSED UINT64_C(4)

/**
 * No failure.
 */
#define PORTCULLIS_MANAGE_FAILURE_NONE UINT64_C(0)

/**
 * An instruction fetch from where there is no memory.
 */
#define PORTCULLIS_MANAGE_FAILURE_FETCH UINT64_C(1)

/**
 * A load or store to where there is nothing.
 */
#define PORTCULLIS_MANAGE_FAILURE_ACCESS UINT64_C(2)

/**
 * A load or store to a device by an instruction that cannot be emulated.
 */
#define PORTCULLIS_MANAGE_FAILURE_INSTRUCTION UINT64_C(3)

/**
 * An exception that this machine has no answer to.
 */
#define PORTCULLIS_MANAGE_FAILURE_EXCEPTION UINT64_C(4)

/**
 * Its images could not be loaded.
 */
#define PORTCULLIS_MANAGE_FAILURE_LOAD UINT64_C(5)

/**
 * An SError, reported by the hardware.
 */
#define PORTCULLIS_MANAGE_FAILURE_SERROR UINT64_C(6)

/**
 * An abort at the first instruction of the guest's own exception vector, again. The syndrome and pc of the failure are
 * those of the exception that led there, and the address is the vector's.
 */
#define PORTCULLIS_MANAGE_FAILURE_VECTOR UINT64_C(7)

/**
 * Nobody has petted its watchdog in time. The vCPU and the pc of the failure are those of the core whose timer said so, the pc
 * is 0 if that vCPU was off.
 */
#define PORTCULLIS_MANAGE_FAILURE_WATCHDOG UINT64_C(8)

/**
 * The first write clears every bitmap register first: the default.
 */
#define PORTCULLIS_MANAGE_RULE_CLEAR UINT64_C(0)

/**
 * The first write leaves the other registers as they are.
 */
#define PORTCULLIS_MANAGE_RULE_KEEP UINT64_C(1)

/**
 * Filter: as without the range.
 */
#define PORTCULLIS_MANAGE_FILTER_HANDLE UINT64_C(0)

/**
 * Filter: refused.
 */
#define PORTCULLIS_MANAGE_FILTER_DENY UINT64_C(1)

/**
 * Filter: to EL3.
 */
#define PORTCULLIS_MANAGE_FILTER_FORWARD UINT64_C(2)

/**
 * Counter group: calls by HVC that were answered, by service.
 */
#define PORTCULLIS_MANAGE_COUNTER_ANSWERED_HVC UINT64_C(0)

/**
 * Counter group: calls by SMC that were answered, by service.
 */
#define PORTCULLIS_MANAGE_COUNTER_ANSWERED_SMC UINT64_C(1)

/**
 * Counter group: calls by HVC that were refused, by service.
 */
#define PORTCULLIS_MANAGE_COUNTER_DENIED_HVC UINT64_C(2)

/**
 * Counter group: calls by SMC that were refused, by service.
 */
#define PORTCULLIS_MANAGE_COUNTER_DENIED_SMC UINT64_C(3)

/**
 * Counter group: calls that went to EL3, by conduit.
 */
#define PORTCULLIS_MANAGE_COUNTER_FORWARDED UINT64_C(4)

/**
 * Counter group: exits other than by a call, by cause.
 */
#define PORTCULLIS_MANAGE_COUNTER_EXITS UINT64_C(5)

/**
 * Refused calls that are remembered of each VM.
 */
#define PORTCULLIS_MANAGE_REFUSALS UINT64_C(64)

/**
 * `PORTCULLIS_MANAGE_CLOCK_GET`, x3: the time is not known.
 */
#define PORTCULLIS_MANAGE_CLOCK_UNKNOWN UINT64_C(0)

/**
 * `PORTCULLIS_MANAGE_CLOCK_GET`, x3: the time is that of the board's real-time clock.
 */
#define PORTCULLIS_MANAGE_CLOCK_BOARD UINT64_C(1)

/**
 * `PORTCULLIS_MANAGE_CLOCK_GET`, x3: the time was set by `PORTCULLIS_MANAGE_CLOCK_SET`, or told by EFI firmware when it started the machine; the call may set it.
 */
#define PORTCULLIS_MANAGE_CLOCK_CALL UINT64_C(2)

/**
 * Bytes of a record.
 */
#define PORTCULLIS_MANAGE_EVENT_SIZE UINT64_C(32)

/**
 * Version of records.
 */
#define PORTCULLIS_MANAGE_EVENT_VERSION UINT64_C(1)

/**
 * A VM's phase has changed, or it has started again: word 3 has the `PHASE_*` before in bits 7:0, the one now in bits 15:8, and
 * the restarts since its creation in bits 63:32.
 */
#define PORTCULLIS_MANAGE_EVENT_PHASE UINT64_C(1)

/**
 * A VM has failed: word 3 is x1 of `VM_FAILURE`. Its phase changes behind this, when all its vCPUs have left their cores.
 */
#define PORTCULLIS_MANAGE_EVENT_FAILED UINT64_C(2)

/**
 * A VM has failed as nobody has petted its watchdog: word 3 as for `PORTCULLIS_MANAGE_EVENT_FAILED`, in place of which this one comes.
 */
#define PORTCULLIS_MANAGE_EVENT_WATCHDOG UINT64_C(3)

/**
 * A VM's end of a network or of a pair of serial ports is up or down, as `LINK_END` says: word 3 is 1 or 0.
 */
#define PORTCULLIS_MANAGE_EVENT_LINK UINT64_C(4)

/**
 * Calls of a VM were refused more often than `PORTCULLIS_MANAGE_EVENT_REFUSALS_RATE` in a second: word 3 is how often.
 */
#define PORTCULLIS_MANAGE_EVENT_REFUSALS UINT64_C(5)

/**
 * Refused calls in a second above which `PORTCULLIS_MANAGE_EVENT_REFUSALS` comes.
 */
#define PORTCULLIS_MANAGE_EVENT_REFUSALS_RATE UINT64_C(100)

/**
 * Events that are kept for a reader that is slow; of more the oldest are lost.
 */
#define PORTCULLIS_MANAGE_EVENTS_KEPT UINT64_C(64)

/**
 * `PORTCULLIS_MANAGE_LINK`, x3: a network.
 */
#define PORTCULLIS_MANAGE_LINK_NETWORK UINT64_C(0)

/**
 * `PORTCULLIS_MANAGE_LINK`, x3: a pair of serial ports.
 */
#define PORTCULLIS_MANAGE_LINK_SERIAL UINT64_C(1)

/**
 * `PORTCULLIS_MANAGE_LINK`, x3: a disk.
 */
#define PORTCULLIS_MANAGE_LINK_DISK UINT64_C(2)

/**
 * `PORTCULLIS_MANAGE_LINK`, x3: a wire.
 */
#define PORTCULLIS_MANAGE_LINK_WIRE UINT64_C(3)

/**
 * `PORTCULLIS_MANAGE_LINK_END`, x1: the end is up.
 */
#define PORTCULLIS_MANAGE_LINK_END_UP (UINT64_C(1) << UINT64_C(8))

/**
 * `PORTCULLIS_MANAGE_LINK_END`, x2: the VM at this end of a wire drives it.
 */
#define PORTCULLIS_MANAGE_LINK_END_DRIVES (UINT64_C(1) << UINT64_C(8))

/**
 * `SAVE(x1 = VM)`: begins to save a paused VM whose manifest says `movable`: its state and memory are then read by
 * `PORTCULLIS_MANAGE_TRANSFER` as a stream (docs/moving.md). `PORTCULLIS_MANAGE_NOT_PERMITTED` if it does not say so, or it is the caller's own. One VM at a
 * time is saved or restored: `PORTCULLIS_MANAGE_BUSY`. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_SAVE (PORTCULLIS_MANAGE_BASE + UINT32_C(0x90))

/**
 * `RESTORE(x1 = VM)`: begins to restore a saved VM into one that was only created, and whose manifest says `movable`. Since
 * version 1.4.
 */
#define PORTCULLIS_MANAGE_RESTORE (PORTCULLIS_MANAGE_BASE + UINT32_C(0x91))

/**
 * `TRANSFER(x1 = address, x2 = length)`: the next piece, through a buffer of the caller's RAM with 1 to 32768 bytes: of a VM
 * that is saved it is filled, of one that is restored its bytes are taken. x1 = bytes that were; x2 = `TRANSFER_*`. `PORTCULLIS_MANAGE_UNFIT`
 * if the VM cannot be saved, or the stream is refused; the log says why, and the transfer has ended. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_TRANSFER (PORTCULLIS_MANAGE_BASE + UINT32_C(0x92))

/**
 * `TRANSFER_END()`: gives up what is in progress, if anything is: a VM that is saved stays paused, one that is restored is created
 * again, with the registers that it had. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_TRANSFER_END (PORTCULLIS_MANAGE_BASE + UINT32_C(0x93))

/**
 * `GIVE_AWAY(x1 = VM)`: from paused, when all of the VM was saved since: it goes on elsewhere. It stands still, and neither START,
 * RESUME, RESTART nor its restart policy lets it go on; `PORTCULLIS_MANAGE_BAD_STATE` if it was not saved. `PORTCULLIS_MANAGE_NOT_PERMITTED` as for SAVE. Since
 * version 1.4.
 */
#define PORTCULLIS_MANAGE_GIVE_AWAY (PORTCULLIS_MANAGE_BASE + UINT32_C(0x94))

/**
 * `FORGET(x1 = VM)`: from given away: it is stopped, as by STOP. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_FORGET (PORTCULLIS_MANAGE_BASE + UINT32_C(0x95))

/**
 * `PORTCULLIS_MANAGE_RESUME`, x2: even if the VM was given away, and may run elsewhere.
 */
#define PORTCULLIS_MANAGE_RESUME_GIVEN_AWAY UINT64_C(1)

/**
 * `PORTCULLIS_MANAGE_TRANSFER`: the buffer is full, or has no more bytes.
 */
#define PORTCULLIS_MANAGE_TRANSFER_BUFFER UINT64_C(0)

/**
 * `PORTCULLIS_MANAGE_TRANSFER`: as much was done as is done at a time: it is to be called again, with what is left of the buffer.
 */
#define PORTCULLIS_MANAGE_TRANSFER_MORE UINT64_C(1)

/**
 * `PORTCULLIS_MANAGE_TRANSFER`: the stream has ended. A VM that was saved is paused as before, one that was restored is paused.
 */
#define PORTCULLIS_MANAGE_TRANSFER_DONE UINT64_C(2)

/**
 * Done.
 */
#define PORTCULLIS_MANAGE_SUCCESS INT64_C(0)

/**
 * The caller is not the control VM: SMCCC `NOT_SUPPORTED`, as for every function that does not exist.
 */
#define PORTCULLIS_MANAGE_NOT_SUPPORTED (-INT64_C(1))

/**
 * No management call has this function identifier.
 */
#define PORTCULLIS_MANAGE_UNKNOWN_CALL (-INT64_C(2))

/**
 * `PORTCULLIS_MANAGE_VERSION`: the hypervisor does not speak the caller's version.
 */
#define PORTCULLIS_MANAGE_WRONG_VERSION (-INT64_C(3))

/**
 * No VM has this number.
 */
#define PORTCULLIS_MANAGE_UNKNOWN_VM (-INT64_C(4))

/**
 * No firmware register has this identifier (compared over all 64 bits).
 */
#define PORTCULLIS_MANAGE_UNKNOWN_REGISTER (-INT64_C(5))

/**
 * The caller may not do this to this VM, or on this board.
 */
#define PORTCULLIS_MANAGE_NOT_PERMITTED (-INT64_C(6))

/**
 * The value has a bit that the board does not support, or is none of the register's values.
 */
#define PORTCULLIS_MANAGE_UNSUPPORTED (-INT64_C(7))

/**
 * The VM has started: this cannot change until it is recreated.
 */
#define PORTCULLIS_MANAGE_FROZEN (-INT64_C(8))

/**
 * The VM's phase is none that this call starts from.
 */
#define PORTCULLIS_MANAGE_BAD_STATE (-INT64_C(9))

/**
 * Something else is in progress with this VM; ask again.
 */
#define PORTCULLIS_MANAGE_BUSY (-INT64_C(10))

/**
 * An argument has none of its values.
 */
#define PORTCULLIS_MANAGE_BAD_ARGUMENT (-INT64_C(11))

/**
 * A list has no item of this index: its end.
 */
#define PORTCULLIS_MANAGE_NO_ITEM (-INT64_C(12))

/**
 * A reserved bit of an argument is set.
 */
#define PORTCULLIS_MANAGE_RESERVED (-INT64_C(13))

/**
 * The range runs past the last function identifier.
 */
#define PORTCULLIS_MANAGE_WRAPS (-INT64_C(14))

/**
 * The range has a function that is never forwarded.
 */
#define PORTCULLIS_MANAGE_FORWARD_REFUSED (-INT64_C(15))

/**
 * The range overlaps an earlier one or the Arm architecture calls.
 */
#define PORTCULLIS_MANAGE_OVERLAPS (-INT64_C(16))

/**
 * The filter holds as many ranges as it can (32).
 */
#define PORTCULLIS_MANAGE_FULL (-INT64_C(17))

/**
 * There is no firmware at EL3 to forward to. Since version 1.1.
 */
#define PORTCULLIS_MANAGE_NO_FIRMWARE (-INT64_C(18))

/**
 * The range has no function. Since version 1.3; before, `PORTCULLIS_MANAGE_WRAPS`.
 */
#define PORTCULLIS_MANAGE_EMPTY (-INT64_C(19))

/**
 * The VM cannot be saved, or the stream is none that it can be restored from. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_UNFIT (-INT64_C(20))

/**
 * No program has the port of data open, or has had a transfer already since it has opened it. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_CLOSED (-INT64_C(21))

/**
 * The hypervisor has no memory for it. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_NO_MEMORY (-INT64_C(22))

/**
 * The VM has no image: its manifest says `image = "none"`, and nobody has loaded one since it was last started. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_NO_IMAGE (-INT64_C(23))

/**
 * What was loaded is not what was sent: its length, its form or its checksum. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_CORRUPT (-INT64_C(24))

/**
 * What was to be loaded has no room where it belongs. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_NO_ROOM (-INT64_C(25))

/**
 * Not a record of a core's: records that were overwritten before they were read. x3 is how many: the next one is at the position
 * asked for and so many more.
 */
#define PORTCULLIS_MANAGE_TRACE_LOST UINT64_C(0)

/**
 * The vCPU goes on on the core.
 */
#define PORTCULLIS_MANAGE_TRACE_ENTER UINT64_C(1)

/**
 * The vCPU has left the core: bits 31:24 of x2 are a `TRACE_LEAVE_*`.
 */
#define PORTCULLIS_MANAGE_TRACE_LEAVE UINT64_C(2)

/**
 * An exit other than by a firmware call: bits 31:24 of x2 are the cause, as of `PORTCULLIS_MANAGE_EXITS`, or
 * `PORTCULLIS_MANAGE_TRACE_EXIT_CALLED`; bits 63:32 the ticks for which the hypervisor ran, all ones if it were more; x3 is ESR_EL2 of an
 * exception, else zero.
 */
#define PORTCULLIS_MANAGE_TRACE_EXIT UINT64_C(3)

/**
 * A firmware call: bits 25:24 of x2 are the verdict, a `PORTCULLIS_MANAGE_TRACE_ANSWERED`, `PORTCULLIS_MANAGE_TRACE_REFUSED` or `PORTCULLIS_MANAGE_TRACE_FORWARDED`, with
 * `PORTCULLIS_MANAGE_TRACE_SMC` beside it; bits 63:32 the ticks for which the hypervisor ran, all ones if it were more; x3 is the function
 * identifier.
 */
#define PORTCULLIS_MANAGE_TRACE_CALL UINT64_C(4)

/**
 * The guest was given an interrupt: bits 63:32 of x2 are its INTID. One that it has not taken when the vCPU leaves its core is
 * given again.
 */
#define PORTCULLIS_MANAGE_TRACE_INTERRUPT UINT64_C(5)

/**
 * The hypervisor has copied at a link of the VM's: bits 63:32 of x2 are the link, by its index in `LINK`, x3 the bytes.
 */
#define PORTCULLIS_MANAGE_TRACE_COPY UINT64_C(6)

/**
 * It is another one's turn.
 */
#define PORTCULLIS_MANAGE_TRACE_LEAVE_TURN UINT64_C(0)

/**
 * It waits for an interrupt.
 */
#define PORTCULLIS_MANAGE_TRACE_LEAVE_WAITS UINT64_C(1)

/**
 * It is off.
 */
#define PORTCULLIS_MANAGE_TRACE_LEAVE_OFF UINT64_C(2)

/**
 * It stands still, with its VM.
 */
#define PORTCULLIS_MANAGE_TRACE_LEAVE_PAUSED UINT64_C(3)

/**
 * Its guest has suspended the VM.
 */
#define PORTCULLIS_MANAGE_TRACE_LEAVE_SUSPENDED UINT64_C(4)

/**
 * Cause of an exit that is not counted: another core has called this one.
 */
#define PORTCULLIS_MANAGE_TRACE_EXIT_CALLED UINT64_C(0xff)

/**
 * Verdict: the call was answered.
 */
#define PORTCULLIS_MANAGE_TRACE_ANSWERED UINT64_C(0)

/**
 * Verdict: it was refused.
 */
#define PORTCULLIS_MANAGE_TRACE_REFUSED UINT64_C(1)

/**
 * Verdict: it went to EL3.
 */
#define PORTCULLIS_MANAGE_TRACE_FORWARDED UINT64_C(2)

/**
 * The call was by SMC: beside the verdict.
 */
#define PORTCULLIS_MANAGE_TRACE_SMC (UINT64_C(1) << UINT64_C(7))

/**
 * `TRACE_STATE`, x1: a trace is on.
 */
#define PORTCULLIS_MANAGE_TRACE_ON (UINT64_C(1) << UINT64_C(0))

/**
 * Records of a core that are kept, the last ones.
 */
#define PORTCULLIS_MANAGE_TRACE_KEPT UINT64_C(2047)

/**
 * `TRANSFER_STATE()`: how the transfer stands that was begun last: x1 = a `TRANSFER_*` in bits 7:0 that says what it is, the VM
 * in bits 15:8, `PORTCULLIS_MANAGE_TRANSFER_GOES_ON` and `PORTCULLIS_MANAGE_TRANSFER_BY_PORT`; x2 = bytes that were moved; x3 = the status with which it has
 * ended. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_TRANSFER_STATE (PORTCULLIS_MANAGE_BASE + UINT32_C(0xa1))

/**
 * `TRANSFER_REASON(x1 = position)`: why the last transfer has failed, in words, from the byte at that position on: x1 to x3 as
 * for `PORTCULLIS_MANAGE_LOG`. `PORTCULLIS_MANAGE_NO_ITEM` if there is nothing from there on. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_TRANSFER_REASON (PORTCULLIS_MANAGE_BASE + UINT32_C(0xa2))

/**
 * `LOAD(x1 = VM, x2 = bytes)`: begins to load images into a VM whose manifest says `image = "none"`, and that was created, has
 * stopped or has failed. So many bytes follow by the port of data, or by `PORTCULLIS_MANAGE_TRANSFER`; docs/abi.md has their
 * form. Since version 1.4.
 */
#define PORTCULLIS_MANAGE_LOAD (PORTCULLIS_MANAGE_BASE + UINT32_C(0xa3))

/**
 * `PORTCULLIS_MANAGE_TRANSFER_STATE`: there was none.
 */
#define PORTCULLIS_MANAGE_TRANSFER_NOTHING UINT64_C(0)

/**
 * `PORTCULLIS_MANAGE_TRANSFER_STATE`: `PORTCULLIS_MANAGE_SAVE`.
 */
#define PORTCULLIS_MANAGE_TRANSFER_SAVE UINT64_C(1)

/**
 * `PORTCULLIS_MANAGE_TRANSFER_STATE`: `PORTCULLIS_MANAGE_RESTORE`.
 */
#define PORTCULLIS_MANAGE_TRANSFER_RESTORE UINT64_C(2)

/**
 * `PORTCULLIS_MANAGE_TRANSFER_STATE`: `PORTCULLIS_MANAGE_LOAD`.
 */
#define PORTCULLIS_MANAGE_TRANSFER_LOAD UINT64_C(3)

/**
 * `PORTCULLIS_MANAGE_TRANSFER_STATE`, x1: it has not ended.
 */
#define PORTCULLIS_MANAGE_TRANSFER_GOES_ON (UINT64_C(1) << UINT64_C(16))

/**
 * `PORTCULLIS_MANAGE_TRANSFER_STATE`, x1: its bytes go by the port of data.
 */
#define PORTCULLIS_MANAGE_TRANSFER_BY_PORT (UINT64_C(1) << UINT64_C(17))

/* map: What a guest sees: the memory map of QEMU's `virt` machine, on every board. */

/**
 * Flash: two banks, one behind the other.
 */
#define PORTCULLIS_MAP_FLASH UINT64_C(0)

/**
 * Bytes of one bank of flash.
 */
#define PORTCULLIS_MAP_FLASH_BANK (UINT64_C(64) << UINT64_C(20))

/**
 * Bytes of flash that are erased at once.
 */
#define PORTCULLIS_MAP_FLASH_BLOCK (UINT64_C(256) << UINT64_C(10))

/**
 * GIC distributor, 64 KiB.
 */
#define PORTCULLIS_MAP_GICD UINT64_C(0x8000000)

/**
 * Size of the distributor frame in bytes.
 */
#define PORTCULLIS_MAP_GICD_SIZE UINT64_C(0x10000)

/**
 * GICv2 CPU interface, 8 KiB.
 */
#define PORTCULLIS_MAP_GICC UINT64_C(0x8010000)

/**
 * Size of the GICv2 CPU interface in bytes.
 */
#define PORTCULLIS_MAP_GICC_SIZE UINT64_C(0x2000)

/**
 * First GICv3 redistributor; one of `PORTCULLIS_MAP_GICR_STRIDE` bytes per vCPU follows the other.
 */
#define PORTCULLIS_MAP_GICR UINT64_C(0x80a0000)

/**
 * Bytes of one redistributor: the RD and the SGI frame of 64 KiB each.
 */
#define PORTCULLIS_MAP_GICR_STRIDE UINT64_C(0x20000)

/**
 * PL011 UART, 4 KiB.
 */
#define PORTCULLIS_MAP_UART UINT64_C(0x9000000)

/**
 * Size of the UART's frame in bytes.
 */
#define PORTCULLIS_MAP_UART_SIZE UINT64_C(0x1000)

/**
 * Interrupt of the UART: SPI 1.
 */
#define PORTCULLIS_MAP_UART_INTID UINT32_C(33)

/**
 * PL031 real-time clock, 4 KiB.
 */
#define PORTCULLIS_MAP_RTC UINT64_C(0x9010000)

/**
 * Size of the clock's frame in bytes.
 */
#define PORTCULLIS_MAP_RTC_SIZE UINT64_C(0x1000)

/**
 * Interrupt of the clock: SPI 2.
 */
#define PORTCULLIS_MAP_RTC_INTID UINT32_C(34)

/**
 * First virtio transport (virtio-mmio); one of `PORTCULLIS_MAP_VIRTIO_SIZE` bytes per slot follows the other.
 */
#define PORTCULLIS_MAP_VIRTIO UINT64_C(0xa000000)

/**
 * Bytes of one virtio transport.
 */
#define PORTCULLIS_MAP_VIRTIO_SIZE UINT64_C(0x200)

/**
 * Number of virtio transports.
 */
#define PORTCULLIS_MAP_VIRTIO_SLOTS UINT64_C(32)

/**
 * Interrupt of the first virtio transport: SPI 16. Those of the others follow; they are edges.
 */
#define PORTCULLIS_MAP_VIRTIO_INTID UINT32_C(48)

/**
 * PL061 GPIO controller of a VM that has wires, 4 KiB.
 */
#define PORTCULLIS_MAP_GPIO UINT64_C(0x9030000)

/**
 * Size of the GPIO controller's frame in bytes.
 */
#define PORTCULLIS_MAP_GPIO_SIZE UINT64_C(0x1000)

/**
 * Interrupt of the GPIO controller: SPI 7.
 */
#define PORTCULLIS_MAP_GPIO_INTID UINT32_C(39)

/**
 * Lines of the GPIO controller.
 */
#define PORTCULLIS_MAP_GPIO_LINES UINT64_C(8)

/**
 * Page of the PV time structures, one of 64 bytes per vCPU; outside RAM, read-only for the guest.
 */
#define PORTCULLIS_MAP_PV_TIME UINT64_C(0x90a0000)

/**
 * Bytes of one PV time structure (DEN0057 section 4.1.1 asks for 64-byte alignment).
 */
#define PORTCULLIS_MAP_PV_TIME_STRIDE UINT64_C(64)

/**
 * Page with the generation identifier of a VM that can be saved, 16 bytes; outside RAM, read-only for the guest.
 */
#define PORTCULLIS_MAP_VM_GENERATION UINT64_C(0x90c0000)

/**
 * Bytes of the generation identifier.
 */
#define PORTCULLIS_MAP_VM_GENERATION_SIZE UINT64_C(16)

/**
 * Interrupt of the generation identifier: SPI 10, an edge.
 */
#define PORTCULLIS_MAP_VM_GENERATION_INTID UINT32_C(42)

/**
 * Page of the clock of such a VM, behind the one with the identifier; read-only for the guest.
 */
#define PORTCULLIS_MAP_VM_CLOCK (PORTCULLIS_MAP_VM_GENERATION + UINT64_C(0x1000))

/**
 * Bytes of the clock's page.
 */
#define PORTCULLIS_MAP_VM_CLOCK_SIZE UINT64_C(0x1000)

/**
 * Interrupt of the clock: SPI 11, an edge.
 */
#define PORTCULLIS_MAP_VM_CLOCK_INTID UINT32_C(43)

/**
 * Start of the memory that a VM shares with others, where virt has the memory of its PCIe host bridge.
 */
#define PORTCULLIS_MAP_SHARED_MEMORY UINT64_C(0x10000000)

/**
 * End of what it may take.
 */
#define PORTCULLIS_MAP_SHARED_MEMORY_END UINT64_C(0x3eff0000)

/**
 * Start of the guest's RAM.
 */
#define PORTCULLIS_MAP_RAM UINT64_C(0x40000000)

/**
 * Where a raw binary (not an arm64 Image) is placed, from the start of RAM.
 */
#define PORTCULLIS_MAP_RAW_OFFSET UINT64_C(0x80000)

/**
 * EL1 virtual timer interrupt: PPI 11.
 */
#define PORTCULLIS_MAP_TIMER_VIRTUAL_INTID UINT32_C(27)

/**
 * EL1 physical timer interrupt: PPI 14.
 */
#define PORTCULLIS_MAP_TIMER_PHYSICAL_INTID UINT32_C(30)

/**
 * Most VMs that one system can have.
 */
#define PORTCULLIS_MAP_MAX_VMS UINT64_C(32)

/**
 * Most vCPUs that one VM can have.
 */
#define PORTCULLIS_MAP_MAX_VCPUS UINT64_C(8)

/* bundle: The bundle: one file with everything needed to start the VMs. */

/**
 * Version of the format that this crate describes. Version 1 was a device tree blob without a header.
 */
#define PORTCULLIS_BUNDLE_VERSION UINT32_C(3)

/**
 * Bytes of the header; the tree follows it.
 */
#define PORTCULLIS_BUNDLE_HEADER_SIZE UINT64_C(32)

/**
 * Offset of the version.
 */
#define PORTCULLIS_BUNDLE_VERSION_OFFSET UINT64_C(8)

/**
 * Offset of the checksum.
 */
#define PORTCULLIS_BUNDLE_CHECKSUM_OFFSET UINT64_C(12)

/**
 * Offset of the first byte that the checksum covers.
 */
#define PORTCULLIS_BUNDLE_CHECKED_OFFSET UINT64_C(16)

/**
 * Offset of the bundle's size.
 */
#define PORTCULLIS_BUNDLE_SIZE_OFFSET UINT64_C(16)

/**
 * Offset of the field that tells where the images begin.
 */
#define PORTCULLIS_BUNDLE_IMAGES_OFFSET UINT64_C(24)

/**
 * Images begin at multiples of this, a cache line.
 */
#define PORTCULLIS_BUNDLE_ALIGNMENT UINT64_C(64)

/**
 * Longest name of a VM in bytes.
 */
#define PORTCULLIS_BUNDLE_NAME_MAX UINT64_C(16)

/**
 * The unit of a VM's memory in bytes.
 */
#define PORTCULLIS_BUNDLE_MEMORY_UNIT (UINT64_C(2) << UINT64_C(20))

/**
 * A time slice in microseconds, where a VM has no `PORTCULLIS_BUNDLE_SLICES`.
 */
#define PORTCULLIS_BUNDLE_SLICE UINT32_C(5000)

/**
 * The shortest time slice in microseconds.
 */
#define PORTCULLIS_BUNDLE_SLICE_MIN UINT32_C(100)

/**
 * The longest time slice in microseconds.
 */
#define PORTCULLIS_BUNDLE_SLICE_MAX UINT32_C(1000000)

/**
 * Bit of the setting `conduits`: HVC.
 */
#define PORTCULLIS_BUNDLE_CONDUIT_HVC UINT32_C(1)

/**
 * Bit of the setting `conduits`: SMC.
 */
#define PORTCULLIS_BUNDLE_CONDUIT_SMC UINT32_C(2)

/**
 * Bit of the setting `machine`: PSCI SYSTEM_OFF switches the machine off.
 */
#define PORTCULLIS_BUNDLE_MACHINE_OFF UINT32_C(1)

/**
 * Bit of the setting `machine`: PSCI SYSTEM_RESET and SYSTEM_RESET2 reset the machine.
 */
#define PORTCULLIS_BUNDLE_MACHINE_RESET UINT32_C(2)

/**
 * Most CPU implementations that a VM is told of.
 */
#define PORTCULLIS_BUNDLE_IMPLEMENTATIONS_MAX UINT64_C(16)

/**
 * The shortest frame in microseconds.
 */
#define PORTCULLIS_BUNDLE_FRAME_MIN UINT32_C(1000)

/**
 * The longest frame in microseconds.
 */
#define PORTCULLIS_BUNDLE_FRAME_MAX UINT32_C(1000000)

/**
 * Most windows of a core.
 */
#define PORTCULLIS_BUNDLE_WINDOWS_MAX UINT64_C(16)

/**
 * The shortest window in microseconds.
 */
#define PORTCULLIS_BUNDLE_WINDOW_MIN UINT32_C(100)

/**
 * Most pieces of it.
 */
#define PORTCULLIS_BUNDLE_SHARED_MEMORY_MAX UINT64_C(8)

/**
 * The largest piece of shared memory in bytes.
 */
#define PORTCULLIS_BUNDLE_SHARED_SIZE_MAX (UINT64_C(512) << UINT64_C(20))

/**
 * The unit of its size, and the size of a VM's state page.
 */
#define PORTCULLIS_BUNDLE_PAGE UINT64_C(4096)

/**
 * The smallest MTU (RFC 791, section 3.2: every module must take 68 bytes).
 */
#define PORTCULLIS_BUNDLE_MTU_MIN UINT32_C(68)

/**
 * The largest MTU: the longest packet of IP.
 */
#define PORTCULLIS_BUNDLE_MTU_MAX UINT32_C(65535)

/**
 * The MTU, where a manifest does not say another one.
 */
#define PORTCULLIS_BUNDLE_MTU_DEFAULT UINT32_C(1500)

/**
 * Cells of a port: number of the VM, slot of the transport, MAC address in two, whether it bridges, frames a second.
 */
#define PORTCULLIS_BUNDLE_PORT_CELLS UINT64_C(6)

/**
 * Most serial ports of a VM.
 */
#define PORTCULLIS_BUNDLE_SERIAL_PORTS UINT64_C(31)

/**
 * Ports at the control VM's console that are for EL2, so that it has as many fewer for others: `portcullis`,
 * `portcullis.events` and `portcullis.data`.
 */
#define PORTCULLIS_BUNDLE_OWN_PORTS UINT64_C(3)

/**
 * The largest disk that is served: file offsets have 63 bits.
 */
#define PORTCULLIS_BUNDLE_DISK_MAX (UINT64_C(1) << UINT64_C(62))

/**
 * Bytes of the longest name of an export.
 */
#define PORTCULLIS_BUNDLE_EXPORT_MAX UINT64_C(64)

/**
 * The shortest of these times.
 */
#define PORTCULLIS_BUNDLE_TIMEOUT_MIN UINT32_C(100)

/**
 * The longest.
 */
#define PORTCULLIS_BUNDLE_TIMEOUT_MAX (((UINT32_C(24) * UINT32_C(60)) * UINT32_C(60)) * UINT32_C(1000))

/**
 * The time, where a manifest does not say another one.
 */
#define PORTCULLIS_BUNDLE_TIMEOUT_DEFAULT UINT32_C(30000)

/* id_register: The ID registers that describe features, S3_0_C0_C1_0 to S3_0_C0_C7_7 (Arm ARM, D24.2), by number and by name. */

/**
 * How many there are.
 */
#define PORTCULLIS_ID_REGISTER_COUNT (UINT64_C(7) * UINT64_C(8))

#endif /* PORTCULLIS_H */
