//! What users are promised, checked of every call and of every event. Nothing here says how the machine keeps it.

use super::lambda::Verdict;
use super::ledger::{Ended, Task, Try, source_of};
use super::sqs::About;
use super::world::{Asked, World};
use crate::executor::event::{Event, HandedOut};
use crate::executor::machine::events::Waiting;
use crate::executor::machine::{Action, InvokeCall, tasks};
use crate::executor::ports::{Fault, ReceiveRequest};
use crate::executor::task::{Reason, TaskState};
use std::sync::Arc;

/// A message that has been visible for so long has been in reach of every long poll.
const IN_REACH_MS: u64 = 5_000;

impl World {
    /// Of a call of Invoke, when it is sent.
    pub(super) fn check_invoke(&mut self, site: usize, call: &InvokeCall) {
        let members = super::tags_of(call);
        let limits = &self.sites[site].settings.routes[call.request.route];
        assert!(
            members.len() <= limits.batch_size,
            "{} tasks in a call, batch_size {}",
            members.len(),
            limits.batch_size
        );
        if let Some(batch) = &call.batch {
            let bytes = batch.event().len();
            assert!(bytes <= limits.batch_bytes, "{bytes} bytes in a call, {} allowed", limits.batch_bytes);
        }
        for index in &members {
            self.check_sent(site, *index, call);
        }
        self.check_limits(site, call.request.route);
        for index in members {
            self.note_try(index, call);
        }
    }

    /// Of one task of a call.
    fn check_sent(&self, site: usize, index: usize, call: &InvokeCall) {
        let now = self.now;
        let host = &self.sites[site];
        let task = &self.tasks[index];
        let key = &task.key;
        assert!(!host.host.is_closed, "no call starts after the close: `{key}`");
        assert!(task.site == site && !task.gone, "`{key}` is not this executor's to invoke");
        assert!(!task.cancelled && !task.has_ended(), "`{key}` is invoked although it has been cancelled or has ended");
        assert_eq!(task.route, call.request.route, "`{key}` is sent to another function");
        let accepted = task.tries.iter().filter(|one| one.verdict == Some(Verdict::Accepted)).count();
        let again = task.sent_again();
        assert!(
            accepted <= again as usize || task.recovered,
            "`{key}` is invoked again after Lambda accepted it {accepted} times"
        );
        // An answer that came before a crash is not known after it.
        let knows = accepted > 0 && !task.recovered;
        assert!(!knows || again == 0 || call.batch.is_none(), "`{key}` is in a batch again");
        let (seen, most) = (task.tries_seen(), host.settings.max_invoke_attempts + again);
        assert!(seen < most, "Lambda may have seen `{key}` {seen} times already (max_invoke_attempts {most})");
        let expires_at = task.queued_at + task.max_wait_ms;
        assert!(
            task.max_wait_ms == 0 || task.recovered || again > 0 || now < expires_at,
            "`{key}` is invoked after its max_wait_ms"
        );
        if host.keeps_records {
            let durable = task.intents.iter().filter(|lsn| **lsn <= host.store.durable).count();
            assert!(task.tries.len() < durable, "`{key}` is invoked before the intent is durable");
        }
    }

