use super::*;
use std::sync::mpsc::{Receiver, sync_channel};

const LONG: Duration = Duration::from_secs(20);

/// A log whose records arrive at the receiver.
fn heard(level: Level) -> (Log, Receiver<Record>) {
    let log = Log::start(None).unwrap();
    let (heard, records) = mpsc::channel();
    log.send_to(Sink::Host(Box::new(move |record| heard.send(record.clone()).unwrap_or(()))), Some(level));
    (log, records)
}

fn messages(log: Log, records: &Receiver<Record>) -> Vec<String> {
    log.stop(LONG);
    records.iter().map(|record| record.message).collect()
}

#[test]
fn records_have_level_target_message_and_fields() {
    let (log, records) = heard(Level::INFO);
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
fn of_others_only_errors_are_heard() {
    let (log, records) = heard(Level::TRACE);
    log.on_this_thread(|| {
        tracing::error!(target: "aws_smithy_runtime", "broken");
        tracing::warn!(target: "aws_config", "a whole HTTP answer");
        tracing::trace!("ours");
    });
    assert_eq!(messages(log, &records), ["broken", "ours"]);
}

#[test]
fn the_level_can_change_while_it_runs() {
    let (log, records) = heard(Level::WARN);
    let say = || log.on_this_thread(|| tracing::debug!("now and then"));
    say();
    let (louder, more) = mpsc::channel();
    log.send_to(Sink::Host(Box::new(move |record| louder.send(record.clone()).unwrap_or(()))), Some(Level::DEBUG));
    say();
    assert_eq!(more.recv_timeout(LONG).unwrap().message, "now and then");
    assert!(messages(log, &records).is_empty());
}

#[test]
fn what_a_slow_reader_misses_is_counted() {
    let (log, records) = heard(Level::INFO);
    let (go, gate) = sync_channel::<()>(0);
    let (started, start) = mpsc::channel();
    let (heard, mine) = mpsc::channel();
    log.send_to(
        Sink::Host(Box::new(move |record| {
            started.send(()).unwrap_or(());
            let _ = gate.recv();
            heard.send(record.message.clone()).unwrap_or(());
        })),
        Some(Level::INFO),
    );
    drop(records);
    log.on_this_thread(|| {
        tracing::info!("first");
        start.recv_timeout(LONG).unwrap();
        // One is being read; as many wait as fit; three do not.
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
fn a_reader_may_send_the_log_elsewhere() {
    let log = Arc::new(Log::start(None).unwrap());
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
    let (log, records) = heard(Level::INFO);
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
    // The sink is gone with its thread.
    assert_eq!(start.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_reader_left_behind_with_the_count_of_what_it_missed_is_not_called_again() {
    let (log, records) = heard(Level::INFO);
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
    let (log, records) = heard(Level::INFO);
    log.on_this_thread(|| tracing::info!("the last word"));
    drop(log);
    assert_eq!(records.try_iter().map(|record| record.message).collect::<Vec<_>>(), ["the last word"]);
    assert_eq!(records.try_recv().unwrap_err(), mpsc::TryRecvError::Disconnected);
}

#[test]
fn a_reader_that_panics_loses_one_record() {
    panics::quieten();
    let (log, records) = heard(Level::INFO);
    drop(records);
    let (heard, mine) = mpsc::channel();
    log.send_to(
        Sink::Host(Box::new(move |record| {
            assert_ne!(record.message, "bad");
            heard.send(record.message.clone()).unwrap_or(());
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
