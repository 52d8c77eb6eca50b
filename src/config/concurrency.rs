//! How many Invokes may be under way where `max_concurrent_invokes` is not given.

use super::queues::Route;
use crate::runtime::open_files;

/// Stands for a number that is not given, until [`resolve`] has replaced it.
pub(super) const AUTOMATIC: usize = 0;
/// At most so many by default: 25,000 Invokes a second at 40 ms.
const MOST: u64 = 1_024;

/// Gives the routes without a number of their own one, and returns the limit of all routes together.
///
/// A call has a connection, and its host needs files too: the calls without a number use at most half of those that the
/// process may open. The server of option `local` has the other ends of the connections in the same process.
pub(super) fn resolve(routes: &mut [Route], is_local: bool) -> usize {
    let share = open_files::limit() / if is_local { 4 } else { 2 };
    let automatic = usize::try_from(share.clamp(1, MOST)).unwrap_or(1);
    let numbers = || routes.iter().map(|route| route.limits.max_concurrent_invokes);
    let of_automatic = if numbers().any(|number| number == AUTOMATIC) { automatic } else { 0 };
    let all = numbers().sum::<usize>() + of_automatic;
    for route in routes {
        if route.limits.max_concurrent_invokes == AUTOMATIC {
            route.limits.max_concurrent_invokes = automatic;
        }
    }
    all
}