    fn check_limits(&mut self, site: usize, route: usize) {
        let now = self.now;
        let host = &self.sites[site];
        let limits = &host.settings.routes[route];
        let is_invoke = |asked: &Asked| matches!(asked, Asked::Invoke(call) if call.request.route == route);
        let others = self.calls.iter().filter(|call| call.site == site && is_invoke(&call.asked)).count();
        assert!(others < limits.max_concurrent_invokes, "more than max_concurrent_invokes");
        self.check_probe(site, route);
        let host = &self.sites[site];
        // A task that waits for a report after its last try counts from then on; a call may be on its way at that moment.
        let is_active = |task: &tasks::Task| match task.state {
            TaskState::Running => true,
            TaskState::Submitting => task.deadline().is_none(),
            _ => false,
        };
        let active =
            host.machine.tasks.iter().filter(|(_, task)| task.route() == route && !task.adopted && is_active(task));
        let (active, most) = (active.count(), limits.max_running_tasks);
        assert!(most == 0 || active <= most, "{active} tasks run, more than max_running_tasks {most}");
        let per_second = limits.max_invokes_per_second as usize;
        let starts = &mut self.sites[site].starts[route];
        starts.push_back(now);
        starts.retain(|at| at + 1_000 > now);
        let most = per_second + (per_second / 10).max(1);
        let is_slow = self.sites[site].store.is_slow();
        let starts = &self.sites[site].starts[route];
        assert!(
            per_second == 0 || is_slow || starts.len() <= most,
            "{} calls in a second, {per_second} allowed",
            starts.len()
        );
    }

    /// While a function cannot be invoked, or our credentials are rejected, one call at a time finds out whether that is
    /// over.
    fn check_probe(&self, site: usize, route: usize) {
        if self.sites[site].store.is_slow() {
            return; // Calls that wait for a slow disk were admitted earlier.
        }
        let submission = &self.sites[site].machine.submission;
        if let Some(open) = submission.routes()[route].open() {
            let since = self.sites[site].virtual_ms(open.since.mono_ms);
            let probes = self.calls_to_lambda(site, Some(route)).into_iter().filter(|began| *began > since).count();
            assert_eq!(probes, 0, "more than one probe of a function that cannot be invoked");
        }
        if submission.trouble().is_some() {
            assert!(self.calls_to_lambda(site, None).is_empty(), "more than one call while credentials are rejected");
        }
    }

    /// When the calls under way began.
    fn calls_to_lambda(&self, site: usize, of: Option<usize>) -> Vec<u64> {
        let counts = |asked: &Asked| match asked {
            Asked::Invoke(call) => of.is_none_or(|route| call.request.route == route),
            Asked::Do(Action::Probe { route, .. }) => of.is_none_or(|of| of == *route),
            Asked::Do(_) => false,
        };
        let calls = self.calls.iter().filter(|call| call.site == site && counts(&call.asked));
        calls.map(|call| call.began).collect()
    }

    /// Of an action, when it is asked for.
    pub(super) fn check_action(&mut self, site: usize, action: &Action) {
        match action {
            Action::Receive(request) => self.check_receive(site, *request),
            Action::Delete { entries, .. } => {
                assert!((1..=10).contains(&entries.len()), "{} entries in a batch", entries.len());
                entries.iter().for_each(|entry| self.check_delete(site, entry));
            }
            Action::ChangeVisibility { queue, entries } => {
                assert!((1..=10).contains(&entries.len()), "{} entries in a batch", entries.len());
                entries.iter().for_each(|entry| self.check_visibility(site, *queue, entry));
            }
            Action::Probe { route, .. } => {
                assert!(!self.sites[site].host.is_closed, "a probe after the close");
                self.check_probe(site, *route);
            }
            Action::CheckQueues => assert!(!self.sites[site].host.is_closed, "a check after the close"),
        }
    }

    /// Nothing is received that no task waits for, or that could not be kept; a process that dies hides a message for 20 s
    /// at most.
    fn check_receive(&self, site: usize, request: ReceiveRequest) {
        let Self { sites, calls, .. } = self;
        let (host, counts) = (&sites[site], sites[site].machine.counts());
        assert!(!host.host.is_closed, "a receive after the close");
        assert!(counts.submitting + counts.running > 0, "a receive while nothing is awaited");
        assert_eq!((request.max_messages, request.wait_s), (10, 20));
        assert!(request.visibility_s <= 20, "hidden for {} s by a process that may die", request.visibility_s);
        let unsafe_results = self.tasks.iter().filter(|task| {
            task.site == site
                && !task.gone
                && !task.acknowledged
                && !task.recovered
                && task.ended.and_then(|ended| ended.source).is_some_and(|number| !self.sqs.messages[number].was_mixed)
        });
        let (held, most) = (unsafe_results.count(), host.settings.max_unacked_results);
        assert!(host.host.refuses || held < most, "a receive while {held} results wait for the host");
        let of_queue = |asked: &Asked| matches!(asked, Asked::Do(Action::Receive(r)) if r.queue == request.queue);
        let polls = calls.iter().filter(|call| call.site == site && of_queue(&call.asked)).count();
        assert!(polls < 64, "{polls} polls of one queue");
    }

