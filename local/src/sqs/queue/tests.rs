use super::super::attributes::QueueAttributes;
use super::super::errors::ErrorKind;
use super::*;

const T0: u64 = 1_000_000;

fn standard() -> Queue {
    queue(false, &[])
}

fn queue(fifo: bool, attributes: &[(&str, &str)]) -> Queue {
    let attributes = QueueAttributes::new(fifo).with(attributes.iter().copied(), true).unwrap();
    Queue::new(T0, 42, "arn:q".into(), attributes)
}

fn message(body: &str) -> Arc<Message> {
    Arc::new(Message::new(format!("id-{body}"), body.to_owned(), Vec::new()))
}

fn fifo_message(body: &str, group: &str, deduplication: &str) -> Arc<Message> {
    let mut message = Message::new(format!("id-{body}"), body.to_owned(), Vec::new());
    message.group = Some(group.into());
    message.deduplication_id = Some(deduplication.to_owned());
    Arc::new(message)
}

fn ask(max: usize) -> Ask {
    Ask { max, visibility: None, max_receive_count: None }
}

fn bodies(received: &Received) -> Vec<&str> {
    received.deliveries.iter().map(|delivery| delivery.stored.message.body.as_str()).collect()
}

/// Receives and returns the handle of the only message.
fn receive_one(queue: &mut Queue, now: u64) -> String {
    let received = queue.receive(now, ask(10));
    assert_eq!(received.deliveries.len(), 1);
    received.deliveries[0].receipt.encode()
}

/// Visible, in flight, delayed.
fn counts(queue: &mut Queue, now: u64) -> (usize, usize, usize) {
    let observed = queue.observe(now);
    (observed.visible, observed.in_flight, observed.delayed)
}

#[test]
fn a_received_message_is_hidden_until_its_visibility_ends() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let received = queue.receive(T0 + 5, ask(10));
    assert_eq!(bodies(&received), ["a"]);
    assert_eq!(received.deliveries[0].stored.sent_at, T0);
    assert_eq!(received.deliveries[0].stored.first_received_at, T0 + 5);
    assert_eq!(counts(&mut queue, T0 + 5), (0, 1, 0));
    assert!(queue.receive(T0 + 5 + 29_999, ask(10)).deliveries.is_empty());
    assert_eq!(queue.next_deadline(), Some(T0 + 30_005));
    let again = queue.receive(T0 + 30_005, ask(10));
    let stored = &again.deliveries[0].stored;
    assert_eq!((stored.receive_count, stored.first_received_at), (2, T0 + 5));
    assert_ne!(again.deliveries[0].receipt, received.deliveries[0].receipt);
}

#[test]
fn the_visibility_of_the_receive_wins_over_the_queues() {
    let mut queue = queue(false, &[("VisibilityTimeout", "7")]);
    queue.send(T0, message("a"), 0);
    queue.receive(T0, ask(1));
    assert_eq!(queue.next_deadline(), Some(T0 + 7_000));
    queue.receive(T0 + 7_000, Ask { visibility: Some(2), ..ask(1) });
    assert_eq!(queue.next_deadline(), Some(T0 + 9_000));
}

#[test]
fn a_receive_takes_at_most_what_it_asks_for_in_order() {
    let mut queue = standard();
    for body in ["a", "b", "c"] {
        queue.send(T0, message(body), 0);
    }
    assert_eq!(bodies(&queue.receive(T0, ask(2))), ["a", "b"]);
    assert_eq!(bodies(&queue.receive(T0, ask(2))), ["c"]);
}

#[test]
fn a_receive_with_visibility_zero_sees_each_message_once() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    queue.send(T0, message("b"), 0);
    let glance = Ask { visibility: Some(0), ..ask(10) };
    assert_eq!(bodies(&queue.receive(T0, glance)), ["a", "b"]);
    assert_eq!(counts(&mut queue, T0), (2, 0, 0));
    let handle = queue.receive(T0, glance).deliveries[0].receipt.encode();
    queue.delete(T0, &handle).unwrap();
    assert_eq!(counts(&mut queue, T0), (1, 0, 0));
}

