//! What is made of the program's definitions: help, the manual page, completions.

use manager::cli::program;
use manager::exit::{ALL, Exit};

use crate::rig::Linux;

#[test]
fn the_manual_page_has_every_command_and_status() {
    let page = Linux::new().ok("man");
    assert!(page.starts_with(".ie") || page.contains(".TH portcullis 8"), "{page}");
    for command in program().get_subcommands() {
        let about = command.get_about().unwrap().to_string();
        assert!(
            page.contains(&format!("portcullis {}", command.get_name())) && page.contains(&about),
            "{about}\n{page}"
        );
    }
    for (_, meaning) in ALL {
        assert!(page.contains(&meaning.replace('-', "\\-")), "{meaning}");
    }
    assert!(page.contains("\\-\\-wait"));
}

#[test]
fn each_shell_completes_each_command() {
    let linux = Linux::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = linux.ok(&format!("completions {shell}"));
        for command in program().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
    }
    assert_eq!(linux.run("completions csh").0, Exit::Usage);
}

#[test]
fn every_command_has_help() {
    let linux = Linux::new();
    assert!(linux.ok("--version").starts_with("portcullis 0."));
    for command in program().get_subcommands() {
        let help = linux.ok(&format!("{} --help", command.get_name()));
        assert!(help.contains(&command.get_about().unwrap().to_string()), "{help}");
        for argument in command.get_positionals() {
            assert!(help.contains(argument.get_id().as_str()), "{help}");
        }
    }
}
