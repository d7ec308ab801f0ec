//! Positive assertions (section 10.1), with what the person's data and teams are asked for.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::random::Random;
use url::Url;

use super::SREG;
use super::association::{Association, Associations};
use super::message::{Fields, IDENTIFIER_SELECT, NS, Request, key_values};
use crate::community::{Key, Person};

/// Simple Registration 1.0 has other names and the same fields.
const SREG_1_0: &str = "http://openid.net/sreg/1.0";
/// The Launchpad teams extension.
const TEAMS: &str = "http://ns.launchpad.net/2007/openid-teams";

/// What an assertion is signed with.
pub(super) struct SigningKey {
    handle: String,
    association: Association,
    /// A handle that the relying party had and is to forget (10.1).
    invalidate: Option<String>,
}

/// The key that the relying party named, or a private one where it named none that is still good.
pub(super) fn key_for(
    associations: &mut Associations,
    request: &Request,
    now: Timestamp,
    random: &dyn Random,
) -> SigningKey {
    let named = request.get("assoc_handle");
    if let Some((handle, association)) = named.and_then(|handle| Some((handle, associations.shared(handle, now)?))) {
        return SigningKey { handle: handle.to_owned(), association: association.clone(), invalidate: None };
    }
    let (handle, association) = associations.private(now, random);
    SigningKey { handle, association, invalidate: named.map(str::to_owned) }
}

/// What was asked, and where.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) root: &'a str,
    pub(super) return_to: &'a Url,
}

/// That the person is who signed in.
pub(super) fn about(
    person: &Person,
    teams: &BTreeSet<Key>,
    asked: &Asked<'_>,
    key: &SigningKey,
    nonce: String,
) -> Fields {
    let Asked { request, root, return_to } = asked;
    let identity = format!("{root}/+id/{}", person.word);
    // A claimed identifier of the person's own may lead here; whether it does is the relying party's to find out.
    let claimed = request.get("claimed_id").filter(|claimed| *claimed != IDENTIFIER_SELECT);
    let mut fields = vec![
        ("op_endpoint", format!("{root}/+openid")),
        ("claimed_id", claimed.unwrap_or(&identity).to_owned()),
        ("identity", identity),
        // As it was asked for, letter by letter.
        ("return_to", request.get("return_to").unwrap_or(return_to.as_str()).to_owned()),
        ("response_nonce", nonce),
        ("assoc_handle", key.handle.clone()),
    ];
    fields.extend(registration(person, request));
    fields.extend(memberships(teams, request));
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let text = key_values(fields.iter().map(|(name, value)| (*name, value.as_str())));
    let signed = [
        ("signed", names.join(",")),
        ("sig", key.association.mac.sign(&key.association.key, &text)),
        ("ns", NS.to_owned()),
        ("mode", "id_res".to_owned()),
    ];
    fields.extend(signed);
    fields.extend(key.invalidate.clone().map(|handle| ("invalidate_handle", handle)));
    fields
}

fn registration(person: &Person, request: &Request) -> Fields {
    let Some(alias) = request.alias_of(&[SREG, SREG_1_0]) else { return Vec::new() };
    let asked = ["required", "optional"].map(|list| request.get(&format!("{alias}.{list}")).unwrap_or_default());
    let is_asked = |name: &str| asked.iter().any(|list| list.split(',').any(|one| one == name));
    let namespace = request.get(&format!("ns.{alias}")).unwrap_or(SREG);
    let known = [
        ("email", "sreg.email", person.email.clone()),
        ("nickname", "sreg.nickname", person.nickname.clone()),
        ("fullname", "sreg.fullname", person.name.clone()),
        ("language", "sreg.language", person.language.clone()),
    ];
    let known = known.into_iter().filter(|(name, ..)| is_asked(name)).map(|(_, name, value)| (name, value));
    std::iter::once(("ns.sreg", namespace.to_owned())).chain(known).collect()
}

fn memberships(teams: &BTreeSet<Key>, request: &Request) -> Fields {
    let Some(alias) = request.alias_of(&[TEAMS]) else { return Vec::new() };
    let asked = request.get(&format!("{alias}.query_membership")).unwrap_or_default();
    let member: Vec<_> = asked.split(',').filter(|team| teams.contains(*team)).collect();
    vec![("ns.lp", TEAMS.to_owned()), ("lp.is_member", member.join(","))]
}
