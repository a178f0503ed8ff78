//! What is wrong with a configuration, said so that a person can repair it: where, what, and how.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The configuration file.
    pub file: PathBuf,
    /// Line, from 1; `None` when nothing in the file is to blame (a missing table, a reload).
    pub line: Option<usize>,
    /// Column in characters, from 1; known exactly when the line is.
    pub column: Option<usize>,
    /// Table and key: `[listener] address`, `[[site]] "hq": standby`. Empty for the whole file.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Every mistake of a configuration at once, in the order of the file.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", one_a_line(.complaints))]
pub struct LoadError {
    /// At least one.
    pub complaints: Vec<Complaint>,
    /// The configuration file and the files that it names. A reload waits for changes in these
    /// too: the missing certificate may arrive after the configuration.
    pub files: Vec<PathBuf>,
}

fn one_a_line(complaints: &[Complaint]) -> String {
    complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Where a value stands in the file: a byte offset.
pub type At = usize;

/// Collects errors and warnings and turns byte offsets into lines.
pub(super) struct Collector<'a> {
    file: &'a Path,
    text: &'a str,
    errors: Vec<(Option<At>, Complaint)>,
    warnings: Vec<(Option<At>, Complaint)>,
}

impl<'a> Collector<'a> {
    pub(super) const fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Something that prevents a start.
    pub(super) fn error(
        &mut self,
        at: impl Into<Option<At>>,
        place: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let at = at.into();
        let complaint = self.complaint(at, place.into(), problem.into(), remedy.into());
        self.errors.push((at, complaint));
    }

    /// Something that a person should know.
    pub(super) fn warning(
        &mut self,
        at: impl Into<Option<At>>,
        place: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let at = at.into();
        let complaint = self.complaint(at, place.into(), problem.into(), remedy.into());
        self.warnings.push((at, complaint));
    }

    pub(super) const fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Errors and warnings, each in the order of the file.
    pub(super) fn finish(mut self) -> (Vec<Complaint>, Vec<Complaint>) {
        // Stable: complaints about one value stay in the order in which they were found.
        self.errors.sort_by_key(|(at, _)| *at);
        self.warnings.sort_by_key(|(at, _)| *at);
        let strip = |list: Vec<(Option<At>, Complaint)>| list.into_iter().map(|(_, c)| c).collect();
        (strip(self.errors), strip(self.warnings))
    }

    fn complaint(&self, at: Option<At>, place: String, problem: String, remedy: String) -> Complaint {
        let (line, column) = at.map(|at| position(self.text, at)).unzip();
        Complaint { file: self.file.to_owned(), line, column, place, problem, remedy }
    }
}

/// Line and column, both from 1, of a byte offset. An offset past the end is the end.
pub(super) fn position(text: &str, at: At) -> (usize, usize) {
    // Not `&text[..at]`: an offset inside a character must not panic.
    let bytes = text.as_bytes();
    let before = bytes.get(..at).unwrap_or(bytes);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |p| p + 1);
    // Continuation bytes belong to the character before them.
    let column = before.iter().skip(start).filter(|b| **b & 0xC0 != 0x80).count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = "a = 1\nü = \"x\"\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 4), (1, 5));
        assert_eq!(position(text, 6), (2, 1));
        assert_eq!(position(text, 8), (2, 2));
        assert_eq!(position(text, 7), (2, 2), "inside a character");
        assert_eq!(position(text, 9999), (3, 1));
        assert_eq!(position("", 0), (1, 1));
    }

    #[test]
    fn a_complaint_reads_like_a_compiler_message() {
        let mut c = Collector::new(Path::new("gatekeeper.toml"), "\n\nx");
        c.error(2, "[[site]] \"hq\": standby", "there is no instance \"c\"", "define it");
        c.error(None, "", "there is no [[site]]", "add one");
        let (errors, warnings) = c.finish();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "gatekeeper.toml: there is no [[site]]; add one",
                "gatekeeper.toml:3: [[site]] \"hq\": standby: there is no instance \"c\"; define it",
            ]
        );
        assert!(warnings.is_empty());
    }
}
