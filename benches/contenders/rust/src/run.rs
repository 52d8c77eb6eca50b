//! The loop: lanes that invoke, lanes that receive, deletes by ten. All in one thread.

use crate::Job;
use crate::client::{Client, Result};
use crate::measured::Measured;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// Receives in flight, at most. There are as many as return full.
const MOST_RECEIVES: usize = 64;
const FULL: usize = 10;

/// The event that the library sends, too: contenders differ in nothing but the client.
#[derive(Serialize)]
struct Event<'a> {
    task_key: String,
    command: &'a [String],
    executor_config: Empty,
    attempt_id: &'a str,
    reply_to: &'a str,
}

#[derive(Serialize)]
struct Empty {}

struct Run<C: Client> {
    client: C,
    job: Job,
    measured: RefCell<Measured>,
    next: Cell<usize>,
    receives: Cell<usize>,
    more_receives: Notify,
    receipts: RefCell<Vec<String>>,
    deletes: Cell<usize>,
    lanes: RefCell<Vec<C::Lane>>,
    /// Something has ended: all tasks, a delete, or the program by an error.
    ended: Notify,
    error: RefCell<Option<Box<dyn std::error::Error>>>,
}

pub async fn run<C: Client>(client: C, job: Job, limit: Duration) -> Result<Measured> {
    let run = Rc::new(Run {
        client,
        measured: RefCell::new(Measured::new(job.tasks, job.rate)),
        next: Cell::new(0),
        receives: Cell::new(1),
        more_receives: Notify::new(),
        receipts: RefCell::default(),
        deletes: Cell::new(0),
        lanes: RefCell::default(),
        ended: Notify::new(),
        error: RefCell::new(None),
        job,
    });
    let mut lanes = Vec::new();
    for _ in 0..run.job.concurrency.min(run.job.tasks) {
        lanes.push(run.clone().spawn(|run| async move { run.invoke().await }));
    }
    for at in 0..MOST_RECEIVES {
        lanes.push(run.clone().spawn(move |run| async move { run.receive(at).await }));
    }
    let _ = tokio::time::timeout(limit, run.until(|run| run.measured.borrow().is_complete())).await;
    run.measured.borrow_mut().stop();
    for lane in lanes {
        lane.abort();
    }
    run.clone().delete(1);
    let _ = tokio::time::timeout(Duration::from_secs(10), run.until(|run| run.deletes.get() == 0)).await;
    if let Some(error) = run.error.take() {
        return Err(error);
    }
    Ok(run.measured.replace(Measured::new(0, 0.0)))
}

impl<C: Client> Run<C> {
    fn spawn<F>(self: Rc<Self>, work: impl FnOnce(Rc<Self>) -> F + 'static) -> tokio::task::JoinHandle<()>
    where
        F: Future<Output = Result<()>> + 'static,
    {
        tokio::task::spawn_local(async move {
            if let Err(error) = work(self.clone()).await {
                self.error.borrow_mut().get_or_insert(error);
                self.ended.notify_one();
            }
        })
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) && self.error.borrow().is_none() {
            self.ended.notified().await;
        }
    }

    async fn invoke(&self) -> Result<()> {
        let mut lane = self.client.lane();
        loop {
            let task = self.next.get();
            if task >= self.job.tasks {
                return Ok(());
            }
            self.next.set(task + 1);
            let (due, began) = (self.measured.borrow().due(task), self.measured.borrow().began());
            if !due.is_zero() {
                tokio::time::sleep_until((began + due).into()).await;
            }
            let event = Event {
                task_key: format!("bench/{task:07}"),
                command: &self.job.command,
                executor_config: Empty {},
                attempt_id: "000000000000000000000000000000000000",
                reply_to: &self.job.queue_url,
            };
            self.client.invoke(&mut lane, serde_json::to_vec(&event)?).await?;
        }
    }

    async fn receive(self: Rc<Self>, at: usize) -> Result<()> {
        let mut lane = self.client.lane();
        loop {
            while at >= self.receives.get() {
                self.more_receives.notified().await;
            }
            let messages = self.client.receive(&mut lane).await?;
            self.adapt(messages.len());
            for message in messages {
                self.measured.borrow_mut().report(&message.body)?;
                self.receipts.borrow_mut().push(message.receipt);
            }
            self.clone().delete(FULL);
            if self.measured.borrow().is_complete() {
                self.ended.notify_one();
            }
        }
    }

    fn adapt(&self, messages: usize) {
        if messages == FULL && self.receives.get() < MOST_RECEIVES {
            self.receives.set(self.receives.get() + 1);
            self.more_receives.notify_waiters();
        } else if messages < FULL / 2 {
            self.receives.set((self.receives.get() - 1).max(1));
        }
    }

    /// Deletes by ten what has been received, while at least so many wait.
    fn delete(self: Rc<Self>, at_least: usize) {
        while self.receipts.borrow().len() >= at_least {
            let batch: Vec<_> = {
                let mut receipts = self.receipts.borrow_mut();
                let left = receipts.len().saturating_sub(FULL);
                receipts.split_off(left)
            };
            self.deletes.set(self.deletes.get() + 1);
            self.clone().spawn(|run| async move {
                let mut lane = run.lanes.borrow_mut().pop().unwrap_or_else(|| run.client.lane());
                run.client.delete(&mut lane, &batch).await?;
                run.lanes.borrow_mut().push(lane);
                run.deletes.set(run.deletes.get() - 1);
                run.ended.notify_one();
                Ok(())
            });
        }
    }
}
