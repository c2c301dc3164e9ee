//! Which fields or elements of one value were evaluated: what `unevaluated*` ask.
//!
//! Not more than places: of an object by the order of its fields, of an array by index.

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    // The first 64 without allocation.
    first: u64,
    more: Vec<u64>,
    all: bool,
}

impl Seen {
    pub(super) fn add(&mut self, place: usize) {
        let bit = 1 << (place % 64);
        match (place / 64).checked_sub(1) {
            None => self.first |= bit,
            Some(word) => {
                if word >= self.more.len() {
                    self.more.resize(word + 1, 0);
                }
                if let Some(word) = self.more.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    pub(super) fn add_all(&mut self) {
        self.all = true;
    }

    pub(super) fn has(&self, place: usize) -> bool {
        let word = match (place / 64).checked_sub(1) {
            None => self.first,
            Some(word) => self.more.get(word).copied().unwrap_or(0),
        };
        self.all || word & 1 << (place % 64) != 0
    }

    pub(super) fn merge(&mut self, other: &Seen) {
        self.all |= other.all;
        self.first |= other.first;
        if self.more.len() < other.more.len() {
            self.more.resize(other.more.len(), 0);
        }
        for (word, other) in self.more.iter_mut().zip(&other.more) {
            *word |= other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_or_merged_is_there_and_nothing_else() {
        let (mut low, mut high) = (Seen::default(), Seen::default());
        for place in 0..300 {
            if place % 3 == 0 {
                low.add(place)
            }
            if place % 5 == 0 {
                high.add(place)
            }
        }
        low.merge(&high);
        assert!((0..400).all(|place| low.has(place) == (place < 300 && (place % 3 == 0 || place % 5 == 0))));
        low.add_all();
        assert!(low.has(399));
    }
}
