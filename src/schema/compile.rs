//! How a schema document becomes a program.
//!
//! Not lazily: a schema that compiles needs nothing more, and cannot be wrong later.

use crate::error::{Error, ErrorKind, Result};
use crate::pattern::{Flags, Pattern};
use crate::schema::cycle;
use crate::schema::meta;
use crate::schema::operand;
use crate::schema::program::{
    Choice, DynamicAnchor, Fields, Limit, Measure, NamedField, Node, NodeId, Operation, Program, Types,
};
use crate::schema::quotient::Divisor;
use crate::schema::reference::{Place, Places};
use crate::schema::verdict::Verdict;
use crate::sorted;
use crate::value::{Name, Object, Value, order};
use core::cmp::Ordering;

/// See the module.
///
/// # Errors
/// As [`crate::schema::Schema::compile`].
pub(super) fn compile(schema: &Value) -> Result<Program> {
    let standard;
    let mut places = Places::default();
    places.add("", schema)?;
    if places.places.iter().any(|place| leads_to_standard(&places, place)) {
        standard = meta::documents();
        for (address, document) in &standard {
            places.add(address, document)?;
        }
    }
    let compile = |(node, place)| {
        let compiler = Compiler { places: &places, place };
        compiler.node().map_err(|error| places.located(error, node))
    };
    let nodes = places.places.iter().enumerate().map(compile).collect::<Result<Vec<Node>>>()?;
    if let Some(node) = cycle::find(&nodes) {
        return Err(places.located(Error::invalid("a reference leads back to itself, and never into the value"), node));
    }
    let dynamic = places.anchors.iter().filter(|anchor| anchor.is_dynamic);
    let anchor = |anchor: &crate::schema::reference::Anchor| DynamicAnchor {
        name: (&*anchor.name).into(),
        resource: anchor.resource,
        node: anchor.node,
    };
    let anchors = dynamic.map(anchor).collect();
    let has_defaults = nodes.iter().any(|node| node.default.is_some());
    Ok(Program { nodes, anchors, has_defaults })
}

fn leads_to_standard(places: &Places<'_>, place: &Place<'_>) -> bool {
    let Some(object) = place.schema.as_object() else { return false };
    let leads = |keyword| {
        let reference = object.get(keyword).and_then(Value::as_str);
        reference.is_some_and(|reference| places.target(place, reference).starts_with(meta::ADDRESS))
    };
    leads("$ref") || leads("$dynamicRef")
}

struct Compiler<'a, 'v> {
    places: &'a Places<'v>,
    place: &'a Place<'v>,
}

