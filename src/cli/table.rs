//! Columns for people.

/// Lays rows out in columns that are as wide as their widest cell; the first row is the heading.
/// Cells come from the network: control characters, which could steer a terminal, are replaced.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|r| r.iter().map(|c| printable(c)).collect()).collect();
    let count = cells.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        cells.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in &cells {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, w)| format!("{cell:w$}")).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// Text that cannot steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_direction(c) { '?' } else { c }).collect()
}

/// What turns the direction of writing, so that a text reads as another.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_end_without_blanks() {
        let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let text = columns(&[row(&["SITE", "BY", ""]), row(&["a-long-name", "b", "x"]), row(&["s"])]);
        assert_eq!(text, "SITE         BY\na-long-name  b   x\ns\n");
    }

    #[test]
    fn a_terminal_cannot_be_steered() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a?[2Jb?");
        assert_eq!(printable("ma\u{202e}gp.exe"), "ma?gp.exe");
    }
}
