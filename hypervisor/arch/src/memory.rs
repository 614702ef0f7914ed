//! The functions on memory that compiled code calls, for EL2.

#[cfg(target_os = "none")]
core::arch::global_asm!(
    include_str!("memory.S"),
    ".macro alias name, function",
    ".global \\name",
    ".set \\name, \\function",
    ".endm",
    "alias memcpy, portcullis_memcpy",
    "alias memmove, portcullis_memmove",
    "alias memset, portcullis_memset",
    "alias memcmp, portcullis_memcmp",
    "alias bcmp, portcullis_memcmp",
    ".purgem alias",
);
