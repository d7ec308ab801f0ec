use jiff::Timestamp;
use membermail_core::member::Subject;
use membermail_core::random::CountingRandom;
use membermail_texts::Texts;
use rstest::rstest;

use super::*;
use crate::public_url::PublicUrl;

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

fn own(issuer: &str, subject: &str) -> OwnIdentity {
    let identity = Identity { issuer: issuer.to_owned(), subject: Subject::parse(subject).unwrap() };
    OwnIdentity { identity, since: now() }
}

fn example() -> Community {
    membermail_communities::community("example").unwrap()
}

/// The accounts of somebody who moved, and has an account of a provider that the file no longer has.
fn accounts() -> Vec<OwnIdentity> {
    let former = "https://id.community.example/+openid";
    vec![
        own(former, "https://id.community.example/+id/AbCdEfG"),
        own("https://gitlab.community.example", "1001"),
        own("https://old.example/openid", "7"),
    ]
}

fn session() -> SessionId {
    SessionId::new(&CountingRandom::default())
}

fn with_site<T>(language: &str, show: impl FnOnce(Site<'_>, &Community) -> T) -> T {
    let (community, texts) = (example(), Texts::load().unwrap());
    let configured = "https://mail.example.org/live".parse().unwrap();
    let public_url = PublicUrl::for_request(Some(&configured), &Default::default()).unwrap();
    let site = Site::new(&public_url, &community, &texts, &Default::default());
    let site = site.in_language(Some(&membermail_core::language::Language::parse(language).unwrap()));
    show(Site { csrf_token: Some("token".to_owned()), ..site }, &community)
}

fn page(language: &str, own: &[OwnIdentity], query: Option<&str>, is_fresh: bool) -> String {
    with_site(language, |site, community| {
        let rows = rows(own, Some(&"ada".parse().unwrap()), community, site.wording);
        let adding = adding(&session(), own.len(), is_fresh, community, site.wording);
        let news = news(query, site.wording);
        let page = Identities { site, news, rows, adding }.render().unwrap();
        let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0.to_owned();
        main.lines().filter(|line| !line.is_empty()).fold(String::new(), |text, line| text + line + "\n")
    })
}

#[rstest]
fn page_of_accounts(#[values("en", "ar", "de")] language: &str) {
    insta::assert_snapshot!(format!("page_of_accounts.{language}"), page(language, &accounts(), Some("adding"), true));
    let one = &accounts()[1..2];
    insta::assert_snapshot!(format!("page_of_one_account.{language}"), page(language, one, Some("removed"), false));
}

/// API Gateway has no parameters without a value.
#[rstest]
fn news_has_empty_value(#[values("adding", "removed")] query: &str) {
    with_site("en", |site, _| {
        let expected = news(Some(query), site.wording);
        assert!(expected.is_some());
        assert_eq!(news(Some(&format!("{query}=")), site.wording), expected);
    });
}

#[test]
fn only_known_news_is_shown() {
    for query in [None, Some(""), Some("adding&x"), Some("adding=x"), Some("="), Some("<b>"), Some("heading")] {
        with_site("en", |site, _| assert_eq!(news(query, site.wording), None, "{query:?}"));
    }
}

#[test]
fn name_is_shown_for_one_account() {
    let named = |own: &[OwnIdentity]| page("en", own, None, true).matches("Name there: ada").count();
    assert_eq!(named(&accounts()), 1);
    assert_eq!(named(&accounts()[..1]), 0, "the source does not know the former provider's identities");
    let two = [own("https://gitlab.community.example", "1001"), own("https://gitlab.community.example", "1002")];
    assert_eq!(named(&two), 0, "either could have it");
}

#[test]
fn links_carry_token_of_provider() {
    let token = |to| link_token::token(&session(), to);
    let page = page("en", &accounts(), None, true);
    assert!(page.contains(&format!("/live/sign-in?link={}\"", token(LinkTo::Current))), "{page}");
    let former = page.replace("&#38;", "&").replace("&amp;", "&");
    assert!(former.contains(&format!("?link={}&provider=former\"", token(LinkTo::Former))), "{page}");
}

#[test]
fn stale_session_gets_no_links() {
    assert!(!page("en", &accounts(), None, false).contains("link="));
}

#[test]
fn full_account_gets_no_links() {
    let many: Vec<_> = (0..MAX_IDENTITIES).map(|id| own("https://gitlab.community.example", &id.to_string())).collect();
    let page = page("en", &many, None, true);
    assert!(!page.contains("link=") && page.contains("as many accounts as you can"), "{page}");
}
