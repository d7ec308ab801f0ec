//! What the provider says of the person by extensions: Simple Registration and Launchpad's teams. Only what is signed
//! counts: an unsigned address, an unsigned alias, or a second alias for the same namespace is somebody's try to put
//! on another person's address.

use std::collections::BTreeSet;

use membermail_core::email::EmailAddress;
use membermail_core::member::TeamName;

use super::{Answer, Refusal, SREG, TEAMS};

/// The person's own data, as signed.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) email: EmailAddress,
    pub(super) nickname: Option<String>,
    pub(super) full_name: Option<String>,
    pub(super) language: Option<String>,
    pub(super) teams_hint: Vec<TeamName>,
}

pub(super) fn read(answer: &Answer, signed: &BTreeSet<&str>) -> Result<Registration, Refusal> {
    one_alias_each(answer)?;
    let sreg = Extension::find(answer, signed, &SREG)?.ok_or(Refusal::NoEmail)?;
    let text = |name| sreg.field(name).map(|value| value.map(str::to_owned));
    let email = sreg.field("email")?.ok_or(Refusal::NoEmail)?;
    let teams = match Extension::find(answer, signed, &[TEAMS])? {
        Some(extension) => extension.field("is_member")?.unwrap_or_default(),
        None => "",
    };
    Ok(Registration {
        email: EmailAddress::parse(email).map_err(|_| Refusal::BadEmail)?,
        nickname: text("nickname")?,
        full_name: text("fullname")?,
        language: text("language")?,
        teams_hint: teams.split(',').filter_map(|team| TeamName::parse(team).ok()).collect(),
    })
}

/// No namespace has two aliases (section 12), and neither have the two versions of Simple Registration together.
fn one_alias_each(answer: &Answer) -> Result<(), Refusal> {
    let mut namespaces = BTreeSet::new();
    for (name, namespace) in answer.fields() {
        let namespace = if SREG.contains(&namespace) { SREG[0] } else { namespace };
        if name.starts_with("ns.") && !namespaces.insert(namespace) {
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
        let is_sound = !alias.is_empty() && !alias.contains('.');
        if is_sound && signed.contains(format!("ns.{alias}").as_str()) {
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
