//! The settings, and where they come from.

use membermail_core::community::Community;
use rstest::rstest;

use super::*;
use crate::{SettingsError, Source};

pub(super) fn community() -> Community {
    serde_json::from_value(json!({
        "title": "Example",
        "help": "https://help.example.org/mail",
        "sign-in": {
            "protocol": "openid-connect", "title": "Example GitLab", "issuer": ISSUER, "client-id": "membermail",
            "scopes": ["openid"], "algorithms": ["RS256"],
        },
        "members": { "source": "gitlab", "url": "https://gitlab.community.example/", "minimum-access-level": "reporter" },
        "domains": [
            { "domain": "b.example", "group": "community/b", "admins": ["ada"] },
            { "domain": "a.example", "group": "community/a", "admins": ["ada"] },
            { "domain": "c.example", "group": "community/a", "admins": ["ada"] },
        ],
    }))
    .unwrap()
}

#[test]
fn settings_come_from_community() {
    let settings = Settings::for_community(&community(), Duration::from_secs(7)).unwrap();
    assert_eq!((settings.url.as_str(), settings.issuer.as_str()), ("https://gitlab.community.example/", ISSUER));
    let groups: Vec<_> = settings.groups.iter().map(TeamName::as_str).collect();
    assert_eq!((groups, settings.minimum_access_level), (vec!["community/a", "community/b"], AccessLevel::Reporter));
    assert_eq!((settings.lookup_timeout, settings.pauses.len()), (Duration::from_secs(7), 6));
    assert!(settings.user_agent.ends_with("(+https://help.example.org/mail)"));
}

/// With fakes, the issuer moves together with the server.
#[test]
fn issuer_moves_with_sign_in() {
    let mut community = community();
    let fake = "http://127.0.0.1:8/gitlab/".parse().unwrap();
    community.relocate(Some(&fake), None, Some(&fake)).unwrap();
    let settings = Settings::for_community(&community, Duration::from_secs(7)).unwrap();
    assert_eq!((settings.url.as_str(), settings.issuer), ("http://127.0.0.1:8/gitlab/", community.issuer().to_owned()));
}

#[rstest]
#[case::scheme("ftp://gitlab.example/")]
#[case::credentials("https://a:b@gitlab.example/")]
#[case::query("https://gitlab.example/?a=b")]
fn settings_are_checked(#[case] url: &str) {
    let tokens = Arc::new(Token::parse(TOKEN).unwrap());
    let client = Client::new(settings(url), tokens, Arc::new(ManualClock::at(now())));
    assert!(matches!(client, Err(SettingsError::Api)));
}

#[rstest]
#[tokio::test]
async fn server_can_have_path(#[values("/git", "/git/")] root: &str) {
    let server = serve("/git/api/v4/users/1001", json_response(&user())).await;
    let client = client_with(settings(&format!("{}{root}", server.uri())));
    assert!(client.person(&identity(ISSUER, "1001")).await.unwrap().is_some());
}
