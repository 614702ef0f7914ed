//! Aligned columns.

use core::fmt::{self, Write};

use heapless::String;

use crate::text::cut;

/// One cell; a longer text is cut.
pub type Cell = String<104>;

/// A cell of a text.
pub fn cell(text: fmt::Arguments) -> Cell {
    cut(text)
}

/// Prints a heading and rows. `row` gives the row of a number, from 0 on, until there are no more; it is asked twice, for
/// the widths and for the text.
///
/// # Errors
/// Those of `out`.
pub fn print<const N: usize>(
    out: &mut dyn Write,
    titles: [&str; N],
    row: impl Fn(usize) -> Option<[Cell; N]>,
) -> fmt::Result {
    let rows = || (0..).map_while(&row);
    let mut widths = titles.map(str::len);
    for cells in rows() {
        for (width, cell) in widths.iter_mut().zip(&cells) {
            *width = cell.len().max(*width);
        }
    }
    line(out, &widths, titles)?;
    rows().try_for_each(|cells| line(out, &widths, cells.each_ref().map(Cell::as_str)))
}

fn line<const N: usize>(out: &mut dyn Write, widths: &[usize; N], cells: [&str; N]) -> fmt::Result {
    let last = cells.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate().take(last + 1) {
        if column == last {
            out.write_str(cell)?;
        } else {
            write!(out, "{cell:width$}  ")?;
        }
    }
    out.write_char('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_without_blanks_at_the_end() {
        let rows = [["0", "linux-a", "x"], ["10", "b", ""]];
        let mut out = std::string::String::new();
        print(&mut out, ["VM", "name", "note"], |number| {
            Some(rows.get(number)?.map(|text| cell(format_args!("{text}"))))
        })
        .unwrap();
        assert_eq!(out, "VM  name     note\n0   linux-a  x\n10  b\n");
    }
}
