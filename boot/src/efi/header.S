// The PE/COFF header of the Image (Microsoft, "PE Format"; UEFI 2.1.1): behind the arm64 header, in the image's first page. Two
// sections, instructions and all that can be written: the image relocates itself, also what it only reads after that.

.pushsection .text.pe, "ax"
.balign 8
.global pe_header
pe_header:
    .ascii  "PE\0\0"
    .short  0xaa64                      // machine: Arm64
    .short  (.Lpe_end - .Lpe_sections) / 40
    .long   0                           // no date
    .long   0                           // no symbols
    .long   0
    .short  .Lpe_sections - .Lpe_optional
    .short  0x206                       // executable; without line numbers and debugging information

.Lpe_optional:
    .short  0x20b                       // PE32+
    .byte   0, 0                        // the linker's version
    .long   __text_size
    .long   __data_file_size
    .long   0
    .long   __entry_at
    .long   __headers_size

    .quad   0                           // where it would like to lie: anywhere
    .long   4096                        // alignment of sections in memory
    .long   512                         // and in the file
    .short  0, 0                        // the operating system's version
    .short  1, 0                        // the image's: from 1.0 on a boot loader may offer a RAM disk by LoadFile2
    .short  0, 0                        // the subsystem's
    .long   0
    .long   __image_size
    .long   __headers_size
    .long   0                           // no checksum
    .short  10                          // an EFI application
    .short  0x100                       // what is written is never executed
    .quad   0, 0                        // stack and heap are the firmware's
    .quad   0, 0
    .long   0
    .long   6                           // data directories, all of them empty: no relocations, above all
    .quad   0, 0, 0, 0, 0, 0

.Lpe_sections:
    .ascii  ".text\0\0\0"
    .long   __text_size                 // in memory
    .long   __headers_size
    .long   __text_size                 // in the file
    .long   __headers_size
    .long   0, 0
    .short  0, 0
    .long   0x60000020                  // instructions: execute, read

    .ascii  ".data\0\0\0"
    .long   __data_size
    .long   __data_at
    .long   __data_file_size
    .long   __data_at
    .long   0, 0
    .short  0, 0
    .long   0xc0000040                  // initialised data: read, write
.Lpe_end:
.popsection
