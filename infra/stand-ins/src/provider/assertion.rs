//! Positive assertions (section 10.1), with the data and teams that the site asks for and the person ticks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::random::Random;
use url::Url;

use super::association::{Association, Associations};
use super::message::{Fields, IDENTIFIER_SELECT, NS, Request, key_values};
use super::{SREG, TEAMS};
use crate::community::Person;

/// Simple Registration 1.0 has other names and the same fields.
const SREG_1_0: &str = "http://openid.net/sreg/1.0";

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

/// A request, and the address that it came to.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) root: &'a str,
    pub(super) return_to: &'a Url,
}

/// The person who signs in, and the identifier that they sign in with.
pub(super) struct Login<'a> {
    pub(super) person: &'a Person,
    pub(super) word: &'a str,
    /// The teams of the person on Launchpad; nothing where Ubuntu One knows no such person.
    pub(super) memberships: Option<BTreeSet<String>>,
}

/// The assertion that this person signed in.
pub(super) fn about(login: &Login<'_>, asked: &Asked<'_>, key: &SigningKey, nonce: String) -> Fields {
    let Asked { request, root, return_to } = asked;
    // launchpad.md, 9: claimed identifier and identity are equal, never with a fragment.
    let identity = format!("{root}/+id/{}", login.word);
    // A claimed identifier of the person's own may lead here; the relying party has to find that out (7.3).
    let claimed = request.get("claimed_id").filter(|claimed| *claimed != IDENTIFIER_SELECT);
    let mut fields = vec![
        ("ns", NS.to_owned()),
        ("mode", "id_res".to_owned()),
        ("op_endpoint", format!("{root}/+openid")),
        ("claimed_id", claimed.unwrap_or(&identity).to_owned()),
        ("identity", identity),
        // As it was asked for, letter by letter.
        ("return_to", request.get("return_to").unwrap_or(return_to.as_str()).to_owned()),
        ("response_nonce", nonce),
        ("assoc_handle", key.handle.clone()),
    ];
    fields.extend(key.invalidate.clone().map(|handle| ("invalidate_handle", handle)));
    fields.extend(registration(login, request));
    fields.extend(memberships(login, request));
    sign(fields, key)
}

/// launchpad.md, 9: signed is everything, also `mode`, `ns`, every `ns.*` and `signed` itself; sorted as in
/// python3-openid 3.2, `openid/association.py`, `signMessage`.
fn sign(mut fields: Fields, key: &SigningKey) -> Fields {
    let mut names: Vec<_> = fields.iter().map(|(name, _)| *name).chain(["signed"]).collect();
    names.sort_unstable();
    fields.push(("signed", names.join(",")));
    fields.sort_unstable();
    let text = key_values(fields.iter().map(|(name, value)| (*name, value.as_str())));
    fields.push(("sig", key.association.mac.sign(&key.association.key, &text)));
    fields
}

/// launchpad.md, 9: the fields that are asked for, known and ticked. With nothing ticked there is no namespace.
fn registration(login: &Login<'_>, request: &Request) -> Fields {
    let Some(alias) = request.alias_of(&[SREG, SREG_1_0]) else { return Vec::new() };
    let person = login.person;
    let is_in = |list: &str, field: &str| {
        let list = request.get(&format!("{alias}.{list}")).unwrap_or_default();
        list.split(',').any(|one| one == field)
    };
    // `nickname` comes only where Ubuntu One knows a Launchpad person.
    let nickname = login.memberships.is_some().then(|| person.nickname.clone());
    let known = [
        ("email", "sreg.email", Some(person.email.clone())),
        ("nickname", "sreg.nickname", nickname),
        ("fullname", "sreg.fullname", Some(person.display_name.clone())),
        ("timezone", "sreg.timezone", Some(person.time_zone.clone())),
        ("language", "sreg.language", Some(person.language.clone())),
    ];
    let is_sent = |field: &str| {
        let is_required = is_in("required", field);
        (is_required || is_in("optional", field)) && person.is_ticked(field, is_required)
    };
    let sent = known.into_iter().filter(|(field, ..)| is_sent(field));
    let mut fields: Fields = sent.filter_map(|(_, name, value)| Some((name, value?))).collect();
    if !fields.is_empty() {
        fields.push(("ns.sreg", request.get(&format!("ns.{alias}")).unwrap_or(SREG).to_owned()));
    }
    fields
}

/// launchpad.md, 9: `lp.is_member` is absent where Ubuntu One knows no Launchpad person; empty where the person is in
/// none of the teams asked for, or has unticked them; only teams that were asked for. Teams are not ticked beforehand.
fn memberships(login: &Login<'_>, request: &Request) -> Fields {
    let Some((alias, teams)) = request.alias_of(&[TEAMS]).zip(login.memberships.as_ref()) else { return Vec::new() };
    let asked = request.get(&format!("{alias}.query_membership")).unwrap_or_default();
    let is_ticked = login.person.is_ticked("teams", false);
    let member: Vec<_> = asked.split(',').filter(|team| is_ticked && teams.contains(*team)).collect();
    vec![("ns.lp", TEAMS.to_owned()), ("lp.is_member", member.join(","))]
}
