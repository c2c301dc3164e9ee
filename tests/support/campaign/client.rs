//! A client of one context: transactions of several kinds, each with what it saw and wrote.
//!
//! Not a judge: what the observations amount to is said in `serial.rs`.
//!
//! Invariant: a transaction's deed is noted before it can take effect.

use super::model::Fate;
use super::report::{Checked, Finding, Verdict};
use super::schedules::{Stage, tolerate};
use super::serial::{Deed, RangeRead};
use super::tab::fate;
use hyphadb::engine::{Direction, Engine, KeyRange, Transaction};
use hyphadb::env::Env;
use hyphadb::env::simulated::Random;
use hyphadb::env::timeout::timeout;
use hyphadb::error::{Error, ErrorKind};
use hyphadb::storage::Durability;
use hyphadb::storage::simulated::Simulated;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One chain of transactions in a context.
pub struct Client {
    /// What it has in common with the others.
    pub stage: Rc<Stage>,
    /// The engine of its context.
    pub engine: Engine<Simulated>,
    /// Time and chance of its context.
    pub env: Rc<dyn Env>,
    /// The number of its context.
    pub context: usize,
    /// Its own chance.
    pub random: Random,
    /// The newest commit that it has heard of.
    pub newest: u64,
}

const SPACE: u8 = 0x10;
const ACCOUNTS: u64 = 4;

fn name(kind: u8, number: u64) -> Vec<u8> {
    vec![SPACE, kind, number as u8]
}

impl Client {
    /// Makes its transactions, one after the other.
    pub async fn work(&mut self) -> Checked {
        for _ in 0..self.stage.schedule.deeds {
            if self.random.percent(40) {
                self.env.sleep(self.random.below(60) as u32).await;
            }
            for _ in 0..4 {
                match self.transact().await {
                    Ok(()) => break,
                    Err(Stop::Error(error)) if error.kind() == ErrorKind::Conflict => {}
                    Err(Stop::Error(error)) if error.kind() == ErrorKind::Closed => return Ok(()),
                    Err(Stop::Error(error)) => {
                        tolerate("transaction", &error)?;
                        break;
                    }
                    Err(Stop::Finding(finding)) => return Err(finding),
                }
            }
        }
        Ok(())
    }

    async fn transact(&mut self) -> Result<(), Stop> {
        let transaction = self.engine.begin()?;
        let snapshot = transaction.snapshot().seq().get();
        if snapshot < self.newest {
            let text = format!("a snapshot of commit {snapshot} after {} was acknowledged", self.newest);
            return Err(Stop::wrong(text));
        }
        let number = self.stage.deeds.borrow().len();
        let mut deed = Deed {
            context: self.context,
            snapshot,
            reads: Vec::new(),
            ranges: Vec::new(),
            writes: Vec::new(),
            marker: vec![SPACE, b'z', (number >> 8) as u8, number as u8],
            asked: 0,
            fate: Fate::Refused,
        };
        // The place is taken now, so that it is known whatever becomes of this context.
        self.stage.deeds.borrow_mut().push(deed.clone());
        self.choose(&transaction, &mut deed, number).await?;
        if !deed.writes.is_empty() {
            deed.writes.push((deed.marker.clone(), Some(number.to_be_bytes().to_vec())));
        }
        for (key, value) in &deed.writes {
            match value {
                Some(value) => transaction.put(key, value)?,
                None => transaction.delete(key)?,
            }
        }
        if self.random.percent(25) {
            self.read_own(&transaction, &deed).await?;
        }
        deed.fate = Fate::Begun;
        deed.asked = self.stage.asked.get();
        self.stage.asked.set(deed.asked + 1);
        self.stage.deeds.borrow_mut()[number] = deed;
        let durability = if self.random.percent(30) { Durability::Strict } else { Durability::Relaxed };
        let committing = self.engine.commit(transaction, durability);
        let committed = if self.random.percent(8) {
            // Some give up before they hear anything: then it may be committed or not.
            let patience_ms = self.random.below(12) as u32;
            let Ok(committed) = timeout(&*self.env, patience_ms, committing).await else { return Ok(()) };
            committed
        } else {
            committing.await
        };
        let said = match &committed {
            Ok(committed) => Fate::Acked { seq: committed.seq.get(), durability: committed.durability },
            Err(error) => fate(error),
        };
        self.stage.deeds.borrow_mut()[number].fate = said;
        self.newest = self.newest.max(committed?.seq.get());
        Ok(())
    }

