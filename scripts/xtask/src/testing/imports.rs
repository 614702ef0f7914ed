//! Which file of a crate imports which: what its `use` lines say, re-exports looked through.

use std::collections::{BTreeMap, BTreeSet};

/// The files of one crate by their module path, such as `vm::state`; the root's is empty.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<String, Module>,
}

#[derive(Debug, Default)]
struct Module {
    /// Paths of its `use` lines from the crate's root on; what leads out of the crate is left out.
    uses: Vec<String>,
    /// Names that it hands on, and where from.
    exports: Vec<(String, String)>,
}

impl Crate {
    /// Adds the file at `path`, relative to the crate's `src`.
    pub fn add(&mut self, path: &str, text: &str) {
        let name = module(path);
        // What is compiled for tests alone comes last in a file.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let children: BTreeSet<&str> = text.lines().filter_map(child).collect();
        let mut module = Module::default();
        for (exported, path) in statements(text) {
            for leaf in leaves(&path) {
                let Some(leaf) = absolute(&name, &children, &leaf) else { continue };
                let last = leaf.rsplit("::").next().unwrap_or_default().to_owned();
                if exported { module.exports.push((last, leaf)) } else { module.uses.push(leaf) }
            }
        }
        module.uses.extend(text.lines().flat_map(inline));
        self.modules.insert(name, module);
    }

    /// The modules by name; the root's is empty.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// The modules that module `name` imports something of.
    pub fn imports(&self, name: &str) -> BTreeSet<&str> {
        let uses = self.modules.get(name).map(|module| &*module.uses).unwrap_or_default();
        uses.iter().filter_map(|path| self.home(path, 0)).filter(|other| *other != name).collect()
    }

    /// The circles: modules that import each other, one way or another. Each is sorted.
    pub fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            self.modules.keys().map(|name| (name.as_str(), self.reached_from(name))).collect();
        let mut circles: Vec<BTreeSet<&str>> = Vec::new();
        for (name, reached) in &reach {
            let circle: BTreeSet<&str> = reached
                .iter()
                .filter(|other| reach.get(*other).is_some_and(|back| back.contains(name)))
                .copied()
                .collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    fn reached_from(&self, name: &str) -> BTreeSet<&str> {
        let (mut reached, mut next) = (BTreeSet::new(), self.imports(name));
        while let Some(module) = next.pop_first() {
            if reached.insert(module) {
                next.extend(self.imports(module));
            }
        }
        reached
    }

    /// The module in which what `path` names is defined.
    fn home(&self, path: &str, depth: usize) -> Option<&str> {
        if let Some((module, _)) = self.modules.get_key_value(path) {
            return Some(module);
        }
        let (holder, name) = path.rsplit_once("::").unwrap_or(("", path));
        let (holder_name, holder_module) = self.modules.get_key_value(holder)?;
        let exported = holder_module.exports.iter().find(|(export, target)| export == name && target != path);
        match exported {
            Some((_, target)) if depth < 8 => self.home(target, depth + 1),
            _ => Some(holder_name),
        }
    }
}

/// The module that a file is: `vm/mod.rs` is `vm`.
fn module(path: &str) -> String {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("mod").map_or(path, |folder| folder.trim_end_matches('/'));
    if path == "lib" || path == "main" { String::new() } else { path.replace('/', "::") }
}

/// The child module that a line declares.
fn child(line: &str) -> Option<&str> {
    let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// The `use` statements at the outermost level: whether it hands its names on, and its path without white space.
fn statements(text: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (exported, rest) = match line.strip_prefix("pub ") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let Some(start) = rest.strip_prefix("use ") else { continue };
        let mut statement = start.to_owned();
        while !statement.trim_end().ends_with(';') {
            let Some(line) = lines.next() else { break };
            statement.push_str(line);
        }
        // What a name is called here does not matter.
        let mut parts = statement.split(" as ");
        let mut path = parts.next().unwrap_or_default().to_owned();
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        parts.for_each(|part| path.push_str(part.trim_start_matches(is_word)));
        found.push((exported, path.trim_end_matches(';').replace(char::is_whitespace, "")));
    }
    found
}

/// The paths in a line that begin at the crate's root, from there on, where it is neither a comment nor a `use`.
fn inline(line: &str) -> Vec<String> {
    let line = line.trim_start();
    if ["//", "use ", "pub use "].iter().any(|other| line.starts_with(other)) {
        return Vec::new();
    }
    let mut parts = line.split("crate::");
    let mut before = parts.next().unwrap_or_default();
    let mut paths = Vec::new();
    for part in parts {
        let end = part.find(|character: char| !character.is_alphanumeric() && !"_:".contains(character));
        let path = part.get(..end.unwrap_or(part.len())).unwrap_or_default().trim_end_matches(':');
        // A macro of another crate's may say `$crate`.
        if !path.is_empty() && !before.ends_with('$') {
            paths.push(path.to_owned());
        }
        before = part;
    }
    paths
}

/// The single paths of `a::{b,c::{self,d}}`.
fn leaves(path: &str) -> Vec<String> {
    let Some((prefix, rest)) = path.split_once('{') else {
        return vec![path.trim_end_matches("::self").to_owned()];
    };
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for character in rest.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(std::mem::take(&mut item));
                continue;
            }
            _ => {}
        }
        item.push(character);
    }
    items.push(item);
    items.iter().filter(|item| !item.is_empty()).flat_map(|item| leaves(&format!("{prefix}{item}"))).collect()
}

