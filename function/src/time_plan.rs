//! Divides the time of an invocation so that the result is sent before Lambda ends the sandbox.

use std::time::{Duration, Instant};

/// Kept free before Lambda's limit: for the answer to the Runtime API, after the last try to send a result.
const ANSWER_RESERVE: Duration = Duration::from_secs(1);
/// Kept free for sending the result, `ANSWER_RESERVE` included: several tries with back-off.
const REPORT_RESERVE: Duration = Duration::from_secs(4);
/// How long POST_COMMAND has from SIGTERM to SIGKILL.
const POST_GRACE: Duration = Duration::from_secs(1);

/// The moments that bound one invocation. With a short time limit the reserves shrink with it: a function with the
/// default limit of 3 s can still run a command for most of that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TimePlan {
    /// Latest time of SIGTERM to the command. Everything before the command must have ended by then, too.
    pub(crate) terminate_by: Instant,
    /// Latest time of SIGKILL to the command.
    pub(crate) kill_by: Instant,
    /// Latest time of SIGKILL to POST_COMMAND.
    pub(crate) post_kill_by: Instant,
    /// Tries to send the result end by this time.
    pub(crate) send_by: Instant,
}

/// What set the time limit of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LimitedBy {
    /// The event's `timeout_ms`.
    Task(u64),
    /// A variable of the function's environment.
    Setting(Duration),
    /// The function's own time limit.
    Function,
}

/// The time limit of one command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limit {
    /// When SIGTERM is due.
    pub(crate) terminate_at: Instant,
    /// When SIGKILL is due.
    pub(crate) kill_at: Instant,
    /// What set the limit.
    pub(crate) by: LimitedBy,
}

impl TimePlan {
    /// Divides the time `left` from `now` to Lambda's limit. `grace` is the time between SIGTERM and SIGKILL, and
    /// `post` is the time of POST_COMMAND, if there is one.
    pub(crate) fn new(now: Instant, left: Duration, grace: Duration, post: Option<Duration>) -> Self {
        let fifth = left / 5;
        let until_post_kill = left - REPORT_RESERVE.min(fifth);
        let until_kill = until_post_kill - post.map_or(Duration::ZERO, |post| (post + POST_GRACE).min(fifth));
        Self {
            terminate_by: now + until_kill - grace.min(fifth),
            kill_by: now + until_kill,
            post_kill_by: now + until_post_kill,
            send_by: now + left - ANSWER_RESERVE.min(left / 10),
        }
    }

    /// True if one more command of an invocation that began at `began` can have its whole time, or, without a limit of its
    /// own, at least half of the invocation's.
    pub(crate) fn has_room(&self, began: Instant, now: Instant, timeout_ms: Option<u64>) -> bool {
        match timeout_ms {
            Some(ms) => now.checked_add(Duration::from_millis(ms)).is_some_and(|end| end <= self.terminate_by),
            None => now <= began + self.terminate_by.saturating_duration_since(began) / 2,
        }
    }

    /// The time limit of everything before the command.
    pub(crate) fn limit_before(&self) -> Limit {
        Limit { terminate_at: self.terminate_by, kill_at: self.kill_by, by: LimitedBy::Function }
    }

    /// The limit of POST_COMMAND, which starts at `start` and may take `timeout`.
    pub(crate) fn limit_after(&self, start: Instant, timeout: Duration) -> Limit {
        let latest = self.post_kill_by - POST_GRACE.min(self.post_kill_by.saturating_duration_since(start) / 2);
        let terminate_at = (start + timeout).min(latest);
        let by = if terminate_at < latest { LimitedBy::Setting(timeout) } else { LimitedBy::Function };
        Limit { terminate_at, kill_at: (terminate_at + POST_GRACE).min(self.post_kill_by), by }
    }

