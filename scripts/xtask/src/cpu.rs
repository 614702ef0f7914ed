//! What is known of CPU models before anything runs on them.

use crate::board::Board;
use system::Cpu;

/// The models whose page sizes matter: ID_AA64MMFR0_EL1 as their technical reference manuals give it. The other models of
/// QEMU's have pages of every size.
static MODELS: [Cpu; 3] = [CORTEX_A53, Cpu { name: "cortex-a57", memory_model: 0x1124 }, CORTEX_A72];

/// The cores of a Zynq UltraScale+, and of an i.MX 8M Plus.
const CORTEX_A53: Cpu = Cpu { name: "cortex-a53", memory_model: 0x1122 };
/// The cores of a Raspberry Pi 4, and of a Versal.
const CORTEX_A72: Cpu = Cpu { name: "cortex-a72", memory_model: 0x1124 };

/// What is known of the cores of `board`, or of the model that is asked for there in QEMU's form, options and all.
pub fn known(board: Board, asked: Option<&str>) -> Option<Cpu> {
    match board {
        Board::Raspi4b | Board::Rpi4 | Board::Versal => Some(CORTEX_A72),
        Board::Rpi5 => None,
        Board::Zcu102 | Board::Imx8mp => Some(CORTEX_A53),
        Board::QemuVirt => {
            let model = asked.or(board.cpu())?.split(',').next()?;
            MODELS.iter().find(|cpu| cpu.name == model).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_and_models_lead_to_what_is_known() {
        let name = |board, asked| known(board, asked).map(|cpu| cpu.name);
        assert_eq!(name(Board::Rpi4, None), Some("cortex-a72"));
        assert_eq!(name(Board::QemuVirt, Some("cortex-a53,cntfrq=1000000")), Some("cortex-a53"));
        assert_eq!(name(Board::QemuVirt, None), None);
        assert_eq!(name(Board::QemuVirt, Some("cortex-a55")), None);
    }
}
