//! Whole numbers of any size, as far as numbers and their digits need them.
//!
//! Not arithmetic for users, and not quick: the standard library's way from doubles to digits and back is some thirty
//! kilobytes of code and tables, which each user would download.
//!
//! Invariant: the last limb is not zero; zero has none.

use core::cmp::Ordering;

/// Limbs of 32 bits, the least first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big(Vec<u32>);

impl Big {
    pub(super) fn new(number: u64) -> Big {
        let mut big = Big(vec![number as u32, (number >> 32) as u32]);
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) const fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bits(&self) -> i32 {
        self.0.last().map_or(0, |last| self.0.len() as i32 * 32 - last.leading_zeros() as i32)
    }

    /// Times a factor, and a term more.
    pub(super) fn scale(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    pub(super) fn times_power_of_ten(&mut self, power: u32) {
        for _ in 0..power {
            self.scale(10, 0);
        }
    }

    pub(super) fn shift(&mut self, bits: u32) {
        self.scale(1 << (bits % 32), 0);
        let limbs = (bits / 32) as usize;
        if !self.is_zero() {
            self.0.splice(0..0, core::iter::repeat_n(0, limbs));
        }
    }

    pub(super) fn plus(&self, other: &Big) -> Big {
        let mut sum = Vec::with_capacity(self.0.len().max(other.0.len()) + 1);
        let mut carry = 0;
        for place in 0..self.0.len().max(other.0.len()) {
            let limb = |of: &Big| u64::from(of.0.get(place).copied().unwrap_or(0));
            carry += limb(self) + limb(other);
            sum.push(carry as u32);
            carry >>= 32;
        }
        sum.push(carry as u32);
        let mut sum = Big(sum);
        sum.trim();
        sum
    }

    /// Takes away a number that is not greater.
    pub(super) fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        for (place, limb) in self.0.iter_mut().enumerate() {
            let less = i64::from(other.0.get(place).copied().unwrap_or(0)) + borrow;
            let left = i64::from(*limb) - less;
            *limb = left as u32;
            borrow = i64::from(left < 0);
        }
        self.trim();
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}
