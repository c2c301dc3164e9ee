//! Vectors as tables: what is in memory column by column goes out so.
//!
//! Not every vector: where rows are null or missing, or words are many, values go into a table one by one.

use super::text::{WORDS_MAX, units};
use super::{KIND_DATES, KIND_NUMBERS, KIND_WORDS, TAG_TABLE, Table, pad, put_lengths};
use crate::bytes::put_varint;
use crate::error::Result;
use crate::value::View;
use crate::value::vector::{Holds, Vector};

/// Appends some rows of a vector, as a table; all of them where none are given. What is missing is null.
///
/// # Errors
/// None that a sound vector gives.
pub(crate) fn put(vector: &Vector, rows: Option<&[u32]>, out: &mut Vec<u8>) -> Result<()> {
    let count = rows.map_or(vector.len(), <[u32]>::len);
    let is_full = vector.tags().is_empty() && count > 0;
    match vector.holds() {
        Holds::Numbers | Holds::Dates if is_full => {
            begin(out, count, &[]);
            out.push(if vector.holds() == Holds::Dates { KIND_DATES } else { KIND_NUMBERS });
            pad(out);
            let start = out.len();
            out.resize(start + 8 * count, 0);
            let (places, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<8>();
            let floats = vector.floats();
            match rows {
                None => places.iter_mut().zip(floats).for_each(|(place, float)| *place = float.to_le_bytes()),
                Some(rows) => places.iter_mut().zip(rows).for_each(|(place, row)| {
                    *place = floats.get(*row as usize).copied().unwrap_or_default().to_le_bytes();
                }),
            }
        }
        Holds::Words if is_full && vector.words().len() <= WORDS_MAX => {
            let words = vector.words();
            let each = || (0..words.len()).map(|word| words.key(word));
            begin(out, count, &each().collect::<Vec<_>>().concat());
            out.push(KIND_WORDS);
            put_varint(out, words.len() as u64);
            put_lengths(out, &each().map(units).collect::<Result<Vec<u32>>>()?);
            let codes = vector.codes();
            match rows {
                None => out.extend(codes.iter().map(|code| *code as u8)),
                Some(rows) => {
                    out.extend(rows.iter().map(|row| codes.get(*row as usize).copied().unwrap_or_default() as u8));
                }
            }
        }
        _ => {
            let mut table = Table::default();
            let mut push = |row: usize| table.push(vector.view(row).unwrap_or(View::Null));
            match rows {
                None => (0..count).try_for_each(&mut push)?,
                Some(rows) => rows.iter().try_for_each(|row| push(*row as usize))?,
            }
            table.finish(out);
        }
    }
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
