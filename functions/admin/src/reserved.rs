//! `GET` and `POST …/reserved`, `POST …/reserved/release`: names that no member gets in a domain.

use std::collections::BTreeMap;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::admin::Permission;
use membermail_core::reserved::{ReservedName, is_reserved};
use membermail_pages::admin::Section;
use membermail_pages::admin::reserved::{ReservedPage, ReservedRow};
use membermail_pages::response;
use membermail_store::Reserved;
use membermail_texts::FluentValue;

use crate::access::Admin;
use crate::error::Error;

/// The page of the reserved names, below the domain.
pub(crate) const PATH: &str = "/reserved";

/// The list.
pub(crate) async fn show(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let wording = admin.visit.site.wording;
    let mut people = BTreeMap::new();
    let mut rows = Vec::new();
    for reservation in admin.visit.context.store.reserved_names(&admin.domain.domain).await? {
        if !people.contains_key(&reservation.by) {
            let who = admin.who(reservation.by.as_deref()).await?;
            people.insert(reservation.by.clone(), who.in_words(wording));
        }
        let by = people.get(&reservation.by).map(String::as_str).unwrap_or_default();
        rows.push(ReservedRow::new(&reservation, by, wording));
    }
    let page = ReservedPage {
        site: admin.visit.site.clone(),
        console: admin.console(Section::Reserved),
        rows,
        may_change: admin.permissions.has(Permission::Decide),
    };
    Ok(response::page(StatusCode::OK, &page))
}

/// Reserves a name.
pub(crate) async fn reserve(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let Some(text) = admin.field("name") else { return Ok(admin.invalid()) };
    let Ok(name) = ReservedName::parse(&text.trim().to_ascii_lowercase()) else {
        return Ok(admin.explain(StatusCode::UNPROCESSABLE_ENTITY, "reserved-invalid", &[], PATH));
    };
    if is_reserved(name.as_str()) {
        return Ok(admin.explain(StatusCode::OK, "reserved-built-in", &[], PATH));
    }
    let context = admin.visit.context;
    let signature = admin.signature();
    let cause = admin.cause(&signature);
    let wording = admin.visit.site.wording;
    Ok(match context.store.reserve_name(&admin.domain.domain, &name, cause, &*context.random).await? {
        Reserved::Done => admin.see(PATH),
        Reserved::Before(before) => {
            let by = admin.who(before.by.as_deref()).await?.in_words(wording);
            let args = [
                ("name", FluentValue::from(name.as_str())),
                ("date", wording.date(before.since).into()),
                ("by", by.into()),
            ];
            admin.explain(StatusCode::OK, "reserved-before", &args, PATH)
        }
        Reserved::TooMany => {
            let args = [("count", FluentValue::from(ReservedName::MAX_PER_DOMAIN))];
            admin.explain(StatusCode::CONFLICT, "reserved-too-many", &args, PATH)
        }
    })
}

/// Ends a reservation.
pub(crate) async fn release(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let Some(Ok(name)) = admin.field("name").map(|name| ReservedName::parse(&name)) else {
        return Ok(admin.invalid());
    };
    let context = admin.visit.context;
    let signature = admin.signature();
    let cause = admin.cause(&signature);
    if context.store.release_name(&admin.domain.domain, &name, cause, &*context.random).await? {
        return Ok(admin.see(PATH));
    }
    let args = [("name", FluentValue::from(name.as_str()))];
    Ok(admin.explain(StatusCode::OK, "reserved-gone", &args, PATH))
}