#[test]
fn delayed_messages_appear_when_the_delay_is_over() {
    let mut queue = standard();
    queue.send(T0, message("a"), 5_000);
    assert_eq!(counts(&mut queue, T0), (0, 0, 1));
    assert_eq!(queue.take_arrivals(), 0);
    assert!(queue.receive(T0 + 4_999, ask(1)).deliveries.is_empty());
    assert_eq!(queue.next_deadline(), Some(T0 + 5_000));
    assert_eq!(counts(&mut queue, T0 + 5_000), (1, 0, 0));
    assert_eq!(queue.take_arrivals(), 1);
    assert_eq!(bodies(&queue.receive(T0 + 5_000, ask(1))), ["a"]);
}

#[test]
fn retention_ends_messages_in_every_state() {
    let mut queue = queue(false, &[("MessageRetentionPeriod", "60"), ("VisibilityTimeout", "3600")]);
    queue.send(T0, message("in flight"), 0);
    queue.receive(T0, ask(1));
    queue.send(T0, message("visible"), 0);
    queue.send(T0, message("delayed"), 600_000);
    queue.send(T0 + 1, message("younger"), 0);
    assert_eq!(counts(&mut queue, T0 + 59_999), (2, 1, 1));
    assert_eq!(counts(&mut queue, T0 + 60_000), (1, 0, 0));
    assert_eq!(queue.next_deadline(), None);
    assert_eq!(bodies(&queue.receive(T0 + 60_000, ask(10))), ["younger"]);
}

#[test]
fn deleting_twice_succeeds() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let handle = receive_one(&mut queue, T0);
    assert_eq!(queue.delete(T0, &handle), Ok(()));
    assert_eq!(queue.delete(T0, &handle), Ok(()));
    assert_eq!(counts(&mut queue, T0 + 100_000), (0, 0, 0));
}

#[test]
fn a_message_that_is_visible_again_can_still_be_deleted_with_its_newest_handle() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let handle = receive_one(&mut queue, T0);
    assert_eq!(queue.delete(T0 + 31_000, &handle), Ok(()));
    assert_eq!(counts(&mut queue, T0 + 31_000), (0, 0, 0));
}

#[test]
fn deleting_with_the_handle_of_an_earlier_receive_succeeds_without_effect() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let old = receive_one(&mut queue, T0);
    let new = receive_one(&mut queue, T0 + 30_000);
    assert_eq!(queue.delete(T0 + 30_000, &old), Ok(()));
    assert_eq!(counts(&mut queue, T0 + 30_000), (0, 1, 0));
    let error = queue.change_visibility(T0 + 30_000, &old, 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameterValue);
    queue.delete(T0 + 30_000, &new).unwrap();
    assert_eq!(counts(&mut queue, T0 + 30_000), (0, 0, 0));
}

#[test]
fn unknown_handles_are_invalid() {
    let mut queue = standard();
    let of_another = Receipt { queue: 43, message: 0, receive: 1 }.encode();
    for handle in ["", "garbage", &of_another] {
        assert_eq!(queue.delete(T0, handle).unwrap_err().kind(), ErrorKind::ReceiptHandleIsInvalid);
        assert_eq!(queue.change_visibility(T0, handle, 1).unwrap_err().kind(), ErrorKind::ReceiptHandleIsInvalid);
    }
}

#[test]
fn visibility_counts_from_the_change() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let handle = receive_one(&mut queue, T0);
    queue.change_visibility(T0 + 15_000, &handle, 60).unwrap();
    assert_eq!(queue.next_deadline(), Some(T0 + 75_000));
    queue.take_arrivals();
    queue.change_visibility(T0 + 16_000, &handle, 0).unwrap();
    assert_eq!(queue.take_arrivals(), 1);
    assert_eq!(counts(&mut queue, T0 + 16_000), (1, 0, 0));
    assert_eq!(queue.next_deadline(), None);
}

#[test]
fn visibility_of_a_message_that_is_not_in_flight_cannot_change() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let handle = receive_one(&mut queue, T0);
    let error = queue.change_visibility(T0 + 30_000, &handle, 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MessageNotInflight);
    queue.delete(T0 + 30_000, &handle).unwrap();
    let error = queue.change_visibility(T0 + 30_000, &handle, 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameterValue);
}

#[test]
fn visibility_ends_twelve_hours_after_the_receive() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let handle = receive_one(&mut queue, T0);
    queue.change_visibility(T0 + 1_000, &handle, 43_199).unwrap();
    let error = queue.change_visibility(T0 + 1_000, &handle, 43_200).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameterValue);
    assert_eq!(queue.next_deadline(), Some(T0 + 43_200_000), "a rejected change has no effect");
}

