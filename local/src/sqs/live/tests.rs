use super::super::attributes::QueueAttributes;
use super::super::message::Message;
use super::*;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, advance, timeout};

fn live(attributes: &[(&str, &str)]) -> Arc<LiveQueue> {
    let clock = Arc::new(Clock::new());
    let attributes = QueueAttributes::new(false).with(attributes.iter().copied(), true).unwrap();
    let arn: Arc<str> = "arn:q".into();
    let queue = Queue::new(clock.now(), 1, Arc::clone(&arn), attributes);
    Arc::new(LiveQueue::new("q".into(), "http://h/0/q".into(), arn, clock, 1, queue))
}

fn send(live: &LiveQueue, body: &str, delay_ms: u64) {
    let message = Arc::new(Message::new(body.to_owned(), body.to_owned(), Vec::new()));
    live.with(|queue, now| queue.send(now, message, delay_ms));
}

fn ask(max: usize) -> Ask {
    Ask { max, visibility: None, max_receive_count: None }
}

async fn poll(live: &LiveQueue, max: usize, wait_ms: u64) -> Vec<Delivery> {
    live.receive(ask(max), Some(wait_ms), |_| None).await.unwrap()
}

/// Starts a poll and runs it until it waits.
async fn start_poll(live: &Arc<LiveQueue>, max: usize) -> tokio::task::JoinHandle<(Vec<Delivery>, Instant)> {
    let live = Arc::clone(live);
    let task = tokio::spawn(async move { (poll(&live, max, 20_000).await, Instant::now()) });
    settle().await;
    task
}

