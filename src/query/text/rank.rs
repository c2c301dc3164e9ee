//! Ranking: which documents match, and how well.
//!
//! Not all in order at once: the best come first, and the rest is put into order as it is asked for.
//!
//! Invariant: what scores alike comes by primary key, ascending.

use super::list::List;
use super::search::Role;

/// How soon more occurrences count for less.
const K1: f64 = 1.2;
/// How much the length of a document counts.
const B: f64 = 0.75;

/// What is known of all documents of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Documents with a word in them.
    pub documents: u64,
    /// Their lengths together.
    pub length: u64,
}

/// Documents that match.
#[derive(Debug, Default)]
pub struct Hits {
    primaries: Vec<u8>,
    /// A heap: none is better than the one at `(place - 1) / 2`.
    heap: Vec<Hit>,
}

#[derive(Clone, Copy, Debug)]
struct Hit {
    score: f64,
    start: u32,
    end: u32,
}

impl Hit {
    fn is_better(&self, other: &Hit) -> bool {
        // Primary keys were put down in their order.
        self.score.total_cmp(&other.score).then(other.start.cmp(&self.start)).is_gt()
    }
}

impl Hits {
    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Takes the best out: its primary key and its score.
    pub fn take(&mut self) -> Option<(&[u8], f64)> {
        let last = self.heap.pop()?;
        let best = self.heap.first().copied().unwrap_or(last);
        if let Some(first) = self.heap.first_mut() {
            *first = last;
            self.sink(0);
        }
        Some((self.primaries.get(best.start as usize..best.end as usize)?, best.score))
    }

    fn push(&mut self, primary: &[u8], score: f64) {
        let start = self.primaries.len() as u32;
        self.primaries.extend_from_slice(primary);
        self.heap.push(Hit { score, start, end: self.primaries.len() as u32 });
    }

    fn arrange(&mut self) {
        (0..self.heap.len() / 2).rev().for_each(|place| self.sink(place));
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let better = |left: usize, right: usize| match (self.heap.get(left), self.heap.get(right)) {
                (Some(left_hit), Some(right_hit)) if right_hit.is_better(left_hit) => right,
                _ => left,
            };
            let best = better(better(place, 2 * place + 1), 2 * place + 2);
            if best == place {
                return;
            }
            self.heap.swap(place, best);
            place = best;
        }
    }
}

/// The documents that match clauses with these lists.
#[must_use]
pub fn rank(clauses: &[(Role, List)], totals: Totals) -> Hits {
    let documents = totals.documents as f64;
    let mean = (totals.length as f64 / documents.max(1.0)).max(1.0);
    let worth = |list: &List| {
        // In a transaction there may be more of them than there were.
        let with = list.len() as f64;
        (1.0 + (documents.max(with) - with + 0.5) / (with + 0.5)).ln()
    };
    let worths: Vec<f64> = clauses.iter().map(|(_, list)| worth(list)).collect();
    let must = clauses.iter().filter(|(role, _)| *role == Role::Must).count();
    let mut at = vec![0; clauses.len()];
    let mut hits = Hits::default();
    loop {
        let wanted = clauses.iter().zip(&at).filter(|((role, _), _)| *role != Role::Not);
        let Some(primary) = wanted.filter_map(|((_, list), at)| list.primary(*at)).min() else { break };
        let (mut score, mut met, mut is_excluded) = (0.0, 0, false);
        for (((role, list), at), worth) in clauses.iter().zip(&mut at).zip(&worths) {
            if *role == Role::Not {
                while list.primary(*at).is_some_and(|other| other < primary) {
                    *at += 1;
                }
            }
            if list.primary(*at) != Some(primary) {
                continue;
            }
            is_excluded |= *role == Role::Not;
            met += usize::from(*role == Role::Must);
            let (count, length) = list.count(*at);
            score += worth * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length / mean));
            *at += 1;
        }
        if met == must && !is_excluded {
            hits.push(primary, score);
        }
    }
    hits.arrange();
    hits
}
