//! `GET …/audit` and `GET …/audit/export`: the log of a domain, filtered.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::audit::{Change, Entry};
use membermail_core::clock::{end_of_day, midnight};
use membermail_pages::admin::Section;
use membermail_pages::admin::audit::{self, Audit, AuditRow, Filters};
use membermail_pages::response;
use membermail_store::AuditPage;
use ulid::Ulid;
use url::form_urlencoded::Serializer;

use crate::access::Admin;
use crate::error::Error;
use crate::people::Names;

/// Entries on a page.
const ENTRIES: usize = 50;
/// Entries of an export at most: some four megabytes, below Lambda's limit of six for a response.
const EXPORTED: usize = 10_000;
/// The period without a choice.
const DEFAULT_PERIOD: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The longest period, in which a page reads at most 61 months.
const MAX_PERIOD: SignedDuration = SignedDuration::from_hours(5 * 366 * 24);

/// What a request asks for.
struct Wanted {
    filters: Filters,
    /// From the first, before the second.
    period: (Timestamp, Timestamp),
}

/// The page with the newest entries, or those before an entry.
pub(crate) async fn show(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let Some(wanted) = Wanted::read(admin) else { return Ok(admin.invalid()) };
    let before = match admin.parameter("before") {
        Some(before) => match Ulid::from_string(&before) {
            Ok(before) => Some(before),
            Err(_) => return Ok(admin.invalid()),
        },
        None => None,
    };
    let AuditPage { entries, next } = load(admin, &wanted, before, ENTRIES).await?;
    let names = Names::of(&admin.visit.context.store, &entries).await?;
    let wording = admin.visit.site.wording;
    let rows = entries.iter().filter_map(|entry| {
        let member = entry.member().and_then(|member| names.get(member));
        AuditRow::new(entry, names.by(entry), member, wording)
    });
    let page = Audit {
        site: admin.visit.site.clone(),
        console: admin.console(Section::Audit),
        rows: rows.collect(),
        older: next.map(|next| wanted.query(Some(next))),
        export: wanted.query(None),
        filters: wanted.filters,
    };
    Ok(response::page(StatusCode::OK, &page))
}

/// All matching entries as JSON Lines.
pub(crate) async fn export(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let Some(wanted) = Wanted::read(admin) else { return Ok(admin.invalid()) };
    let mut lines = String::new();
    let mut before = None;
    let mut count = 0;
    loop {
        let page = load(admin, &wanted, before, EXPORTED).await?;
        count += page.entries.len();
        if count > EXPORTED {
            return Ok(admin.refuse(StatusCode::UNPROCESSABLE_ENTITY, "audit-too-many"));
        }
        for entry in &page.entries {
            lines.push_str(&serde_json::to_string(entry)?);
            lines.push('\n');
        }
        before = page.next;
        if before.is_none() {
            return Ok(response::download("audit.jsonl", "application/jsonl", lines));
        }
    }
}

async fn load(admin: &Admin<'_>, wanted: &Wanted, before: Option<Ulid>, limit: usize) -> Result<AuditPage, Error> {
    let store = &admin.visit.context.store;
    let matches = |entry: &Entry| wanted.matches(entry);
    Ok(store.audit_page(&admin.domain.domain, wanted.period, before, matches, limit).await?)
}

impl Wanted {
    /// Reads the filters; none if one is malformed.
    fn read(admin: &Admin<'_>) -> Option<Self> {
        let read = |name| admin.parameter(name).unwrap_or_default();
        let filters = Filters {
            address: read("address").trim().to_ascii_lowercase(),
            kind: read("kind"),
            actor: read("actor"),
            from: read("from"),
            to: read("to"),
        };
        let is_known = |value: &str, all: &[&str]| value.is_empty() || all.contains(&value);
        if !is_known(&filters.kind, &audit::KINDS) || !is_known(&filters.actor, &audit::ACTORS) {
            return None;
        }
        let now = admin.visit.now;
        // The margin includes entries that are written right now, also by a clock that is ahead.
        let latest = now.saturating_add(SignedDuration::from_mins(1)).ok()?;
        let to = match day(&filters.to)? {
            Some(day) => end_of_day(day).min(latest),
            None => latest,
        };
        let from = match day(&filters.from)? {
            Some(day) => midnight(day),
            None => to.saturating_sub(DEFAULT_PERIOD).ok()?,
        };
        let earliest = now.saturating_sub(MAX_PERIOD).ok()?;
        Some(Self { filters, period: (from.max(earliest), to) })
    }

    fn matches(&self, entry: &Entry) -> bool {
        let Filters { address, kind, actor, .. } = &self.filters;
        let local_part = match &entry.change {
            Change::Alias { address, .. } | Change::Switch { address, .. } => Some(address.local_part.as_str()),
            _ => None,
        };
        (address.is_empty() || local_part == Some(address))
            && (kind.is_empty() || audit::kind(&entry.change) == Some(kind.as_str()))
            && (actor.is_empty() || audit::actor(entry.actor) == actor)
    }

    /// The query of a link with the same filters.
    fn query(&self, before: Option<Ulid>) -> String {
        let Filters { address, kind, actor, from, to } = &self.filters;
        let all = [("address", address), ("kind", kind), ("actor", actor), ("from", from), ("to", to)];
        let mut query = Serializer::new(String::new());
        query.extend_pairs(all.into_iter().filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(before.map(|before| ("before", before.to_string())));
        query.finish()
    }
}

/// A day of the form: `Some(None)` if the field is empty, `None` if it is malformed.
fn day(text: &str) -> Option<Option<Date>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}
