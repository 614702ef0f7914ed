//! The reader of flattened device trees. What it takes is written again and must read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_tree::{Node, Tree, Writer};

/// A tree as a list: names of nodes, properties, ends.
#[derive(Debug, PartialEq)]
enum Event<'a> {
    Begin(&'a [u8]),
    Property(&'a [u8], &'a [u8]),
    End,
}

fuzz_target!(|data: &[u8]| {
    let Ok(tree) = Tree::new(data) else { return };
    assert!(tree.reservations().count() <= data.len() / 16);
    let mut events = Vec::new();
    list(&tree.root(), &mut events);
    assert!(events.len() <= data.len(), "more events than bytes");
    let mut writer = Writer::new(data.len());
    for event in &events {
        match event {
            Event::Begin(name) => {
                let Ok(name) = std::str::from_utf8(name) else { return };
                writer.begin(name);
            }
            Event::Property(name, value) => {
                let Ok(name) = std::str::from_utf8(name) else { return };
                writer.bytes(name, value);
            }
            Event::End => writer.end(),
        }
    }
    let copy = writer.finish();
    let copy = Tree::new(&copy).expect("what the writer has written is right");
    let mut again = Vec::new();
    list(&copy.root(), &mut again);
    assert_eq!(events, again);
});

fn list<'a>(node: &Node<'a>, events: &mut Vec<Event<'a>>) {
    events.push(Event::Begin(node.name));
    for property in node.properties() {
        assert!(node.property(property.name()).is_some());
        events.push(Event::Property(property.name(), property.value));
    }
    node.children().for_each(|child| list(&child, events));
    events.push(Event::End);
}
