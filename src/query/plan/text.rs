//! Plans for `$text`: the text index, and what it cannot say is asked of the documents.
//!
//! Not a choice: nothing else can answer it.

use super::{Access, Cost, Plan, Question, Sorting, Walk};
use crate::error::{Error, Result};
use crate::query::filter::Filter;
use crate::query::sort::no_score;
use crate::value::Direction;
use std::rc::Rc;

/// The plan, where text is searched.
///
/// # Errors
/// `invalid` where it is and there is no text index, or an order by score is wanted and it is not.
pub(super) fn plan(question: &Question<'_>) -> Result<Option<Plan>> {
    let Some(search) = question.filter.search() else {
        return if question.sort.by_score() { Err(no_score("sort")) } else { Ok(None) };
    };
    let Some(index) = question.text else {
        let error = Error::invalid("`$text` needs a text index that is ready, and the collection has none");
        return Err(error.with_hint("make one: `createIndex({ fields: ['title'], type: 'text' })`"));
    };
    let others = question.filter.conjuncts().into_iter().filter(|filter| !matches!(filter, Filter::Text(_)));
    let residual = Filter::All(others.cloned().collect());
    let sorting = if question.sort.is_none_but_score() { Sorting::Given } else { Sorting::Gather };
    let walk = Walk {
        access: Access::Text { name: index.name.clone(), search: Rc::clone(search) },
        entries: Vec::new(),
        bounds: search.text().to_owned(),
        asked: String::new(),
    };
    let (direction, cost) = (Direction::Ascending, Cost::default());
    Ok(Some(Plan { walks: vec![walk], among: None, direction, residual, sorting, cost }))
}