    /// Reads again what it read, and what it wrote: its own writes must show, and nothing else be new.
    async fn read_own(&mut self, transaction: &Transaction<Simulated>, deed: &Deed) -> Result<(), Stop> {
        let own: BTreeMap<_, _> = deed.writes.iter().cloned().collect();
        for (key, value) in &own {
            let seen = transaction.get(key).await?.map(|value| value.to_vec());
            if seen != *value {
                return Err(Stop::wrong(format!("own write of {} read as {seen:?}", key.escape_ascii())));
            }
        }
        for range in deed.ranges.iter().filter(|range| range.to_end) {
            let mut expected: BTreeMap<_, _> = range.seen.iter().cloned().collect();
            for (key, value) in own.range(range.start.clone()..range.end.clone()) {
                match value {
                    Some(value) => expected.insert(key.clone(), value.clone()),
                    None => expected.remove(key),
                };
            }
            for direction in [Direction::Ascending, Direction::Descending] {
                let bounds = KeyRange { start: range.start.clone(), end: Some(range.end.clone()) };
                let mut scan = transaction.scan(bounds, direction);
                let mut seen = Vec::new();
                while let Some((key, value)) = scan.next().await? {
                    seen.push((key.to_vec(), value.to_vec()));
                }
                if direction == Direction::Descending {
                    seen.reverse();
                }
                if !seen.iter().map(|(key, value)| (key, value)).eq(expected.iter()) {
                    let text = format!("a scan {direction:?} over own writes gave {seen:?} instead of {expected:?}");
                    return Err(Stop::wrong(text));
                }
            }
        }
        Ok(())
    }

    /// Reads and plans the writes of one transaction of some kind.
    async fn choose(
        &mut self,
        transaction: &Transaction<Simulated>,
        deed: &mut Deed,
        number: usize,
    ) -> Result<(), Stop> {
        let own = number.to_be_bytes().to_vec();
        match self.random.below(9) {
            // A transfer: two accounts are read, both are written.
            0 | 1 => {
                let from = self.random.below(ACCOUNTS);
                let to = (from + self.random.between(1, ACCOUNTS - 1)) % ACCOUNTS;
                for account in [from, to] {
                    let old = get(transaction, deed, name(b'a', account)).await?;
                    deed.writes.push((name(b'a', account), Some(longer(old, &own))));
                }
            }
            // A counter, or a list that is appended to.
            2 | 3 => {
                let key = name(b'c', self.random.below(2));
                let old = get(transaction, deed, key.clone()).await?;
                deed.writes.push((key, Some(longer(old, &own))));
            }
            // A place in a queue: the whole range is read, the next place taken.
            4 => {
                let seen = range(transaction, deed, b'q', None, Direction::Ascending).await?;
                deed.writes.push((name(b'q', seen as u64), Some(own)));
            }
            // The first few of a queue are read, from either end, and the first of them is taken out.
            5 => {
                let direction = *self.random.pick(&[Direction::Ascending, Direction::Descending]).unwrap();
                range(transaction, deed, b'q', Some(1 + self.random.index(3)), direction).await?;
                let first = deed.ranges[0].seen.first().map(|(key, _)| key.clone());
                deed.writes.extend(first.map(|key| (key, None)));
                deed.writes.push((name(b'w', self.random.below(4)), Some(own)));
            }
            // Write skew: two are read, one of them is written.
            6 => {
                for side in 0..2 {
                    get(transaction, deed, name(b's', side)).await?;
                }
                deed.writes.push((name(b's', self.random.below(2)), Some(own)));
            }
            // Nothing is read.
            7 => {
                deed.writes.push((name(b'w', self.random.below(4)), Some(own)));
                deed.writes.push((name(b'w', 4 + self.random.below(4)), None));
            }
            // Nothing is written.
            _ => {
                for kind in [b'a', b'c', b'q', b's', b'w'] {
                    range(transaction, deed, kind, None, Direction::Descending).await?;
                }
            }
        }
        Ok(())
    }
}

/// Why a transaction ended early.
enum Stop {
    Error(Error),
    Finding(Finding),
}

impl Stop {
    fn wrong(text: String) -> Stop {
        Stop::Finding(Finding { verdict: Verdict::Wrong, text })
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

/// Old values stay readable in the new one for a while, so that values grow and differ.
fn longer(old: Option<Vec<u8>>, own: &[u8]) -> Vec<u8> {
    let mut value = own.to_vec();
    value.extend(old.unwrap_or_default());
    value.truncate(64);
    value
}

async fn get(transaction: &Transaction<Simulated>, deed: &mut Deed, key: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
    let value = transaction.get(&key).await?.map(|value| value.to_vec());
    deed.reads.push((key, value.clone()));
    Ok(value)
}

/// Reads a range of one kind, all of it or the first few; how many entries were seen.
async fn range(
    transaction: &Transaction<Simulated>,
    deed: &mut Deed,
    kind: u8,
    first: Option<usize>,
    direction: Direction,
) -> Result<usize, Error> {
    let (start, end) = (vec![SPACE, kind], vec![SPACE, kind + 1]);
    let bounds = KeyRange { start: start.clone(), end: Some(end.clone()) };
    let mut scan = transaction.scan(bounds, direction);
    let mut read = RangeRead { start, end, direction, seen: Vec::new(), to_end: false };
    while first.is_none_or(|first| read.seen.len() < first) {
        match scan.next().await? {
            Some((key, value)) => read.seen.push((key.to_vec(), value.to_vec())),
            None => {
                read.to_end = true;
                break;
            }
        }
    }
    let seen = read.seen.len();
    deed.ranges.push(read);
    Ok(seen)
}