    /// The limit of a command that starts at `start`.
    pub(crate) fn limit(&self, start: Instant, timeout_ms: Option<u64>, grace: Duration) -> Limit {
        let of_task = timeout_ms.and_then(|ms| Some((ms, start.checked_add(Duration::from_millis(ms))?)));
        match of_task {
            Some((ms, at)) if at < self.terminate_by => Limit {
                terminate_at: at,
                kill_at: at.checked_add(grace).map_or(self.kill_by, |kill| kill.min(self.kill_by)),
                by: LimitedBy::Task(ms),
            },
            _ => self.limit_before(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    fn after(plan: TimePlan, now: Instant) -> [u128; 3] {
        [plan.terminate_by, plan.kill_by, plan.send_by].map(|at| (at - now).as_millis())
    }

    #[test]
    fn long_limits_keep_fixed_reserves_and_short_ones_shrink_them() {
        let now = Instant::now();
        for (left_ms, expected) in
            [(900_000, [891_000, 896_000, 899_000]), (3_000, [1_800, 2_400, 2_700]), (0, [0, 0, 0])]
        {
            assert_eq!(after(TimePlan::new(now, Duration::from_millis(left_ms), GRACE, None), now), expected);
        }
    }

    #[test]
    fn the_nearer_of_two_limits_counts() {
        let now = Instant::now();
        let plan = TimePlan::new(now, Duration::from_secs(60), GRACE, None);
        let limit = plan.limit(now, Some(1_000), GRACE);
        assert_eq!((limit.kill_at - limit.terminate_at, limit.by), (GRACE, LimitedBy::Task(1_000)));
        // Close to the function's limit the grace is what is left.
        let limit = plan.limit(now, Some(50_000), GRACE);
        assert_eq!((limit.kill_at, limit.by), (now + Duration::from_secs(55), LimitedBy::Task(50_000)));
        let limit = plan.limit(now, Some(54_000), GRACE);
        assert_eq!((limit.terminate_at, limit.by), (plan.terminate_by, LimitedBy::Function));
        for timeout_ms in [None, Some(60_000), Some(u64::MAX)] {
            assert_eq!(plan.limit(now, timeout_ms, GRACE).by, LimitedBy::Function);
        }
    }

    #[test]
    fn a_further_command_needs_its_own_limit_or_half_of_the_time() {
        let began = Instant::now();
        let plan = TimePlan::new(began, Duration::from_secs(60), GRACE, None);
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(plan.terminate_by, at(51));
        for (now, timeout_ms, expected) in [
            (25, None, true),
            (26, None, false),
            (41, Some(10_000), true),
            (42, Some(10_000), false),
            (0, Some(u64::MAX), false),
        ] {
            assert_eq!(plan.has_room(began, at(now), timeout_ms), expected, "{now} s, {timeout_ms:?}");
        }
    }

    #[test]
    fn post_command_has_time_of_its_own_before_the_report() {
        let now = Instant::now();
        let post = Duration::from_secs(10);
        for (left_s, expected_ms) in [(900, [880_000, 885_000, 899_000]), (10, [4_000, 6_000, 9_000])] {
            let plan = TimePlan::new(now, Duration::from_secs(left_s), GRACE, Some(post));
            assert_eq!(after(plan, now), expected_ms);
        }
        let plan = TimePlan::new(now, Duration::from_secs(900), GRACE, Some(post));
        let limit = plan.limit_after(now, post);
        assert_eq!((limit.terminate_at, limit.by), (now + post, LimitedBy::Setting(post)));
        assert_eq!(limit.kill_at, now + post + POST_GRACE);
        // After a command that used all of its time there is still that of POST_COMMAND, and no more.
        let limit = plan.limit_after(plan.kill_by, post);
        assert_eq!((limit.terminate_at, limit.kill_at), (plan.kill_by + post, plan.post_kill_by));
        let limit = plan.limit_after(plan.post_kill_by, post);
        assert_eq!((limit.terminate_at, limit.by), (plan.post_kill_by, LimitedBy::Function));
    }
}
