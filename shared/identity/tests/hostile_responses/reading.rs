//! Responses that cannot be parsed.

use membermail_identity::openid2::{IndirectResponse, Refusal};

use crate::support;

#[rstest::rstest]
#[case::broken_escape("openid.mode=id_res%", Refusal::Encoding)]
#[case::truncated_escape("openid.mode=id_res%4", Refusal::Encoding)]
#[case::escape_without_hex("openid.mode=%zz", Refusal::Encoding)]
#[case::no_text("openid.mode=%ff%fe", Refusal::Encoding)]
#[case::nul("openid.mode=%00", Refusal::Encoding)]
fn malformed_encoding_is_refused(#[case] query: &str, #[case] reason: Refusal) {
    assert_eq!(IndirectResponse::from_query(query).err(), Some(reason));
}

#[rstest::rstest]
#[case::json("state=s", Some("application/json"), b"{}".to_vec(), Refusal::ContentType)]
#[case::no_type("state=s", None, b"openid.mode=id_res".to_vec(), Refusal::ContentType)]
#[case::oversized("", Some("application/x-www-form-urlencoded"), vec![b'x'; 65 * 1024], Refusal::Oversized)]
#[case::no_text("", Some("application/x-www-form-urlencoded"), vec![0xff, 0xfe], Refusal::Encoding)]
#[case::split("openid.mode=id_res", Some("application/x-www-form-urlencoded"), b"openid.ns=x".to_vec(), Refusal::SplitResponse)]
#[case::twice("state=s", Some("application/x-www-form-urlencoded"), b"state=t".to_vec(), Refusal::Duplicate)]
#[case::own_parameter_in_form("", Some("application/x-www-form-urlencoded"), b"state=s".to_vec(), Refusal::SplitResponse)]
#[case::too_many("", Some("application/x-www-form-urlencoded"), many_fields(101), Refusal::Oversized)]
#[case::broken("", Some("application/x-www-form-urlencoded"), b"openid.mode=%4".to_vec(), Refusal::Encoding)]
#[case::similar_media_type("", Some("application/x-www-form-urlencodedx"), b"openid.mode=x".to_vec(), Refusal::ContentType)]
fn malformed_form_is_refused(
    #[case] query: &str,
    #[case] content_type: Option<&str>,
    #[case] body: Vec<u8>,
    #[case] reason: Refusal,
) {
    assert_eq!(IndirectResponse::from_form(query, content_type, &body).err(), Some(reason));
}

fn many_fields(count: usize) -> Vec<u8> {
    (0..count).map(|n| format!("openid.n{n}=x&")).collect::<String>().into_bytes()
}

/// Anyone can send a browser here with an error message.
#[test]
fn provider_error_is_bounded_and_escaped() {
    let words = format!("bad\u{1b}[31m\u{85}{}", "x".repeat(500));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("openid.ns", support::NS), ("openid.mode", "error"), ("openid.error", &words)])
        .finish();
    let Err(refusal) = support::party_alone().check(
        IndirectResponse::from_query(&query).unwrap(),
        &support::callback(),
        support::now(),
    ) else {
        panic!("an error was accepted")
    };
    let Refusal::ProviderError(text) = &refusal else { panic!("another reason") };
    assert!(text.starts_with("bad\\u{1b}[31m\\u{85}xxx") && text.len() < 300, "{text}");
    // The log message omits the text, because anyone can write it.
    assert_eq!(refusal.to_string(), "the provider reported an error");
    assert_eq!(refusal.code(), "provider-error");
}
