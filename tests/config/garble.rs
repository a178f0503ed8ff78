//! Any input gives an answer, and the answer points at the line that is wrong.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;

use crate::documents::everything;
use crate::world::World;

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static EVERYTHING: LazyLock<String> = LazyLock::new(everything);

/// Numbers (from 0) of the lines of [`EVERYTHING`] that hold a setting.
fn settings() -> Vec<usize> {
    let is_setting = |l: &str| l.contains(" = ") && !l.starts_with('#');
    EVERYTHING.lines().enumerate().filter(|(_, l)| is_setting(l)).map(|(n, _)| n).collect()
}

fn with_line(number: usize, change: impl Fn(&str) -> String) -> String {
    let line = |(n, l): (usize, &str)| if n == number { change(l) } else { l.to_owned() };
    EVERYTHING.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// The lines (from 1) of all complaints about a text.
fn lines_of(text: &str) -> Vec<Option<usize>> {
    WORLD
        .parse(text.as_bytes())
        .map_or_else(|e| e.complaints.iter().map(|c| c.line).collect(), |_| Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = WORLD.parse(&bytes);
    }

    #[test]
    fn overwritten_parts_never_panic(at in 0usize..8000, part in "\\PC{0,20}", length in 0usize..40) {
        let text = EVERYTHING.as_bytes();
        let at = at.min(text.len());
        let end = (at + length).min(text.len());
        let garbled = [&text[..at], part.as_bytes(), &text[end..]].concat();
        let _ = WORLD.parse(&garbled);
    }

    #[test]
    fn toml_like_text_never_panics(
        lines in proptest::collection::vec("(\\[\\[?[a-z.]{1,12}\\]?\\]|[a-z_.*\"\\[\\]]{1,12} = [\\PC]{0,20})", 0..30)
    ) {
        let _ = WORLD.parse(lines.join("\n").as_bytes());
    }

    #[test]
    fn strings_in_every_value_never_panic(line in select(settings()), value in "\\PC{0,300}") {
        let text = with_line(line, |l| format!("{} = {value:?}", l.split(" = ").next().unwrap()));
        let _ = WORLD.parse(text.as_bytes());
        let text = with_line(line, |l| format!("{} = [{value:?}]", l.split(" = ").next().unwrap()));
        let _ = WORLD.parse(text.as_bytes());
    }
}

#[test]
fn a_value_of_the_wrong_type_is_found_on_its_line() {
    for line in settings() {
        // No key takes a date.
        let text = with_line(line, |l| format!("{} = 1979-05-27", l.split(" = ").next().unwrap()));
        let first = lines_of(&text).first().copied();
        assert!(lines_of(&text).contains(&Some(line + 1)), "line {}: {first:?}\n{text}", line + 1);
    }
}

#[test]
fn a_value_that_was_deleted_is_found_on_its_line() {
    for line in settings() {
        let text = with_line(line, |l| format!("{} = ", l.split(" = ").next().unwrap()));
        assert_eq!(lines_of(&text).first(), Some(&Some(line + 1)), "{text}");
    }
}

#[test]
fn a_mistyped_key_is_found_on_its_line() {
    for line in settings() {
        let text = with_line(line, |l| format!("x{l}"));
        assert!(lines_of(&text).contains(&Some(line + 1)), "line {}\n{text}", line + 1);
    }
}

#[test]
fn a_required_key_that_was_deleted_is_missed_in_its_table() {
    for line in settings() {
        let text = with_line(line, |_| String::new());
        let complaints = lines_of(&text);
        if complaints.is_empty() {
            continue; // it has a default
        }
        let header = EVERYTHING.lines().take(line).collect::<Vec<_>>();
        let header = header.iter().rposition(|l| l.starts_with('[')).unwrap();
        assert!(complaints.contains(&Some(header + 1)) || explained(line), "line {}\n{text}", line + 1);
    }
}

/// Deleting this makes another key wrong, which is where the complaint belongs.
fn explained(line: usize) -> bool {
    EVERYTHING.lines().nth(line).is_some_and(|l| l.starts_with("name = \"a\"") || l.starts_with("primary"))
}
