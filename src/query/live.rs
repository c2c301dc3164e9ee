//! Live queries: what a change of documents makes of a result that is known.
//!
//! Not subscriptions, and no storage: who is told, and where documents come from, is `db/live.rs`.
//!
//! How: a window holds the first members of the result in their order, each by the bytes that it sorts by, its key and a
//! hash of what is seen of it; with a limit a few more than are wanted, so that one that leaves has a successor. Beyond the
//! last that is known, the horizon, nothing is known, and what changes there is nobody's business.
//! Invariants: up to its horizon the window holds exactly what matches; members are in order, each once; a difference that
//! is applied to what was there gives what is there.

use crate::query::Sort;
use crate::sorted;
use crate::value::Path;
use std::rc::Rc;

mod touch;

pub use touch::{Condition, Touch};

/// Members that are kept beyond those that are wanted: as many as are wanted, within these.
const SLACK: core::ops::RangeInclusive<usize> = 16..=1024;

/// A document in the window.
#[derive(Debug, PartialEq, Eq)]
pub struct Member {
    /// Its primary key.
    pub primary: Box<[u8]>,
    /// What it sorts by: no two documents have the same.
    order: Box<[u8]>,
    /// Of what is seen of it.
    hash: u64,
}

/// A document that was written, removed or read anew.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Its primary key.
    pub primary: Vec<u8>,
    /// What it sorts by in a [`total`] order, and the hash of what is seen of it; none where it does not match.
    pub now: Option<(Vec<u8>, u64)>,
    /// The caller's name for it.
    pub source: usize,
}

/// What became of the window.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The places, as they were, of what leaves or is placed anew; ascending.
    pub removed: Vec<usize>,
    /// What stands at another place, or is another; ascending.
    pub placed: Vec<Placed>,
    /// Who left.
    pub left: Vec<Rc<Member>>,
}

/// A member that was placed.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its place now.
    pub at: usize,
    /// Its place before; none where it was not there.
    pub from: Option<usize>,
    /// Whether there is something new to be seen of it.
    pub is_changed: bool,
    /// Whether it stands elsewhere among those that stayed.
    pub is_moved: bool,
    /// The caller's name for the change.
    pub source: usize,
    /// Who it is.
    pub member: Rc<Member>,
}

impl Difference {
    /// Whether nothing became of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.placed.is_empty()
    }
}

/// The first members of a result.
#[derive(Debug)]
pub struct Window {
    /// In order.
    members: Vec<Rc<Member>>,
    /// By primary key.
    by_primary: Vec<Rc<Member>>,
    /// How many are needed; none: all.
    needed: Option<usize>,
    /// What sorts behind this is not known; none: everything is known.
    horizon: Option<Box<[u8]>>,
}

/// The order of a live result: that of the sort and, where that leaves a choice, by key in the direction of its last field.
#[must_use]
pub fn total(sort: &Sort, key_fields: &[Path]) -> Sort {
    sort.with(key_fields)
}

/// One that is coming in.
struct Coming {
    member: Rc<Member>,
    from: Option<usize>,
    is_changed: bool,
    /// Whether it sorts by something else than before.
    is_turned: bool,
    source: usize,
}

impl Window {
    /// An empty window of which nothing is known yet. `needed`: as many as are skipped and wanted together.
    #[must_use]
    pub fn new(needed: Option<usize>) -> Window {
        Window { members: Vec::new(), by_primary: Vec::new(), needed, horizon: Some(Box::default()) }
    }

