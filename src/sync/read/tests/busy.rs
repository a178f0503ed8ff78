//! Instances that are busy, silent, or answer late.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::sync::read::ask::Line;

/// Answers the simulator's words, but for what a test says.
struct Moody<F> {
    sim: Sim,
    mood: F,
    asked: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl<F> Moody<F> {
    fn new(mood: F) -> Self {
        let (asked, running, most) = Default::default();
        Self { sim: Sim::new(|_| {}), mood, asked, running, most }
    }
}

impl<F: Fn(usize) -> Option<Result<Answer, Unanswered>> + Sync> Ask for Moody<F> {
    async fn get(&self, path: &str) -> Result<Answer, Unanswered> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        // So that others have their turn.
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        match (self.mood)(number) {
            Some(answer) => answer,
            None => self.sim.get(path).await,
        }
    }
}

fn status(status: u16) -> Result<Answer, Unanswered> {
    let status = StatusCode::from_u16(status).unwrap();
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "3600".parse().unwrap())]);
    Ok(Answer { status, headers, body: Bytes::from_static(b"<html>") })
}

#[test]
fn four_questions_at_once() {
    let moody = Moody::new(|_| None);
    read(&moody, &Past::default());
    assert_eq!(moody.most.into_inner(), 4);
}

#[test]
fn a_busy_instance_is_asked_again_and_fewer_at_once() {
    let moody = Moody::new(|number| (number % 9 == 5).then(|| status(503)));
    assert_eq!(doubts(&read(&moody, &Past::default()).snapshot), Vec::<String>::new());
    let moody = Moody::new(|number| (number > 40).then(|| status(429)));
    let snapshot = read(&moody, &Past::default()).snapshot;
    let words: std::collections::BTreeSet<String> = snapshot
        .lists
        .values()
        .flat_map(|listing| &listing.distrust)
        .filter(|why| !matches!(why, Distrust::Parent(_) | Distrust::Members(..)))
        .map(ToString::to_string)
        .collect();
    assert_eq!(words.into_iter().collect::<Vec<_>>(), ["answered with status 429"]);
}

/// Others wait, too: who is busy is busy for all.
#[test]
fn nobody_is_asked_while_an_instance_wants_to_be_left_alone() {
    let moody = Moody::new(|number| (number == 0).then(|| status(503)));
    let patience = Patience { first: Duration::from_secs(1), longest: Duration::from_millis(30) };
    let line = Line::new(&moody, patience);
    let began = std::time::Instant::now();
    let answer = block(line.get("/API/rest/v1/sites?page=0&size=1")).unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert!(began.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_connection_that_breaks_once_is_no_doubt() {
    let broken = || Some(Err(Unanswered::Silent("reset".to_owned())));
    let moody = Moody::new(|number| if number % 7 == 3 { broken() } else { None });
    assert_eq!(doubts(&read(&moody, &Past::default()).snapshot), Vec::<String>::new());
}

#[test]
fn an_instance_that_has_stopped_answering_is_left_alone() {
    let moody = Moody::new(|number| (number > 20).then(|| Err(Unanswered::Silent("refused".to_owned()))));
    let reading = read_with(&moody, &Past::default(), &Want::default());
    assert!(matches!(reading, Err(ReadError::Silent(_))));
    assert!(moody.asked.into_inner() < 40);
}

#[test]
fn answers_that_are_too_large_are_asked_for_in_smaller_pages() {
    let sizes = Mutex::new(Vec::new());
    struct Small<'a>(&'a Sim, &'a Mutex<Vec<usize>>);
    impl Ask for Small<'_> {
        async fn get(&self, path: &str) -> Result<Answer, Unanswered> {
            let size: usize = path.rsplit_once("size=").unwrap().1.parse().unwrap();
            self.1.lock().unwrap().push(size);
            if size > 30 { Err(Unanswered::TooLarge) } else { self.0.get(path).await }
        }
    }
    let sim = Sim::new(|settings| settings.cameras = 60);
    let reading = read(&Small(&sim, &sizes), &Past::default());
    assert_eq!(doubts(&reading.snapshot), Vec::<String>::new());
    assert_eq!(reading.snapshot.trusted(kind("cameras")).unwrap().len(), 60);
    assert!(sizes.into_inner().unwrap().contains(&25));
}
