//! Laws of values: what must hold for all of them, tried on random ones.
//!
//! Not examples: those stand at the foot of each file of `src/value`. A failure prints the smallest case; proptest
//! replays it from `PROPTEST_RNG_SEED`.

use core::cmp::Ordering;
use hyphadb::error::ErrorKind;
use hyphadb::value::shape::{Shape, Shapes};
use hyphadb::value::table::Table;
use hyphadb::value::{Name, Object, Path, Value, View, codec, key, order, row, writer};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = Value> {
    let near = prop_oneof![Just(0_i64), Just(1 << 53), Just(-(1 << 53)), Just(1 << 62), Just(i64::MAX), Just(i64::MIN)];
    prop_oneof![
        (-3..3).prop_map(|n: i32| Value::from(n)),
        (-3_i64..3).prop_map(Value::BigInt),
        any::<i64>().prop_map(Value::BigInt),
        any::<f64>().prop_filter_map("NaN", |n| Value::number(n).ok()),
        (near.clone(), -3_i64..3).prop_map(|(base, step)| Value::BigInt(base.saturating_add(step))),
        (near, -3_i32..3).prop_map(|(base, step)| {
            let float = (0..step.abs()).fold(base as f64, |n, _| if step < 0 { n.next_down() } else { n.next_up() });
            Value::number(float).unwrap()
        }),
        Just(Value::number(-0.0).unwrap()),
        Just(Value::number(f64::INFINITY).unwrap()),
        Just(Value::number(f64::NEG_INFINITY).unwrap()),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        "[\\x00-\\x02ab\u{e9}\u{10ffff}]{0,4}".prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop_oneof![-2_i64..2, any::<i64>()].prop_map(Value::Date),
        proptest::collection::vec(0_u8..3, 0..4).prop_map(Value::Bytes),
    ]
}

/// Any value; small alphabets, so that equal and nearly equal ones are common.
fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
    let name = prop_oneof!["[ab]{0,2}", "[\\x00\\x01a]{1,2}", Just("__proto__".to_owned())];
    proptest::collection::vec((name, inner), 0..4).prop_map(|fields| {
        let mut object = Object::new();
        for (name, value) in fields {
            object.set(name, value);
        }
        object
    })
}

pub fn document() -> impl Strategy<Value = Object> {
    fields(value())
}

fn key_of(value: &Value) -> Vec<u8> {
    key::encode(View::from(value)).unwrap()
}

