//! Positive assertions (section 10.1), with the requested data and teams that the person ticks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::random::Random;
use url::Url;

use super::{SREG, TEAMS};
use crate::community::Person;
use crate::openid::message::{Fields, IDENTIFIER_SELECT, NS, Request, key_values};
use crate::openid::{Association, Associations};

/// Simple Registration 1.0, which has another namespace and the same fields.
const SREG_1_0: &str = "http://openid.net/sreg/1.0";

/// The key of an assertion.
pub(super) struct SigningKey {
    handle: String,
    association: Association,
    /// The requested handle, if it is unknown or expired (10.1).
    invalidate: Option<String>,
}

/// The requested shared key if it is valid, or else a new private key.
pub(super) fn signing_key(
    associations: &mut Associations,
    request: &Request,
    now: Timestamp,
    random: &dyn Random,
) -> SigningKey {
    let requested = request.get("assoc_handle");
    if let Some((handle, association)) = requested.and_then(|handle| Some((handle, associations.shared(handle, now)?)))
    {
        return SigningKey { handle: handle.to_owned(), association: association.clone(), invalidate: None };
    }
    let (handle, association) = associations.issue_private(now, random);
    SigningKey { handle, association, invalidate: requested.map(str::to_owned) }
}

/// A sign-in request with the root URL of the provider.
pub(super) struct SignInRequest<'a> {
    pub(super) request: &'a Request,
    pub(super) root: &'a str,
    pub(super) return_to: &'a Url,
}

/// The person who signs in, and the identifier used.
pub(super) struct Login<'a> {
    pub(super) person: &'a Person,
    pub(super) identifier: &'a str,
    /// Names of the person's teams on Launchpad; `None` if Launchpad has no person for the login.
    pub(super) memberships: Option<BTreeSet<String>>,
}

/// Creates the signed assertion of a sign-in.
pub(super) fn create(login: &Login<'_>, sign_in: &SignInRequest<'_>, key: &SigningKey, nonce: String) -> Fields {
    let SignInRequest { request, root, return_to } = sign_in;
    // launchpad.md, 9: claimed identifier and identity are equal, without a fragment.
    let identity = format!("{root}/+id/{}", login.identifier);
    // A claimed identifier elsewhere may delegate to this provider; the relying party must verify it (7.3).
    let claimed = request.get("claimed_id").filter(|claimed| *claimed != IDENTIFIER_SELECT);
    let mut fields = vec![
        ("ns", NS.to_owned()),
        ("mode", "id_res".to_owned()),
        ("op_endpoint", format!("{root}/+openid")),
        ("claimed_id", claimed.unwrap_or(&identity).to_owned()),
        ("identity", identity),
        // The exact text of the request, since `Url` normalises it.
        ("return_to", request.get("return_to").unwrap_or(return_to.as_str()).to_owned()),
        ("response_nonce", nonce),
        ("assoc_handle", key.handle.clone()),
    ];
    fields.extend(key.invalidate.clone().map(|handle| ("invalidate_handle", handle)));
    fields.extend(registration_fields(login, request));
    fields.extend(team_fields(login, request));
    sign(fields, key)
}

/// Signs all fields. launchpad.md, 9: also `mode`, `ns`, every `ns.*` and `signed` itself; sorted as in python3-openid
/// 3.2, `openid/association.py`, `signMessage`.
fn sign(mut fields: Fields, key: &SigningKey) -> Fields {
    let mut names: Vec<_> = fields.iter().map(|(name, _)| *name).chain(["signed"]).collect();
    names.sort_unstable();
    fields.push(("signed", names.join(",")));
    fields.sort_unstable();
    let signature = key.association.mac.sign(&key.association.key, &key_values(&fields));
    fields.push(("sig", signature));
    fields
}

/// launchpad.md, 9: the requested fields that are known and ticked. Without any, the namespace is absent.
fn registration_fields(login: &Login<'_>, request: &Request) -> Fields {
    let Some(alias) = request.extension_alias(&[SREG, SREG_1_0]) else { return Vec::new() };
    let person = login.person;
    let [required, optional] = ["required", "optional"].map(|list| {
        let names = request.get(&format!("{alias}.{list}")).unwrap_or_default();
        names.split(',').collect::<Vec<_>>()
    });
    // `nickname` is sent only if Launchpad has a person for the login.
    let nickname = login.memberships.is_some().then(|| person.nickname.clone());
    let known = [
        ("email", "sreg.email", Some(person.email.clone())),
        ("nickname", "sreg.nickname", nickname),
        ("fullname", "sreg.fullname", Some(person.display_name.clone())),
        ("timezone", "sreg.timezone", Some(person.time_zone.clone())),
        ("language", "sreg.language", Some(person.language.clone())),
    ];
    let sent = known.into_iter().filter(|(field, ..)| {
        let is_required = required.contains(field);
        (is_required || optional.contains(field)) && person.is_ticked(field, is_required)
    });
    let mut fields: Fields = sent.filter_map(|(_, name, value)| Some((name, value?))).collect();
    if !fields.is_empty() {
        fields.push(("ns.sreg", request.get(&format!("ns.{alias}")).unwrap_or(SREG).to_owned()));
    }
    fields
}

/// launchpad.md, 9: `lp.is_member` contains only requested teams. It is empty if the person is in none of them or has
/// not ticked teams (the default), and absent if Launchpad has no person for the login.
fn team_fields(login: &Login<'_>, request: &Request) -> Fields {
    let Some((alias, teams)) = request.extension_alias(&[TEAMS]).zip(login.memberships.as_ref()) else {
        return Vec::new();
    };
    let requested = request.get(&format!("{alias}.query_membership")).unwrap_or_default();
    let is_ticked = login.person.is_ticked("teams", false);
    let member: Vec<_> = requested.split(',').filter(|team| is_ticked && teams.contains(*team)).collect();
    vec![("ns.lp", TEAMS.to_owned()), ("lp.is_member", member.join(","))]
}
