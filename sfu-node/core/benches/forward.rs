//! The router and the rewriter by themselves: `cargo bench -p sfu-core --features bench`.

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sfu_core::bench::Fanout;

/// How many slots show the camera.
const SLOTS: [usize; 3] = [1, 10, 100];

fn router(criterion: &mut Criterion) {
    let mut fanout = Fanout::new(Instant::now(), 0);
    criterion.bench_function("router keeps a packet", |bencher| {
        bencher.iter(|| black_box(fanout.receive()));
    });
}

fn rewriter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("router and rewriter forward a packet");
    for slots in SLOTS {
        let mut fanout = Fanout::new(Instant::now(), slots);
        group.throughput(Throughput::Elements(slots as u64));
        group.bench_function(BenchmarkId::from_parameter(slots), |bencher| {
            bencher.iter(|| {
                fanout.receive();
                black_box(fanout.rewrite())
            });
        });
    }
    group.finish();
}

fn switches(criterion: &mut Criterion) {
    let mut fanout = Fanout::new(Instant::now(), 100);
    criterion.bench_function("a hundred slots switch", |bencher| {
        bencher.iter(|| {
            fanout.receive();
            fanout.switch();
            black_box(fanout.rewrite())
        });
    });
}

criterion_group!(benches, router, rewriter, switches);
criterion_main!(benches);
