//! Programs: what a schema is compiled to. Nodes lie in one list and name each other by place.
//!
//! Not the schema as it was written: that is gone, but for where each node stood, which violations tell.
//!
//! Invariant: the operations of a node stand in the order of their cost, `unevaluated*` last, for they need the others.

use crate::pattern::Pattern;
use crate::schema::plan::Plans;
use crate::schema::quotient::Divisor;
use crate::schema::verdict::Verdict;
use crate::value::{Name, Number, Value, View};
use std::rc::Rc;

/// The place of a node.
pub(super) type NodeId = usize;

/// Which of the resources (schemas with an `$id`) a node belongs to.
pub(super) type ResourceId = u16;

#[derive(Debug)]
pub(super) struct Program {
    pub(super) nodes: Vec<Node>,
    /// What `$dynamicAnchor` names: by name and resource.
    pub(super) anchors: Vec<DynamicAnchor>,
    pub(super) has_defaults: bool,
}

#[derive(Debug)]
pub(super) struct DynamicAnchor {
    pub(super) name: Rc<str>,
    pub(super) resource: ResourceId,
    pub(super) node: NodeId,
}

/// One schema.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) operations: Vec<Operation>,
    /// Where it stands in its document.
    pub(super) pointer: Rc<str>,
    /// The keyword that it hangs at.
    pub(super) keyword: &'static str,
    pub(super) resource: ResourceId,
    /// What its operations say of a value in a row by its tag.
    pub(super) verdict: Verdict,
    /// Whether it has `unevaluated*`, and so has to know which fields and elements were looked at.
    pub(super) tracks: bool,
    pub(super) default: Option<Value>,
}

#[derive(Debug)]
pub(super) enum Operation {
    /// The schema `false`.
    Never,
    Type(Types),
    OneOf(Choice),
    Limit(Limit, Number),
    MultipleOf(Divisor),
    Count(Measure, usize),
    Pattern(Pattern),
    Unique,
    Reference(NodeId),
    DynamicReference(Rc<str>, NodeId),
    Fields(Box<Fields>),
    FieldNames(NodeId),
    DependentRequired(Vec<(Name, Vec<Name>)>),
    Elements(Vec<NodeId>, Option<NodeId>),
    Contains(NodeId, usize, Option<usize>),
    All(Vec<NodeId>),
    Any(Vec<NodeId>),
    One(Vec<NodeId>),
    Not(NodeId),
    If(NodeId, Option<NodeId>, Option<NodeId>),
    DependentSchemas(Vec<(Name, NodeId)>),
    UnevaluatedFields(NodeId),
    UnevaluatedElements(NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    MinLength,
    MaxLength,
    MinItems,
    MaxItems,
    MinProperties,
    MaxProperties,
}

/// A set of types, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Types(pub(super) u16);

impl Types {
    /// Names as in `type`, then those of `x-type`; the place is the bit.
    pub(super) const NAMES: [&'static str; 10] =
        ["null", "boolean", "object", "array", "number", "string", "integer", "date", "bytes", "bigint"];
    /// So many of the names are JSON's.
    pub(super) const OF_JSON: usize = 7;

    const NUMBER: u16 = 1 << 4;
    const INTEGER: u16 = 1 << 6;
    const BIGINT: u16 = 1 << 9;

    pub(super) fn has(self, value: &View<'_>) -> bool {
        let wanted = match value {
            View::Null => 1,
            View::Bool(_) => 1 << 1,
            View::Object(_) => 1 << 2,
            View::Array(_) => 1 << 3,
            View::String(_) => 1 << 5,
            View::Date(_) => 1 << 7,
            View::Bytes(_) => 1 << 8,
            View::BigInt(_) => Self::NUMBER | Self::INTEGER | Self::BIGINT,
            View::Number(number) => {
                let number = number.get();
                let integer = if number.trunc() == number { Self::INTEGER } else { 0 };
                if number.is_finite() { Self::NUMBER | integer } else { 0 }
            }
        };
        self.0 & wanted != 0
    }
}

/// The values of `enum` and `const`.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) keyword: &'static str,
    /// As they were written.
    pub(super) values: Vec<Value>,
    /// The places of those that are no arrays and objects, in the order of values.
    pub(super) scalars: Vec<usize>,
    /// The places of the others.
    pub(super) others: Vec<usize>,
}

/// What `properties`, `required`, `patternProperties` and `additionalProperties` say, for one pass over the fields.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) named: Vec<NamedField>,
    /// Places in `named`, sorted by name.
    pub(super) by_name: Vec<u16>,
    pub(super) required_count: usize,
    pub(super) patterns: Vec<(Pattern, NodeId)>,
    pub(super) others: Option<NodeId>,
    pub(super) plans: Plans,
}

#[derive(Debug)]
pub(super) struct NamedField {
    pub(super) name: Name,
    /// None where it is required only.
    pub(super) node: Option<NodeId>,
    pub(super) is_required: bool,
}

impl Fields {
    /// The place of a name. Documents mostly have their fields in the order of the schema, or in that of the document
    /// before: `hint` is looked at first.
    pub(super) fn place(&self, name: &str, hint: usize) -> Option<usize> {
        if self.named.get(hint).is_some_and(|field| &*field.name == name) {
            return Some(hint);
        }
        let name_at = |place: &u16| self.named.get(usize::from(*place)).map_or("", |field| &*field.name);
        let found = self.by_name.binary_search_by(|place| name_at(place).cmp(name)).ok()?;
        self.by_name.get(found).map(|place| usize::from(*place))
    }
}
