//! Facts about windows: what is told is what came, went and moved.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A document: what it sorts by, and what is seen of it.
type Known = BTreeMap<u8, (u8, u64)>;

fn changed(id: u8, now: Option<(u8, u64)>) -> Changed {
    Changed { primary: vec![id], now: now.map(|(rank, hash)| (vec![rank, id], hash)), source: usize::from(id) }
}

/// The first so many in order, as a query gives them.
fn read(known: &Known, capacity: Option<usize>) -> Vec<Changed> {
    let mut all: Vec<(u8, u8, u64)> = known.iter().map(|(id, (rank, hash))| (*rank, *id, *hash)).collect();
    all.sort_unstable();
    all.into_iter()
        .take(capacity.unwrap_or(usize::MAX))
        .map(|(rank, id, hash)| changed(id, Some((rank, hash))))
        .collect()
}

/// Applies a difference to what was there: primary keys with hashes.
fn follow(before: &[(u8, u64)], difference: &Difference) -> Vec<(u8, u64)> {
    let mut after = before.to_vec();
    for place in difference.removed.iter().rev() {
        after.remove(*place);
    }
    for placed in &difference.placed {
        let seen = if placed.is_changed {
            (placed.member.primary[0], placed.member.hash)
        } else {
            before[placed.from.unwrap()]
        };
        after.insert(placed.at, seen);
    }
    after
}

fn seen(window: &Window) -> Vec<(u8, u64)> {
    window.members().iter().map(|member| (member.primary[0], member.hash)).collect()
}

proptest! {
    #[test]
    fn a_window_holds_what_a_query_gives(
        needed in prop::option::of(0_usize..6),
        commits in prop::collection::vec(prop::collection::vec((0_u8..60, prop::option::weighted(0.6, (0_u8..9, 0_u64..3))), 1..40), 1..60),
    ) {
        let (mut known, mut window) = (Known::new(), Window::new(needed));
        prop_assert!(window.is_short() || needed == Some(0));
        let _ = window.refill(read(&known, window.capacity()));
        for commit in commits {
            let commit: BTreeMap<u8, Option<(u8, u64)>> = commit.into_iter().collect();
            for (id, now) in &commit {
                match now {
                    Some(now) => known.insert(*id, *now),
                    None => known.remove(id),
                };
            }
            let mut before = seen(&window);
            let mut difference = window.apply(commit.into_iter().map(|(id, now)| changed(id, now)).collect());
            loop {
                let after = follow(&before, &difference);
                prop_assert_eq!(&after, &seen(&window));
                before = after;
                if !window.is_short() {
                    break;
                }
                difference = window.refill(read(&known, window.capacity()));
            }
            let fresh = read(&known, needed);
            let fresh: Vec<(u8, u64)> = fresh.iter().map(|read| (read.primary[0], read.now.as_ref().unwrap().1)).collect();
            prop_assert_eq!(&before[..fresh.len()], &fresh[..]);
            prop_assert!(needed.is_some() || before.len() == fresh.len());
            prop_assert!(window.capacity().is_none_or(|capacity| before.len() <= capacity));
        }
    }
}

#[test]
fn who_only_stands_among_others_has_not_moved() {
    let mut window = Window::new(None);
    let _ = window.refill((0..5).map(|id| changed(id, Some((id * 10, 0)))).collect());
    let difference = window.apply(vec![changed(1, Some((25, 1))), changed(3, Some((33, 1))), changed(4, None)]);
    let told: Vec<_> = difference.placed.iter().map(|placed| (placed.at, placed.from, placed.is_moved)).collect();
    assert_eq!(told, [(2, Some(1), true), (3, Some(3), false)]);
    assert_eq!(difference.removed, [1, 3, 4]);
    assert_eq!(difference.left.len(), 1);
}

#[test]
fn what_is_as_it_was_is_no_difference() {
    let mut window = Window::new(Some(2));
    let all: Vec<Changed> = (0..5).map(|id| changed(id, Some((id, 0)))).collect();
    assert!(!window.refill(all.clone()).is_empty());
    assert!(window.apply(all.clone()).is_empty());
    assert!(window.refill(all).is_empty());
    assert!(window.apply(vec![changed(9, None)]).is_empty());
}
