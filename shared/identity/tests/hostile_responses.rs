//! Forged responses: each is refused for its own reason, without a request to the provider.

#[path = "hostile_responses/confirming.rs"]
mod confirming;
#[path = "hostile_responses/connections.rs"]
mod connections;
#[path = "hostile_responses/good.rs"]
mod good;
#[path = "hostile_responses/properties.rs"]
mod properties;
#[path = "hostile_responses/reading.rs"]
mod reading;
mod support;

use membermail_core::email::EmailError;
use membermail_identity::openid2::Refusal;
use support::{Pairs, SREG, World};

/// How an attacker changes a valid response. They can sign too, with their own account at the same provider.
type Change = for<'a> fn(&World, &'a mut Pairs) -> &'a mut Pairs;

const TABLE: &[(&str, Refusal, Change)] = &[
    ("no namespace", Refusal::Missing("ns"), |_, a| a.remove("openid.ns")),
    ("OpenID 1.1", Refusal::Namespace, |_, a| a.set("openid.ns", "http://openid.net/signon/1.1")),
    ("no mode", Refusal::Missing("mode"), |_, a| a.remove("openid.mode")),
    ("another mode", Refusal::Mode, |_, a| a.set("openid.mode", "checkid_setup")),
    ("cancelled", Refusal::Cancelled, |_, a| a.set("openid.mode", "cancel")),
    ("setup needed", Refusal::SetupNeeded, |_, a| a.set("openid.mode", "setup_needed")),
    ("provider error", Refusal::ProviderError(String::new()), |_, a| a.set("openid.mode", "error")),
    ("no return_to", Refusal::Missing("return_to"), |_, a| a.remove("openid.return_to")),
    ("return_to of another host", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://evil.example/live/callback?state=our-state")
    }),
    ("return_to by plain HTTP", Refusal::ReturnTo, |_, a| {
        return_to(a, "http://mail.example.org/live/callback?state=our-state")
    }),
    ("return_to of another port", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://mail.example.org:8443/live/callback?state=our-state")
    }),
    ("return_to of another path", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://mail.example.org/callback?state=our-state")
    }),
    ("return_to with somebody's name", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://eve@mail.example.org/live/callback?state=our-state")
    }),
    ("return_to with a fragment", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://mail.example.org/live/callback?state=our-state#x")
    }),
    ("another state than was asked with", Refusal::ReturnTo, |_, a| a.set("state", "another")),
    ("no state in the request", Refusal::ReturnTo, |_, a| a.remove("state")),
    ("no state in return_to", Refusal::ReturnTo, |_, a| return_to(a, support::callback().as_str())),
    ("a parameter that was not asked with", Refusal::ReturnTo, |_, a| a.push("admin", "1")),
    ("return_to with another parameter", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://mail.example.org/live/callback?state=our-state&admin=1")
    }),
    ("return_to that is only as good as ours", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://MAIL.example.org:443/live/./callback?state=our-state")
    }),
    ("return_to with a field of the protocol", Refusal::ReturnTo, |_, a| {
        return_to(a, "https://mail.example.org/live/callback?state=our-state&openid.mode=id_res")
    }),
    ("return_to that is no URL", Refusal::ReturnTo, |_, a| return_to(a, "callback")),
    ("no endpoint", Refusal::Missing("op_endpoint"), |_, a| a.remove("openid.op_endpoint")),
    ("another endpoint", Refusal::Endpoint, |_, a| a.set("openid.op_endpoint", "https://evil.example/+openid").sign()),
    ("the endpoint with a query", Refusal::Endpoint, |w, a| a.set("openid.op_endpoint", &w.at("/+openid?x=1")).sign()),
    ("the endpoint of another port", Refusal::Endpoint, |_, a| {
        a.set("openid.op_endpoint", "http://127.0.0.1:1/+openid").sign()
    }),
    ("no claimed identifier", Refusal::Missing("claimed_id"), |_, a| a.remove("openid.claimed_id")),
    ("no identity", Refusal::Missing("identity"), |_, a| a.remove("openid.identity")),
    ("two persons", Refusal::IdentityDiffers, |w, a| a.set("openid.identity", &w.at("/+id/Other99")).sign()),
    ("a foreign root", Refusal::ForeignIdentifier, |_, a| identifier(a, "https://evil.example/+id/AbC1234")),
    ("a root that only begins alike", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+idx/AbC1234"))),
    ("a path out of the root", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/../admin"))),
    ("an escaped path out of the root", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/%2e%2e"))),
    ("two words", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/AbC1234/x"))),
    ("no word", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/"))),
    ("the root at another port", Refusal::ForeignIdentifier, |_, a| identifier(a, "http://127.0.0.1:1/+id/AbC1234")),
    ("the root with somebody's name", Refusal::ForeignIdentifier, |w, a| {
        identifier(a, &w.at("/+id/AbC1234").replace("http://", "http://eve@"))
    }),
    ("a root in capitals", Refusal::ForeignIdentifier, |w, a| {
        identifier(a, &w.at("/+id/AbC1234").replace("http:", "HTTP:"))
    }),
    ("a word with a space behind", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/AbC1234 "))),
    ("a query behind the word", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/AbC1234?x"))),
    ("a fragment behind the word", Refusal::ForeignIdentifier, |w, a| identifier(a, &w.at("/+id/AbC1234#x"))),
    ("the root as somebody's name", Refusal::ForeignIdentifier, |w, a| {
        identifier(a, &format!("{}@evil.example/+id/AbC1234", w.at("")))
    }),
    ("no nonce", Refusal::Missing("response_nonce"), |_, a| a.remove("openid.response_nonce")),
    ("an old nonce", Refusal::NonceOld, |_, a| a.set("openid.response_nonce", "2026-11-24T09:54:59Zx").sign()),
    ("a nonce of the future", Refusal::NonceFuture, |_, a| {
        a.set("openid.response_nonce", "2026-11-24T10:05:01Zx").sign()
    }),
    ("a nonce without a time", Refusal::NonceForm, |_, a| a.set("openid.response_nonce", "unique").sign()),
    ("a nonce with an offset", Refusal::NonceForm, |_, a| {
        a.set("openid.response_nonce", "2026-11-24T10:00:00+00:00x").sign()
    }),
    ("a nonce of no day", Refusal::NonceForm, |_, a| a.set("openid.response_nonce", "2026-13-24T10:00:00Zx").sign()),
    ("a long nonce", Refusal::NonceForm, |_, a| {
        a.set("openid.response_nonce", &format!("2026-11-24T10:00:00Z{}", "x".repeat(236))).sign()
    }),
    ("no handle", Refusal::Missing("assoc_handle"), |_, a| a.remove("openid.assoc_handle")),
    ("a handle that calls itself invalid", Refusal::AssociationConfusion, |_, a| {
        a.set("openid.invalidate_handle", "handle")
    }),
    ("no signature", Refusal::Missing("sig"), |_, a| a.remove("openid.sig")),
    ("an empty signature", Refusal::Missing("sig"), |_, a| a.set("openid.sig", "")),
    ("nothing signed", Refusal::Missing("signed"), |_, a| a.remove("openid.signed")),
    ("a field signed twice", Refusal::SignedForm, |_, a| a.sign_too("identity")),
    ("an empty name among the signed", Refusal::SignedForm, |_, a| a.sign_too("")),
    ("a signed name with a colon", Refusal::SignedForm, |_, a| {
        a.push("openid.sreg.email:alice", "x").sign_too("sreg.email:alice")
    }),
    ("an absent field signed", Refusal::SignedAbsent, |_, a| a.sign_too("sreg.fullname")),
    ("unsigned endpoint", Refusal::Unsigned("op_endpoint"), |_, a| a.unsign("op_endpoint").sign()),
    ("unsigned return_to", Refusal::Unsigned("return_to"), |_, a| a.unsign("return_to").sign()),
    ("unsigned nonce", Refusal::Unsigned("response_nonce"), |_, a| a.unsign("response_nonce").sign()),
    ("unsigned handle", Refusal::Unsigned("assoc_handle"), |_, a| a.unsign("assoc_handle").sign()),
    ("unsigned claimed identifier", Refusal::Unsigned("claimed_id"), |_, a| a.unsign("claimed_id").sign()),
    ("unsigned identity", Refusal::Unsigned("identity"), |_, a| a.unsign("identity").sign()),
    ("unsigned address", Refusal::UnsignedRegistration("email"), |_, a| {
        a.unsign("sreg.email").sign().set("openid.sreg.email", "eve@mail.example")
    }),
    ("unsigned language", Refusal::UnsignedRegistration("language"), |_, a| a.unsign("sreg.language").sign()),
    ("unsigned language and no address", Refusal::UnsignedRegistration("language"), |_, a| {
        a.unsign("sreg.email").unsign("sreg.language").remove("openid.sreg.email").sign()
    }),
    ("unsigned address added to an answer without one", Refusal::UnsignedRegistration("alias"), |_, a| {
        untick_all(a);
        a.push("openid.ns.sreg", SREG).push("openid.sreg.email", "eve@mail.example")
    }),
    ("unsigned alias", Refusal::UnsignedRegistration("alias"), |_, a| a.unsign("ns.sreg").sign()),
    ("a second alias", Refusal::SecondAlias, |_, a| {
        a.push("openid.ns.x", SREG).push("openid.x.email", "eve@mail.example")
    }),
    ("a second alias of the older version", Refusal::SecondAlias, |_, a| {
        a.push("openid.ns.x", "http://openid.net/sreg/1.0").push("openid.x.email", "eve@mail.example")
    }),
    ("a second alias that the provider signed", Refusal::SecondAlias, |_, a| {
        a.push("openid.ns.x", SREG).push("openid.x.email", "eve@mail.example").sign_too("ns.x,x.email")
    }),
    ("the same alias twice", Refusal::Duplicate, |_, a| a.push("openid.ns.sreg", "http://example.org/x")),
    ("an empty alias", Refusal::BadAlias, |_, a| a.push("openid.ns.", "http://example.org/x")),
    ("an alias with a comma", Refusal::BadAlias, |_, a| a.push("openid.ns.a,b", "http://example.org/x")),
    ("a reserved alias that the provider signed", Refusal::BadAlias, |_, a| {
        a.push("openid.ns.identity", "http://example.org/x").sign_too("ns.identity")
    }),
    ("a reserved alias for the registration", Refusal::BadAlias, |_, a| {
        untick_all(a);
        a.push("openid.ns.mode", SREG).push("openid.mode.email", "eve@mail.example").sign_too("ns.mode,mode.email")
    }),
    ("a second alias of an extension that we do not know", Refusal::SecondAlias, |_, a| {
        a.push("openid.ns.x", "http://example.org/x").push("openid.ns.y", "http://example.org/x")
    }),
    ("an alias within an alias", Refusal::BadAlias, |_, a| {
        a.unsign("ns.sreg").remove("openid.ns.sreg").push("openid.ns.a.b", SREG);
        a.sign_too("ns.a.b")
    }),
    ("nothing ticked, so no namespace", Refusal::NoEmail, |_, a| untick_all(a).sign()),
    ("fields of a registration without its namespace", Refusal::NoEmail, |_, a| {
        a.unsign("ns.sreg").remove("openid.ns.sreg").sign()
    }),
    ("the address unticked and the language ticked", Refusal::NoEmail, |_, a| {
        a.unsign("sreg.email").remove("openid.sreg.email").sign()
    }),
    ("an empty address", Refusal::NoEmail, |_, a| a.set("openid.sreg.email", "").sign()),
    ("no real address", Refusal::BadEmail(EmailError::Syntax), |_, a| email(a, "alice")),
    ("an address in brackets", Refusal::BadEmail(EmailError::Domain), |_, a| email(a, "x <bob@ubuntu.com>")),
    ("an address of this machine", Refusal::BadEmail(EmailError::Domain), |_, a| email(a, "root@localhost")),
    ("an address literal", Refusal::BadEmail(EmailError::Domain), |_, a| email(a, "alice@[192.0.2.1]")),
    ("two addresses", Refusal::BadEmail(EmailError::LocalPart), |_, a| {
        email(a, "alice@mail.example, eve@mail.example")
    }),
    ("an address with a blank behind", Refusal::BadEmail(EmailError::Domain), |_, a| email(a, "alice@mail.example ")),
    ("an address with a line break", Refusal::Encoding, |_, a| {
        a.set("openid.sreg.email", "alice@mail.example\nbcc:eve@mail.example").sign()
    }),
    ("the same parameter twice", Refusal::Duplicate, |_, a| {
        let email = a.get("openid.sreg.email").to_owned();
        a.push("openid.sreg.email", &email)
    }),
    ("a parameter twice with another value", Refusal::Duplicate, |_, a| {
        a.push("openid.sreg.email", "eve@mail.example")
    }),
    ("our own parameter twice", Refusal::Duplicate, |_, a| a.push("state", "our-state")),
    ("an oversized query", Refusal::Oversized, |_, a| a.push("openid.pad", &"x".repeat(8192))),
    ("too many parameters", Refusal::Oversized, |_, a| (0..100).fold(a, |a, n| a.push(&format!("openid.n{n}"), "x"))),
];

fn return_to<'a>(answer: &'a mut Pairs, url: &str) -> &'a mut Pairs {
    answer.set("openid.return_to", url).sign()
}

fn identifier<'a>(answer: &'a mut Pairs, identifier: &str) -> &'a mut Pairs {
    answer.set("openid.claimed_id", identifier).set("openid.identity", identifier).sign()
}

fn email<'a>(answer: &'a mut Pairs, address: &str) -> &'a mut Pairs {
    answer.set("openid.sreg.email", address).sign()
}

