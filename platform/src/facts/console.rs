//! The console: which of the serial ports `/chosen` means (Devicetree Specification, sections 3.3 and 3.6).

use portcullis_tree::Node;

use super::PORTS;
use super::bus::DEPTH_MAX;
use super::driven::DeviceNode;
use super::list::List;
use super::properties::strings;
use crate::drivers::DRIVERS;

/// What a serial port's node says.
#[derive(Clone, Copy)]
pub struct UartNode<'a> {
    /// The names from the root's child down to the node itself.
    pub path: List<&'a [u8], DEPTH_MAX>,
    pub device: DeviceNode<'a>,
}

/// What has been seen that bears on the choice.
#[derive(Default)]
pub struct Console<'a> {
    /// The serial ports in the tree's order.
    pub uarts: List<Option<UartNode<'a>>, PORTS>,
    /// Value of `stdout-path`.
    pub stdout_path: &'a [u8],
    /// The node `/aliases`.
    pub aliases: Option<Node<'a>>,
}

impl<'a> Console<'a> {
    /// The serial port that `stdout-path` names, else the first one of the foremost driver that the board has any of.
    pub fn choose(&self) -> Option<&DeviceNode<'a>> {
        let path = self.stdout();
        let uarts = || self.uarts.iter().flatten();
        let named = uarts().find(|uart| path.is_some_and(|path| leads_to(path, &uart.path)));
        let foremost = || DRIVERS.into_iter().find_map(|driver| uarts().find(|uart| uart.device.driver == driver));
        named.or_else(foremost).map(|uart| &uart.device)
    }

    /// The path in `stdout-path`: a path or an alias, with options behind a colon.
    fn stdout(&self) -> Option<&'a [u8]> {
        let target = strings(self.stdout_path).next()?.split(|byte| *byte == b':').next()?;
        if target.starts_with(b"/") {
            return Some(target);
        }
        strings(self.aliases?.property(target)?).next()
    }
}

/// True if the path consists of these names. A step without unit address stands for any.
fn leads_to(path: &[u8], names: &[&[u8]]) -> bool {
    let mut steps = path.split(|byte| *byte == b'/').filter(|step| !step.is_empty());
    let is_name = |name: &&[u8]| {
        let rest = steps.next().and_then(|step| name.strip_prefix(step));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"@"))
    };
    names.iter().all(is_name) && steps.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names() {
        let names: [&[u8]; 2] = [b"soc", b"serial@7e201000"];
        for path in ["/soc/serial@7e201000", "/soc/serial", "//soc/serial/"] {
            assert!(leads_to(path.as_bytes(), &names), "{path}");
        }
        for path in ["/soc", "/soc/ser", "/soc/serial@7e2", "/serial@7e201000", "/soc/serial/x", ""] {
            assert!(!leads_to(path.as_bytes(), &names), "{path}");
        }
    }
}
