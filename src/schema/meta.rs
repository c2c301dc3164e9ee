//! The standard's own schemas of schemas, for references to them.
//!
//! Not used to check schemas: `schema/compile.rs` knows what each keyword takes, and says it better. Titles and comments
//! are left out, and so are the words of earlier drafts, which are no keywords here.
//!
//! Source: <https://json-schema.org/draft/2020-12/schema>, and those that it names.

use crate::value::{Object, Value};

/// What stands before the names of all of them.
pub(super) const ADDRESS: &str = "https://json-schema.org/draft/2020-12/";
/// The one that `$schema` names.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// By name: what `allOf` lists, the types, `properties` and `$defs`, in a notation of JSON without quotes and spaces.
const DOCUMENTS: [(&str, &str); 8] = [
    (
        "schema",
        "allOf:[{$ref:meta/core}{$ref:meta/applicator}{$ref:meta/unevaluated}{$ref:meta/validation}{$ref:meta/meta-data}\
         {$ref:meta/format-annotation}{$ref:meta/content}]",
    ),
    (
        "meta/core",
        "properties:{$id:{$ref:#/$defs/uriReferenceString pattern:^[^#]*#?$}$schema:{$ref:#/$defs/uriString}\
         $ref:{$ref:#/$defs/uriReferenceString}$anchor:{$ref:#/$defs/anchorString}\
         $dynamicRef:{$ref:#/$defs/uriReferenceString}$dynamicAnchor:{$ref:#/$defs/anchorString}\
         $vocabulary:{type:object propertyNames:{$ref:#/$defs/uriString}additionalProperties:{type:boolean}}\
         $comment:{type:string}$defs:{type:object additionalProperties:{$dynamicRef:#meta}}}\
         $defs:{anchorString:{type:string pattern:^[A-Za-z_][-A-Za-z0-9._]*$}uriString:{type:string format:uri}\
         uriReferenceString:{type:string format:uri-reference}}",
    ),
    (
        "meta/applicator",
        "properties:{prefixItems:{$ref:#/$defs/schemaArray}items:{$dynamicRef:#meta}contains:{$dynamicRef:#meta}\
         additionalProperties:{$dynamicRef:#meta}properties:{type:object additionalProperties:{$dynamicRef:#meta}}\
         patternProperties:{type:object additionalProperties:{$dynamicRef:#meta}propertyNames:{format:regex}}\
         dependentSchemas:{type:object additionalProperties:{$dynamicRef:#meta}}propertyNames:{$dynamicRef:#meta}\
         if:{$dynamicRef:#meta}then:{$dynamicRef:#meta}else:{$dynamicRef:#meta}allOf:{$ref:#/$defs/schemaArray}\
         anyOf:{$ref:#/$defs/schemaArray}oneOf:{$ref:#/$defs/schemaArray}not:{$dynamicRef:#meta}}\
         $defs:{schemaArray:{type:array minItems:1 items:{$dynamicRef:#meta}}}",
    ),
    ("meta/unevaluated", "properties:{unevaluatedItems:{$dynamicRef:#meta}unevaluatedProperties:{$dynamicRef:#meta}}"),
    (
        "meta/validation",
        "properties:{type:{anyOf:[{$ref:#/$defs/simpleTypes}\
         {type:array items:{$ref:#/$defs/simpleTypes}minItems:1 uniqueItems:true}]}const:true enum:{type:array items:true}\
         multipleOf:{type:number exclusiveMinimum:0}maximum:{type:number}exclusiveMaximum:{type:number}\
         minimum:{type:number}exclusiveMinimum:{type:number}maxLength:{$ref:#/$defs/nonNegativeInteger}\
         minLength:{$ref:#/$defs/nonNegativeInteger}pattern:{type:string format:regex}\
         maxItems:{$ref:#/$defs/nonNegativeInteger}minItems:{$ref:#/$defs/nonNegativeInteger}uniqueItems:{type:boolean}\
         maxContains:{$ref:#/$defs/nonNegativeInteger}minContains:{$ref:#/$defs/nonNegativeInteger}\
         maxProperties:{$ref:#/$defs/nonNegativeInteger}minProperties:{$ref:#/$defs/nonNegativeInteger}\
         required:{$ref:#/$defs/stringArray}\
         dependentRequired:{type:object additionalProperties:{$ref:#/$defs/stringArray}}}\
         $defs:{nonNegativeInteger:{type:integer minimum:0}\
         simpleTypes:{enum:[array boolean integer null number object string]}\
         stringArray:{type:array items:{type:string}uniqueItems:true}}",
    ),
    (
        "meta/meta-data",
        "properties:{title:{type:string}description:{type:string}default:true deprecated:{type:boolean}\
         readOnly:{type:boolean}writeOnly:{type:boolean}examples:{type:array items:true}}",
    ),
    ("meta/format-annotation", "properties:{format:{type:string}}"),
    (
        "meta/content",
        "properties:{contentEncoding:{type:string}contentMediaType:{type:string}contentSchema:{$dynamicRef:#meta}}",
    ),
];

/// All of them, with their addresses.
pub(super) fn documents() -> Vec<(String, Value)> {
    let document = |(name, own): &(&str, &str)| {
        let address = [ADDRESS, name].concat();
        let mut object = Object::from([("$dynamicAnchor", "meta".into())]);
        object.set("type", vec![Value::from("object"), Value::from("boolean")].into());
        for (name, value) in fields(&mut &**own).into_fields() {
            object.set(name, value);
        }
        (address, object.into())
    };
    DOCUMENTS.iter().map(document).collect()
}

fn eat(rest: &mut &str, token: char) -> bool {
    let after = rest.strip_prefix(token);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

/// Up to what ends a word; a pattern, which has such characters itself, ends with `$`.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let end =
        if rest.starts_with('^') { rest.find('$').map(|end| end + 1) } else { rest.find([' ', ':', '}', ']', '{']) };
    let (word, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
    *rest = after;
    word
}

fn fields(rest: &mut &str) -> Object {
    let mut object = Object::new();
    while !rest.is_empty() && !rest.starts_with('}') {
        let name = word(rest);
        eat(rest, ':');
        object.set(name, value(rest));
        eat(rest, ' ');
    }
    object
}

fn value(rest: &mut &str) -> Value {
    if eat(rest, '{') {
        let object = fields(rest);
        eat(rest, '}');
        return object.into();
    }
    if eat(rest, '[') {
        let mut elements = Vec::new();
        while !rest.is_empty() && !eat(rest, ']') {
            elements.push(value(rest));
            eat(rest, ' ');
        }
        return elements.into();
    }
    match word(rest) {
        "true" => true.into(),
        digits @ ("0" | "1") => i32::from(digits == "1").into(),
        text => text.into(),
    }
}
