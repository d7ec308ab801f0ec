//! Every route for every kind of visitor.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use lambda_http::http::Method;
use membermail_core::admin::Permission;
use membermail_core::alias::{ExpectedVersion, Reason};
use membermail_core::clock::later;
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_core::eligibility::Account;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::random::OsRandom;
use membermail_identity::session::SessionId;
use membermail_store::{Applied, Record, Terms};
use strum::{IntoEnumIterator as _, VariantNames as _};

use crate::routes::Resource;

use super::{Browser, KUBUNTU, Page, UBUNTU, World, name, observation};

/// A page or a form below the domain.
struct Route {
    method: Method,
    path: &'static str,
    permission: Permission,
    is_fresh: bool,
}

const fn page(path: &'static str, permission: Permission) -> Route {
    Route { method: Method::GET, path, permission, is_fresh: false }
}

const fn form(path: &'static str, permission: Permission) -> Route {
    Route { method: Method::POST, path, permission, is_fresh: false }
}

/// One that needs a fresh sign-in.
const fn fresh(method: Method, path: &'static str, permission: Permission) -> Route {
    Route { method, path, permission, is_fresh: true }
}

/// All routes, with ids that name nothing. Each answers those who may use it with anything but 403.
const ROUTES: [Route; 29] = [
    page("", Permission::View),
    page("/audit", Permission::View),
    page("/audit/export", Permission::View),
    page("/plans", Permission::View),
    page("/plans/dry-run", Permission::View),
    form("/plans/dry-run", Permission::View),
    form("/plans/sync", Permission::Decide),
    page("/plans/01KATW4Y00XXXXXXXXXXXXXXXX", Permission::View),
    fresh(Method::GET, "/plans/01KATW4Y00XXXXXXXXXXXXXXXX/release", Permission::Decide),
    fresh(Method::POST, "/plans/01KATW4Y00XXXXXXXXXXXXXXXX/release", Permission::Decide),
    page("/plans/01KATW4Y00XXXXXXXXXXXXXXXX/reject", Permission::Decide),
    form("/plans/01KATW4Y00XXXXXXXXXXXXXXXX/reject", Permission::Decide),
    page("/addresses", Permission::View),
    page("/addresses/missing", Permission::View),
    form("/addresses/missing/restore", Permission::Decide),
    page("/members", Permission::View),
    page("/members/01KATW4Y00ZZZZZZZZZZZZZZZZ", Permission::View),
    fresh(Method::GET, "/members/01KATW4Y00ZZZZZZZZZZZZZZZZ/ban", Permission::Ban),
    fresh(Method::POST, "/members/01KATW4Y00ZZZZZZZZZZZZZZZZ/ban", Permission::Ban),
    fresh(Method::POST, "/members/01KATW4Y00ZZZZZZZZZZZZZZZZ/unban", Permission::Ban),
    form("/check", Permission::View),
    page("/failing", Permission::View),
    page("/admins", Permission::View),
    fresh(Method::POST, "/admins", Permission::Appoint),
    fresh(Method::POST, "/admins/01ARZ3NDEKTSV4RRFFQ69G5FAV", Permission::Appoint),
    fresh(Method::POST, "/admins/01ARZ3NDEKTSV4RRFFQ69G5FAV/remove", Permission::Appoint),
    page("/reserved", Permission::View),
    form("/reserved", Permission::Decide),
    form("/reserved/release", Permission::Decide),
];

impl Route {
    fn resource(&self) -> Resource {
        let segments: Vec<_> = self.path.split('/').skip(1).collect();
        Resource::find(&segments, self.method == Method::POST).unwrap_or_else(|| panic!("{}", self.path))
    }

    async fn open(&self, world: &World, browser: &Browser, domain: &str) -> Page {
        let path = format!("/admin/domains/{domain}{}", self.path);
        match self.method {
            Method::POST => browser.submit(world, &path, &[]).await,
            _ => browser.get(world, &path).await,
        }
    }
}

/// The answer to a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Led to the start page, which offers to sign in.
    SignIn,
    /// Refused, with this heading.
    Refused(&'static str),
    /// Whatever the page or form says itself.
    Allowed,
}

impl Answer {
    fn of(page: &Page) -> Self {
        match page.status() {
            303 if page.location() == "/" => Self::SignIn,
            403 => {
                let headings =
                    ["You are not an admin of this domain", "You do not have this permission", "Please sign in again"];
                let found = headings.into_iter().find(|heading| page.text().contains(heading));
                Self::Refused(found.unwrap_or_else(|| panic!("{}", page.text())))
            }
            _ => Self::Allowed,
        }
    }
}

const NOT_HERE: Answer = Answer::Refused("You are not an admin of this domain");
const NO_PERMISSION: Answer = Answer::Refused("You do not have this permission");
const SIGN_IN_AGAIN: Answer = Answer::Refused("Please sign in again");

async fn check(world: &World, who: &str, browser: &Browser, expected: impl Fn(&Route) -> Answer) {
    for route in ROUTES {
        let answer = Answer::of(&route.open(world, browser, UBUNTU).await);
        assert_eq!(answer, expected(&route), "{who}: {} {}", route.method, route.path);
    }
}

#[test]
fn table_has_every_resource() {
    let tested: BTreeSet<_> = ROUTES.iter().map(|route| route.resource().as_ref().to_owned()).collect();
    let all: BTreeSet<_> = Resource::VARIANTS.iter().map(ToString::to_string).collect();
    assert_eq!(tested, all);
}

