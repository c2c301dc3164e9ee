//! Going through the fields of an object, or the elements of an array, until something is wrong.
//!
//! Not an iterator: each loop over views of its own would be half a kilobyte of code that every user downloads.

use crate::error::Result;
use crate::value::View;
use crate::value::view::{ArrayView, ObjectView};

/// Calls `each` with place, name and value of each field while it answers true; answers whether it always did.
///
/// # Errors
/// `corrupt` for damaged rows, and what `each` fails with.
pub(super) fn fields<'a>(
    object: &ObjectView<'a>,
    each: &mut dyn FnMut(usize, &'a str, &View<'a>) -> Result<bool>,
) -> Result<bool> {
    for (place, field) in object.iter().enumerate() {
        let (name, value) = field?;
        if !each(place, name, &value)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The same for index and value of each element.
///
/// # Errors
/// `corrupt` for damaged rows, and what `each` fails with.
pub(super) fn elements<'a>(
    array: &ArrayView<'a>,
    each: &mut dyn FnMut(usize, &View<'a>) -> Result<bool>,
) -> Result<bool> {
    for (index, element) in array.iter().enumerate() {
        if !each(index, &element?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
