//! What reaches a sink, in which order, and when a sink is not called any more.

use super::*;
use std::sync::mpsc::{Receiver, sync_channel};

const LONG: Duration = Duration::from_secs(20);

/// A log whose records arrive at the receiver.
fn recording(level: Level) -> (Log, Receiver<Record>) {
    let log = Log::start(None, Stderr::now()).unwrap();
    let (sender, records) = mpsc::channel();
    log.send_to(Sink::Host(Box::new(move |record| sender.send(record.clone()).unwrap_or(()))), Some(level));
    (log, records)
}

fn messages(log: Log, records: &Receiver<Record>) -> Vec<String> {
    log.stop(LONG);
    records.iter().map(|record| record.message).collect()
}

#[test]
fn records_have_level_target_message_and_fields() {
    let (log, records) = recording(Level::INFO);
    log.on_this_thread(|| {
        tracing::info!(count = 3, name = "plain", said = "two words", none = "", "drained {}", "all");
        tracing::debug!("too quiet");
    });
    log.stop(LONG);
    let records: Vec<Record> = records.iter().collect();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].message, r#"drained all count=3 name=plain said="two words" none="""#);
    assert_eq!(records[0].level, Level::INFO);
    assert!(records[0].target.starts_with("lambda_executor::observe"));
    assert!(records[0].time_ms > 1_700_000_000_000);
}

#[test]
fn of_other_crates_only_errors_are_recorded() {
    let (log, records) = recording(Level::TRACE);
    log.on_this_thread(|| {
        tracing::error!(target: "aws_smithy_runtime", "broken");
        tracing::warn!(target: "aws_config", "a whole HTTP answer");
        tracing::trace!("ours");
    });
    assert_eq!(messages(log, &records), ["broken", "ours"]);
}

#[test]
fn the_level_can_change_while_the_log_runs() {
    let (log, records) = recording(Level::WARN);
    let say = || log.on_this_thread(|| tracing::debug!("now and then"));
    say();
    let (louder, more) = mpsc::channel();
    log.send_to(Sink::Host(Box::new(move |record| louder.send(record.clone()).unwrap_or(()))), Some(Level::DEBUG));
    say();
    assert_eq!(more.recv_timeout(LONG).unwrap().message, "now and then");
    assert!(messages(log, &records).is_empty());
}

#[test]
fn records_that_a_slow_reader_misses_are_counted() {
    let (log, records) = recording(Level::INFO);
    let (go, gate) = sync_channel::<()>(0);
    let (started, start) = mpsc::channel();
    let (sender, mine) = mpsc::channel();
    log.send_to(
        Sink::Host(Box::new(move |record| {
            started.send(()).unwrap_or(());
            let _ = gate.recv();
            sender.send(record.message.clone()).unwrap_or(());
        })),
        Some(Level::INFO),
    );
    drop(records);
    log.on_this_thread(|| {
        tracing::info!("first");
        start.recv_timeout(LONG).unwrap();
        // One is being read, the queue takes `CAPACITY`, and three do not fit.
        (0..CAPACITY + 3).for_each(|_| tracing::info!("more"));
    });
    drop(go);
    log.stop(LONG);
    let messages: Vec<String> = mine.iter().collect();
    assert_eq!(messages.len(), CAPACITY + 2);
    assert_eq!(messages[0], "first");
    assert_eq!(messages[1], "3 log records were dropped: their reader was too slow");
}

#[test]
fn a_reader_may_replace_itself() {
    let log = Arc::new(Log::start(None, Stderr::now()).unwrap());
    let (second, records) = mpsc::channel();
    let mine = Arc::downgrade(&log);
    let second = Mutex::new(Some(second));
    let first = move |_: &Record| {
        if let (Some(log), Some(second)) = (mine.upgrade(), lock(&second).take()) {
            log.send_to(
                Sink::Host(Box::new(move |record| second.send(record.clone()).unwrap_or(()))),
                Some(Level::INFO),
            );
        }
    };
    log.send_to(Sink::Host(Box::new(first)), Some(Level::INFO));
    log.on_this_thread(|| {
        tracing::info!("to the first");
        tracing::info!("to the second");
    });
    assert_eq!(records.recv_timeout(LONG).unwrap().message, "to the second");
}