#[tokio::test]
async fn routes_answer_each_kind_of_visitor() {
    let world = World::new().await;
    check(&world, "anonymous", &Browser::default(), |_| Answer::SignIn).await;
    check(&world, "unknown session", &Browser(Some(SessionId::new(&OsRandom))), |_| Answer::SignIn).await;
    let (member, _) = world.resident("member").await;
    check(&world, "member", &member, |_| NOT_HERE).await;
    let (other, _) = world.admin("other", KUBUNTU, &Permission::iter().collect::<Vec<_>>()).await;
    check(&world, "admin of another domain", &other, |_| NOT_HERE).await;
    for permission in Permission::iter() {
        let who = format!("{permission}-admin");
        let (browser, _) = world.admin(&who, UBUNTU, &[permission]).await;
        let may = |route: &Route| [Permission::View, permission].contains(&route.permission);
        check(&world, &who, &browser, |route| if may(route) { Answer::Allowed } else { NO_PERMISSION }).await;
    }
}

#[tokio::test]
async fn former_admins_are_refused() {
    let world = World::new().await;
    let all: Vec<_> = Permission::iter().collect();
    let (banned, member) = world.admin("banned", UBUNTU, &all).await;
    world.store().ban(member.id, world.cause(), &OsRandom).await.unwrap();
    check(&world, "banned admin", &banned, |_| Answer::SignIn).await;

    let (removed, member) = world.admin("removed", UBUNTU, &all).await;
    world.store().unbind_admin(&name(UBUNTU), member.id, None, world.cause(), &OsRandom).await.unwrap();
    check(&world, "removed admin", &removed, |_| NOT_HERE).await;

    let (left, _) = world.admin("left", UBUNTU, &all).await;
    leave_team(&world, "left@ubuntu.com").await;
    check(&world, "admin who left the team", &left, |_| NOT_HERE).await;

    let (deactivated, member) = world.admin("deactivated", UBUNTU, &all).await;
    world.advance(SignedDuration::from_secs(1));
    let mut seen = observation("deactivated", world.now());
    seen.person.account = Account::Deactivated;
    let record =
        Record { member: &member, observation: Some(&seen), outcome: None, claims_name_from: None, now: world.now() };
    world.store().record(record, &OsRandom).await.unwrap();
    check(&world, "admin whose account is deactivated", &deactivated, |_| NOT_HERE).await;
}

/// What a sync does to the address of somebody who left the team: its grace period begins.
async fn leave_team(world: &World, address: &str) {
    let stored = world.store().alias(&address.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    let until = later(world.now(), SignedDuration::from_hours(14 * 24));
    let step = Step {
        address: stored.alias.address,
        member: stored.alias.member,
        expected: ExpectedVersion::At(stored.alias.version),
        known_as: None,
        action: Action::Leave { reason: Reason::NotInTeam, until },
    };
    let terms = Terms { domains: &[name(UBUNTU)], rules: &world.context.community.rules, read_at: world.now() };
    let applied = world.store().apply(&step, terms, world.cause(), &OsRandom).await.unwrap();
    assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
}

#[tokio::test]
async fn stale_session_must_sign_in_again() {
    let world = World::new().await;
    let (browser, _) = world.admin("amy", UBUNTU, &Permission::iter().collect::<Vec<_>>()).await;
    world.advance(FRESH_SIGN_IN);
    check(&world, "stale session", &browser, |route| if route.is_fresh { SIGN_IN_AGAIN } else { Answer::Allowed })
        .await;
}

#[tokio::test]
async fn form_needs_its_csrf_token() {
    let world = World::new().await;
    let (browser, _) = world.admin("amy", UBUNTU, &Permission::iter().collect::<Vec<_>>()).await;
    let (other, _) = world.resident("other").await;
    for route in ROUTES.into_iter().filter(|route| route.method == Method::POST) {
        let path = format!("/admin/domains/{UBUNTU}{}", route.path);
        for tokens in
            [vec![], vec![("csrf", other.token())], vec![("csrf", browser.token()), ("csrf", browser.token())]]
        {
            let fields: Vec<_> = tokens.iter().map(|(name, token)| (*name, token.as_str())).collect();
            let page = browser.submit_raw(&world, &path, &fields).await;
            assert!(page.status() == 403 && page.text().contains("Nothing has changed"), "{path}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn missing_and_foreign_domains_look_alike() {
    let world = World::new().await;
    let (browser, _) = world.admin("amy", UBUNTU, &Permission::iter().collect::<Vec<_>>()).await;
    for route in ROUTES {
        let foreign = route.open(&world, &browser, KUBUNTU).await;
        let missing = route.open(&world, &browser, "missing.example").await;
        assert_eq!(Answer::of(&foreign), NOT_HERE, "{}", route.path);
        assert_eq!(foreign.text().replace(KUBUNTU, "missing.example"), missing.text(), "{}", route.path);
    }
}

#[tokio::test]
async fn overview_lists_own_domains_only() {
    let world = World::new().await;
    let (browser, _) = world.admin("amy", KUBUNTU, &[Permission::Ban]).await;
    let page = browser.get(&world, "/admin").await;
    assert!(page.status() == 200 && page.text().contains(KUBUNTU), "{}", page.text());
    assert!(
        page.text().contains("view, ban members") && !page.text().contains("domains/ubuntu.com"),
        "{}",
        page.text()
    );
    let (member, _) = world.resident("member").await;
    assert_eq!(member.get(&world, "/admin").await.status(), 403);
    assert_eq!(Browser::default().get(&world, "/admin").await.location(), "/");
}
