//! Adding a mailbox, requesting a code for it, and removing it.

use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::clock::later;
use membermail_core::destination::{DestinationId, OwnDomains, Unsuitable};
use membermail_core::email::{EmailAddress, EmailError};
use membermail_store::{KeyContext, RateLimit, Removed, Requested, StoredDestination};
use membermail_texts::FluentValue;
use tracing::info;

use super::submission::Submission;
use crate::error::{Error, with_keys};
use crate::mail_domains::is_null_mx;

/// Codes per member.
const PER_MEMBER: RateLimit = RateLimit { name: "codes", uses: 3, window: SignedDuration::from_hours(1) };
/// Codes per mailbox, by all members together: a stranger's mailbox is no toy.
const PER_MAILBOX: [RateLimit; 2] = [
    RateLimit { name: "mailbox-minute", uses: 1, window: SignedDuration::from_mins(1) },
    RateLimit { name: "mailbox-day", uses: 5, window: SignedDuration::from_hours(24) },
];
/// A request for a code within this time after another one is a repeated submission.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// What a member asks for.
#[derive(Debug, PartialEq, Eq)]
struct Addition {
    address: EmailAddress,
    /// Whether all addresses are to forward there alone.
    replaces: bool,
}

/// Why a mailbox cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// The form is incomplete.
    Invalid,
    /// The text with this id says why.
    Unsuitable(&'static str),
}

/// Reads the form for a new mailbox.
fn read_addition(address: Option<&str>, replaces: Option<&str>, own: &OwnDomains) -> Result<Addition, Refused> {
    let typed = address.ok_or(Refused::Invalid)?.trim();
    let replaces = match replaces {
        None | Some("none") => false,
        Some("all") => true,
        Some(_) => return Err(Refused::Invalid),
    };
    let address = EmailAddress::parse(typed).map_err(|cause| Refused::Unsuitable(explain(typed, cause)))?;
    own.check(&address).map_err(|cause| Refused::Unsuitable(explain_domain(cause)))?;
    Ok(Addition { address, replaces })
}

/// The id of the text that says why a text is no usable address.
fn explain(typed: &str, cause: EmailError) -> &'static str {
    let local_part = typed.rsplit_once('@').map_or("", |(local_part, _)| local_part);
    match cause {
        EmailError::Syntax => "bad-mailbox-syntax",
        EmailError::LocalPart if local_part.chars().any(|typed| typed.is_alphanumeric() && !typed.is_ascii()) => {
            "bad-mailbox-smtputf8"
        }
        EmailError::LocalPart => "bad-mailbox-local-part",
        EmailError::Domain => "bad-mailbox-domain",
        EmailError::TooLong => "bad-mailbox-too-long",
    }
}

fn explain_domain(cause: Unsuitable) -> &'static str {
    match cause {
        Unsuitable::Community => "bad-mailbox-community",
        Unsuitable::MailHost => "bad-mailbox-mail-host",
        Unsuitable::NullMx => "bad-mailbox-null-mx",
    }
}

/// `POST /destinations`: adds a mailbox, or requests a new code for one that is not confirmed yet. The answer is the same
/// whether or not another member has this mailbox.
pub(super) async fn add(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let [address, replaces] = ["address", "replaces"].map(|name| form.field(name));
    let addition = match read_addition(address.as_deref(), replaces.as_deref(), &form.context.own_domains) {
        Ok(addition) => addition,
        Err(Refused::Invalid) => return Ok(form.invalid()),
        Err(Refused::Unsuitable(reason)) => return Ok(unsuitable(form, reason)),
    };
    if is_null_mx(&form.context.mail_domains.mx(addition.address.domain()).await) {
        return Ok(unsuitable(form, explain_domain(Unsuitable::NullMx)));
    }
    if is_repeated(form, &addition.address).await? {
        return Ok(form.see("/"));
    }
    if !may_send(form, &addition.address).await? {
        // A double click: the other submission was first.
        return match is_repeated(form, &addition.address).await? {
            true => Ok(form.see("/")),
            false => Ok(too_many(form)),
        };
    }
    request(form, &addition.address, addition.replaces).await
}