impl<'v> Compiler<'_, 'v> {
    fn node(&self) -> Result<Node> {
        let mut operations = Vec::new();
        let mut default = None;
        match self.place.schema {
            Value::Bool(false) => operations.push(Operation::Never),
            Value::Object(object) => {
                self.dialect()?;
                self.scalars(object, &mut operations)?;
                self.references(&mut operations)?;
                self.objects(object, &mut operations)?;
                self.arrays(&mut operations);
                self.choices(&mut operations);
                // Last: they ask what all the others evaluated.
                operations.extend(self.one("unevaluatedProperties").map(Operation::UnevaluatedFields));
                operations.extend(self.one("unevaluatedItems").map(Operation::UnevaluatedElements));
                default = object.get("default").cloned();
            }
            _ => {}
        }
        let is_tracking =
            |operation| matches!(operation, &Operation::UnevaluatedFields(_) | &Operation::UnevaluatedElements(_));
        Ok(Node {
            verdict: Verdict::of(&operations),
            tracks: operations.iter().any(is_tracking),
            operations,
            pointer: self.places.pointer(self.place).into(),
            keyword: self.place.keyword,
            resource: self.place.resource,
            default,
        })
    }

    fn get(&self, keyword: &str) -> Option<&'v Value> {
        self.place.schema.as_object()?.get(keyword)
    }

    fn text(&self, keyword: &str) -> Option<&'v str> {
        self.get(keyword).and_then(Value::as_str)
    }

    /// The schema at a keyword that takes one.
    fn one(&self, keyword: &str) -> Option<NodeId> {
        self.place.children.iter().find_map(|child| (child.keyword == keyword).then_some(child.node))
    }

    /// The schemas at a keyword that takes several.
    fn some(&self, keyword: &str) -> Vec<NodeId> {
        let children = self.place.children.iter().filter(|child| child.keyword == keyword);
        children.map(|child| child.node).collect()
    }

    fn named(&self, keyword: &str) -> Vec<(Name, NodeId)> {
        let children = self.place.children.iter().filter(|child| child.keyword == keyword);
        children.map(|child| (child.name.clone(), child.node)).collect()
    }

    fn dialect(&self) -> Result<()> {
        match self.text("$schema").map(|dialect| dialect.strip_suffix('#').unwrap_or(dialect)) {
            Some(dialect) if dialect != meta::DIALECT => {
                let error = Error::new(ErrorKind::Unsupported, format!("`$schema` `{dialect}` is not supported"));
                Err(error.with_hint(format!("schemas are `{}`", meta::DIALECT)))
            }
            _ => Ok(()),
        }
    }

    fn scalars(&self, object: &Object, operations: &mut Vec<Operation>) -> Result<()> {
        if let Some(types) = self.types()? {
            operations.push(Operation::Type(types));
        }
        for (keyword, values) in [
            ("const", self.get("const").map(core::slice::from_ref)),
            ("enum", self.get("enum").and_then(Value::as_array)),
        ] {
            operations.extend(values.map(|values| Operation::OneOf(choice(keyword, values))));
        }
        for (keyword, limit) in [
            ("minimum", Limit::Minimum),
            ("exclusiveMinimum", Limit::ExclusiveMinimum),
            ("maximum", Limit::Maximum),
            ("exclusiveMaximum", Limit::ExclusiveMaximum),
        ] {
            operations
                .extend(object.get(keyword).and_then(operand::number).map(|bound| Operation::Limit(limit, bound)));
        }
        if let Some(value) = object.get("multipleOf") {
            let divisor = operand::number(value).and_then(Divisor::new);
            let divisor = divisor.ok_or_else(|| operand::wrong("multipleOf", "a number above zero", value))?;
            operations.push(Operation::MultipleOf(divisor));
        }
        for (keyword, measure) in [
            ("minLength", Measure::MinLength),
            ("maxLength", Measure::MaxLength),
            ("minItems", Measure::MinItems),
            ("maxItems", Measure::MaxItems),
            ("minProperties", Measure::MinProperties),
            ("maxProperties", Measure::MaxProperties),
        ] {
            operations
                .extend(object.get(keyword).and_then(operand::count).map(|count| Operation::Count(measure, count)));
        }
        if let Some(pattern) = self.text("pattern") {
            operations.push(Operation::Pattern(Pattern::parse(pattern, Flags::default())?));
        }
        Ok(())
    }

    /// What `type` and `x-type` name together.
    fn types(&self) -> Result<Option<Types>> {
        let (json, beyond) = Types::NAMES.split_at_checked(Types::OF_JSON).unwrap_or_default();
        let mut types = Types::default();
        let mut is_asked = false;
        for (keyword, known, first_bit) in [("type", json, 0), ("x-type", beyond, json.len())] {
            let Some(value) = self.get(keyword) else { continue };
            is_asked = true;
            let names = match value {
                Value::String(name) => vec![Name::from(&**name)],
                list => operand::names(list).unwrap_or_default(),
            };
            let wrong = || operand::wrong(keyword, &format!("one of {}, or some in an array", known.join(", ")), value);
            if names.is_empty() {
                return Err(wrong());
            }
            for name in names {
                let bit = known.iter().position(|known| **known == *name).ok_or_else(wrong)?;
                types.0 |= 1 << (bit + first_bit);
            }
        }
        Ok(is_asked.then_some(types))
    }

    fn references(&self, operations: &mut Vec<Operation>) -> Result<()> {
        if let Some(reference) = self.text("$ref") {
            let (node, _) = self.places.find(self.place, reference).map_err(|error| error.context("`$ref`"))?;
            operations.push(Operation::Reference(node));
        }
        if let Some(reference) = self.text("$dynamicRef") {
            let found = self.places.find(self.place, reference).map_err(|error| error.context("`$dynamicRef`"))?;
            operations.push(match (found, reference.split_once('#')) {
                ((node, true), Some((_, name))) => Operation::DynamicReference(name.into(), node),
                ((node, _), _) => Operation::Reference(node),
            });
        }
        Ok(())
    }

    fn objects(&self, object: &Object, operations: &mut Vec<Operation>) -> Result<()> {
        operations.extend(self.fields(object)?.map(|fields| Operation::Fields(Box::new(fields))));
        operations.extend(self.one("propertyNames").map(Operation::FieldNames));
        if let Some(Value::Object(dependent)) = object.get("dependentRequired") {
            let mut named = Vec::new();
            for (name, others) in dependent.iter() {
                let wrong = || operand::wrong("dependentRequired", "arrays of strings, each once", others);
                named.push((name.clone(), operand::names(others).ok_or_else(wrong)?));
            }
            operations.push(Operation::DependentRequired(named));
        }
        let dependent = self.named("dependentSchemas");
        if !dependent.is_empty() {
            operations.push(Operation::DependentSchemas(dependent));
        }
        Ok(())
    }

    fn fields(&self, object: &Object) -> Result<Option<Fields>> {
        let mut fields = Fields { others: self.one("additionalProperties"), ..Fields::default() };
        for (name, node) in self.named("properties") {
            fields.named.push(NamedField { name, node: Some(node), is_required: false });
        }
        for name in object.get("required").and_then(operand::names).unwrap_or_default() {
            fields.required_count += 1;
            match fields.named.iter_mut().find(|named| named.name == name) {
                Some(named) => named.is_required = true,
                None => fields.named.push(NamedField { name, node: None, is_required: true }),
            }
        }
        for (source, node) in self.named("patternProperties") {
            fields.patterns.push((Pattern::parse(&source, Flags::default())?, node));
        }
        if fields.named.len() > usize::from(u16::MAX) {
            return Err(Error::limit(format!("schema has {} fields, the limit is {}", fields.named.len(), u16::MAX)));
        }
        let name_at = |place: usize| fields.named.get(place).map(|named| &named.name);
        let places = sorted::order(fields.named.len(), &mut |left, right| name_at(left).cmp(&name_at(right)));
        fields.by_name = places.into_iter().filter_map(|place| u16::try_from(place).ok()).collect();
        let is_empty = fields.named.is_empty() && fields.patterns.is_empty() && fields.others.is_none();
        Ok((!is_empty).then_some(fields))
    }

    fn arrays(&self, operations: &mut Vec<Operation>) {
        let (first, rest) = (self.some("prefixItems"), self.one("items"));
        if !first.is_empty() || rest.is_some() {
            operations.push(Operation::Elements(first, rest));
        }
        if let Some(node) = self.one("contains") {
            let count = |keyword| self.get(keyword).and_then(operand::count);
            operations.push(Operation::Contains(node, count("minContains").unwrap_or(1), count("maxContains")));
        }
        if self.get("uniqueItems") == Some(&Value::Bool(true)) {
            operations.push(Operation::Unique);
        }
    }

    fn choices(&self, operations: &mut Vec<Operation>) {
        for (keyword, operation) in [
            ("allOf", Operation::All as fn(Vec<NodeId>) -> Operation),
            ("anyOf", Operation::Any),
            ("oneOf", Operation::One),
        ] {
            let nodes = self.some(keyword);
            if !nodes.is_empty() {
                operations.push(operation(nodes));
            }
        }
        operations.extend(self.one("not").map(Operation::Not));
        if let Some(condition) = self.one("if") {
            operations.push(Operation::If(condition, self.one("then"), self.one("else")));
        }
    }
}

fn choice(keyword: &'static str, values: &[Value]) -> Choice {
    let at = |place: usize| values.get(place);
    let compare = |left: usize, right: usize| match (at(left), at(right)) {
        (Some(left), Some(right)) => order::compare_values(left, right),
        _ => Ordering::Equal,
    };
    let is_scalar = |place: &usize| !matches!(at(*place), Some(Value::Array(_) | Value::Object(_)));
    let (scalars, others) = sorted::order(values.len(), &mut { compare }).into_iter().partition(is_scalar);
    Choice { keyword, values: values.to_vec(), scalars, others }
}
