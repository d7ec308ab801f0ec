use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Result<String, EmailError> {
    EmailAddress::parse(text).map(|address| address.expose().to_owned())
}

#[rstest::rstest]
#[case::plain("alice@example.org", "alice@example.org")]
#[case::case_of_local_part("Alice.B+c@Example.ORG", "Alice.B+c@example.org")]
#[case::quoted(r#""a b"@example.org"#, r#""a b"@example.org"#)]
#[case::quoted_at(r#""a@b"@example.org"#, r#""a@b"@example.org"#)]
#[case::subdomain("a@b.c.example.org", "a@b.c.example.org")]
#[case::digits("a@1and1.2.example", "a@1and1.2.example")]
#[case::u_label("bob@bücher.example", "bob@xn--bcher-kva.example")]
#[case::u_label_in_capitals("bob@BÜCHER.example", "bob@xn--bcher-kva.example")]
#[case::a_label("bob@XN--bcher-kva.example", "bob@xn--bcher-kva.example")]
#[case::ideographic_full_stop("bob@例え。テスト", "bob@xn--r8jz45g.xn--zckzah")]
fn address_is_normalized(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(parsed(text).as_deref(), Ok(expected));
}

#[rstest::rstest]
#[case::empty("", EmailError::Syntax)]
#[case::no_at("alice", EmailError::Syntax)]
#[case::no_local_part("@example.org", EmailError::LocalPart)]
#[case::no_domain("alice@", EmailError::Domain)]
#[case::one_label("alice@localhost", EmailError::Domain)]
#[case::display_name("x <bob@ubuntu.com>", EmailError::Domain)]
#[case::display_name_without_blank("x<bob@ubuntu.com>", EmailError::Domain)]
#[case::quoted_display_name(r#""Bob" <bob@ubuntu.com>"#, EmailError::Domain)]
#[case::brackets("<bob@ubuntu.com>", EmailError::Domain)]
#[case::list("bob@ubuntu.com,eve@example.org", EmailError::LocalPart)]
#[case::list_with_blank("bob@ubuntu.com, eve@example.org", EmailError::LocalPart)]
#[case::group("friends:bob@ubuntu.com;", EmailError::Domain)]
#[case::comment("bob(x)@ubuntu.com", EmailError::LocalPart)]
#[case::comment_behind("bob@ubuntu.com(x)", EmailError::Domain)]
#[case::route("@example.org:bob@ubuntu.com", EmailError::LocalPart)]
#[case::leading_blank(" bob@ubuntu.com", EmailError::LocalPart)]
#[case::trailing_blank("bob@ubuntu.com ", EmailError::Domain)]
#[case::no_break_space("bob@ubuntu.com\u{a0}", EmailError::Domain)]
#[case::blank_before_at("bob @ubuntu.com", EmailError::LocalPart)]
#[case::blank_after_at("bob@ ubuntu.com", EmailError::Domain)]
#[case::header("alice@example.org\r\nBcc: eve@example.org", EmailError::LocalPart)]
#[case::line_break("alice@example.org\n", EmailError::Domain)]
#[case::nul("alice\0@example.org", EmailError::LocalPart)]
#[case::trailing_dot("alice@example.org.", EmailError::Domain)]
#[case::trailing_ideographic_dot("alice@example.org。", EmailError::Domain)]
#[case::empty_label("alice@example..org", EmailError::Domain)]
#[case::leading_dot("alice@.example.org", EmailError::Domain)]
#[case::dot_before_at("alice.@example.org", EmailError::LocalPart)]
#[case::two_dots("al..ice@example.org", EmailError::LocalPart)]
#[case::ipv4("alice@127.0.0.1", EmailError::Domain)]
#[case::ipv4_literal("alice@[127.0.0.1]", EmailError::Domain)]
#[case::ipv6_literal("alice@[IPv6:::1]", EmailError::Domain)]
#[case::underscore("alice@exa_mple.org", EmailError::Domain)]
#[case::hyphen_first("alice@-example.org", EmailError::Domain)]
#[case::hyphen_last("alice@example-.org", EmailError::Domain)]
#[case::broken_a_label("alice@xn--0.example", EmailError::Domain)]
#[case::non_ascii_local_part("älice@example.org", EmailError::LocalPart)]
#[case::full_width_at("alice＠example.org", EmailError::Syntax)]
#[case::unclosed_quote(r#""alice@example.org"#, EmailError::LocalPart)]
#[case::escaped_quote(r#""alice\"@example.org"#, EmailError::LocalPart)]
fn invalid_address_is_refused(#[case] text: &str, #[case] reason: EmailError) {
    assert_eq!(parsed(text), Err(reason));
}

#[test]
fn lengths_are_limited() {
    let domain = vec!["x".repeat(61); 4].join(".");
    assert!(parsed(&format!("{}@example.org", "x".repeat(64))).is_ok());
    assert_eq!(parsed(&format!("{}@example.org", "x".repeat(65))), Err(EmailError::LocalPart));
    assert!(parsed(&format!("a@{}.org", "x".repeat(63))).is_ok());
    assert_eq!(parsed(&format!("a@{}.org", "x".repeat(64))), Err(EmailError::Domain));
    // 6 + 4 * 62 is 254.
    assert!(parsed(&format!("abcde@{}.y", domain.replacen("xx", "x", 2))).is_ok());
    assert_eq!(parsed(&format!("abcdefgh@{domain}.y")), Err(EmailError::TooLong));
    // The limit is for what is sent, and A-labels are longer than U-labels.
    assert!(parsed(&format!("a@{}.example", "ü".repeat(60))).is_err());
}

#[test]
fn debug_shows_nothing() {
    let address = EmailAddress::parse("alice@example.org").unwrap();
    assert_eq!(format!("{address:?}"), "EmailAddress([redacted])");
    for text in ["bob", "b b@ubuntu.com", "bob@ubuntu"] {
        let error = EmailAddress::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("bob"));
    }
}

proptest! {
    #[test]
    fn accepted_address_has_one_form(text in "[ -~äß。\u{a0}]{0,20}@[ -~äß。\u{a0}]{0,20}\\.[a-zA-Zäß]{1,8}") {
        if let Ok(address) = EmailAddress::parse(&text) {
            prop_assert!(address.expose().is_ascii() && !address.domain().contains(['@', '<', ' ']));
            prop_assert_eq!(EmailAddress::parse(address.expose()).unwrap(), address);
        }
    }
}
