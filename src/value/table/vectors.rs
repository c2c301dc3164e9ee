//! Vectors as tables: what is in memory column by column goes out so.
//!
//! Not every vector: where words are many, values go into a table one by one.

use super::text::{WORDS_MAX, units};
use super::{KIND_BOOLS, KIND_DATES, KIND_MIXED, KIND_NULLS, KIND_NUMBERS, KIND_WORDS};
use super::{TAG_TABLE, Table, pad, put_lengths};
use crate::bytes::put_varint;
use crate::error::Result;
use crate::value::View;
use crate::value::vector::{Holds, THERE, Vector};

/// So many doubles are put together before they are appended: what was just written is quick to copy, and to fill all of
/// the room with zeros first was half of the work.
const PIECE: usize = 512;

/// Appends some rows of a vector, as a table; all of them where none are given. What is missing is null.
///
/// # Errors
/// None that a sound vector gives.
pub(crate) fn put(vector: &Vector, rows: Option<&[u32]>, out: &mut Vec<u8>) -> Result<()> {
    let count = rows.map_or(vector.len(), <[u32]>::len);
    if count == 0 || vector.words().len() > WORDS_MAX || vector.holds() == Holds::Unfit {
        return put_each(vector, rows, count, out);
    }
    let words = vector.words();
    let text: Vec<&[u8]> = (0..words.len()).map(|word| words.key(word)).collect();
    begin(out, count, &text.concat());
    if vector.tags().is_empty() {
        return put_values(vector, rows, count, out);
    }
    // Which rows have a value, and for all of them whether they have none.
    let mut there = Vec::new();
    let mut tags = Vec::with_capacity(count);
    let mut note = |row: u32| {
        let is_there = vector.tag(row as usize) == THERE;
        there.extend(is_there.then_some(row));
        tags.push(u8::from(!is_there));
    };
    match rows {
        None => (0..count as u32).for_each(&mut note),
        Some(rows) => rows.iter().copied().for_each(&mut note),
    }
    if there.is_empty() {
        out.push(KIND_NULLS);
        return Ok(());
    }
    if there.len() < count {
        out.extend_from_slice(&[KIND_MIXED, 2]);
        out.extend_from_slice(&tags);
        put_varint(out, there.len() as u64);
    }
    put_values(vector, Some(&there), there.len(), out)?;
    if there.len() < count {
        put_varint(out, (count - there.len()) as u64);
        out.push(KIND_NULLS);
    }
    Ok(())
}

/// The values of rows that have one; all of them where none are given.
fn put_values(vector: &Vector, rows: Option<&[u32]>, count: usize, out: &mut Vec<u8>) -> Result<()> {
    let (floats, codes, words) = (vector.floats(), vector.codes(), vector.words());
    match vector.holds() {
        Holds::Nothing | Holds::Unfit => out.push(KIND_NULLS),
        Holds::Words => {
            out.push(KIND_WORDS);
            put_varint(out, words.len() as u64);
            put_lengths(out, &(0..words.len()).map(|word| units(words.key(word))).collect::<Result<Vec<u32>>>()?);
            let code = |row: usize| codes.get(row).copied().unwrap_or_default() as u8;
            match rows {
                None => out.extend(codes.iter().map(|code| *code as u8)),
                Some(rows) => out.extend(rows.iter().map(|row| code(*row as usize))),
            }
        }
        Holds::Bools => {
            out.push(KIND_BOOLS);
            let float = |row: u32| floats.get(row as usize).copied().unwrap_or_default();
            match rows {
                None => out.extend(floats.iter().map(|float| *float as u8)),
                Some(rows) => out.extend(rows.iter().map(|row| float(*row) as u8)),
            }
        }
        Holds::Numbers | Holds::Dates => {
            out.push(if vector.holds() == Holds::Dates { KIND_DATES } else { KIND_NUMBERS });
            pad(out);
            let mut piece = [[0; 8]; PIECE];
            for start in (0..count).step_by(PIECE) {
                let places = piece.iter_mut();
                match rows {
                    None => places
                        .zip(floats.get(start..).unwrap_or_default())
                        .for_each(|(place, float)| *place = float.to_le_bytes()),
                    Some(rows) => places.zip(rows.get(start..).unwrap_or_default()).for_each(|(place, row)| {
                        *place = floats.get(*row as usize).copied().unwrap_or_default().to_le_bytes();
                    }),
                }
                out.extend_from_slice(piece.get(..PIECE.min(count - start)).unwrap_or_default().as_flattened());
            }
        }
    }
    Ok(())
}

/// One by one: words that are too many for a byte.
fn put_each(vector: &Vector, rows: Option<&[u32]>, count: usize, out: &mut Vec<u8>) -> Result<()> {
    let mut table = Table::default();
    let mut push = |row: usize| table.push(vector.view(row).unwrap_or(View::Null));
    match rows {
        None => (0..count).try_for_each(&mut push)?,
        Some(rows) => rows.iter().try_for_each(|row| push(*row as usize))?,
    }
    table.finish(out);
    Ok(())
}

/// The beginning of a table of one chunk. The body begins at a multiple of 8 bytes, so that padding is that of `out`.
fn begin(out: &mut Vec<u8>, rows: usize, text: &[u8]) {
    out.push(TAG_TABLE);
    let padding = 7 - out.len() % 8;
    out.push(padding as u8);
    out.resize(out.len() + padding, 0);
    put_varint(out, 1);
    pad(out);
    put_varint(out, rows as u64);
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}