    /// A result of ours by id always ends its task.
    pub(super) fn check_received(&self, site: usize, numbers: &[usize]) {
        if self.sites[site].host.is_closed {
            return;
        }
        for number in numbers {
            let Some((of, true)) = self.sqs.messages[*number].reports() else { continue };
            let is_held =
                |task: &Task| !task.acknowledged && task.ended.is_some_and(|ended| ended.source == Some(*number));
            if self.tasks.iter().any(is_held) {
                continue; // Its event is with the host.
            }
            for reported in of.iter().filter(|reported| !reported.not_run && !reported.dead_batch) {
                let ours = |task: &&Task| {
                    let sent = !task.tries.is_empty() || task.known_before || task.recovered;
                    task.site == site && !task.gone && task.attempt == Some(reported.attempt) && sent
                };
                for task in self.tasks.iter().filter(ours) {
                    assert!(task.has_ended(), "m{number} is the result of `{}`, which goes on", task.key);
                }
            }
        }
    }

    /// Finds tasks that have ended.
    pub(super) fn note_ends(&mut self, site: usize) {
        let waiting = self.sites[site].machine.events.iter_waiting();
        let ended: Vec<Arc<Event>> = waiting
            .filter_map(|waiting| match waiting {
                Waiting::Final { event, .. } if !self.tasks[event.tag as usize].has_ended() => Some(Arc::clone(event)),
                _ => None,
            })
            .collect();
        for event in ended {
            let (index, source) = (event.tag as usize, source_of(&event));
            self.check_end(index, &event, source);
            self.tasks[index].ended = Some(Ended { state: event.state, reason: event.reason, source });
        }
    }

