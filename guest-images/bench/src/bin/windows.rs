//! A guest that measures its windows, or with another configuration the neighbour that it has on its core.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use bench::configuration::{Configuration, flag};
    use bench::guest::console::Console;
    use bench::guest::{flood, gic, measure, storm, window};
    use bench::sharing::Storm;

    const NAME: &str = "windows";

    bench::main!(first, other);

    fn first(configuration: Configuration, _: u64) {
        if configuration.flags & flag::PARTNER != 0 {
            let storm = Storm::ALL.into_iter().find(|storm| configuration.tests == 1 << *storm as u64);
            match storm {
                Some(storm) => storm::rage(&configuration, storm),
                // It is at the other ends of the neighbour's links.
                None => {
                    gic::start_distributor(&configuration);
                    gic::start_cpu(&configuration, 0);
                    flood::take(&configuration)
                }
            }
        }
        let mut console = Console::new(&configuration);
        window::observe(&mut console, configuration.count as usize);
        measure::finish(&mut console, NAME);
    }

    fn other(configuration: Configuration, _: u64) {
        storm::go_off(&configuration);
    }
}
