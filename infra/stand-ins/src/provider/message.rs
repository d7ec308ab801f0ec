//! Messages of the protocol (section 4.1): parameters that come in, key-value form that goes out and is signed.

use std::collections::BTreeMap;

use url::form_urlencoded;

/// The namespace of the protocol (4.1.2).
pub(crate) const NS: &str = "http://specs.openid.net/auth/2.0";
/// The person chooses the identifier at the provider (7.3.1).
pub(crate) const IDENTIFIER_SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

/// The parameters of a request, with those that are not of the protocol.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request(BTreeMap<String, String>);

/// Fields that go out, in their order, without `openid.`.
pub(crate) type Fields = Vec<(&'static str, String)>;

impl Request {
    /// Reads a query or a form.
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter by its whole name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field of the protocol, by its name without `openid.`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameter(&format!("openid.{name}"))
    }

    /// Whether it is of this version of the protocol.
    pub(crate) fn is_ours(&self) -> bool {
        self.get("ns") == Some(NS)
    }

    /// The alias that the request gives an extension (section 12).
    pub(crate) fn alias_of(&self, namespaces: &[&str]) -> Option<&str> {
        let named = self.0.iter().find(|(_, value)| namespaces.contains(&value.as_str()));
        named.and_then(|(name, _)| name.strip_prefix("openid.ns."))
    }

    /// The protocol's parameters, with their whole names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.0.iter().filter(|(name, _)| name.starts_with("openid."));
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The protocol's parameters as a query.
    pub(crate) fn query(&self) -> String {
        encode(self.fields())
    }
}

/// A query of these pairs.
pub(crate) fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Key-value form (4.1.1).
pub(crate) fn key_values<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    fields.into_iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
}
