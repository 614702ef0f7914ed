//! The header: what cbindgen makes of each module, one behind the other.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cbindgen::{Builder, Config, DocumentationStyle, ExportConfig, Language};

use crate::constants::{self, Constant};
use crate::{MODULES, spelling};

const HEAD: &str = "\
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
";

/// Makes the header from the crate at `abi`.
///
/// # Errors
///
/// A source cannot be read or is not understood, or cbindgen leaves out a constant that C has a type for.
pub fn make(abi: &Path) -> Result<String> {
    let source = abi.join("src");
    let constants = constants::list(&source)?;
    let mut header = HEAD.to_owned();
    for module in MODULES {
        let file = source.join(module).with_extension("rs");
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let about = about(&text).with_context(|| format!("{} does not say what it is", file.display()))?;
        header.push_str(&format!("\n/* {module}: {about} */\n\n"));

        let own: Vec<_> = constants.iter().filter(|constant| constant.module == module).collect();
        let written = bind(&constants::parts(&source, module)?, module, &own)?;
        for constant in own.iter().filter(|constant| spelling::width(&constant.kind).is_some()) {
            let define = format!("#define {} ", constant.c_name());
            ensure!(written.contains(&define), "cbindgen leaves out {module}::{}", constant.name);
        }
        for line in written.lines() {
            header.push_str(&spell(line, &own)?);
            header.push('\n');
        }
    }
    header.push_str("\n#endif /* PORTCULLIS_H */\n");
    Ok(header)
}

/// Returns the first sentence of a module's documentation.
fn about(text: &str) -> Option<String> {
    let lines: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let lines = lines.join(" ");
    let sentence = lines.split_once(". ").map_or(lines.as_str(), |(first, _)| first).trim_end_matches('.');
    (!sentence.is_empty()).then(|| format!("{sentence}."))
}

/// Has cbindgen write the numbers of one module. Modules are apart, because a name may be in several of them.
fn bind(files: &[PathBuf], module: &str, constants: &[&Constant]) -> Result<String> {
    let others = constants.iter().filter(|constant| spelling::width(&constant.kind).is_none());
    let export = ExportConfig {
        prefix: Some(constants::prefix(module)),
        exclude: others.map(|constant| constant.name.clone()).collect(),
        ..ExportConfig::default()
    };
    let config = Config {
        language: Language::C,
        no_includes: true,
        documentation_style: DocumentationStyle::Doxy,
        export,
        ..Config::default()
    };
    let builder = files.iter().fold(Builder::new().with_config(config), |builder, file| builder.with_src(file));
    let bindings = builder.generate().with_context(|| format!("cbindgen on {module}"))?;
    let mut written = Vec::new();
    bindings.write(&mut written);
    String::from_utf8(written).context("cbindgen's text")
}

/// Spells one line of cbindgen's: the value of a definition; in a comment, links to a constant by its name in C.
fn spell(line: &str, constants: &[&Constant]) -> Result<String> {
    if let Some((name, value)) = line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) {
        let constant = constants.iter().find(|constant| constant.c_name() == name);
        let constant = constant.with_context(|| format!("cbindgen writes {name}, which is no constant"))?;
        return Ok(format!("#define {name} {}", spelling::value(constant, value)?));
    }
    let mut line = line.to_owned();
    // Where a link leads in Rust.
    while let Some((before, target)) = line.split_once("`](").map(|(before, rest)| (before.len() + 2, rest)) {
        let end = target.find(')').context("a link ends in its line")?;
        line.replace_range(before..before + end + 2, "");
    }
    for constant in constants {
        line = line.replace(&format!("[`{}`]", constant.name), &format!("`{}`", constant.c_name()));
    }
    Ok(line.replace("[`", "`").replace("`]", "`"))
}
