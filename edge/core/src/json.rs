//! Bodies of requests, read to the letter of their JSON Schema: an object is no list, 3.0 is a whole number, and a fault has a place.
//!
//! serde takes a list for a struct, and serde_json no 3.0 for an integer. The OpenAPI document says otherwise of both.

use std::fmt;

use protocol::api::FieldError;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Number, Value};

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadBody {
    /// It is not JSON.
    NoJson,
    /// It is not an object.
    NoObject,
    Field(FieldError),
}

/// Reads a body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadBody> {
    let value: Value = serde_json::from_slice(body).map_err(|_| BadBody::NoJson)?;
    if !value.is_object() {
        return Err(BadBody::NoObject);
    }
    T::deserialize(Strict(value)).map_err(|fault| match fault.place.is_empty() {
        true => BadBody::NoObject,
        false => BadBody::Field(FieldError {
            field: fault.place,
            message: fault.what.into(),
        }),
    })
}

/// What is wrong, and where.
#[derive(Debug)]
struct Fault {
    /// As in `settings.chat` or `sources[2].mid`.
    place: String,
    what: &'static str,
}

impl Fault {
    /// The same fault, of what is in this field.
    fn inside(self, field: &str) -> Self {
        let rest = &self.place;
        let place = match rest.is_empty() || rest.starts_with('[') {
            true => format!("{field}{rest}"),
            false => format!("{field}.{rest}"),
        };
        Self { place, ..self }
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self {
            place: String::new(),
            what: "is of the wrong type or form",
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            place: field.into(),
            what: "is missing",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.what)
    }
}

impl std::error::Error for Fault {}

/// A value that is read as what it is.
struct Strict(Value);

impl<'de> Deserializer<'de> for Strict {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => read_number(&number, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.into_iter(),
                at: 0,
            }),
            Value::Object(fields) => visitor.visit_map(Fields::of(fields)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(Fields::of(fields)),
            _ => Err(Fault::custom("")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(name) => {
                let name: StringDeserializer<Fault> = name.into_deserializer();
                visitor.visit_enum(name)
            }
            Value::Object(fields) => {
                visitor.visit_enum(MapAccessDeserializer::new(Fields::of(fields)))
            }
            _ => Err(Fault::custom("")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The largest whole number that a float has with all below it.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// A number is whole by its value (JSON Schema, 4.2.3), however it is written.
fn read_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Fault> {
    if let Some(value) = number.as_u64() {
        return visitor.visit_u64(value);
    }
    if let Some(value) = number.as_i64() {
        return visitor.visit_i64(value);
    }
    let value = number.as_f64().ok_or_else(|| Fault::custom(""))?;
    match value.fract() == 0.0 && value.abs() <= LARGEST {
        true if value >= 0.0 => visitor.visit_u64(value as u64),
        true => visitor.visit_i64(value as i64),
        false => visitor.visit_f64(value),
    }
}

struct Items {
    items: std::vec::IntoIter<Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let at = self.at;
        self.at += 1;
        let read = seed.deserialize(Strict(item));
        read.map(Some)
            .map_err(|fault| fault.inside(&format!("[{at}]")))
    }
}

struct Fields {
    fields: serde_json::map::IntoIter,
    /// The field whose name was read last.
    now: Option<(String, Value)>,
}

impl Fields {
    fn of(fields: Map<String, Value>) -> Self {
        Self {
            fields: fields.into_iter(),
            now: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.fields.next() else {
            return Ok(None);
        };
        let key = seed.deserialize(Strict(Value::String(name.clone())));
        let key = key.map_err(|fault| fault.inside(&name))?;
        self.now = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (name, value) = self.now.take().ok_or_else(|| Fault::custom(""))?;
        let read = seed.deserialize(Strict(value));
        read.map_err(|fault| fault.inside(&name))
    }
}

#[cfg(test)]
mod tests {
    use protocol::api::{CreateRoomRequest, JoinRequest};
    use protocol::client::Audience;

    use super::*;

    fn fault<T: DeserializeOwned>(body: &str) -> String {
        match read::<T>(body.as_bytes()).map(|_| ()) {
            Err(BadBody::Field(FieldError { field, message })) => format!("{field} {message}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_body_is_read_as_it_is() {
        let body = br#"{"name":"Room","later":[1],"settings":{"chat":"moderators","chatDays":3.0,"guests":null}}"#;
        let room: CreateRoomRequest = read(body).unwrap();
        assert_eq!(room.settings.chat, Some(Audience::Moderators));
        assert_eq!(room.settings.chat_days, Some(3));
        assert_eq!(room.settings.guests, None);
        let join: JoinRequest =
            read(br#"{"roundTrips":{"eu-west":7,"us-east":7.5},"decodes":["vp8"]}"#).unwrap();
        let times: Vec<f64> = join.round_trips.into_values().collect();
        assert_eq!(times, [7.0, 7.5]);
    }

    #[test]
    fn a_list_is_no_object_wherever_it_stands() {
        assert_eq!(fault::<CreateRoomRequest>("[]"), "Err(NoObject)");
        let wrong = "settings is of the wrong type or form";
        assert_eq!(
            fault::<CreateRoomRequest>(r#"{"name":"a","settings":[null,null]}"#),
            wrong
        );
        assert_eq!(
            fault::<JoinRequest>(r#"{"offer":[1,"v=0",[]]}"#),
            "offer is of the wrong type or form"
        );
    }

    #[test]
    fn a_fault_has_its_place() {
        for (body, place) in [
            (
                r#"{"region":"no region"}"#,
                "region is of the wrong type or form",
            ),
            (
                r#"{"offer":{"attempt":1,"sdp":""}}"#,
                "offer.sources is missing",
            ),
            (
                r#"{"offer":{"attempt":1.5,"sdp":"","sources":[]}}"#,
                "offer.attempt is of the wrong type or form",
            ),
            (
                r#"{"offer":{"attempt":1,"sdp":"","sources":[{"mid":"0","source":"camera"},{"mid":"1","source":"tail"}]}}"#,
                "offer.sources[1].source is of the wrong type or form",
            ),
            (
                r#"{"roundTrips":{"a b":1}}"#,
                "roundTrips.a b is of the wrong type or form",
            ),
            (
                r#"{"decodes":["mp3"]}"#,
                "decodes[0] is of the wrong type or form",
            ),
            ("{} {}", "Err(NoJson)"),
            ("5", "Err(NoObject)"),
        ] {
            assert_eq!(fault::<JoinRequest>(body), place);
        }
    }
}