#[test]
fn at_the_flight_limit_nothing_is_received() {
    let mut queue = standard();
    queue.flight_limit = 2;
    for body in ["a", "b", "c"] {
        queue.send(T0, message(body), 0);
    }
    let received = queue.receive(T0, ask(10));
    assert_eq!(bodies(&received), ["a", "b"]);
    assert!(!received.over_limit);
    let none = queue.receive(T0, ask(10));
    assert!(none.over_limit && none.deliveries.is_empty());
    queue.take_arrivals();
    queue.delete(T0, &received.deliveries[0].receipt.encode()).unwrap();
    assert_eq!(queue.take_arrivals(), 1, "a waiting poll is woken");
    assert_eq!(bodies(&queue.receive(T0, ask(10))), ["c"]);
}

#[test]
fn dead_letters_leave_at_the_receive_after_the_last_allowed_one() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    queue.send(T0, message("b"), 0);
    let strict = Ask { max_receive_count: Some(2), ..ask(1) };
    for n in 0..4 {
        let received = queue.receive(T0 + n, Ask { visibility: Some(0), ..strict });
        assert_eq!((received.deliveries.len(), received.dead.len()), (1, 0), "receive {n}");
    }
    let received = queue.receive(T0 + 5, strict);
    assert_eq!((received.deliveries.len(), received.dead.len()), (0, 2));
    assert_eq!(counts(&mut queue, T0 + 5), (0, 0, 0));

    let mut letters = standard();
    for dead in received.dead {
        letters.adopt(T0 + 5, dead, "arn:source".into());
    }
    let first = &letters.receive(T0 + 6, strict).deliveries[0].stored;
    assert_eq!((first.message.body.as_str(), first.sent_at), ("a", T0));
    assert_eq!(first.receive_count, 3, "over both queues");
    assert_eq!(first.source_arn.as_deref(), Some("arn:source"));
}

#[test]
fn a_purge_forgets_everything_and_is_refused_for_a_minute() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    let handle = receive_one(&mut queue, T0);
    queue.send(T0, message("b"), 0);
    queue.send(T0, message("c"), 1_000);
    queue.purge(T0, "q").unwrap();
    assert_eq!(counts(&mut queue, T0 + 100_000), (0, 0, 0));
    assert_eq!(queue.delete(T0, &handle), Ok(()));
    assert_eq!(queue.purge(T0 + 59_999, "q").unwrap_err().kind(), ErrorKind::PurgeQueueInProgress);
    queue.purge(T0 + 60_000, "q").unwrap();
}

#[test]
fn arrivals_are_counted_once() {
    let mut queue = standard();
    queue.send(T0, message("a"), 0);
    queue.send(T0, message("b"), 0);
    assert_eq!(queue.take_arrivals(), 2);
    assert_eq!(queue.take_arrivals(), 0);
    queue.receive(T0, ask(10));
    queue.observe(T0 + 30_000);
    assert_eq!(queue.take_arrivals(), 2, "both are visible again");
    queue.receive(T0 + 30_000, ask(10));
    assert_eq!(queue.take_arrivals(), 0);
}

#[test]
fn a_fifo_group_waits_for_its_messages_in_flight() {
    let mut queue = queue(true, &[]);
    for (body, group) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")] {
        queue.send(T0, fifo_message(body, group, body), 0);
    }
    let first = queue.receive(T0, ask(2));
    assert_eq!(bodies(&first), ["a1", "a2"]);
    assert_eq!(bodies(&queue.receive(T0, ask(10))), ["b1"], "group a is locked");
    queue.take_arrivals();
    queue.delete(T0, &first.deliveries[0].receipt.encode()).unwrap();
    assert_eq!(queue.take_arrivals(), 0, "a2 is still in flight");
    assert!(queue.receive(T0, ask(10)).deliveries.is_empty());
    queue.delete(T0, &first.deliveries[1].receipt.encode()).unwrap();
    assert_eq!(queue.take_arrivals(), 1);
    assert_eq!(bodies(&queue.receive(T0, ask(10))), ["a3"]);
}