/// A path as it stands in module `name`, from the crate's root on; none if it leads out of the crate.
fn absolute(name: &str, children: &BTreeSet<&str>, path: &str) -> Option<String> {
    let join = |base: &str, rest: &str| if base.is_empty() { rest.to_owned() } else { format!("{base}::{rest}") };
    let mut base = name;
    let mut rest = path;
    if let Some(from_root) = path.strip_prefix("crate::") {
        return Some(from_root.to_owned());
    }
    while let Some(up) = rest.strip_prefix("super::") {
        base = base.rsplit_once("::").map_or("", |(parent, _)| parent);
        rest = up;
    }
    if rest != path {
        return Some(join(base, rest));
    }
    if let Some(own) = path.strip_prefix("self::") {
        return Some(join(name, own));
    }
    let first = path.split("::").next().unwrap_or_default();
    children.contains(first).then(|| join(name, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(files: &[(&str, &str)]) -> Crate {
        let mut house = Crate::default();
        files.iter().for_each(|(path, text)| house.add(path, text));
        house
    }

    #[test]
    fn a_circle_is_found_through_a_re_export() {
        let house = house(&[
            ("lib.rs", "mod a;\npub mod b;\npub use a::Thing;\n"),
            ("a.rs", "use crate::b::{self as bee, Other as _};\n"),
            ("b/mod.rs", "mod c;\nuse core::fmt;\n"),
            ("b/c.rs", "use crate::{\n    Thing,\n    b,\n};\n#[cfg(test)]\nmod tests {\nuse crate::x;\n}\n"),
        ]);
        assert_eq!(house.imports("a"), ["b"].into());
        assert_eq!(house.imports("b::c"), ["a", "b"].into());
        assert!(house.circles().is_empty());
    }

    #[test]
    fn a_path_in_the_midst_of_code_counts() {
        let house = house(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
            ("a.rs", "/// See [`crate::c`].\nfn f() -> crate::b::B { crate::b::B::new() }\n"),
            ("b.rs", "macro_rules! m { () => { $crate::a::f() } }\n// crate::c::C\n"),
            ("c.rs", "const X: usize = size_of::<Option<crate::a::A>>();\n"),
        ]);
        assert_eq!(house.imports("a"), ["b"].into());
        assert!(house.imports("b").is_empty());
        assert_eq!(house.imports("c"), ["a"].into());
    }

    #[test]
    fn those_that_import_each_other_are_a_circle() {
        let house = house(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
            ("a.rs", "use super::b::B;\n"),
            ("b.rs", "use crate::c::C;\n"),
            ("c.rs", "use crate::a::{A, more::Deep};\n"),
        ]);
        assert_eq!(house.circles(), [["a", "b", "c"].into()]);
    }
}
