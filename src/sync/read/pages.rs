//! Reading a list page by page, and telling a whole list from one that was cut. Pure.
//!
//! The API has no total and no link to the next page (sheet 3.2): a list ends with a page that is not
//! full. How large a page may be is not documented, a server that loses the rest of a list sends the
//! same empty page as one that has reached its end, and when an object is deleted in between, all
//! behind it move up and one of them falls between two pages. So a list ends only where there is nothing
//! behind as many objects as were read, a page size that the server does not keep to is replaced by its
//! own, and what is not a single answer that was not full (and not empty) is read again with borders
//! elsewhere, until two readings agree.

use std::collections::HashSet;
use std::hash::Hash;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read this page.
    Ask {
        /// From 0.
        page: usize,
        /// Objects on each.
        size: usize,
    },
    /// The list is whole.
    Whole,
    /// It is not, or nobody can tell.
    Broken(Flaw),
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An object is in it twice.
    Twice,
    /// Read again and again, it was never the same.
    Changing,
    /// Pages of no fixed size.
    Ragged,
    /// Not even a few objects fit into an answer.
    TooLarge,
    /// More than anybody has.
    TooMany,
}

/// One list in the course of being read: entries and what makes each of them unique.
pub struct Pages<K, T> {
    size: usize,
    page: usize,
    entries: Vec<T>,
    keys: HashSet<K>,
    /// A page was shorter than asked for: the last one, or the server's own size.
    short: Option<usize>,
    /// The server's own size is in use.
    adapted: bool,
    /// It has said once that there is nothing behind a single answer.
    ended: bool,
    /// What the reading before this one had.
    before: Option<HashSet<K>>,
    /// Readings that were not the last word.
    readings: usize,
}

impl<K: Eq + Hash, T> Pages<K, T> {
    /// A list of which nothing is known.
    pub fn new() -> Self {
        Self {
            size: FIRST_SIZE,
            page: 0,
            entries: Vec::new(),
            keys: HashSet::new(),
            short: None,
            adapted: false,
            ended: false,
            before: None,
            readings: 0,
        }
    }

    /// What to read first.
    pub const fn ask(&self) -> Step {
        Step::Ask { page: self.page, size: self.size }
    }

    /// The page that was asked for has come.
    pub fn take(&mut self, page: Vec<(K, T)>) -> Step {
        if page.is_empty() {
            return self.end();
        }
        let count = page.len();
        // A server that does not know pages answers each time with everything.
        let known = page.iter().filter(|(key, _)| self.keys.contains(key)).count();
        let all = known == count && count == self.entries.len();
        if all && count != self.size && self.page == 1 && !self.differs() {
            return Step::Whole;
        }
        if let Some(size) = self.short {
            // The short page was not the last one.
            if self.adapted {
                return Step::Broken(Flaw::Ragged);
            }
            self.adapted = true;
            return self.restart(size);
        }
        if self.entries.len() + count > MOST {
            return Step::Broken(Flaw::TooMany);
        }
        for (key, entry) in page {
            if !self.keys.insert(key) {
                // A newcomer may have moved it on to this page while the list was read.
                return self.again(Flaw::Twice);
            }
            self.entries.push(entry);
        }
        if count != self.size {
            self.short = Some(count);
        }
        self.page += 1;
        match self.short {
            // Behind exactly these there must be nothing: a page that has lost one shows the last again.
            Some(count) if self.page == 1 => Step::Ask { page: 1, size: count },
            _ => self.ask(),
        }
    }

    /// The answer was larger than we take.
    pub fn too_large(&mut self) -> Step {
        match self.size / SHRINK {
            0 => Step::Broken(Flaw::TooLarge),
            size => self.restart(size),
        }
    }

    /// What was read, in the order of the server. Only after [`Step::Whole`].
    pub fn into_entries(self) -> Vec<T> {
        self.entries
    }

    fn end(&mut self) -> Step {
        let one_answer = self.page == 1 && self.short.is_some();
        if let (true, false, Some(size @ SMALLEST..)) = (one_answer, self.ended, self.short) {
            // It may be the server's own size, and the answer behind it may have lost the rest.
            self.ended = true;
            return Step::Ask { page: 1, size };
        }
        match &self.before {
            None if one_answer => Step::Whole,
            Some(before) if *before == self.keys => Step::Whole,
            _ => {
                let keys = std::mem::take(&mut self.keys);
                let step = self.again(Flaw::Changing);
                self.before = Some(keys);
                step
            }
        }
    }

    fn differs(&self) -> bool {
        self.before.as_ref().is_some_and(|before| *before != self.keys)
    }

    /// Once more, with borders elsewhere; `flaw` if that has been tried often enough.
    fn again(&mut self, flaw: Flaw) -> Step {
        self.readings += 1;
        if self.readings == MOST_READINGS {
            return Step::Broken(flaw);
        }
        self.restart(self.size.saturating_sub(1).max(1))
    }

    fn restart(&mut self, size: usize) -> Step {
        (self.size, self.page, self.short, self.ended) = (size, 0, None, false);
        self.entries.clear();
        self.keys.clear();
        self.ask()
    }
}

impl<K: Eq + Hash, T> Default for Pages<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Flaw {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twice => "an object is in it twice",
            Self::Changing => "read again, it was not the same: cut, or being changed",
            Self::Ragged => "its pages have no fixed size",
            Self::TooLarge => "its objects are too large",
            Self::TooMany => "it has too many objects",
        }
    }
}

