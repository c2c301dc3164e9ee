//! Where the schemas of a document stand, under which addresses, and which of them a reference means.
//!
//! Not the network: a document that was not given is not there.
//!
//! Invariant: every schema is found once, by the keywords that may hold one; what stands in `const`, `enum`, `default`
//! and `examples` is none.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::SCHEMAS_MAX;
use crate::schema::keyword::{self, Operand};
use crate::schema::operand;
use crate::schema::program::{NodeId, ResourceId};
use crate::schema::uri;
use crate::schema::violation::push_token;
use crate::value::{Name, Object, Value};

/// A schema, and where it stands.
pub(super) struct Place<'v> {
    pub(super) schema: &'v Value,
    document: usize,
    pub(super) pointer: String,
    pub(super) resource: ResourceId,
    pub(super) keyword: &'static str,
    pub(super) children: Vec<Child>,
}

/// A schema directly in another.
pub(super) struct Child {
    pub(super) keyword: &'static str,
    /// Of `properties` and its like; else empty.
    pub(super) name: Name,
    pub(super) node: NodeId,
}

/// A schema with an address of its own.
struct Resource {
    address: String,
    document: usize,
    pointer: String,
}

pub(super) struct Anchor {
    pub(super) name: String,
    pub(super) resource: ResourceId,
    pub(super) node: NodeId,
    pub(super) is_dynamic: bool,
}

#[derive(Default)]
pub(super) struct Places<'v> {
    pub(super) places: Vec<Place<'v>>,
    resources: Vec<Resource>,
    pub(super) anchors: Vec<Anchor>,
    documents: usize,
}

impl<'v> Places<'v> {
    /// Adds a document and finds the schemas in it.
    ///
    /// # Errors
    /// `unsupported` for words that are no keywords, `invalid` for operands that are not the keyword's, `limit` for too
    /// many schemas.
    pub(super) fn add(&mut self, address: &str, schema: &'v Value) -> Result<()> {
        let (first, document) = (self.places.len(), self.documents);
        self.documents += 1;
        let resource = self.add_resource(address.to_owned(), document, String::new())?;
        self.push(schema, document, String::new(), resource, "schema")?;
        let mut node = first;
        while node < self.places.len() {
            self.look_into(node).map_err(|error| self.located(error, node))?;
            node += 1;
        }
        Ok(())
    }

    fn add_resource(&mut self, address: String, document: usize, pointer: String) -> Result<ResourceId> {
        if self.resources.iter().any(|other| other.address == address) {
            return Err(Error::invalid(format!("`$id` `{address}` stands twice")));
        }
        self.resources.push(Resource { address, document, pointer });
        // No more resources than schemas.
        Ok(ResourceId::try_from(self.resources.len() - 1).unwrap_or(ResourceId::MAX))
    }

    fn push(
        &mut self,
        schema: &'v Value,
        document: usize,
        pointer: String,
        resource: ResourceId,
        keyword: &'static str,
    ) -> Result<NodeId> {
        if self.places.len() >= SCHEMAS_MAX {
            return Err(Error::limit(format!("schema has more than {SCHEMAS_MAX} schemas in it")));
        }
        self.places.push(Place { schema, document, pointer, resource, keyword, children: Vec::new() });
        Ok(self.places.len() - 1)
    }

