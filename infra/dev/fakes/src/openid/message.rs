//! Messages (section 4.1): request parameters, and the key-value form of responses and signatures.

use std::collections::BTreeMap;
use std::fmt::Display;

use url::form_urlencoded;

/// The namespace of the protocol (4.1.2).
pub(crate) const NS: &str = "http://specs.openid.net/auth/2.0";
/// The identifier of a request that lets the person choose one at the provider (7.3.1).
pub(crate) const IDENTIFIER_SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

/// The parameters of a request, including those outside the protocol.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request(BTreeMap<String, String>);

/// The fields of a response in order, without the prefix `openid.`.
pub(crate) type Fields = Vec<(&'static str, String)>;

impl Request {
    /// Parses a query or a form.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter by its full name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field of the protocol by its name without `openid.`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameter(&format!("openid.{name}"))
    }

    /// Whether the request uses OpenID 2.0.
    pub(crate) fn is_openid_2(&self) -> bool {
        self.get("ns") == Some(NS)
    }

    /// The alias of an extension in the request (section 12).
    pub(crate) fn extension_alias(&self, namespaces: &[&str]) -> Option<&str> {
        let named = self.0.iter().find(|(_, value)| namespaces.contains(&value.as_str()));
        named.and_then(|(name, _)| name.strip_prefix("openid.ns."))
    }

    /// The parameters of the protocol with their full names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.0.iter().filter(|(name, _)| name.starts_with("openid."));
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters of the protocol as a query.
    pub(crate) fn query(&self) -> String {
        encode_query(self.fields())
    }
}

/// Encodes a query.
pub(crate) fn encode_query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Encodes fields in key-value form (4.1.1).
pub(crate) fn key_values(fields: &[(&str, impl Display)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
}
