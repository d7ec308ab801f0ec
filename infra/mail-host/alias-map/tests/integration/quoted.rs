//! Recipients that Postfix looks up in two forms: smtpd without quotes, cleanup with them.

use std::sync::Arc;

use membermail_alias_map::protocol::Reply;
use membermail_alias_map::settings::CacheTtls;
use membermail_alias_map::source::LookupResult;
use membermail_core::alias::{Reason, Status};

use crate::support::{FakeSource, lookups};

/// If smtpd found the first key of a case and cleanup did not find the second, mail would be accepted and then bounced to
/// the forged sender.
#[rstest::rstest]
#[case::dots_in_tag("alice+a..b@ubuntu.com", r#""alice+a..b"@ubuntu.com"#)]
#[case::dot_after_tag("alice+x.@ubuntu.com", r#""alice+x."@ubuntu.com"#)]
#[case::space_in_tag("alice+a b@ubuntu.com", r#""alice+a b"@ubuntu.com"#)]
#[case::comma_in_tag("alice+x,y@ubuntu.com", r#""alice+x,y"@ubuntu.com"#)]
#[case::brackets_in_tag("alice+<x>@ubuntu.com", r#""alice+<x>"@ubuntu.com"#)]
#[case::quote_in_tag(r#"alice+"x@ubuntu.com"#, r#""alice+\"x"@ubuntu.com"#)]
#[case::backslash_in_tag(r"alice+\@ubuntu.com", r#""alice+\\"@ubuntu.com"#)]
#[case::literal_quotes(r#""alice"@ubuntu.com"#, r#""\"alice\""@ubuntu.com"#)]
#[case::bounce_with_dots("bounce..x@ubuntu.com", r#""bounce..x"@ubuntu.com"#)]
#[case::bounce_with_space("bounce x@ubuntu.com", r#""bounce x"@ubuntu.com"#)]
#[case::dot_after_reserved("ssl.@kubuntu.org", r#""ssl."@kubuntu.org"#)]
#[case::dots_after_srs("srs0..@ubuntu.com", r#""srs0.."@ubuntu.com"#)]
#[case::dots_in_srs("srs0=..@ubuntu.com", r#""srs0=.."@ubuntu.com"#)]
#[case::space_in_list("a b-request@ubuntu.com", r#""a b-request"@ubuntu.com"#)]
#[case::dot_before_list(".x-request@ubuntu.com", r#"".x-request"@ubuntu.com"#)]
#[case::space_in_reserved_tag("postmaster+a b@ubuntu.com", r#""postmaster+a b"@ubuntu.com"#)]
#[case::dot_in_reserved_tag("postmaster+.@ubuntu.com", r#""postmaster+."@ubuntu.com"#)]
#[case::suspended("gone+a..b@ubuntu.com", r#""gone+a..b"@ubuntu.com"#)]
#[tokio::test]
async fn quoted_recipient_is_in_no_map(#[case] plain: &str, #[case] quoted: &str) {
    let source = Arc::new(FakeSource::default());
    source.put("alice@ubuntu.com", "alice@mail.example");
    source.put_result("gone@ubuntu.com", LookupResult::Rejects(Status::Suspended, Reason::NotInTeam));
    let lookups = lookups(source.clone(), CacheTtls::default());
    for key in [plain, quoted] {
        for map in ["alias", "reject", "domain"] {
            let reply = lookups.reply(format!("{map} {key}").as_bytes()).await;
            assert_eq!(reply, Reply::NotFound, "{map} {key}");
        }
    }
    assert_eq!(source.queries(), 0, "the table was queried for what can be no address");
}