    fn look_into(&mut self, node: NodeId) -> Result<()> {
        let Some(place) = self.places.get(node) else { return Ok(()) };
        let (schema, document, pointer) = (place.schema, place.document, place.pointer.clone());
        let object = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(object) => object,
            other => {
                let message = format!("a schema is an object or a boolean, not {}", other.type_name());
                return Err(Error::invalid(message));
            }
        };
        let resource = self.identify(node, object)?;
        for (word, value) in object.iter() {
            let Some((keyword, operand)) = keyword::find(word) else {
                if word.starts_with("x-") {
                    continue;
                }
                return Err(keyword::refusal(word));
            };
            operand::check(keyword, operand, value)?;
            let mut children = Vec::new();
            let mut base = pointer.clone();
            push_token(&mut base, keyword);
            let mut add = |schema: &'v Value, token: Option<&str>, name: Name| -> Result<()> {
                let mut pointer = base.clone();
                token.into_iter().for_each(|token| push_token(&mut pointer, token));
                let node = self.push(schema, document, pointer, resource, keyword)?;
                children.push(Child { keyword, name, node });
                Ok(())
            };
            match (operand, value) {
                (Operand::Schema, schema) => add(schema, None, "".into())?,
                (Operand::Schemas, Value::Array(schemas)) => {
                    for (index, schema) in schemas.iter().enumerate() {
                        add(schema, Some(&index.to_string()), "".into())?;
                    }
                }
                (Operand::NamedSchemas, Value::Object(schemas)) => {
                    for (name, schema) in schemas.iter() {
                        add(schema, Some(name), name.clone())?;
                    }
                }
                _ => {}
            }
            if let Some(place) = self.places.get_mut(node) {
                place.children.append(&mut children);
            }
        }
        Ok(())
    }

    /// Takes in what the schema says of its own address and anchors; gives back the resource that it belongs to.
    fn identify(&mut self, node: NodeId, object: &Object) -> Result<ResourceId> {
        let text = |keyword: &str| object.get(keyword).and_then(Value::as_str);
        let Some(place) = self.places.get(node) else { return Ok(0) };
        let (mut resource, document, pointer) = (place.resource, place.document, place.pointer.clone());
        if let Some(id) = text("$id") {
            let (id, fragment) = uri::split_fragment(id);
            if !fragment.is_empty() {
                return Err(Error::invalid("`$id` has a fragment; name the place by `$anchor`"));
            }
            let address = uri::resolve(&self.address(resource), id);
            let own = self.resources.get_mut(usize::from(resource)).filter(|own| own.document == document);
            match own.filter(|own| own.pointer == pointer) {
                Some(own) => own.address = address,
                None => resource = self.add_resource(address, document, pointer)?,
            }
            if let Some(place) = self.places.get_mut(node) {
                place.resource = resource;
            }
        }
        for (keyword, is_dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            let Some(name) = text(keyword) else { continue };
            let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if !name.as_bytes().first().is_some_and(is_start) || !name.bytes().all(is_inner) {
                return Err(Error::invalid(format!("`{keyword}` takes a name, not `{name}`")));
            }
            let mut others = self.anchors.iter().filter(|other| other.resource == resource && other.name == name);
            if others.any(|other| other.node != node || other.is_dynamic == is_dynamic) {
                return Err(Error::invalid(format!("anchor `{name}` stands twice")));
            }
            self.anchors.push(Anchor { name: name.to_owned(), resource, node, is_dynamic });
        }
        Ok(resource)
    }

    /// The address of the resource.
    fn address(&self, resource: ResourceId) -> String {
        self.resources.get(usize::from(resource)).map(|resource| resource.address.clone()).unwrap_or_default()
    }

    /// The address that a reference in this schema leads to, without its fragment.
    pub(super) fn target(&self, place: &Place<'_>, reference: &str) -> String {
        uri::resolve(&self.address(place.resource), uri::split_fragment(reference).0)
    }

    /// The schema that a reference in this schema means; and whether a `$dynamicAnchor` says so.
    ///
    /// # Errors
    /// `unsupported` where it leads to a document that is not there, `invalid` where it leads to no schema.
    pub(super) fn find(&self, place: &Place<'_>, reference: &str) -> Result<(NodeId, bool)> {
        let address = self.target(place, reference);
        let Some(id) = self.resources.iter().position(|resource| resource.address == address) else {
            let message = format!("`{reference}` leads to another document, `{address}`");
            let error = Error::new(ErrorKind::Unsupported, message);
            return Err(error.with_hint("put that schema into `$defs`, with its `$id`: nothing is fetched"));
        };
        let nowhere = || Error::invalid(format!("`{reference}` leads to no schema"));
        let resource = self.resources.get(id).ok_or_else(nowhere)?;
        let fragment = uri::percent_decoded(uri::split_fragment(reference).1).ok_or_else(nowhere)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            let pointer = [&*resource.pointer, &*fragment].concat();
            let is_it = |place: &Place<'_>| place.document == resource.document && place.pointer == pointer;
            return Ok((self.places.iter().position(is_it).ok_or_else(nowhere)?, false));
        }
        let mut anchors = self.anchors.iter();
        let is_it = |anchor: &&Anchor| usize::from(anchor.resource) == id && anchor.name == fragment;
        let anchor = anchors.by_ref().find(is_it).ok_or_else(nowhere)?;
        Ok((anchor.node, anchor.is_dynamic || anchors.find(is_it).is_some_and(|anchor| anchor.is_dynamic)))
    }

    /// Where a schema stands, as violations tell it.
    pub(super) fn pointer(&self, place: &Place<'_>) -> String {
        if place.document == 0 {
            return place.pointer.clone();
        }
        let document = self.resources.iter().find(|resource| resource.document == place.document);
        format!("{}#{}", document.map_or("", |document| &document.address), place.pointer)
    }

    /// Says in which schema something is wrong.
    pub(super) fn located(&self, error: Error, node: NodeId) -> Error {
        let pointer = self.places.get(node).map(|place| self.pointer(place)).unwrap_or_default();
        let place = if pointer.is_empty() { "schema".to_owned() } else { format!("schema at `{pointer}`") };
        error.context(place).with_detail("pointer", pointer)
    }
}