/// `POST /destinations/resend`: sends a new code.
pub(super) async fn resend(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let id = form.field("id").and_then(|id| DestinationId::parse(&id));
    let all = form.context.store.all_destinations(&form.member).await?;
    let found = all.iter().find(|(_, stored)| Some(stored.destination.id) == id);
    let Some((key_context, stored)) = found.filter(|(_, stored)| stored.destination.removed.is_none()) else {
        return Ok(missing(form));
    };
    if stored.destination.is_usable() || was_just_requested(form, stored) {
        return Ok(form.see("/"));
    }
    let address = open(form, key_context, stored).await?;
    if !may_send(form, &address).await? {
        return Ok(too_many(form));
    }
    // The code for a mailbox of a linked member is for the member's own copy of it, as the sessions are the member's own.
    if stored.member != form.member.id {
        return request(form, &address, false).await;
    }
    let requested = form
        .context
        .store
        .request_confirmation(&form.member, stored.destination.id, form.cause(), &*form.context.random)
        .await?;
    answer(form, requested).await
}

/// `POST /destinations/remove`: removes a mailbox, unless an address needs it.
pub(super) async fn remove(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let Some(id) = form.field("id").and_then(|id| DestinationId::parse(&id)) else { return Ok(missing(form)) };
    let store = &form.context.store;
    match store.remove_destination(&form.member, id, form.cause(), &*form.context.random).await? {
        Removed::Done { entry } => {
            info!("member {} removed a destination", form.member.id);
            form.announce(entry).await;
            Ok(form.see("/"))
        }
        // A repeated submission: its item is kept for a while.
        Removed::Missing if store.destination(form.member.id, id).await?.is_some() => Ok(form.see("/")),
        Removed::Missing => Ok(missing(form)),
        Removed::LastOf(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let args = [("addresses", FluentValue::from(addresses.join(", ")))];
            Ok(form.refuse_with(StatusCode::CONFLICT, "mailbox-needed", &args))
        }
    }
}

async fn request(form: &Submission<'_>, address: &EmailAddress, replaces: bool) -> Result<Response<Body>, Error> {
    let random = &*form.context.random;
    let (store, member, cause) = (&form.context.store, &form.member, form.cause());
    let requested = with_keys(&form.context.secret, |sealer| async move {
        Ok(store.add_destination(&sealer, member, (address, replaces), cause, random).await?)
    })
    .await?;
    answer(form, requested).await
}

async fn answer(form: &Submission<'_>, requested: Requested) -> Result<Response<Body>, Error> {
    match requested {
        Requested::Sent { entry, .. } => {
            info!("member {} requested a confirmation code", form.member.id);
            form.announce(entry).await;
            Ok(form.see("/"))
        }
        Requested::Known(_) => Ok(form.see("/")),
        Requested::TooMany => Ok(form.refuse(StatusCode::CONFLICT, "too-many-mailboxes")),
        Requested::Missing => Ok(missing(form)),
    }
}

/// Whether the member has the mailbox already, or has just requested a code for it.
async fn is_repeated(form: &Submission<'_>, address: &EmailAddress) -> Result<bool, Error> {
    for stored in form.context.store.destinations_of(form.member.id).await? {
        let is_known = stored.destination.is_usable() || was_just_requested(form, &stored);
        if is_known && open(form, &form.member.key_context, &stored).await? == *address {
            return Ok(true);
        }
    }
    Ok(false)
}

fn was_just_requested(form: &Submission<'_>, stored: &StoredDestination) -> bool {
    let pending = stored.destination.pending.filter(|_| stored.destination.removed.is_none());
    pending.is_some_and(|pending| {
        pending.is_open(form.member.session_epoch, form.now) && form.now < later(pending.requested_at, REPEATED_WITHIN)
    })
}

/// Counts a code against all limits. Whose requests reached a limit is not told.
async fn may_send(form: &Submission<'_>, address: &EmailAddress) -> Result<bool, Error> {
    let tag = with_keys(&form.context.secret, |sealer| async move { Ok(sealer.address_tag(address)?) }).await?;
    let [minute, day] = PER_MAILBOX;
    let member = form.member.id.to_string();
    for (limit, subject) in [(minute, &tag), (PER_MEMBER, &member), (day, &tag)] {
        if !form.context.store.count_use(limit, subject, form.now).await? {
            info!(limit = limit.name, "refused a confirmation code for member {}", form.member.id);
            return Ok(false);
        }
    }
    Ok(true)
}

