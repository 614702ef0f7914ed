//! The recipes of CONTRIBUTING.md, held against the code: each names an example by words, and the files that have one of them in
//! their program or in their path are those that the recipe lists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the code of the hypervisor and of the manifest lies.
const ROOTS: [&str; 4] = ["hypervisor", "platform", "boot", "scripts/system"];

/// One recipe.
struct Recipe {
    title: String,
    /// The example's words.
    words: Vec<String>,
    /// How many files it may take.
    most: usize,
    /// Files that the recipe lists.
    files: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads the recipes: sections of the second level with a line "Example: `WORD|WORD`, at most N files.".
fn recipes(text: &str) -> Vec<Recipe> {
    let mut recipes = Vec::<Recipe>::new();
    let mut title = String::new();
    for line in text.lines() {
        if let Some(new) = line.strip_prefix("## ") {
            title = new.to_owned();
        } else if let Some(example) = line.strip_prefix("Example: `") {
            let (words, rest) = example.split_once('`').expect("the example's words end");
            let most = rest.strip_prefix(", at most ").and_then(|rest| rest.split_once(' ')).expect("a bound").0;
            let most = most.parse().expect("the bound is a number");
            let words = words.split('|').map(str::to_owned).collect();
            recipes.push(Recipe { title: title.clone(), words, most, files: BTreeSet::new() });
        } else if let Some(recipe) = recipes.last_mut().filter(|recipe| recipe.title == title) {
            let paths =
                line.split('`').skip(1).step_by(2).filter(|path| ROOTS.iter().any(|root| path.starts_with(root)));
            recipe.files.extend(paths.filter(|path| path.ends_with(".rs")).map(str::to_owned));
        }
    }
    recipes
}

/// The program of a file: no comments, and nothing from its tests on.
fn program(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]" || line.starts_with(' '));
    lines.filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// Adds the sources below `folder` that have one of the words.
fn find(folder: &Path, words: &[String], found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if entry.is_dir() {
            if !matches!(name, "tests" | "target" | "fuzz") {
                find(&entry, words, found);
            }
        } else if name.ends_with(".rs") && !matches!(name, "tests.rs" | "fake.rs") {
            let text = fs::read_to_string(&entry).expect("a source");
            let path =
                entry.strip_prefix(root()).expect("below the root").to_str().expect("a path in UTF-8").to_owned();
            let program = program(&text);
            if words.iter().any(|word| program.contains(word) || path.contains(word)) {
                found.insert(path);
            }
        }
    }
}

#[test]
fn every_recipe_lists_the_files_of_its_example() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let recipes = recipes(&text);
    let titles: Vec<&str> = recipes.iter().map(|recipe| recipe.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "A firmware service",
            "A firmware register",
            "A board",
            "A driver",
            "An emulated device",
            "A management call",
            "A manifest key",
            "A scheduling policy"
        ]
    );
    for Recipe { title, words, most, files } in &recipes {
        let mut found = BTreeSet::new();
        ROOTS.iter().for_each(|folder| find(&root().join(folder), words, &mut found));
        assert_eq!(
            files, &found,
            "{title}: left, what CONTRIBUTING.md lists; right, the files with a word of {words:?}"
        );
        assert!(found.len() <= *most, "{title}: {} files of at most {most}", found.len());
    }
}

/// `docs/boards.md`: "Nothing above `platform/` names a board", neither its file nor its `compatible`.
#[test]
fn nothing_above_platform_names_a_board() {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("platform/src/boards")).expect("the boards") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        if !matches!(stem.as_str(), "mod" | "unknown") {
            let text = program(&fs::read_to_string(&path).expect("a source"));
            let compatible = text.split("compatible: \"").nth(1).and_then(|rest| rest.split('"').next());
            names.extend([compatible.expect("the board's compatible").to_owned(), stem]);
        }
    }
    assert!(names.len() >= 4, "{names:?}");
    let mut found = BTreeSet::new();
    ["hypervisor", "boot"].iter().for_each(|folder| find(&root().join(folder), &names, &mut found));
    // The board that a guest is shown is the same whatever the guest runs on.
    found.remove("hypervisor/bundle/src/guest_tree.rs");
    assert!(found.is_empty(), "they have one of {names:?}: {found:?}");
}

#[test]
fn a_recipe_is_read_with_its_files() {
    let text = "## A\nExample: `Word|x::Y`, at most 3 files.\n1. `hypervisor/a.rs`: this, and `platform/b.rs`; not `docs/c.md`\n## B\n`boot/d.rs`\n";
    let recipes = recipes(text);
    let [recipe] = recipes.as_slice() else { panic!("one recipe") };
    assert_eq!((recipe.words.join(" "), recipe.most), ("Word x::Y".to_owned(), 3));
    assert_eq!(recipe.files.iter().collect::<Vec<_>>(), ["hypervisor/a.rs", "platform/b.rs"]);
    assert_eq!(program("// word\nlet a;\n#[cfg(test)]\nmod tests;\n"), "let a;\n");
}
