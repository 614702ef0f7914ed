//! What brings a terminal back from whatever a guest did to it.

/// A soft reset, and then mode by mode what terminals without one need, or what it leaves alone. The cursor ends up in the last
/// row: some of these move it, and where it was is not known.
///
/// * CAN and ST: out of any sequence and string. ESC SP F: no C1 controls of eight bits.
/// * SI, ESC ( B, ESC ) B: ASCII in both sets, and the first of them.
/// * DECSTR.
/// * ?1049: the usual screen. Scroll region: all of it.
/// * ?1, ?5, ?6, 4, 20 off, ?7, ?25 on, ESC >: cursor keys and keypad, colours, origin, insertion, line feeds, wrapping, cursor.
/// * ?1000 to ?1006, ?1015, ?1004, ?2004: the mouse, the focus and what is pasted are not reported.
/// * `>4 m`, `=0 u`: keys as ever, Ctrl-] among them (modifyOtherKeys of xterm, the protocol of kitty).
/// * SGR 0. `?5 W`: tab stops at every eighth column.
pub const RESET: &[u8] = b"\x18\x1b\\\x1b F\x0f\x1b(B\x1b)B\x1b[!p\
    \x1b[?1049l\x1b[r\
    \x1b[?1;5;6l\x1b[4;20l\x1b[?7;25h\x1b>\
    \x1b[?1000;1001;1002;1003;1004;1005;1006;1015;2004l\
    \x1b[>4m\x1b[=0u\x1b[0m\x1b[?5W\
    \x1b[999;1H\r\n";