    /// Of the end of a task, at the moment it ends: it has a right to.
    fn check_end(&mut self, index: usize, event: &Event, source: Option<usize>) {
        let now = self.now;
        let task = &self.tasks[index];
        let host = &self.sites[task.site];
        let (key, most) = (Arc::clone(&task.key), host.settings.max_invoke_attempts);
        assert!(!task.gone && event.key == task.key, "{event:?}");
        assert!(!task.acknowledged, "`{key}` ends again after its end was acknowledged");
        assert!(event.attempts <= most, "{} attempts, {most} allowed: {event:?}", event.attempts);
        // A stretch without any success uses no attempt: what failed there is not the task's fault.
        // A call that waits for a slow disk counts as under way.
        let chargeable = task.chargeable(&host.successes[task.route]) + u32::from(host.store.is_slow());
        let known = !task.recovered && !task.known_before;
        assert!(!known || event.attempts <= chargeable, "{chargeable} attempts at most: {event:?} {:?}", task.tries);
        let reason = event.reason.expect("a final event has a reason");
        let is_reported = matches!(
            reason,
            Reason::Exit
                | Reason::Signal
                | Reason::DeadLetter
                | Reason::BadResult
                | Reason::SetupFailed
                | Reason::BadEvent
        );
        assert_eq!(is_reported, source.is_some());
        // Its own result, and not that of another task in the same message.
        let text = [&event.output_tail, &event.message].into_iter().find_map(|text| text.split_once('>'));
        let is_named = source.is_some_and(|number| matches!(self.sqs.messages[number].reports(), Some((_, true))));
        if let (Some((_, of)), Some(attempt), true) = (text, task.attempt, is_named) {
            assert!(of.starts_with(&attempt.to_string()), "the result of another task: {event:?}");
        }
        if reason == Reason::InvokeFailed && task.tries_seen() > 0 {
            assert!(event.message.contains("may have run"), "Lambda may have the event: {event:?} {:?}", task.tries);
        }
        match reason {
            _ if is_reported => {
                let number = source.expect("checked above");
                self.check_source(index, number);
                if let About::Report { named: false, .. } = self.sqs.messages[number].about {
                    self.note_taken_by_key(self.tasks[index].site, &key, number);
                }
            }
            Reason::InvokeFailed => {
                let is = |fault| move |one: &Try| matches!(one.verdict, Some(Verdict::Failed(f, _)) if f == fault);
                let refused = task.tries.iter().filter(|one| !one.with_others).any(is(Fault::Event));
                let interrupted = if task.recovered { task.intents.len() as u32 } else { 0 };
                let used_up = chargeable + interrupted >= most
                    && task.tries_seen() == 0
                    && task.tries.iter().any(is(Fault::Service));
                let since = host.last_success(task.route).max(task.queued_at);
                let outage = now - since >= host.settings.max_outage_ms;
                let tries = if task.recovered { task.intents.len() } else { task.tries_seen() as usize };
                let expired = task.max_wait_ms > 0 && (task.recovered || now >= task.queued_at + task.max_wait_ms);
                let silent = (expired || tries.max((chargeable + interrupted) as usize) >= most as usize)
                    && task.awaited_since.is_some_and(|since| now >= since + task.result_timeout_ms);
                // Its tries failed for so long by a fault of the function, although others were accepted.
                let mut failed = task.tries.iter().filter(|one| is(Fault::Route)(one));
                let first = failed.next().and_then(|one| one.answered);
                let aside = first.is_some_and(|first| now >= first + host.settings.max_outage_ms)
                    && task.tries.last().is_some_and(is(Fault::Route));
                assert!(refused || used_up || outage || silent || aside, "{event:?} {task:?}");
            }
            Reason::Expired => {
                assert!(
                    task.max_wait_ms > 0 && (task.recovered || now >= task.queued_at + task.max_wait_ms),
                    "{event:?}"
                );
                assert_eq!(task.tries_seen(), 0, "Lambda may have accepted `{key}`: {:?}", task.tries);
            }
            Reason::Abandoned => assert!(task.cancelled || host.host.cancels_queued, "{event:?}"),
            Reason::NeverInvoked => {
                assert!(task.cancelled || host.host.cancels_queued, "{event:?}");
                assert_eq!(task.tries_seen(), 0, "Lambda may have accepted `{key}`: {:?}", task.tries);
            }
            Reason::Lost => self.check_lost(index),
            other => panic!("no message reported {}", other.name()),
        }
    }

    /// A message ends only the task that it is about. One that was acknowledged ends no other.
    fn check_source(&self, index: usize, number: usize) {
        let (message, task) = (&self.sqs.messages[number], &self.tasks[index]);
        let (of, named) = match &message.about {
            About::Report { of, named } => (of, *named),
            About::Other { key } => {
                return assert!(task.attempt.is_none() && *key == task.key, "m{number} ends `{key}`");
            }
            About::Malformed | About::SuccessRecord => panic!("m{number} reports nothing"),
        };
        let is_ours = |reported: &super::sqs::Reported| match task.attempt {
            Some(of) if named => of == reported.attempt,
            _ => task.key == reported.key,
        };
        assert!(of.iter().any(is_ours), "m{number} of {of:?} ends `{}`", task.key);
        // Without an id a process that has just started cannot know the messages that were handled before.
        let is_old = message.sent_at < self.sites[task.site].started_at;
        if task.attempt.is_none() || !named && is_old {
            return;
        }
        let used = self.tasks.iter().enumerate().any(|(other, before)| {
            let is_source = before.ended.is_some_and(|ended| ended.source == Some(number));
            let is_again = before.attempt == task.attempt; // The host adopted it a second time.
            let has_several = of.len() > 1;
            other != index && before.site == task.site && is_source && before.acknowledged && !is_again && !has_several
        });
        assert!(!used, "m{number} was acknowledged, and ends `{}` as well", task.key);
    }

