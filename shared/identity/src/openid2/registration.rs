//! The person's own data by Simple Registration. Only what is signed counts: an unsigned address, an unsigned alias, or
//! a second alias for the same namespace is an attempt to put on another person's address.

use std::collections::BTreeSet;

use membermail_core::email::EmailAddress;

use super::{Answer, Refusal, SREG};

/// Names of the protocol's own fields, which no alias may have (section 12): two readers could take the same field for
/// one of the protocol and one of an extension.
const RESERVED: [&str; 24] = [
    "assoc_handle",
    "assoc_type",
    "claimed_id",
    "contact",
    "delegate",
    "dh_consumer_public",
    "dh_gen",
    "dh_modulus",
    "error",
    "identity",
    "invalidate_handle",
    "mode",
    "ns",
    "op_endpoint",
    "openid",
    "realm",
    "reference",
    "response_nonce",
    "return_to",
    "server",
    "session_type",
    "sig",
    "signed",
    "trust_root",
];

/// The person's own data, as signed.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) email: EmailAddress,
    pub(super) language: Option<String>,
}

pub(super) fn read(answer: &Answer, signed: &BTreeSet<&str>) -> Result<Registration, Refusal> {
    check_aliases(answer)?;
    let sreg = Extension::find(answer, signed, &SREG)?.ok_or(Refusal::NoEmail)?;
    // Read first: an unsigned field is an attack, and that is worth more in the log than a missing address.
    let language = sreg.field("language")?.map(str::to_owned);
    let email = sreg.field("email")?.ok_or(Refusal::NoEmail)?;
    Ok(Registration { email: EmailAddress::parse(email).map_err(Refusal::BadEmail)?, language })
}

/// Each alias is one that the protocol allows, and no namespace has two (section 12). The two versions of Simple
/// Registration count as one namespace.
fn check_aliases(answer: &Answer) -> Result<(), Refusal> {
    let mut namespaces = BTreeSet::new();
    for (name, namespace) in answer.fields() {
        let Some(alias) = name.strip_prefix("ns.") else { continue };
        if alias.is_empty() || alias.contains(['.', ',']) || RESERVED.contains(&alias) {
            return Err(Refusal::BadAlias);
        }
        let namespace = if SREG.contains(&namespace) { SREG[0] } else { namespace };
        if !namespaces.insert(namespace) {
            return Err(Refusal::SecondAlias);
        }
    }
    Ok(())
}

/// The fields of one extension, under the alias that this answer gives it (section 12).
struct Extension<'a> {
    answer: &'a Answer,
    signed: &'a BTreeSet<&'a str>,
    alias: &'a str,
}

impl<'a> Extension<'a> {
    fn find(answer: &'a Answer, signed: &'a BTreeSet<&'a str>, namespaces: &[&str]) -> Result<Option<Self>, Refusal> {
        let mut aliases = answer
            .fields()
            .filter(|(_, namespace)| namespaces.contains(namespace))
            .filter_map(|(name, _)| name.strip_prefix("ns."));
        let Some(alias) = aliases.next() else { return Ok(None) };
        if signed.contains(format!("ns.{alias}").as_str()) {
            Ok(Some(Self { answer, signed, alias }))
        } else {
            Err(Refusal::UnsignedRegistration("alias"))
        }
    }

    /// A field that is there and holds something; it is signed then.
    fn field(&self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        let whole = format!("{}.{name}", self.alias);
        match self.answer.field(&whole).filter(|value| !value.is_empty()) {
            Some(_) if !self.signed.contains(whole.as_str()) => Err(Refusal::UnsignedRegistration(name)),
            other => Ok(other),
        }
    }
}