#[test]
fn a_fifo_message_that_becomes_visible_again_is_first() {
    let mut queue = queue(true, &[]);
    for body in ["1", "2", "3"] {
        queue.send(T0, fifo_message(body, "g", body), 0);
    }
    let first = queue.receive(T0, ask(1));
    queue.change_visibility(T0, &first.deliveries[0].receipt.encode(), 0).unwrap();
    assert_eq!(bodies(&queue.receive(T0, ask(2))), ["1", "2"]);
    assert_eq!(bodies(&queue.receive(T0 + 30_000, ask(10))), ["1", "2", "3"]);
}

#[test]
fn fifo_duplicates_return_the_original() {
    let mut queue = queue(true, &[]);
    let first = queue.send(T0, fifo_message("a", "g", "d"), 0).unwrap();
    assert_eq!((first.message_id.as_str(), first.sequence.to_string().len()), ("id-a", 20));
    let handle = receive_one(&mut queue, T0);
    queue.delete(T0, &handle).unwrap();
    assert_eq!(queue.send(T0 + 299_999, fifo_message("b", "h", "d"), 0), Some(first.clone()));
    assert_eq!(counts(&mut queue, T0 + 299_999), (0, 0, 0));
    let later = queue.send(T0 + 300_000, fifo_message("c", "g", "d"), 0).unwrap();
    assert!(later.sequence > first.sequence);
    assert_eq!(counts(&mut queue, T0 + 300_000), (1, 0, 0));
}

#[test]
fn fifo_deduplication_can_be_by_group() {
    let mut queue = queue(true, &[("DeduplicationScope", "messageGroup")]);
    queue.send(T0, fifo_message("a", "g", "d"), 0);
    queue.send(T0, fifo_message("b", "h", "d"), 0);
    queue.send(T0, fifo_message("c", "h", "d"), 0);
    assert_eq!(counts(&mut queue, T0), (2, 0, 0));
}

#[test]
fn fifo_handles_expire_with_the_visibility() {
    let mut queue = queue(true, &[]);
    queue.send(T0, fifo_message("a", "g", "d"), 0);
    let handle = receive_one(&mut queue, T0);
    for result in [queue.delete(T0 + 30_000, &handle), queue.change_visibility(T0 + 30_000, &handle, 1)] {
        assert!(result.unwrap_err().message().ends_with("The receipt handle has expired"));
    }
    let newer = receive_one(&mut queue, T0 + 30_000);
    assert!(queue.delete(T0 + 30_001, &handle).is_err());
    queue.delete(T0 + 30_001, &newer).unwrap();
}

#[test]
fn fifo_dead_letters_do_not_lock_their_group() {
    let mut queue = queue(true, &[]);
    for body in ["1", "2"] {
        queue.send(T0, fifo_message(body, "g", body), 0);
    }
    let strict = Ask { max_receive_count: Some(1), visibility: Some(1), max: 1 };
    assert_eq!(bodies(&queue.receive(T0, strict)), ["1"]);
    let next = queue.receive(T0 + 1_000, strict);
    assert_eq!((next.dead.len(), bodies(&next)), (1, vec!["2"]));
    let mut letters = self::queue(true, &[]);
    letters.adopt(T0 + 1_000, next.dead[0].clone(), "arn:q".into());
    let letter = &letters.receive(T0 + 1_000, ask(1)).deliveries[0].stored;
    assert_eq!((letter.sent_at, letter.sequence.is_some()), (T0 + 1_000, true));
}

/// Operations on a queue of 200,000 messages are as fast as on a small one. If any operation were linear, this test
/// would take minutes instead of a fraction of a second.
#[test]
fn large_queues_stay_fast() {
    const N: usize = 200_000;
    let mut queue = standard();
    queue.flight_limit = N;
    let message = message("x");
    for _ in 0..N {
        queue.send(T0, Arc::clone(&message), 0);
    }
    let mut handles = Vec::with_capacity(N);
    for _ in 0..N / 10 {
        handles.extend(queue.receive(T0, ask(10)).deliveries.iter().map(|delivery| delivery.receipt.encode()));
    }
    assert_eq!(counts(&mut queue, T0), (0, N, 0));
    for (n, handle) in handles.iter().enumerate() {
        if n % 2 == 0 {
            queue.change_visibility(T0, handle, 100).unwrap();
        } else {
            queue.delete(T0, handle).unwrap();
        }
    }
    assert_eq!(counts(&mut queue, T0 + 100_000), (N / 2, 0, 0));
}
