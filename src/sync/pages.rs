//! Reading a list page by page, and telling a whole list from one that was cut. Pure.
//!
//! The API has no total and no link to the next page (sheet 3.2): a list ends with a page that is not
//! full. How large a page may be is not documented, and a server that loses the rest of a list sends
//! the same empty page as one that has reached its end. So the end is an empty page, a page size that
//! the server does not keep to is replaced by its own, and a list that ends on a full page is read
//! once more with another size.

use std::collections::HashSet;

use crate::idmap::guid::Guid;
use crate::idmap::matcher::Object;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Read this page.
    Ask { page: usize, size: usize },
    /// The list is whole.
    Whole,
    /// It is not, or nobody can tell.
    Broken(Flaw),
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// An object is in it twice.
    Twice,
    /// Read twice, it was not the same.
    Changing,
    /// Pages of no fixed size.
    Ragged,
    /// Not even a few objects fit into an answer.
    TooLarge,
    /// More than anybody has.
    TooMany,
}

/// One list in the course of being read.
pub(super) struct Pages {
    size: usize,
    page: usize,
    objects: Vec<Object>,
    ids: HashSet<Guid>,
    /// A page was shorter than asked for: the last one, or the server's own size.
    short: Option<usize>,
    /// The server's own size is in use.
    adapted: bool,
    /// What was read before, if this is the second time.
    before: Option<HashSet<Guid>>,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            size: FIRST_SIZE,
            page: 0,
            objects: Vec::new(),
            ids: HashSet::new(),
            short: None,
            adapted: false,
            before: None,
        }
    }

    pub(super) const fn ask(&self) -> Step {
        Step::Ask { page: self.page, size: self.size }
    }

    /// The page that was asked for has come.
    pub(super) fn take(&mut self, page: Vec<Object>) -> Step {
        if page.is_empty() {
            return self.end();
        }
        let count = page.len();
        // A server that does not know pages answers each time with everything.
        let known = page.iter().filter(|o| self.ids.contains(&o.id)).count();
        if known == count && count == self.objects.len() && self.page == 1 {
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
        if self.objects.len() + count > MOST {
            return Step::Broken(Flaw::TooMany);
        }
        for object in page {
            if !self.ids.insert(object.id) {
                return Step::Broken(Flaw::Twice);
            }
            self.objects.push(object);
        }
        if count != self.size {
            self.short = Some(count);
        }
        self.page += 1;
        self.ask()
    }

    /// The answer was larger than we take.
    pub(super) fn too_large(&mut self) -> Step {
        match self.size / SHRINK {
            0 => Step::Broken(Flaw::TooLarge),
            size => self.restart(size),
        }
    }

    pub(super) fn into_objects(self) -> Vec<Object> {
        self.objects
    }

    fn end(&mut self) -> Step {
        match &self.before {
            Some(before) if *before != self.ids => Step::Broken(Flaw::Changing),
            Some(_) => Step::Whole,
            None if self.short.is_some() || self.objects.is_empty() || self.size == 1 => Step::Whole,
            None => {
                self.before = Some(std::mem::take(&mut self.ids));
                self.restart(self.size - 1)
            }
        }
    }

    fn restart(&mut self, size: usize) -> Step {
        (self.size, self.page, self.short) = (size, 0, None);
        self.objects.clear();
        self.ids.clear();
        self.ask()
    }
}

/// Some objects are a kilobyte, a few are ten; an answer may have two megabytes.
const FIRST_SIZE: usize = 200;
/// The largest objects are lists of references.
const SHRINK: usize = 8;
/// Of one kind on one instance: ten times the largest system that is known.
const MOST: usize = 200_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn objects(count: usize) -> Vec<Object> {
        let id = |n: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            Guid::new(bytes)
        };
        let name = String::new;
        let object = |n| Object { id: id(n), name: name(), parent: None, address: name(), channel: None };
        (0..count).map(object).collect()
    }

    /// Reads from a server that answers in its own way. Gives the objects and the number of requests.
    fn read(serve: impl Fn(usize, usize) -> Option<Vec<Object>>) -> (Result<usize, Flaw>, usize) {
        let mut pages = Pages::new();
        let mut step = pages.ask();
        for asked in 0..5000 {
            match step {
                Step::Ask { page, size } => {
                    step = match serve(page, size) {
                        Some(objects) => pages.take(objects),
                        None => pages.too_large(),
                    }
                }
                Step::Whole => return (Ok(pages.into_objects().len()), asked),
                Step::Broken(flaw) => return (Err(flaw), asked),
            }
        }
        (Ok(usize::MAX), 5000)
    }

    fn page(all: &[Object], page: usize, size: usize) -> Vec<Object> {
        all.iter().skip(page.saturating_mul(size)).take(size).cloned().collect()
    }

    #[test]
    fn the_usual_list_costs_one_request_more_than_it_has_pages() {
        let all = objects(50);
        assert_eq!(read(|p, s| Some(page(&all, p, s))), (Ok(50), 2));
        assert_eq!(read(|_, _| Some(Vec::new())), (Ok(0), 1));
    }

    #[test]
    fn a_list_that_stops_after_two_full_pages_is_not_believed() {
        let all = objects(450);
        let cut = |p: usize, s: usize| Some(if p < 2 { page(&all, p, s) } else { Vec::new() });
        assert_eq!(read(cut).0, Err(Flaw::Changing));
        let whole = objects(400);
        assert_eq!(read(|p, s| Some(page(&whole, p, s))).0, Ok(400));
    }

    #[test]
    fn a_server_without_pages_and_one_that_repeats_itself() {
        let all = objects(50);
        assert_eq!(read(|_, _| Some(all.clone())).0, Ok(50));
        let twice = |p: usize, s: usize| Some(page(&all, p.min(1), s.min(30)));
        assert_eq!(read(twice).0, Err(Flaw::Ragged));
        let doubled: Vec<Object> = all.iter().chain(&all[..1]).cloned().collect();
        assert_eq!(read(|p, s| Some(page(&doubled, p, s))).0, Err(Flaw::Twice));
        let grows = |p: usize, _: usize| Some(page(&objects(4000), p, p + 3));
        assert!(read(grows).0.is_err());
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
            prop_assert_eq!(read(serve).0, Ok(count));
        }

        /// A list that loses its end at a page border is never taken for a whole one.
        #[test]
        fn a_cut_list_is_not(count in 0_usize..900, most in 1_usize..4) {
            let all = objects(count);
            let serve = |p: usize, s: usize| Some(if p < most { page(&all, p, s) } else { Vec::new() });
            let (result, _) = read(serve);
            prop_assert!(result == Ok(count) || result.is_err(), "{:?} of {}", result, count);
        }
    }
}
