// Header of an arm64 Image (Linux, Documentation/arch/arm64/booting.rst); the program begins at `primary_entry`.

.section .head, "ax"
.global image_head
image_head:
    b       primary_entry
    .long   0
    .quad   0                       // text_offset
    .quad   image_size
    .quad   0xa                     // anywhere in memory, 4 KiB pages, little-endian
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0