    /// How many documents a query must give to fill the window; none: all.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.needed.map(|needed| match needed {
            0 => 0,
            needed => needed.saturating_add(needed.clamp(*SLACK.start(), *SLACK.end())),
        })
    }

    /// Whether members are missing that only a query can find.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.horizon.is_some() && self.needed.is_none_or(|needed| self.members.len() < needed)
    }

    /// Whether a document is among the members.
    #[must_use]
    pub fn has(&self, primary: &[u8]) -> bool {
        self.primary_place(primary).is_ok()
    }

    /// The members, in order.
    #[must_use]
    pub fn members(&self) -> &[Rc<Member>] {
        &self.members
    }

    /// Takes in what a query gave: the first documents in order, as many as [`Window::capacity`] says or else all.
    pub fn refill(&mut self, read: Vec<Changed>) -> Difference {
        let is_all = self.capacity().is_none_or(|capacity| read.len() < capacity);
        let last = read.last().and_then(|read| read.now.as_ref()).map(|(order, _)| order.clone().into_boxed_slice());
        self.horizon = None;
        let places = sorted::order(read.len(), &mut |left, right| {
            let primary = |place: usize| read.get(place).map(|read| &read.primary);
            primary(left).cmp(&primary(right))
        });
        let has = |primary: &[u8]| {
            let found =
                places.binary_search_by(|place| read.get(*place).map_or(&[][..], |read| &read.primary).cmp(primary));
            found.is_ok()
        };
        let gone = |member: &Rc<Member>| Changed { primary: member.primary.to_vec(), now: None, source: 0 };
        let mut changes: Vec<Changed> = self.members.iter().filter(|member| !has(&member.primary)).map(gone).collect();
        changes.extend(read);
        let difference = self.apply(changes);
        if !is_all {
            self.horizon = Some(last.unwrap_or_default());
        }
        difference
    }

    /// Takes in changes of one moment; no document stands twice among them.
    pub fn apply(&mut self, changes: Vec<Changed>) -> Difference {
        let (mut leaving, mut coming) = (Vec::new(), Vec::new());
        for change in changes {
            self.judge(change, &mut leaving, &mut coming);
        }
        if leaving.is_empty() && coming.is_empty() {
            return Difference::default();
        }
        let leaving = in_order(leaving, |left, right| left.0.cmp(&right.0));
        let coming = in_order(coming, |left, right| left.member.order.cmp(&right.member.order));
        let (leaving, coming) = self.trim(leaving, coming);
        self.carry_out(&leaving, &coming);
        self.difference(leaving, coming)
    }

    fn place_of(&self, order: &[u8]) -> usize {
        self.members.partition_point(|member| *member.order < *order)
    }

    fn primary_place(&self, primary: &[u8]) -> Result<usize, usize> {
        self.by_primary.binary_search_by(|member| (*member.primary).cmp(primary))
    }

    /// What one change means, by itself.
    fn judge(&self, change: Changed, leaving: &mut Vec<(usize, Rc<Member>)>, coming: &mut Vec<Coming>) {
        let old = self.primary_place(&change.primary).ok().and_then(|place| self.by_primary.get(place));
        let is_known = |order: &[u8]| self.horizon.as_deref().is_none_or(|horizon| order <= horizon);
        let now = change.now.filter(|(order, _)| is_known(order));
        if let (Some(old), Some((order, hash))) = (old, &now)
            && *old.order == **order
            && old.hash == *hash
        {
            return;
        }
        let from = old.map(|old| self.place_of(&old.order));
        if let (Some(old), Some(from)) = (old, from) {
            leaving.push((from, Rc::clone(old)));
        }
        if let Some((order, hash)) = now {
            coming.push(Coming {
                is_changed: old.is_none_or(|old| old.hash != hash),
                is_turned: old.is_some_and(|old| *old.order != *order),
                member: Rc::new(Member { primary: change.primary.into(), order: order.into(), hash }),
                from,
                source: change.source,
            });
        }
    }

    /// Lets the last go, where there are more than are kept.
    fn trim(
        &mut self,
        mut leaving: Vec<(usize, Rc<Member>)>,
        mut coming: Vec<Coming>,
    ) -> (Vec<(usize, Rc<Member>)>, Vec<Coming>) {
        let count = self.members.len() + coming.len() - leaving.len();
        let Some(mut excess) = self.capacity().and_then(|capacity| count.checked_sub(capacity)).filter(|n| *n > 0)
        else {
            return (leaving, coming);
        };
        let mut staying = leaving.len();
        let mut last = self.members.len();
        let mut pushed_out = Vec::new();
        loop {
            // Those that leave anyway are passed over, from the last on.
            while staying > 0 && leaving.get(staying - 1).is_some_and(|(place, _)| place + 1 == last) {
                (staying, last) = (staying - 1, last - 1);
            }
            let old = last.checked_sub(1).and_then(|place| self.members.get(place));
            let new = coming.last().map(|coming| &coming.member);
            let is_old = match (old, new) {
                (Some(old), Some(new)) => old.order > new.order,
                (old, _) => old.is_some(),
            };
            if excess == 0 {
                self.horizon =
                    (if is_old { old } else { new }).map(|member| member.order.clone()).or(Some(Box::default()));
                break;
            }
            excess -= 1;
            if let Some(old) = old.filter(|_| is_old) {
                pushed_out.push((last - 1, Rc::clone(old)));
                last -= 1;
            } else {
                coming.pop();
            }
        }
        leaving.extend(pushed_out);
        (in_order(leaving, |left, right| left.0.cmp(&right.0)), coming)
    }

    fn carry_out(&mut self, leaving: &[(usize, Rc<Member>)], coming: &[Coming]) {
        let is_few = leaving.len() + coming.len() <= FEW;
        let gone: Vec<usize> =
            leaving.iter().filter_map(|(_, member)| self.primary_place(&member.primary).ok()).collect();
        let gone = in_order(gone, Ord::cmp);
        let places: Vec<usize> = leaving.iter().map(|(place, _)| *place).collect();
        let new: Vec<Rc<Member>> = coming.iter().map(|coming| Rc::clone(&coming.member)).collect();
        change(&mut self.members, &places, new.clone(), is_few, |left, right| left.order.cmp(&right.order));
        change(&mut self.by_primary, &gone, new, is_few, |left, right| left.primary.cmp(&right.primary));
    }

    fn difference(&self, leaving: Vec<(usize, Rc<Member>)>, coming: Vec<Coming>) -> Difference {
        let came_from = in_order(coming.iter().filter_map(|coming| coming.from).collect(), Ord::cmp);
        let returns = |place: &usize| came_from.binary_search(place).is_ok();
        let left_for_good: Vec<usize> =
            leaving.iter().map(|(place, _)| *place).filter(|place| !returns(place)).collect();
        let mut entered = 0;
        let mut placed = Vec::with_capacity(coming.len());
        for one in coming {
            let at = self.place_of(&one.member.order);
            let rank = |from: usize| from - left_for_good.partition_point(|place| *place < from);
            let is_moved = one.from.is_some_and(|from| one.is_turned && rank(from) != at - entered);
            entered += usize::from(one.from.is_none());
            let Coming { member, from, is_changed, source, .. } = one;
            placed.push(Placed { at, from, is_changed, is_moved, source, member });
        }
        let removed = leaving.iter().map(|(place, _)| *place).collect();
        let left = leaving.into_iter().filter(|(place, _)| !returns(place)).map(|(_, member)| member).collect();
        Difference { removed, placed, left }
    }
}

