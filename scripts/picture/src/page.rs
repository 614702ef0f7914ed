//! The page that is drawn on: text, boxes and lines, without knowing what of.

use svg::Document;
use svg::node::element::{Circle, Line, Rectangle, Text, Title};

use crate::palette;

/// Around everything.
pub const MARGIN: f64 = 24.0;
/// What a browser, or a converter, is to write with.
const FONT: &str = "DejaVu Sans, Verdana, Arial, sans-serif";

/// How heavy text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As usual.
    Plain,
    /// For headings and names.
    Bold,
}

/// Where text stands from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// A page that grows downwards.
pub struct Page {
    width: f64,
    nodes: Vec<Box<dyn svg::Node>>,
}

impl Page {
    /// An empty page.
    pub fn new(width: f64) -> Self {
        Self { width, nodes: Vec::new() }
    }

    /// Its width.
    pub const fn width(&self) -> f64 {
        self.width
    }

    /// Text from a point on, whose second number is the line it stands on.
    pub fn text(&mut self, at: [f64; 2], style: (f64, Weight), colour: &str, text: &str) {
        self.anchored(Anchor::Start, at, style, colour, text);
    }

    /// Text at a point.
    pub fn anchored(&mut self, anchor: Anchor, at: [f64; 2], style: (f64, Weight), colour: &str, text: &str) {
        self.add(text_node(anchor, at, style, colour, text));
    }

    /// Text that is set off from the lines below it.
    pub fn halo(&mut self, anchor: Anchor, [x, y]: [f64; 2], (size, weight): (f64, Weight), colour: &str, text: &str) {
        if !text.is_empty() {
            let node = text_node(anchor, [x, y], (size, weight), colour, text);
            self.add(node.set("paint-order", "stroke").set("stroke", palette::PAPER).set("stroke-width", "4"));
        }
    }

    /// A heading with a rule beside it.
    pub fn heading(&mut self, y: f64, text: &str) {
        self.text([MARGIN, y], (13.0, Weight::Bold), palette::INK, text);
        let start = MARGIN + width_of(text, 13.0) * 1.1 + 10.0;
        self.line([start, y - 4.0, self.width - MARGIN, y - 4.0], palette::RULE, 1.0);
    }

    /// A box. What it is for is told by those who point at it.
    pub fn tile(&mut self, [x, y, width, height]: [f64; 4], fill: &str, outline: &str, about: &str) {
        let tile = Rectangle::new()
            .set("x", number(x))
            .set("y", number(y))
            .set("width", number(width))
            .set("height", number(height))
            .set("rx", number(height.min(width).min(8.0) / 2.0))
            .set("fill", fill)
            .set("stroke", outline);
        self.add(if about.is_empty() { tile } else { tile.add(Title::new(about)) });
    }

    /// A line.
    pub fn line(&mut self, ends: [f64; 4], colour: &str, width: f64) {
        let [x1, y1, x2, y2] = ends.map(number);
        let line = Line::new().set("x1", x1).set("y1", y1).set("x2", x2).set("y2", y2);
        self.add(line.set("stroke", colour).set("stroke-width", number(width)).set("stroke-linecap", "round"));
    }

    /// A dot.
    pub fn dot(&mut self, x: f64, y: f64, radius: f64, fill: &str, outline: &str) {
        let dot = Circle::new().set("cx", number(x)).set("cy", number(y)).set("r", number(radius));
        self.add(dot.set("fill", fill).set("stroke", outline).set("stroke-width", "2"));
    }

    fn add(&mut self, node: impl svg::Node) {
        self.nodes.push(Box::new(node));
    }

    /// The file.
    pub fn finish(self, height: f64) -> String {
        let (width, height) = (number(self.width), number(height));
        let paper = Rectangle::new().set("width", "100%").set("height", "100%").set("fill", palette::PAPER);
        let mut document = Document::new()
            .set("viewBox", format!("0 0 {width} {height}"))
            .set("width", width)
            .set("height", height)
            .set("font-family", FONT)
            .add(paper);
        for node in self.nodes {
            document = document.add(node);
        }
        format!("{document}\n")
    }
}

fn text_node(anchor: Anchor, [x, y]: [f64; 2], (size, weight): (f64, Weight), colour: &str, text: &str) -> Text {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let node = Text::new(text).set("x", number(x)).set("y", number(y)).set("font-size", number(size));
    let node = node.set("fill", colour).set("text-anchor", anchor);
    if weight == Weight::Bold { node.set("font-weight", "bold") } else { node }
}

/// A coordinate, to a tenth.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// How wide a text of this size is, rather too much than too little.
pub fn width_of(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.61
}

/// As much of a text as is no wider than `most`.
pub fn cut(text: &str, size: f64, most: f64) -> String {
    if width_of(text, size) <= most {
        return text.to_owned();
    }
    let room = (most / (size * 0.61)) as usize;
    text.chars().take(room.saturating_sub(1)).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!([1.0, 1.26, 0.04, 100.0].map(number), ["1", "1.3", "0", "100"]);
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(cut("linux-a", 10.0, 100.0), "linux-a");
        assert_eq!(cut("linux-a", 10.0, 25.0), "lin\u{2026}");
        assert!(width_of(&cut("a-name-of-16-cha", 12.0, 60.0), 12.0) <= 60.0);
    }
}
