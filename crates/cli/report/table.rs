//! Tables that fit a terminal.

use std::io;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

/// The width if standard output is not a terminal.
const USUAL: usize = 80;

/// Blanks between two columns.
const GAP: usize = 2;

/// The least width of a name before it is broken into lines.
const LEAST: usize = 16;

/// The width for printing: that of the terminal.
pub fn width() -> usize {
    let size = terminal_size::terminal_size_of(io::stdout());
    size.map_or(USUAL, |(width, _)| width.0.into())
}

/// Columns of text, each with its head, of which those from `numbers` on are aligned to the right.
pub struct Columns {
    pub heads: Vec<String>,
    pub numbers: usize,
    pub rows: Vec<Vec<String>>,
}

impl Columns {
    /// The table in so many columns. Where not all have room, others follow below, again with the first ones up
    /// to `fixed`; names that are too long are broken.
    pub fn shown(&self, fixed: usize, width: usize) -> String {
        let mut text = String::new();
        for block in self.blocks(fixed, width) {
            if !text.is_empty() {
                text.push('\n');
            }
            let columns: Vec<usize> = (0..fixed).chain(block).collect();
            text += &self.block(&columns, width);
        }
        text
    }

    /// Whether all of it fits in so many columns, side by side and unbroken.
    pub fn fits(&self, width: usize) -> bool {
        let all = (0..self.heads.len()).map(|column| self.widest(column) + GAP);
        all.sum::<usize>() <= width + GAP
    }

    /// The widest text of a column.
    fn widest(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| &row[column]);
        let cells = cells.chain([&self.heads[column]]);
        cells.map(|text| text.chars().count()).max().unwrap_or(0)
    }

    /// The columns behind the fixed ones, as many at a time as there is room for.
    fn blocks(&self, fixed: usize, width: usize) -> Vec<std::ops::Range<usize>> {
        let taken: usize = (1..fixed).map(|column| self.widest(column) + GAP).sum();
        let taken = taken + self.widest(0).min(LEAST);
        let mut blocks = Vec::new();
        let mut start = fixed;
        while start < self.heads.len() {
            let (mut end, mut sum) = (start, taken);
            while end < self.heads.len() && (end == start || sum + GAP + self.widest(end) <= width)
            {
                sum += GAP + self.widest(end);
                end += 1;
            }
            blocks.push(start..end);
            start = end;
        }
        if blocks.is_empty() {
            blocks.push(fixed..fixed);
        }
        blocks
    }

    fn block(&self, columns: &[usize], width: usize) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let of = |row: &Vec<String>| -> Vec<String> {
            columns.iter().map(|column| row[*column].clone()).collect()
        };
        table.set_header(of(&self.heads));
        for row in &self.rows {
            table.add_row(of(row));
        }
        for column in table.column_iter_mut().skip(self.numbers) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let others: usize = columns.iter().skip(1).map(|c| self.widest(*c) + GAP).sum();
        let room = width.saturating_sub(others).max(LEAST);
        if self.widest(0) > room {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // a blank at each side; the outer ones are trimmed
            table.set_width((others + room + GAP) as u16);
            for (place, column) in table.column_iter_mut().enumerate() {
                column.set_constraint(match place {
                    0 => ColumnConstraint::Absolute(Width::Fixed((room + GAP) as u16)),
                    _ => ColumnConstraint::ContentWidth,
                });
            }
        }
        let line =
            |line: String| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end());
        table.lines().map(line).collect()
    }
}

/// Short heads for names that are too wide for heads: A, B, …
pub fn letters(count: usize) -> Vec<String> {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    let name = |n: usize| match n {
        0..26 => letter(n).to_string(),
        _ => format!("{}{}", letter(n / 26 - 1), letter(n)),
    };
    (0..count).map(name).collect()
}

/// Comma-separated parts, in lines of at most `width` columns unless a part is longer.
pub fn listed(parts: impl IntoIterator<Item = String>, width: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for part in parts {
        let length = part.chars().count();
        if column > 0 && column + 2 + length + 1 > width {
            text += ",\n";
            column = 0;
        } else if column > 0 {
            text += ", ";
            column += 2;
        }
        text += &part;
        column += length;
    }
    text + "\n"
}

/// Words after a head, indented, in lines of at most `width` columns unless a word is longer.
pub fn wrapped<'a>(head: &str, words: impl IntoIterator<Item = &'a str>, width: usize) -> String {
    let indent = " ".repeat(head.chars().count());
    let mut text = String::new();
    let mut line = head.to_owned();
    for word in words {
        let is_first = line == head || line == indent;
        if !is_first && line.chars().count() + 1 + word.chars().count() > width {
            text += &format!("{line}\n");
            line.clone_from(&indent);
        }
        line += &format!(" {word}");
    }
    text + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(name: &str, variants: usize) -> Columns {
        let head = ["chunk", "form", "source"].map(str::to_owned);
        let row = [name, "bytecode", "123456"].map(str::to_owned);
        Columns {
            heads: head.into_iter().chain(letters(variants)).collect(),
            numbers: 2,
            rows: vec![
                row.into_iter()
                    .chain(vec!["123456".into(); variants])
                    .collect(),
            ],
        }
    }

    #[test]
    fn tables_fit_whatever_they_hold() {
        for (name, variants) in [
            ("a", 1),
            ("a", 6),
            ("telnet-createServer", 6),
            (&"x-".repeat(31), 6),
            (&"y".repeat(63), 30),
        ] {
            for width in [60, 80, 132] {
                let text = columns(name, variants).shown(3, width);
                let widest = text.lines().map(str::len).max().unwrap();
                assert!(widest <= width, "{name}, {variants}, {width}:\n{text}");
                let figures = text.matches("123456").count();
                assert!(figures > variants, "{text}");
            }
        }
        assert_eq!(
            wrapped("ab", ["c", "d", "e", "longer"], 7),
            "ab c d\n   e\n   longer\n"
        );
        assert_eq!(letters(28)[25..], ["Z", "AA", "AB"]);
        assert_eq!(
            listed(["ab".into(), "cd".into(), "ef".into()], 7),
            "ab, cd,\nef\n"
        );
    }
}