/// So many are sooner moved one by one.
const FEW: usize = 16;

/// Takes out what stands at these places, and puts the new where it belongs.
fn change(
    members: &mut Vec<Rc<Member>>,
    gone: &[usize],
    new: Vec<Rc<Member>>,
    is_few: bool,
    compare: fn(&Member, &Member) -> core::cmp::Ordering,
) {
    if is_few {
        for place in gone.iter().rev() {
            members.remove(*place);
        }
        for member in new {
            let place = members.partition_point(|other| compare(other, &member).is_lt());
            members.insert(place, member);
        }
        return;
    }
    let mut place = 0;
    let mut gone = gone.iter().peekable();
    members.retain(|_| {
        let stays = gone.next_if_eq(&&place).is_none();
        place += 1;
        stays
    });
    members.extend(new);
    let order = sorted::order(members.len(), &mut |left, right| match (members.get(left), members.get(right)) {
        (Some(left), Some(right)) => compare(left, right),
        _ => core::cmp::Ordering::Equal,
    });
    *members = order.into_iter().filter_map(|place| members.get(place).cloned()).collect();
}

fn in_order<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> core::cmp::Ordering) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let order = sorted::order(items.len(), &mut |left, right| match (items.get(left), items.get(right)) {
        (Some(left), Some(right)) => compare(left, right),
        _ => core::cmp::Ordering::Equal,
    });
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| items.get_mut(place).and_then(Option::take)).collect()
}

#[cfg(test)]
mod tests;
