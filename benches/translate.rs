//! How fast ids are translated: `nice cargo bench --bench translate`. Bytes a second on one core.
//!
//! The text is what `/API/rest/v1/cameras` answers for 5,000 cameras, in parts of 16 KiB as they come
//! from a socket; every camera has five ids. It does not show what the socket, TLS and HTTP cost.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gatekeeper::idmap::guid::Guid;
use gatekeeper::idmap::map::{Link, Map, View};
use gatekeeper::idmap::translate::Translator;
use gatekeeper::metrics::Metrics;

#[path = "../tests/support/plain.rs"]
mod plain;

const CAMERAS: u64 = 5_000;
const PART: usize = 16 * 1024;

/// Ids that look like random ones, the same in every run.
fn id(side: u64, n: u64) -> Guid {
    let mix = |n: u64| (n ^ n >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.rotate_left(29);
    let (high, low) = (mix(side << 40 | n), mix(mix(side << 50 | n)));
    Guid::new((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

/// The answer of the instance `side`.
fn cameras(side: u64) -> Bytes {
    let one = |n: u64| {
        let (camera, hardware, storage) = (id(side, n), id(side, 10_000 + n), id(side, 20_000 + n / 100));
        format!(
            r#"{{"displayName":"Gate {n}","enabled":true,"id":"{camera}","name":"Gate {n}","description":"","channel":0,"createdDate":"2024-05-02T10:11:12.1300000Z","lastModified":"2025-01-31T08:15:30.1230000Z","gisPoint":"POINT (12.377 55.658)","icon":0,"shortName":"","coverageDirection":0.0,"coverageDepth":0.0,"coverageFieldOfView":0.0,"recordingEnabled":true,"recordingFramerate":5.0,"recordKeyframesOnly":false,"recordOnRelatedDevices":true,"recordingStorage":{{"type":"storages","id":"{storage}"}},"prebufferEnabled":true,"prebufferInMemory":true,"prebufferSeconds":3,"edgeStorageEnabled":false,"edgeStoragePlaybackEnabled":false,"manualRecordingTimeoutEnabled":true,"manualRecordingTimeoutMinutes":5,"failoverSetting":"FullSupport","ptzEnabled":false,"relations":{{"parent":{{"type":"hardware","id":"{hardware}"}},"self":{{"type":"cameras","id":"{camera}"}}}}}}"#
        )
    };
    let all: Vec<String> = (0..CAMERAS).map(one).collect();
    format!(r#"{{"array":[{}]}}"#, all.join(",")).into()
}

/// How the primary sees a site of which everything is linked.
fn primary() -> Arc<View> {
    let config = plain::config();
    let numbers = (0..CAMERAS).flat_map(|n| [n, 10_000 + n, 20_000 + n]);
    let links: Vec<Link> = numbers
        .map(|n| Link { kind: "any".into(), ids: vec![("a".into(), id(1, n)), ("b".into(), id(2, n))] })
        .collect();
    let (map, contradictions) = Map::new(&config, &links, &Metrics::new().unwrap());
    assert_eq!(contradictions, []);
    map.view("hq", "a").unwrap().clone()
}

fn translate(view: &Arc<View>, text: &Bytes) -> usize {
    let (mut translator, mut len) = (Translator::new(view.clone()), 0);
    let mut out = |bytes: Bytes| len += black_box(bytes).len();
    for start in (0..text.len()).step_by(PART) {
        translator.push(text.slice(start..text.len().min(start + PART)), &mut out);
    }
    translator.finish(&mut out);
    assert_eq!(len, text.len());
    len
}

fn benches(c: &mut Criterion) {
    let view = primary();
    let own = cameras(1);
    let plain = Bytes::from(std::str::from_utf8(&own).unwrap().replace('-', "_"));
    let mut group = c.benchmark_group("translate");
    for (name, text) in [
        ("no GUID in the text", plain),
        ("own ids, nothing to replace", own),
        ("unknown ids, nothing to replace", cameras(3)),
        ("every id replaced", cameras(2)),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &text, |b, text| {
            b.iter(|| translate(&view, text));
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
