//! What the provider says of the person by Simple Registration. Only what is signed counts: an unsigned address, an
//! unsigned alias, or a second alias for the same namespace is somebody's try to put on another person's address.

use std::collections::BTreeSet;

use membermail_core::email::EmailAddress;

use super::{Answer, Refusal, SREG};

/// The person's own data, as signed.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) email: EmailAddress,
    pub(super) nickname: Option<String>,
}

pub(super) fn read(answer: &Answer, signed: &BTreeSet<&str>) -> Result<Registration, Refusal> {
    let alias = alias(answer, signed)?;
    let field = |name: &'static str| -> Result<Option<&str>, Refusal> {
        let name_here = format!("{alias}.{name}");
        match answer.field(&name_here).filter(|value| !value.is_empty()) {
            Some(_) if !signed.contains(name_here.as_str()) => Err(Refusal::UnsignedRegistration(name)),
            other => Ok(other),
        }
    };
    let email = field("email")?.ok_or(Refusal::NoEmail)?;
    Ok(Registration {
        email: EmailAddress::parse(email).map_err(|_| Refusal::BadEmail)?,
        nickname: field("nickname")?.map(str::to_owned),
    })
}

/// The one alias of the extension (section 12).
fn alias<'a>(answer: &'a Answer, signed: &BTreeSet<&str>) -> Result<&'a str, Refusal> {
    let mut aliases = answer
        .fields()
        .filter(|(_, namespace)| SREG.contains(namespace))
        .filter_map(|(name, _)| name.strip_prefix("ns."));
    let alias = aliases.next().ok_or(Refusal::NoEmail)?;
    if aliases.next().is_some() {
        return Err(Refusal::SecondAlias);
    }
    if alias.is_empty() || alias.contains('.') {
        return Err(Refusal::UnsignedRegistration("alias"));
    }
    if !signed.contains(format!("ns.{alias}").as_str()) {
        return Err(Refusal::UnsignedRegistration("alias"));
    }
    Ok(alias)
}
