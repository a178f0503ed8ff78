//! How results look to people.

use std::time::Duration;

/// Columns side by side: the first to the left, numbers to the right.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    // A short row is a remark; it must not widen its column.
    let full = |row: &&Vec<String>| row.len() == count;
    let width =
        |column: usize| rows.iter().filter(full).map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| match n {
            0 => format!("{cell:<width$}", width = *width),
            _ if row.len() < count => format!("  {cell}"),
            _ => format!("  {cell:>width$}", width = *width),
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Columns of words side by side, all to the left.
pub fn list(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// A span as a person reads it.
pub fn time(span: Option<Duration>) -> String {
    match span {
        None => "-".into(),
        Some(span) if span < Duration::from_secs(1) => format!("{:.1} ms", span.as_secs_f64() * 1000.0),
        Some(span) => format!("{:.2} s", span.as_secs_f64()),
    }
}