#[test]
fn a_reader_that_never_returns_does_not_hold_up_the_end_and_is_not_called_again() {
    let (log, records) = recording(Level::INFO);
    drop(records);
    let (go, gate) = sync_channel::<()>(0);
    let (started, start) = mpsc::channel();
    log.send_to(
        Sink::Host(Box::new(move |_| {
            started.send(()).unwrap_or(());
            let _ = gate.recv();
        })),
        Some(Level::INFO),
    );
    log.on_this_thread(|| {
        tracing::info!("being read");
        start.recv_timeout(LONG).unwrap();
        tracing::info!("waiting");
    });
    assert!(!log.stop(Duration::from_millis(1)));
    drop(log);
    drop(go);
    // The thread has dropped the sink.
    assert_eq!(start.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_reader_left_behind_with_the_count_of_what_it_missed_is_not_called_again() {
    let (log, records) = recording(Level::INFO);
    drop(records);
    let (go, gate) = sync_channel::<()>(0);
    let (started, start) = mpsc::channel();
    log.send_to(
        Sink::Host(Box::new(move |record| {
            started.send(record.message.clone()).unwrap_or(());
            let _ = gate.recv();
        })),
        Some(Level::INFO),
    );
    log.on_this_thread(|| {
        tracing::info!("first");
        start.recv_timeout(LONG).unwrap();
        (0..CAPACITY + 1).for_each(|_| tracing::info!("more"));
    });
    go.send(()).unwrap();
    assert_eq!(start.recv_timeout(LONG).unwrap(), "1 log records were dropped: their reader was too slow");
    assert!(!log.stop(Duration::from_millis(1)));
    drop(log);
    drop(go);
    assert_eq!(start.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_log_that_is_dropped_writes_what_waits_and_ends() {
    let (log, records) = recording(Level::INFO);
    log.on_this_thread(|| tracing::info!("the last word"));
    drop(log);
    assert_eq!(records.try_iter().map(|record| record.message).collect::<Vec<_>>(), ["the last word"]);
    assert_eq!(records.try_recv().unwrap_err(), mpsc::TryRecvError::Disconnected);
}

#[test]
fn a_reader_that_panics_loses_one_record() {
    panics::install_hook();
    let (log, records) = recording(Level::INFO);
    drop(records);
    let (sender, mine) = mpsc::channel();
    log.send_to(
        Sink::Host(Box::new(move |record| {
            assert_ne!(record.message, "bad");
            sender.send(record.message.clone()).unwrap_or(());
        })),
        Some(Level::INFO),
    );
    log.on_this_thread(|| {
        tracing::info!("bad");
        tracing::info!("good");
    });
    log.stop(LONG);
    assert_eq!(mine.iter().collect::<Vec<_>>(), ["good"]);
}

#[test]
fn nested_calls_log_to_their_own_handle() {
    let ((outer, outer_records), (inner, inner_records)) = (recording(Level::INFO), recording(Level::INFO));
    outer.on_this_thread(|| {
        tracing::info!("1 outer");
        inner.on_this_thread(|| {
            tracing::info!("1 inner");
            inner.on_this_thread(|| tracing::info!("2 inner"));
            outer.on_this_thread(|| tracing::info!("2 outer"));
            tracing::info!("3 inner");
        });
        tracing::info!("3 outer");
    });
    tracing::info!("outside of both");
    assert_eq!(messages(outer, &outer_records), ["1 outer", "2 outer", "3 outer"]);
    assert_eq!(messages(inner, &inner_records), ["1 inner", "2 inner", "3 inner"]);
}

#[test]
fn threads_of_two_handles_log_to_their_own() {
    let handles = [recording(Level::INFO), recording(Level::INFO)];
    let threads = handles.each_ref().map(|(log, _)| log.thread_starter()).map(|start| {
        thread::spawn(move || {
            start();
            tracing::info!("from {:?}", thread::current().id());
            thread::current().id()
        })
    });
    let ids = threads.map(|thread| thread.join().unwrap());
    for ((log, records), id) in handles.into_iter().zip(ids) {
        assert_eq!(messages(log, &records), [format!("from {id:?}")]);
    }
}

#[test]
fn a_place_first_reached_without_a_log_is_recorded_by_the_next_log() {
    let say = || tracing::warn!("said twice");
    let (first, _records) = recording(Level::INFO);
    thread::spawn(say).join().unwrap();
    drop(first);
    let (log, records) = recording(Level::INFO);
    log.on_this_thread(say);
    assert_eq!(messages(log, &records), ["said twice"]);
}

/// What a Rust host has set for its own records.
#[derive(Clone, Default)]
struct OfTheHost(Arc<AtomicU64>);

impl tracing::Subscriber for OfTheHost {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "of_the_host"
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_subscriber_of_a_rust_host_stays_in_place() {
    thread::spawn(|| {
        let host = OfTheHost::default();
        let _guard = tracing::dispatcher::set_default(&tracing::Dispatch::new(host.clone()));
        let (log, records) = recording(Level::INFO);
        log.on_this_thread(|| tracing::info!("ours"));
        tracing::info!(target: "of_the_host", "not ours");
        assert_eq!(messages(log, &records), ["ours"]);
        assert_eq!(host.0.load(Ordering::Relaxed), 1);
    })
    .join()
    .unwrap();
}
