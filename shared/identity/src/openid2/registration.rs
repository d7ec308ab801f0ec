//! The e-mail address and language from Simple Registration. An unsigned address, an unsigned alias, or a second alias for
//! the same namespace is an attempt to claim another person's address.

use std::collections::BTreeSet;

use membermail_core::email::EmailAddress;

use super::{IndirectResponse, Refusal, SREG};

/// Names of protocol fields, which are forbidden as aliases (section 12), because a field could otherwise be read as part of
/// the protocol or of an extension.
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

/// The signed data of Simple Registration.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) email: EmailAddress,
    pub(super) language: Option<String>,
}

pub(super) fn read(response: &IndirectResponse, signed: &BTreeSet<&str>) -> Result<Registration, Refusal> {
    check_aliases(response)?;
    let sreg = Extension::find(response, signed, &SREG)?.ok_or(Refusal::NoEmail)?;
    // Read first: an unsigned language is an attack, which matters more in the log than a missing address.
    let language = sreg.field("language")?.map(str::to_owned);
    let email = sreg.field("email")?.ok_or(Refusal::NoEmail)?;
    Ok(Registration { email: EmailAddress::parse(email).map_err(Refusal::BadEmail)?, language })
}

/// Refuses forbidden aliases, and two aliases for one namespace (section 12). The two versions of Simple Registration count
/// as one namespace.
fn check_aliases(response: &IndirectResponse) -> Result<(), Refusal> {
    let mut namespaces = BTreeSet::new();
    for (name, namespace) in response.fields() {
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

/// The fields of one extension under its alias in this response (section 12).
struct Extension<'a> {
    response: &'a IndirectResponse,
    signed: &'a BTreeSet<&'a str>,
    alias: &'a str,
}

impl<'a> Extension<'a> {
    fn find(
        response: &'a IndirectResponse,
        signed: &'a BTreeSet<&'a str>,
        namespaces: &[&str],
    ) -> Result<Option<Self>, Refusal> {
        let mut aliases = response
            .fields()
            .filter(|(_, namespace)| namespaces.contains(namespace))
            .filter_map(|(name, _)| name.strip_prefix("ns."));
        let Some(alias) = aliases.next() else { return Ok(None) };
        if signed.contains(format!("ns.{alias}").as_str()) {
            Ok(Some(Self { response, signed, alias }))
        } else {
            Err(Refusal::UnsignedRegistration("alias"))
        }
    }

    /// A non-empty field; fails if it is not signed.
    fn field(&self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        let name_with_alias = format!("{}.{name}", self.alias);
        match self.response.field(&name_with_alias).filter(|value| !value.is_empty()) {
            Some(_) if !self.signed.contains(name_with_alias.as_str()) => Err(Refusal::UnsignedRegistration(name)),
            other => Ok(other),
        }
    }
}
