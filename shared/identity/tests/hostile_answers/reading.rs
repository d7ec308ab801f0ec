//! Answers that cannot even be read.

use membermail_identity::openid2::{Answer, Refusal};

use crate::support;

#[rstest::rstest]
#[case::broken_escape("openid.mode=id_res%", Refusal::Encoding)]
#[case::half_an_escape("openid.mode=id_res%4", Refusal::Encoding)]
#[case::no_hex("openid.mode=%zz", Refusal::Encoding)]
#[case::no_text("openid.mode=%ff%fe", Refusal::Encoding)]
#[case::nul("openid.mode=%00", Refusal::Encoding)]
fn a_broken_encoding_is_refused(#[case] query: &str, #[case] reason: Refusal) {
    assert_eq!(Answer::from_query(query).err(), Some(reason));
}

#[rstest::rstest]
#[case::json("state=s", Some("application/json"), b"{}".to_vec(), Refusal::ContentType)]
#[case::no_type("state=s", None, b"openid.mode=id_res".to_vec(), Refusal::ContentType)]
#[case::oversized("", Some("application/x-www-form-urlencoded"), vec![b'x'; 65 * 1024], Refusal::Oversized)]
#[case::no_text("", Some("application/x-www-form-urlencoded"), vec![0xff, 0xfe], Refusal::Encoding)]
#[case::split("openid.mode=id_res", Some("application/x-www-form-urlencoded"), b"openid.ns=x".to_vec(), Refusal::SplitAnswer)]
#[case::twice("state=s", Some("application/x-www-form-urlencoded"), b"state=t".to_vec(), Refusal::Duplicate)]
#[case::ours_in_the_form("", Some("application/x-www-form-urlencoded"), b"state=s".to_vec(), Refusal::SplitAnswer)]
#[case::too_many("", Some("application/x-www-form-urlencoded"), many_fields(101), Refusal::Oversized)]
#[case::broken("", Some("application/x-www-form-urlencoded"), b"openid.mode=%4".to_vec(), Refusal::Encoding)]
#[case::alike_but_other("", Some("application/x-www-form-urlencodedx"), b"openid.mode=x".to_vec(), Refusal::ContentType)]
fn a_form_that_is_not_as_it_must_be(
    #[case] query: &str,
    #[case] content_type: Option<&str>,
    #[case] body: Vec<u8>,
    #[case] reason: Refusal,
) {
    assert_eq!(Answer::from_form(query, content_type, &body).err(), Some(reason));
}

fn many_fields(count: usize) -> Vec<u8> {
    (0..count).map(|n| format!("openid.n{n}=x&")).collect::<String>().into_bytes()
}

/// What anybody can write into the log by sending a browser here.
#[test]
fn the_words_of_a_providers_error_are_few_and_of_one_line() {
    let words = format!("bad\u{1b}[31m\u{85}{}", "x".repeat(500));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("openid.ns", support::NS), ("openid.mode", "error"), ("openid.error", &words)])
        .finish();
    let Err(refusal) =
        support::party_alone().check(Answer::from_query(&query).unwrap(), &support::callback(), support::now())
    else {
        panic!("an error is no assertion")
    };
    let Refusal::ProviderError(text) = &refusal else { panic!("another reason") };
    assert!(text.starts_with("bad\\u{1b}[31m\\u{85}xxx") && text.len() < 300, "{text}");
    // Anybody can write these words, so the message for the log is ours alone.
    assert_eq!(refusal.to_string(), "the provider reports an error");
    assert_eq!(refusal.code(), "provider-error");
}