/// Lets every other task run until it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn bodies(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.stored.message.body.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_poll_without_messages_lasts_for_its_wait_time() {
    let live = live(&[("ReceiveMessageWaitTimeSeconds", "3")]);
    for (wait_ms, lasts) in [(Some(0), 0), (Some(20_000), 20_000), (None, 3_000)] {
        let start = Instant::now();
        assert!(live.receive(ask(10), wait_ms, |_| None).await.unwrap().is_empty());
        assert_eq!(start.elapsed(), Duration::from_millis(lasts));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_ends_a_poll_at_once() {
    let live = live(&[]);
    let task = start_poll(&live, 10).await;
    advance(Duration::from_secs(1)).await;
    send(&live, "a", 0);
    let sent = Instant::now();
    let (deliveries, at) = task.await.unwrap();
    assert_eq!((bodies(&deliveries), at), (vec!["a"], sent));
}

/// Two polls that strictly took turns could exchange the results of two schedulers for ever.
#[tokio::test(start_paused = true)]
async fn polls_that_wait_do_not_take_turns() {
    let live = live(&[]);
    let mut polls = [start_poll(&live, 1).await, start_poll(&live, 1).await];
    let mut received = Vec::new();
    for _ in 0..40 {
        send(&live, "m", 0);
        settle().await;
        let by = polls.iter().position(tokio::task::JoinHandle::is_finished).unwrap();
        polls[by] = start_poll(&live, 1).await;
        received.push(by);
    }
    let turns = received.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((10..30).contains(&turns), "{turns} turns: {received:?}");
}

#[tokio::test(start_paused = true)]
async fn time_alone_ends_a_poll() {
    let live = live(&[]);
    send(&live, "visible again", 0);
    assert_eq!(live.receive(Ask { visibility: Some(7), ..ask(1) }, Some(0), |_| None).await.unwrap().len(), 1);
    send(&live, "delayed", 5_000);
    let start = Instant::now();
    assert_eq!(bodies(&poll(&live, 10, 20_000).await), ["delayed"]);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(bodies(&poll(&live, 10, 20_000).await), ["visible again"]);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_deadline_wakes_the_timekeeper() {
    let live = live(&[]);
    send(&live, "far", 15_000);
    let start = Instant::now();
    let task = start_poll(&live, 10).await;
    send(&live, "near", 2_000);
    assert_eq!(bodies(&task.await.unwrap().0), ["near"]);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn when_the_timekeeper_leaves_another_poll_keeps_the_time() {
    let live = live(&[]);
    send(&live, "later", 9_000);
    let start = Instant::now();
    let timekeeper = start_poll(&live, 1).await;
    let other = start_poll(&live, 1).await;
    timekeeper.abort();
    assert_eq!(bodies(&other.await.unwrap().0), ["later"]);
    assert_eq!(start.elapsed(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn a_successor_that_does_not_wait_passes_the_timekeeping_on() {
    let live = live(&[]);
    send(&live, "two", 2_000);
    send(&live, "four", 4_000);
    let start = Instant::now();
    let timekeeper = start_poll(&live, 1).await;
    let (second, third) = (start_poll(&live, 1).await, start_poll(&live, 1).await);
    // One of them is woken to take over when a message for it has already arrived.
    timekeeper.abort();
    advance(Duration::from_secs(2)).await;
    let mut received = Vec::new();
    for poll in [second, third] {
        let (deliveries, at) = poll.await.unwrap();
        received.push(((at - start).as_secs(), bodies(&deliveries).join(" ")));
    }
    received.sort();
    assert_eq!(received, [(2, "two".to_owned()), (4, "four".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_deadline_are_shared_among_the_polls() {
    let live = live(&[]);
    let start = Instant::now();
    for body in ["a", "b", "c"] {
        send(&live, body, 4_000);
    }
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(start_poll(&live, 1).await);
    }
    for task in tasks {
        let (deliveries, at) = task.await.unwrap();
        assert_eq!((deliveries.len(), at - start), (1, Duration::from_secs(4)));
    }
}

#[tokio::test(start_paused = true)]
async fn one_message_wakes_one_poll() {
    let live = live(&[]);
    let mut tasks = Vec::new();
    for _ in 0..50 {
        tasks.push(start_poll(&live, 1).await);
    }
    let start = Instant::now();
    send(&live, "a", 0);
    settle().await;
    assert_eq!(tasks.iter().filter(|task| task.is_finished()).count(), 1);
    let mut at_once = 0;
    for task in tasks {
        let (deliveries, at) = task.await.unwrap();
        at_once += usize::from(at == start && deliveries.len() == 1);
    }
    assert_eq!(at_once, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_for_a_poll_that_is_ended_goes_to_the_next_poll() {
    let live = live(&[]);
    let ended = start_poll(&live, 1).await;
    let other = start_poll(&live, 1).await;
    let start = Instant::now();
    // The poll is woken for the message, but ended before it takes it, as in an outage.
    send(&live, "a", 0);
    ended.abort();
    let (deliveries, at) = other.await.unwrap();
    assert_eq!((bodies(&deliveries), at), (vec!["a"], start));
}

#[tokio::test(start_paused = true)]
async fn a_released_message_ends_a_poll() {
    let live = live(&[]);
    send(&live, "a", 0);
    let handle = poll(&live, 1, 0).await[0].receipt.encode();
    let task = start_poll(&live, 1).await;
    let now = Instant::now();
    live.with(|queue, now| queue.change_visibility(now, &handle, 0)).unwrap();
    let (deliveries, at) = task.await.unwrap();
    assert_eq!((deliveries[0].stored.receive_count, at), (2, now));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_move_while_a_poll_waits() {
    let (source, letters) = (live(&[]), live(&[]));
    let policy = RedrivePolicy { target_arn: "arn:letters".into(), max_receive_count: 1 };
    source.with(|queue, now| {
        let text = policy.render();
        let attributes = queue.attributes().with([("RedrivePolicy", text.as_str())], false).unwrap();
        queue.set_attributes(now, attributes);
    });
    send(&source, "a", 0);
    let target = Some(Arc::clone(&letters));
    let short = Ask { visibility: Some(1), ..ask(1) };
    assert_eq!(source.receive(short, Some(0), |_| target.clone()).await.unwrap().len(), 1);
    assert!(source.receive(short, Some(5_000), |_| target.clone()).await.unwrap().is_empty());
    let moved = poll(&letters, 1, 0).await;
    assert_eq!(moved[0].stored.source_arn.as_deref(), Some("arn:q"));
}

#[tokio::test(start_paused = true)]
async fn without_its_dead_letter_queue_a_message_stays_receivable() {
    let live = live(&[("RedrivePolicy", r#"{"deadLetterTargetArn":"arn:gone","maxReceiveCount":1}"#)]);
    send(&live, "a", 0);
    for _ in 0..3 {
        assert_eq!(live.receive(Ask { visibility: Some(0), ..ask(1) }, Some(0), |_| None).await.unwrap().len(), 1);
    }
}

/// Threads, real time: every message arrives once, and no wake-up is lost (a lost one would make a poll last 20 s).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_senders_and_receivers() {
    const MESSAGES: usize = 8_000;
    let live = live(&[]);
    let receivers: Vec<_> = (0..8)
        .map(|n| {
            let live = Arc::clone(&live);
            tokio::spawn(async move {
                let mut got = Vec::new();
                loop {
                    let deliveries = poll(&live, 1 + n % 3, 20_000).await;
                    for delivery in deliveries {
                        if delivery.stored.message.body == "end" {
                            return got;
                        }
                        got.push(delivery.stored.message.body.clone());
                    }
                }
            })
        })
        .collect();
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let live = Arc::clone(&live);
            tokio::spawn(async move {
                for n in 0..MESSAGES / 4 {
                    send(&live, &format!("{sender}-{n}"), (n % 7 == 0).into());
                    if n % 16 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let all_taken = async {
        while live.with(|queue, now| queue.observe(now).visible + queue.observe(now).delayed) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), all_taken).await.unwrap();
    let mut seen = HashSet::new();
    for _ in 0..receivers.len() {
        send(&live, "end", 0);
    }
    for receiver in receivers {
        for body in ended(receiver, &live).await {
            assert!(seen.insert(body.clone()), "{body} came twice");
        }
    }
    assert_eq!(seen.len(), MESSAGES);
}

async fn ended(mut receiver: tokio::task::JoinHandle<Vec<String>>, live: &LiveQueue) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Ok(result) = timeout(Duration::from_millis(50), &mut receiver).await {
            return result.unwrap();
        }
        send(live, "end", 0);
    }
    panic!("a receiver was not woken");
}