/// Some objects are a kilobyte, a few are ten; an answer may have two megabytes.
pub const FIRST_SIZE: usize = 200;
/// No server has smaller pages.
const SMALLEST: usize = 20;
/// The largest objects are lists of references.
const SHRINK: usize = 8;
/// Of one type on one instance: ten times the largest system that is known.
const MOST: usize = 200_000;
/// A list that is edited all the time is not worth more of the server's.
const MOST_READINGS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn objects(count: usize) -> Vec<usize> {
        (0..count).collect()
    }

    /// Reads from a server that answers in its own way. Gives the objects and the number of requests.
    fn read(mut serve: impl FnMut(usize, usize) -> Option<Vec<usize>>) -> (Result<Vec<usize>, Flaw>, usize) {
        let mut pages = Pages::new();
        let mut step = pages.ask();
        for asked in 0..20_000 {
            match step {
                Step::Ask { page, size } => {
                    step = match serve(page, size) {
                        Some(objects) => pages.take(objects.into_iter().map(|o| (o, o)).collect()),
                        None => pages.too_large(),
                    }
                }
                Step::Whole => return (Ok(pages.into_entries()), asked),
                Step::Broken(flaw) => return (Err(flaw), asked),
            }
        }
        (Ok(Vec::new()), 20_000)
    }

    fn count(result: (Result<Vec<usize>, Flaw>, usize)) -> Result<usize, Flaw> {
        result.0.map(|objects| objects.len())
    }

    fn page(all: &[usize], page: usize, size: usize) -> Vec<usize> {
        all.iter().skip(page.saturating_mul(size)).take(size).copied().collect()
    }

    #[test]
    fn the_usual_list_costs_two_or_three_requests() {
        for (count, requests) in [(1, 2), (19, 2), (20, 3), (199, 3)] {
            let all = objects(count);
            assert_eq!(read(|p, s| Some(page(&all, p, s))), (Ok(all.clone()), requests));
        }
        assert_eq!(read(|_, _| Some(Vec::new())), (Ok(Vec::new()), 2));
    }

    #[test]
    fn a_list_that_stops_after_two_full_pages_is_not_believed() {
        let all = objects(450);
        let cut = |p: usize, s: usize| Some(if p < 2 { page(&all, p, s) } else { Vec::new() });
        assert_eq!(read(cut).0, Err(Flaw::Changing));
        let whole = objects(400);
        assert_eq!(count(read(|p, s| Some(page(&whole, p, s)))), Ok(400));
    }

    /// Once.
    #[test]
    fn a_page_that_loses_objects_is_noticed() {
        let all = objects(50);
        for lost in [0, 1, 20, 49, 50] {
            let mut first = true;
            let loses = |p: usize, s: usize| {
                let mut answer = page(&all, p, s);
                if std::mem::take(&mut first) {
                    answer.drain(50 - lost..);
                }
                Some(answer)
            };
            assert_eq!(read(loses).0, Ok(all.clone()), "{lost}");
        }
    }

    #[test]
    fn a_server_without_pages_and_one_that_repeats_itself() {
        let all = objects(50);
        assert_eq!(count(read(|_, _| Some(all.clone()))), Ok(50));
        let full = objects(FIRST_SIZE);
        assert_eq!(count(read(|_, _| Some(full.clone()))), Ok(FIRST_SIZE));
        let twice = |p: usize, s: usize| Some(page(&all, p.min(1), s.min(30)));
        assert_eq!(read(twice).0, Err(Flaw::Ragged));
        let doubled: Vec<usize> = all.iter().chain(&all[..1]).copied().collect();
        assert_eq!(read(|p, s| Some(page(&doubled, p, s))).0, Err(Flaw::Twice));
        let grows = |p: usize, _: usize| Some(page(&objects(4000), p, p + 3));
        assert!(read(grows).0.is_err());
        // It takes the size, and gives the first page again and again.
        let long = objects(450);
        assert!(read(|_, s| Some(page(&long, 0, s))).0.is_err());
    }

    proptest! {
        /// Whatever the server's largest page and its largest answer are.
        #[test]
        fn a_list_is_whole(count in 0_usize..700, own in 1_usize..400, fits in 4_usize..400) {
            let all = objects(count);
            let serve = |p: usize, s: usize| {
                let answer = page(&all, p, s.min(own));
                (answer.len() <= fits).then_some(answer)
            };
            prop_assert_eq!(read(serve).0, Ok(all.clone()));
        }

        /// A list that loses its end at a page border is never taken for a whole one.
        #[test]
        fn a_cut_list_is_not(count in 0_usize..900, most in 1_usize..4) {
            let all = objects(count);
            let serve = |p: usize, s: usize| Some(if p < most { page(&all, p, s) } else { Vec::new() });
            let (result, _) = read(serve);
            prop_assert!(result == Ok(all.clone()) || result.is_err(), "{:?} of {}", result, count);
        }

        /// Objects come and go while the list is read: what is taken for whole was there at one moment.
        #[test]
        fn an_edited_list_is_read_as_it_was_at_one_moment(
            count in 150_usize..900,
            edits in proptest::collection::vec((1_usize..12, any::<bool>(), 0_usize..1000), 0..4),
        ) {
            let mut all = objects(count);
            let mut states = vec![all.clone()];
            let mut asked = 0;
            let (result, _) = read(|p, s| {
                asked += 1;
                for (_, adds, at) in edits.iter().filter(|(when, ..)| *when == asked) {
                    let at = at % (all.len() + 1);
                    if *adds {
                        all.insert(at, 10_000 + asked * 1000 + at);
                    } else if at < all.len() {
                        all.remove(at);
                    }
                    states.push(all.clone());
                }
                Some(page(&all, p, s))
            });
            if let Ok(objects) = result {
                prop_assert!(states.contains(&objects), "{} objects of {count}", objects.len());
            }
        }
    }
}
