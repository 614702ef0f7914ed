//! Fields of the PL011's registers (DDI 0183 chapter 3), as far as the emulation has them.
#![expect(missing_docs, reason = "what the macro makes beside the fields has no place for them")]

use tock_registers::register_bitfields;

register_bitfields! [u32,
    /// Data register.
    pub DR [
        /// Break error; the character is zero.
        BE OFFSET(10) NUMBITS(1) [],
        /// Overrun error.
        OE OFFSET(11) NUMBITS(1) [],
    ],
    /// Receive status register.
    pub RSR [
        /// Break error.
        BE OFFSET(2) NUMBITS(1) [],
        /// Overrun error.
        OE OFFSET(3) NUMBITS(1) [],
    ],
    /// Flag register.
    pub FR [
        /// Clear to send.
        CTS OFFSET(0) NUMBITS(1) [],
        /// Data set ready.
        DSR OFFSET(1) NUMBITS(1) [],
        /// Data carrier detect.
        DCD OFFSET(2) NUMBITS(1) [],
        /// A character is being sent or waits in the transmit FIFO.
        BUSY OFFSET(3) NUMBITS(1) [],
        /// Receive FIFO empty.
        RXFE OFFSET(4) NUMBITS(1) [],
        /// Transmit FIFO full.
        TXFF OFFSET(5) NUMBITS(1) [],
        /// Receive FIFO full.
        RXFF OFFSET(6) NUMBITS(1) [],
        /// Transmit FIFO empty.
        TXFE OFFSET(7) NUMBITS(1) [],
        /// Ring indicator.
        RI OFFSET(8) NUMBITS(1) [],
    ],
    /// Line control register.
    pub LCR_H [
        /// Send break.
        BRK OFFSET(0) NUMBITS(1) [],
        /// FIFOs enabled; else each is one character deep.
        FEN OFFSET(4) NUMBITS(1) [],
        /// Word length.
        WLEN OFFSET(5) NUMBITS(2) [
            /// Eight bits.
            Eight = 3,
        ],
    ],
    /// Control register.
    pub CR [
        /// UART enable.
        UARTEN OFFSET(0) NUMBITS(1) [],
        /// Loopback enable.
        LBE OFFSET(7) NUMBITS(1) [],
        /// Transmit enable.
        TXE OFFSET(8) NUMBITS(1) [],
        /// Receive enable.
        RXE OFFSET(9) NUMBITS(1) [],
        /// Data terminal ready.
        DTR OFFSET(10) NUMBITS(1) [],
        /// Request to send.
        RTS OFFSET(11) NUMBITS(1) [],
        /// Output 1, the carrier detect of loopback.
        OUT1 OFFSET(12) NUMBITS(1) [],
        /// Output 2, the ring indicator of loopback.
        OUT2 OFFSET(13) NUMBITS(1) [],
    ],
    /// Interrupt FIFO level select register: at which level each FIFO interrupts.
    pub IFLS [
        /// The transmit FIFO's.
        TXIFLSEL OFFSET(0) NUMBITS(3) [],
        /// The receive FIFO's.
        RXIFLSEL OFFSET(3) NUMBITS(3) [],
    ],
    /// The interrupts, in each of the four registers of them.
    pub INT [
        /// Ring indicator changed.
        RI OFFSET(0) NUMBITS(1) [],
        /// Clear to send changed.
        CTS OFFSET(1) NUMBITS(1) [],
        /// Carrier detect changed.
        DCD OFFSET(2) NUMBITS(1) [],
        /// Data set ready changed.
        DSR OFFSET(3) NUMBITS(1) [],
        /// Receive FIFO at its trigger level.
        RX OFFSET(4) NUMBITS(1) [],
        /// Transmit FIFO at its trigger level.
        TX OFFSET(5) NUMBITS(1) [],
        /// Receive timeout.
        RT OFFSET(6) NUMBITS(1) [],
        /// Break error.
        BE OFFSET(9) NUMBITS(1) [],
        /// Overrun error.
        OE OFFSET(10) NUMBITS(1) [],
    ],
];