pub fn row_of(document: &Object, shapes: &mut Shapes) -> Vec<u8> {
    let mut bytes = Vec::new();
    for names in writer::encode(document, shapes, &mut bytes).unwrap().iter() {
        shapes.add(names).unwrap();
    }
    if bytes.is_empty() {
        assert!(writer::encode(document, shapes, &mut bytes).unwrap().is_empty());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_is_total(a in value(), b in value(), c in value()) {
        let [ab, ba, bc, ac] = [(&a, &b), (&b, &a), (&b, &c), (&a, &c)].map(|(x, y)| order::compare_values(x, y));
        prop_assert_eq!(ab, ba.reverse());
        prop_assert_eq!(order::compare_values(&a, &a), Ordering::Equal);
        if ab.is_le() && bc.is_le() {
            prop_assert!(ac.is_le());
        }
    }

    #[test]
    fn keys_sort_as_values(a in value(), b in value()) {
        prop_assert_eq!(key_of(&a).cmp(&key_of(&b)), order::compare_values(&a, &b));
    }

    #[test]
    fn keys_of_numbers_sort_as_numbers(a in number(), b in number()) {
        prop_assert_eq!(key_of(&a).cmp(&key_of(&b)), order::compare_values(&a, &b));
    }

    #[test]
    fn no_key_is_the_beginning_of_another(a in value(), b in value()) {
        let (a_key, b_key) = (key_of(&a), key_of(&b));
        prop_assert!(a_key == b_key || !b_key.starts_with(&a_key));
    }

    #[test]
    fn compound_keys_sort_by_component(a in (value(), value()), b in (value(), value())) {
        let compound = |(first, second): &(Value, Value)| [key_of(first), key_of(second)].concat();
        let ordering = order::compare_values(&a.0, &b.0).then(order::compare_values(&a.1, &b.1));
        prop_assert_eq!(compound(&a).cmp(&compound(&b)), ordering);
    }

    #[test]
    fn keys_decode_to_an_equal_value(a in value(), b in value()) {
        let both = [key_of(&a), key_of(&b)].concat();
        let mut rest = both.as_slice();
        prop_assert!(order::compare_values(&key::read(&mut rest).unwrap(), &a).is_eq());
        prop_assert!(order::compare_values(&key::read(&mut rest).unwrap(), &b).is_eq());
        prop_assert!(rest.is_empty());
        let mut rest = both.as_slice();
        key::skip(&mut rest).unwrap();
        prop_assert_eq!(rest, key_of(&b));
    }

    #[test]
    fn bounds_of_a_type_hold_its_values_and_no_others(a in value(), b in value()) {
        let same = order::Bracket::of((&a).into()) == order::Bracket::of((&b).into());
        prop_assert_eq!(key::bracket((&a).into()).contains(&key_of(&b)), same);
    }

    #[test]
    fn rows_come_back_exactly(documents in proptest::collection::vec(document(), 1..4)) {
        let mut shapes = Shapes::new();
        let rows: Vec<_> = documents.iter().map(|document| row_of(document, &mut shapes)).collect();
        let mut loaded = Shapes::new();
        for (id, shape) in shapes.iter() {
            loaded.load(id, Shape::decode(&shape.encode()).unwrap()).unwrap();
        }
        for (document, bytes) in documents.iter().zip(&rows) {
            let view = row::open(bytes, &loaded).unwrap();
            prop_assert_eq!(&view.to_object().unwrap(), document);
            for (name, value) in document.iter() {
                prop_assert_eq!(&view.get(name).unwrap().unwrap().to_value().unwrap(), value);
            }
            prop_assert!(view.get("absent").unwrap().is_none());
        }
    }

    #[test]
    fn rows_read_as_trees_do(document in document(), other in document(), path in "[ab01]{1,2}(\\.[ab01]{1,2}){0,2}") {
        let mut shapes = Shapes::new();
        let bytes = row_of(&document, &mut shapes);
        let view = row::open(&bytes, &shapes).unwrap();
        let path = Path::parse(&path).unwrap();
        let visit = |view| {
            let mut found = Vec::new();
            let _ = path.visit(view, &mut |value| {
                found.push(value.map(|value| value.to_value().unwrap()));
                Ok(core::ops::ControlFlow::Continue(()))
            }).unwrap();
            found
        };
        prop_assert_eq!(visit(view), visit((&document).into()));
        prop_assert_eq!(path.meets_array(view).unwrap(), path.meets_array((&document).into()).unwrap());
        let (tree, other) = (Value::from(document), Value::from(other));
        prop_assert_eq!(key::encode(View::Object(view)).unwrap(), key_of(&tree));
        prop_assert_eq!(
            order::compare(View::Object(view), (&other).into()).unwrap(),
            order::compare_values(&tree, &other)
        );
        let mut encoded = Vec::new();
        codec::encode_object(view, &mut encoded).unwrap();
        prop_assert_eq!(encoded, codec::encoded(&tree));
    }

    #[test]
    fn the_boundary_gives_back_what_it_was_given(value in value()) {
        let dates_fit = |value: &Value| !format!("{value:?}").contains("Date");
        if dates_fit(&value) {
            prop_assert_eq!(codec::decode(&codec::encoded(&value)).unwrap(), value);
        }
    }

    #[test]
    fn damaged_rows_are_corrupt_or_read_as_something(
        document in document(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut shapes = Shapes::new();
        let mut bytes = row_of(&document, &mut shapes);
        for (index, byte) in flips {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            match row::open(bytes, &shapes).and_then(|view| view.to_object()) {
                Ok(_) => {}
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
            }
        }
    }

    #[test]
    fn values_come_out_of_a_table_as_they_went_in(values in proptest::collection::vec(value(), 0..60)) {
        // Only what JavaScript has: its dates are fewer.
        let values: Vec<Value> = values.into_iter().filter(|value| codec::decode(&codec::encoded(value)).is_ok()).collect();
        let mut table = Table::default();
        for value in &values {
            table.push(value.into()).unwrap();
        }
        prop_assert_eq!(table.len(), values.len());
        let mut bytes = Vec::new();
        table.finish(&mut bytes);
        prop_assert_eq!(codec::decode(&bytes).unwrap(), Value::Array(values));
    }

    #[test]
    fn rows_come_out_of_a_table_as_they_were_written(documents in proptest::collection::vec(document(), 1..20)) {
        let mut shapes = Shapes::new();
        let rows: Vec<Vec<u8>> = documents.iter().map(|document| row_of(document, &mut shapes)).collect();
        let mut table = Table::default();
        for row in &rows {
            table.push(View::Object(row::open(row, &shapes).unwrap())).unwrap();
        }
        let mut bytes = vec![0; 3];
        table.finish(&mut bytes);
        let out = codec::decode(&bytes[3..]);
        let exact = |document: &Object| codec::decode(&codec::encoded(&document.clone().into())).is_ok();
        if documents.iter().all(exact) {
            prop_assert_eq!(out.unwrap(), Value::Array(documents.into_iter().map(Value::Object).collect()));
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut shapes = Shapes::new();
        let names: [Name; 2] = ["a".into(), "b".into()];
        shapes.add(&names).unwrap();
        let _ = row::open(&bytes, &shapes).and_then(|view| view.to_object());
        let _ = codec::decode(&bytes);
        let _ = Shape::decode(&bytes);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && key::read(&mut rest).is_ok() {}
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && key::skip(&mut rest).is_ok() {}
        if let Ok(value) = codec::decode(&bytes) {
            prop_assert_eq!(codec::decode(&codec::encoded(&value)).unwrap(), value);
        }
    }
}

#[test]
fn a_row_that_nests_without_end_is_corrupt() {
    // Arrays of one element: varint(1 << 2), tag 9, again and again.
    let mut bytes = vec![0, 1, 1, b'a'];
    bytes.extend([9, 4].repeat(100_000));
    let shapes = Shapes::new();
    let view = row::open(&bytes, &shapes).unwrap();
    assert_eq!(view.to_object().unwrap_err().kind(), ErrorKind::Corrupt);
    let nested = [0x28].repeat(100_000);
    assert_eq!(key::read(&mut nested.as_slice()).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn strings_that_repeat_and_strings_that_do_not_come_back() {
    for (count, kinds, padding) in
        [(31, 40, 0), (40, 100, 0), (300, 254, 0), (300, 255, 0), (300, 256, 0), (40_000, 7, 0), (300, 1000, 20_000)]
    {
        let text = |n: usize| Value::from(format!("{}{}\u{e9}", n * n % kinds, "x".repeat(padding)));
        let values: Vec<Value> = (0..count).map(text).collect();
        let mut table = Table::default();
        values.iter().for_each(|value| table.push(value.into()).unwrap());
        let mut bytes = Vec::new();
        table.finish(&mut bytes);
        assert!(codec::decode(&bytes).unwrap() == Value::Array(values), "{count} strings of {kinds} kinds");
    }
}
