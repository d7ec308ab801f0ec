//! An admin verifies a domain with the record that its page shows, appoints another admin and reserves a name: at 320 pixels,
//! without scripts and by keyboard.

use anyhow::{Context, Result, ensure};
use membermail_core::address::DomainName;
use membermail_core::admin::Permission;
use membermail_core::audit::{Actor, Change, DomainChange};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::domain_proof::Proof;
use membermail_core::random::OsRandom;
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::functions::set_variable;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::json;

use super::{Desk, TEAM, new_admin};

/// A domain in which few other tests have members.
const DOMAIN: &str = "ubuntu.net";
/// The team of that domain.
const DOMAIN_TEAM: &str = "ubuntu-smtp-test";

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admin_verifies_domain_with_shown_record() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let store = stack.store().await;
    let domain: DomainName = DOMAIN.parse()?;
    store.unverify_domain(&domain, operator(SystemClock.now()), &OsRandom).await?;
    let admin = new_admin(&stack, "ad-domain", &[DOMAIN], &[Permission::Decide, Permission::Appoint]).await?;
    let desk = Desk::start(&stack, "ad-domain").await?;
    desk.open("").await?;
    desk.press(&format!("main a[href$='/admin/domains/{DOMAIN}']")).await?;
    desk.shows("Not verified yet").await?;
    desk.inspect("domain-unverified").await?;
    let name = desk.value("#record-name").await?;
    let value = desk.value("#record-value").await?;

    // The admin makes a mistake first.
    let lines = "@ TXT \"membermail-site-verification=00112233445566778899aabbccddeeff\"";
    let wrong = NameServer::start(&stack.knotd, &[Zone::Good(&name, lines)]).await?;
    check_at(&stack, &wrong).await?;
    desk.press("#check").await?;
    desk.shows("there is such a record, but with another value").await?;
    desk.shows("Not verified yet").await?;

    let lines = format!("@ TXT \"{value}\"\n@ MX 10 mx.{name}.");
    let right = NameServer::start(&stack.knotd, &[Zone::Good(&name, &lines)]).await?;
    check_at(&stack, &right).await?;
    desk.press("#check").await?;
    desk.shows("Last check: the record was found").await?;
    desk.shows("Members of the team get addresses here. Leave the record in place.").await?;
    desk.shows("One mail server").await?;
    desk.shows("v=spf1 mx ~all").await?;
    desk.inspect("domain-verified").await?;
    let stored = store.domain(&domain).await?;
    ensure!(matches!(stored.proof(), Proof::Verified { .. }), "{stored:?}");
    let log = store.audit(Some(&domain), &SystemClock.now().strftime("%Y-%m").to_string()).await?;
    let verified = log.iter().rev().find(|entry| {
        matches!(entry.change, Change::Domain { did: DomainChange::Verified, .. }) && entry.actor == Actor::Admin
    });
    let by = verified.context("the log does not name the admin")?.by.clone();
    ensure!(by == Some(admin.to_string()), "{by:?}");

    appoint(&stack, &desk).await?;
    reserve(&stack, &desk).await?;
    desk.screen.chromium.check_no_errors().await?;
    store.verify_domain(&domain, operator(SystemClock.now()), &OsRandom).await?;
    Ok(())
}

/// Appoints a resident of another domain by their address.
async fn appoint(stack: &Stack, desk: &Desk) -> Result<()> {
    stack.resident("ubuntu.com", TEAM, "ad-second").await?;
    desk.press("nav.sections a[href$='/admins']").await?;
    desk.shows("appointed by the operators").await?;
    desk.enter("#address", "ad-second@ubuntu.com").await?;
    desk.tab_to("section input[name=permission][value=decide]").await?;
    desk.screen.chromium.press(" ").await?;
    desk.press("section form button").await?;
    desk.shows("appointed by ad-domain").await?;
    desk.inspect("admins").await?;
    let second = stack.member_named("ad-second").await?.id;
    let binding = stack.store().await.admin_binding(&DOMAIN.parse()?, second).await?.context("not appointed")?;
    let permissions = [Permission::Decide].into_iter().collect();
    ensure!(binding.permissions == permissions, "{binding:?}");
    Ok(())
}

/// Reserves a name. A member with that name gets no address, and is told why.
async fn reserve(stack: &Stack, desk: &Desk) -> Result<()> {
    desk.press("nav.sections a[href$='/reserved']").await?;
    desk.enter("#name", "ad-council").await?;
    desk.press("section form button").await?;
    desk.shows("by ad-domain").await?;
    desk.inspect("reserved").await?;
    stack.add_person(json!({ "name": "ad-council", "teams": [DOMAIN_TEAM] })).await?;
    stack.sign_in_until("ad-council", "Your Launchpad name is reserved for the admins of the domain").await?;
    ensure!(stack.alias(&format!("ad-council@{DOMAIN}")).await?.is_none(), "a reserved name was granted");
    Ok(())
}

/// Has the console query this name server.
async fn check_at(stack: &Stack, server: &NameServer) -> Result<()> {
    let lambda = stack.lambda().await;
    set_variable(&lambda, &stack.physical_id("Admin")?, "DNS_SERVERS", &server.address.to_string()).await
}
