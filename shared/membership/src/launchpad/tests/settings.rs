//! The settings, and where they come from.

use membermail_core::community::Community;
use rstest::rstest;

use super::*;
use crate::SettingsError;

pub(super) fn community() -> Community {
    serde_json::from_value(json!({
        "title": "Example",
        "help": "https://help.example.org/mail",
        "code-of-conduct": "https://example.org/conduct",
        "sign-in": {
            "protocol": "openid-2.0",
            "title": "Example One",
            "endpoint": "https://login.ubuntu.com/+openid",
            "identifier-root": UBUNTU,
        },
        "members": { "source": "launchpad", "api": "https://api.launchpad.net/", "identifier-roots": [UBUNTU, LAUNCHPAD] },
        "domains": [{ "domain": "example.org", "team": TEAM, "admins": ["alice"] }],
    }))
    .unwrap()
}

#[rstest]
#[case::its_own(None, "https://api.launchpad.net/")]
#[case::another(Some("http://127.0.0.1:8/"), "http://127.0.0.1:8/")]
fn settings_come_from_community(#[case] instead: Option<&str>, #[case] api: &str) {
    let mut community = community();
    community.relocate(None, None, instead.map(|url| url.parse().unwrap()).as_ref()).unwrap();
    let settings = Settings::for_community(&community, Duration::from_secs(7)).unwrap();
    assert_eq!(settings.api.as_str(), api);
    assert_eq!(settings.identifier_roots, [UBUNTU, LAUNCHPAD]);
    assert_eq!(settings.issuers, [ISSUER]);
    assert_eq!((settings.lookup_timeout, settings.page_timeout), (Duration::from_secs(7), Duration::from_secs(30)));
    assert_eq!(settings.pauses, [0, 1, 2, 4, 8, 16].map(Duration::from_secs));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(settings.user_agent, format!("membermail/{version} (+https://help.example.org/mail)"));
    assert!(Client::new(settings).is_ok());
}

#[rstest]
#[case::scheme("ftp://api.launchpad.net/", USER_AGENT, false)]
#[case::no_host("data:text/plain,x", USER_AGENT, false)]
#[case::credentials("https://a:b@api.launchpad.net/", USER_AGENT, false)]
#[case::query("https://api.launchpad.net/?a=b", USER_AGENT, false)]
#[case::no_agent("https://api.launchpad.net/", " ", false)]
#[case::broken_agent("https://api.launchpad.net/", "a\nb", false)]
#[case::good("https://api.launchpad.net/", USER_AGENT, true)]
fn settings_are_checked(#[case] api: &str, #[case] agent: &str, #[case] is_good: bool) {
    let made = Client::new(Settings { user_agent: agent.to_owned(), ..settings(api) });
    assert_eq!(made.is_ok(), is_good);
    assert!(matches!(made, Ok(_) | Err(SettingsError::Api | SettingsError::UserAgent)));
}

#[rstest]
#[case::root("", "/devel/people")]
#[case::slash("/", "/devel/people")]
#[case::folder("/lp", "/lp/devel/people")]
#[case::folder_and_slash("/lp/", "/lp/devel/people")]
#[tokio::test]
async fn api_root_can_have_path(#[case] root: &str, #[case] asked: &str) {
    let server = MockServer::start().await;
    Mock::given(path(asked)).respond_with(json_response(&Value::Null)).mount(&server).await;
    let client = Client::new(settings(&format!("{}{root}", server.uri()))).unwrap();
    assert_eq!(client.person(&identity()).await, Ok(None));
}