    /// A task is LOST only if no result of it could have been received.
    fn check_lost(&self, index: usize) {
        let (now, task) = (self.now, &self.tasks[index]);
        let host = &self.sites[task.site];
        let since = task.awaited_since.expect("only what is awaited can be lost");
        assert!(now >= since + task.result_timeout_ms, "`{}` is LOST too early", task.key);
        let tolerated_ms = u64::from(host.settings.max_unmatched_delay_s) * 1_000;
        // One that its batch did not run must have been sent again.
        let sent_again = |released: u64| task.tries.iter().any(|one| one.began >= released) || task.tries_seen() > 1;
        assert!(
            task.recovered || task.adopted || task.released_at.is_none_or(sent_again),
            "`{}` is LOST and was not sent again: {task:?}",
            task.key
        );
        for (number, message) in self.sqs.messages.iter().enumerate() {
            let Some((of, named)) = message.reports() else { continue };
            let is_its_own = |reported: &super::sqs::Reported| {
                let is_old = (reported.not_run || reported.dead_batch) && task.released_at.is_some();
                !is_old && task.attempt.map_or(reported.key == task.key, |of| of == reported.attempt)
            };
            if !of.iter().any(is_its_own) || message.deleted {
                continue;
            }
            let crowded = self.sqs.visible(message.queue, now).len() > 10;
            let in_reach = message.visible_at + IN_REACH_MS <= now && !crowded;
            // By key alone it may have been released for another executor that uses the same.
            let in_time = named
                && message.sent_at <= since + task.result_timeout_ms
                && message.hidden_ms + 25_000 <= tolerated_ms;
            assert!(
                !in_reach && !in_time,
                "`{}` is LOST at {now} while m{number} is there: {message:?} {task:?}",
                task.key
            );
        }
    }

    /// Of events, when the host takes them.
    pub(super) fn check_handed_out(&mut self, site: usize, events: &[HandedOut]) {
        for HandedOut { seq, event } in events {
            let host = &mut self.sites[site].host;
            if let Some(before) = host.unacknowledged.get(seq) {
                let freed = host.freed.iter().position(|of| of == seq).expect("what was not freed is handed out again");
                host.freed.remove(freed);
                assert!(Arc::ptr_eq(before, event), "{seq} is another event when it is handed out again");
                continue;
            }
            host.handed_out += 1;
            assert_eq!(*seq, host.handed_out, "the numbers of events have a gap");
            host.unacknowledged.insert(*seq, Arc::clone(event));
            self.check_new(site, *seq, event);
        }
    }

    /// RUNNING comes once, before the final event; nothing comes after that.
    fn check_new(&mut self, site: usize, seq: u64, event: &Event) {
        let reports_running = self.sites[site].settings.running_events;
        let task = &mut self.tasks[event.tag as usize];
        assert!(task.site == site && !task.gone && task.key == event.key, "{event:?}");
        assert!(!task.final_handed_out, "an event after the final one: {event:?}");
        if event.state == TaskState::Running {
            assert!(reports_running && !task.adopted && task.running_seq.is_none(), "{event:?}");
            task.running_seq = Some(seq);
            return;
        }
        let ended = task.ended.expect("its end has been seen");
        assert_eq!((event.state, event.reason), (ended.state, ended.reason));
        let from_start = reports_running && !task.adopted && !task.recovered;
        assert!(!from_start || ended.source.is_none() || task.running_seq.is_some(), "no RUNNING before {event:?}");
        task.final_handed_out = true;
    }
}
