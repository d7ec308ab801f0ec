//! An admin finds an address, bans its member and lifts the ban: at 320 pixels, without scripts and by keyboard. An admin of
//! another domain is refused everywhere.

use anyhow::{Result, ensure};
use membermail_core::admin::{Permission, Permissions};
use membermail_core::alias::{Reason, Status};
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until_true};

use super::{Desk, ENTER, TEAM, new_admin};

const ADDRESS: &str = "ad-banned@ubuntu.com";

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admin_bans_and_unbans() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let member = stack.resident("ubuntu.com", TEAM, "ad-banned").await?;
    new_admin(&stack, "ad-banner", &["ubuntu.com"], &[Permission::Ban]).await?;
    let desk = Desk::start(&stack, "ad-banner").await?;
    desk.open("domains/ubuntu.com").await?;
    desk.press("nav.sections a[href$='/addresses']").await?;
    desk.enter("#prefix", "ad-ban").await?;
    desk.screen.chromium.press(ENTER).await?;
    desk.shows(ADDRESS).await?;
    desk.inspect("addresses").await?;
    desk.press("main a[href$='/addresses/ad-banned']").await?;
    desk.shows(&format!("{ADDRESS} was created.")).await?;
    desk.inspect("address").await?;
    desk.press("#member").await?;
    desk.shows("eligible for ubuntu.com").await?;
    desk.inspect("member").await?;

    desk.press("#ban").await?;
    desk.shows("Ban ad-banned?").await?;
    desk.shows("These addresses refuse mail at once").await?;
    desk.enter("#reason", "You sent <b>advertisements</b>.").await?;
    desk.inspect("ban").await?;
    desk.press("#confirm").await?;
    desk.shows("The member was banned.").await?;
    desk.inspect("banned").await?;
    stack.wait_for_alias(ADDRESS, Status::Suspended, Reason::Banned).await?;
    stack.page_with(&member, "Sign in with Ubuntu One").await?;
    stack.sign_in_until("ad-banned", "Reason: You sent <b>advertisements</b>.").await?;
    until_true("a mail with the reason", TIMEOUT, async || {
        let mails = stack.mailbox().to("ad-banned@mail.example")?;
        Ok(mails.iter().any(|mail| mail.text().contains("Reason: You sent <b>advertisements</b>.")))
    })
    .await?;

    desk.press("#unban").await?;
    desk.shows("The ban was lifted.").await?;
    stack.wait_for_alias(ADDRESS, Status::Suspended, Reason::BanLifted).await?;
    stack.sign_in_at("ubuntu.com", "ad-banned").await?;
    desk.screen.chromium.check_no_errors().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admin_of_other_domain_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "ad-foreign").await?;
    let foreign = stack.member_named("ad-foreign").await?.id;
    let all: Vec<_> = Permissions::all().iter().collect();
    new_admin(&stack, "ad-other", &["kubuntu.org"], &all).await?;
    let desk = Desk::start(&stack, "ad-other").await?;
    let members = [String::new(), format!("/{foreign}"), format!("/{foreign}/ban")];
    let members = members.iter().map(|path| format!("/members{path}"));
    let others =
        ["", "/addresses", "/addresses/ad-foreign", "/plans", "/audit", "/audit/export", "/admins", "/reserved"];
    for path in others.into_iter().map(str::to_owned).chain(members) {
        desk.open(&format!("domains/ubuntu.com{path}")).await?;
        desk.shows("You are not an admin of this domain").await?;
    }
    desk.open(&format!("domains/kubuntu.org/members/{foreign}")).await?;
    ensure!(
        !desk.screen.chromium.find("main").await?.text().await?.contains("ad-foreign"),
        "a foreign member is shown"
    );
    desk.open("domains/kubuntu.org/members?who=ad-foreign").await?;
    desk.shows("No member with an address in this domain was found").await
}