/// Nothing of the registration, as Ubuntu One answers where the person unticked all of it.
fn untick_all(answer: &mut Pairs) -> &mut Pairs {
    for name in ["ns.sreg", "sreg.email", "sreg.language"] {
        answer.unsign(name).remove(&format!("openid.{name}"));
    }
    answer
}

/// Section 12 of the specification.
const RESERVED: &str = "assoc_handle,assoc_type,claimed_id,contact,delegate,dh_consumer_public,dh_gen,dh_modulus,error,\
    identity,invalidate_handle,mode,ns,op_endpoint,openid,realm,reference,response_nonce,return_to,server,session_type,\
    sig,signed,trust_root";

#[tokio::test]
async fn reserved_alias_is_refused() {
    let world = World::new().await;
    for alias in RESERVED.split(',') {
        let name = format!("ns.{alias}");
        let mut answer = world.good();
        answer.push(&format!("openid.{name}"), "http://example.org/x");
        assert_eq!(world.check(&answer.encode()).err(), Some(Refusal::BadAlias), "{alias}");
        answer.sign_too(&name);
        assert_eq!(world.check(&answer.encode()).err(), Some(Refusal::BadAlias), "{alias}, signed");
    }
}

#[tokio::test]
async fn hostile_responses_have_distinct_reasons() {
    let world = World::new().await;
    assert!(TABLE.len() >= 40);
    for (name, reason, change) in TABLE {
        let mut answer = world.good();
        change(&world, &mut answer);
        let Err(refusal) = world.check(&answer.encode()) else { panic!("{name} was not refused") };
        assert_eq!(refusal, *reason, "{name}");
    }
    assert_eq!(world.asked().await, 0, "the provider was asked about an answer that is refused anyway");
}