async fn open(
    form: &Submission<'_>,
    key_context: &KeyContext,
    stored: &StoredDestination,
) -> Result<EmailAddress, Error> {
    with_keys(&form.context.secret, |sealer| async move { Ok(stored.address(&sealer, key_context)?) }).await
}

fn missing(form: &Submission<'_>) -> Response<Body> {
    form.refuse(StatusCode::NOT_FOUND, "mailbox-missing")
}

fn too_many(form: &Submission<'_>) -> Response<Body> {
    form.refuse(StatusCode::TOO_MANY_REQUESTS, "too-many-requests")
}

fn unsuitable(form: &Submission<'_>, reason: &str) -> Response<Body> {
    let reason = form.site.wording.text(reason);
    form.refuse_with(StatusCode::UNPROCESSABLE_ENTITY, "bad-mailbox", &[("reason", reason.into())])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn own() -> OwnDomains {
        let [community, mail_host] = ["ubuntu.com", "mail.example.org"].map(|name| name.parse().unwrap());
        OwnDomains { community: vec![community], mail_hosts: vec![mail_host] }
    }

    #[rstest]
    #[case::plain("alice@mail.example", "alice@mail.example")]
    #[case::blanks(" alice@mail.example\t", "alice@mail.example")]
    #[case::upper_case_domain("Alice@MAIL.example", "Alice@mail.example")]
    #[case::idn("alice@bücher.example", "alice@xn--bcher-kva.example")]
    #[case::similar_domain("alice@notubuntu.com", "alice@notubuntu.com")]
    fn usable_address_is_accepted(#[case] typed: &str, #[case] expected: &str) {
        let addition = read_addition(Some(typed), None, &own()).unwrap();
        assert_eq!((addition.address.expose(), addition.replaces), (expected, false));
    }

    #[rstest]
    #[case::no_at("alice", "bad-mailbox-syntax")]
    #[case::empty("", "bad-mailbox-syntax")]
    #[case::smtputf8("älice@mail.example", "bad-mailbox-smtputf8")]
    #[case::line_break("alice\r\nBcc: bob@mail.example", "bad-mailbox-local-part")]
    #[case::two("alice@mail.example, bob@mail.example", "bad-mailbox-local-part")]
    #[case::display_name("Alice <alice@mail.example>", "bad-mailbox-domain")]
    #[case::line_break_at_end("alice@mail.example\r\nSubject: x", "bad-mailbox-domain")]
    #[case::literal("alice@[192.0.2.1]", "bad-mailbox-domain")]
    #[case::invalid_utf8("alice\u{fffd}@mail.example", "bad-mailbox-local-part")]
    #[case::own("alice@ubuntu.com", "bad-mailbox-community")]
    #[case::own_in_upper_case("alice@Ubuntu.COM", "bad-mailbox-community")]
    #[case::below_own("alice@lists.ubuntu.com", "bad-mailbox-community")]
    #[case::mail_host("alice@mail.example.org", "bad-mailbox-mail-host")]
    fn unsuitable_address_is_explained(#[case] typed: &str, #[case] expected: &'static str) {
        assert_eq!(read_addition(Some(typed), None, &own()), Err(Refused::Unsuitable(expected)));
    }

    #[rstest]
    #[case(None, Ok(false))]
    #[case(Some("none"), Ok(false))]
    #[case(Some("all"), Ok(true))]
    #[case(Some("ALL"), Err(Refused::Invalid))]
    #[case(Some(""), Err(Refused::Invalid))]
    fn replacement_is_explicit(#[case] replaces: Option<&str>, #[case] expected: Result<bool, Refused>) {
        let read = read_addition(Some("alice@mail.example"), replaces, &own());
        assert_eq!(read.map(|addition| addition.replaces), expected);
    }

    #[test]
    fn long_address_is_explained() {
        let long = format!("{}@mail.example", "a".repeat(300));
        assert_eq!(read_addition(Some(&long), None, &own()), Err(Refused::Unsuitable("bad-mailbox-too-long")));
        assert_eq!(read_addition(None, None, &own()), Err(Refused::Invalid));
    }
}
