//! Orders: the documents of one state, as places in the pieces of its sources, ascending by key.
//!
//! Not vectors, and no keys: where pieces lie apart, an order is a handful of numbers.
//!
//! Invariant: each document that is alive comes once, at the place of its newest version.

use super::piece::Piece;
use crate::planted::{Bug, planted};
use std::rc::Rc;

/// Entries of a piece that lie behind each other in the order too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) piece: u32,
    /// The position of the first in the piece.
    pub(super) start: u32,
    pub(super) len: u32,
    /// Its row.
    row: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Order {
    spans: Vec<Span>,
    len: u32,
}

impl Order {
    /// How many documents there are.
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub(crate) fn len_bytes(&self) -> usize {
        size_of::<Order>() + size_of::<Span>() * self.spans.len()
    }

    /// Adds entries of a piece.
    pub(super) fn push(&mut self, piece: u32, start: u32, len: u32) {
        if len == 0 {
            return;
        }
        match self.spans.last_mut() {
            Some(last) if last.piece == piece && last.start + last.len == start => last.len += len,
            _ => self.spans.push(Span { piece, start, len, row: self.len }),
        }
        self.len += len;
    }

    /// The piece and the position of a row.
    pub(super) fn find(&self, row: u32) -> Option<(u32, u32)> {
        let at = self.spans.partition_point(|span| span.row <= row).checked_sub(1)?;
        let span = self.spans.get(at)?;
        Some((span.piece, span.start + (row - span.row)))
    }

    /// The order of pieces that lie apart; none where some do not.
    pub(super) fn of_apart(pieces: &[Rc<Piece>]) -> Option<Order> {
        let mut places: Vec<usize> = (0..pieces.len()).collect();
        places.retain(|place| pieces.get(*place).is_some_and(|piece| piece.len() > 0));
        let ends = |place: &usize| pieces.get(*place).map(|piece| piece.ends()).unwrap_or_default();
        let sorted = crate::sorted::order(places.len(), &mut |left, right| {
            places.get(left).map(ends).unwrap_or_default().0.cmp(places.get(right).map(ends).unwrap_or_default().0)
        });
        let places: Vec<usize> = sorted.into_iter().filter_map(|at| places.get(at).copied()).collect();
        let are_apart = |pair: &[usize]| matches!(pair, [left, right] if ends(left).1 < ends(right).0);
        if !places.windows(2).all(are_apart) && !planted(Bug::ColumnsCountShadowed) {
            return None;
        }
        let mut order = Order::default();
        for place in places {
            let Some(piece) = pieces.get(place) else { continue };
            let mut start = 0;
            for dead in piece.dead() {
                order.push(place as u32, start, dead - start);
                start = dead + 1;
            }
            order.push(place as u32, start, piece.len() - start);
        }
        Some(order)
    }
}
