use jiff::SignedDuration;
use membermail_core::random::CountingRandom;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;

const DOMAIN: &str = "back.forwards.example";

fn now() -> Timestamp {
    "2026-11-28T22:00:00Z".parse().unwrap()
}

fn return_path(secrets: &[&str], domain: &str) -> ReturnPath {
    let mut secrets = secrets.iter().map(|secret| Zeroizing::new(secret.as_bytes().to_vec()));
    let keys = MasterKeys::new(secrets.next().unwrap(), secrets.next());
    ReturnPath::new(&keys, domain.parse().unwrap())
}

fn ours() -> ReturnPath {
    return_path(&["master"], DOMAIN)
}

fn sender(text: &str) -> Sender {
    Sender::parse(text).unwrap()
}

fn member() -> MemberId {
    MemberId::new(now(), &CountingRandom::default())
}

/// One address of each kind.
fn each_kind() -> [ReturnAddress; 3] {
    let ours = ours();
    [
        ours.for_sender(&sender("Ann.Lee+x=y@lists.example"), now()),
        ours.for_sender(&sender("\"john doe\"@lists.example"), now()),
        ours.for_notice(member(), now()),
    ]
}

/// Whether the address opens as this sender, whose item the table has.
fn is_return_of(ours: &ReturnPath, address: &str, expected: &Sender, at: Timestamp) -> bool {
    match ours.open(address, at) {
        Ok(Opened::Sender(sender)) => sender == *expected,
        Ok(Opened::Stored(token)) => ours.is_token_of(&token, expected),
        _ => false,
    }
}

#[rstest::rstest]
#[case::plain("ann@lists.example", true)]
#[case::mixed_case("Ann.Lee@Lists.Example", true)]
#[case::verp("bounces+ann=ubuntu.com@lists.example", true)]
#[case::foreign_srs("SRS0=HHH=TT=home.example=user@fwd.example", true)]
#[case::dash_at_end("ann-@lists.example", true)]
#[case::longest_inline("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.exampl", true)]
#[case::too_long_inline("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.exampl", false)]
#[case::ses("0102018f0c8e3a4b-5c6d7e8f-1234-5678-9abc-def012345678-000000@eu-west-1.amazonses.com", false)]
#[case::quoted("\"john doe\"@lists.example", false)]
#[case::quoted_at("\"a@b\"@lists.example", false)]
#[case::dot_at_end("dot.@lists.example", false)]
#[case::two_dots("a..b@lists.example", false)]
#[case::address_literal("user@[192.0.2.1]", false)]
#[case::percent("100%off@lists.example", false)]
#[case::bang("host!user@lists.example", false)]
#[case::apostrophe("o'brien@lists.example", false)]
#[case::slash("a/b@lists.example", false)]
#[case::one_label("root@localhost", false)]
fn sender_returns_in_any_case(#[case] text: &str, #[case] is_inline: bool) {
    let ours = ours();
    let sender = sender(text);
    let address = ours.for_sender(&sender, now());
    assert_eq!(address.stored_token().is_none(), is_inline);
    for spelled in [address.expose().to_owned(), address.expose().to_ascii_uppercase()] {
        assert!(is_return_of(&ours, &spelled, &sender, now()));
    }
}

#[test]
fn notice_returns_its_member() {
    let ours = ours();
    let address = ours.for_notice(member(), now());
    for spelled in [address.expose().to_owned(), address.expose().to_ascii_uppercase()] {
        assert_eq!(ours.open(&spelled, now()), Ok(Opened::Notice(member())));
    }
}

#[rstest::rstest]
#[case::tomorrow(1, true)]
#[case::last_day(14, true)]
#[case::expired(15, false)]
#[case::yesterday(-1, false)]
#[case::same_ten_bits(1024, false)]
fn address_is_valid_for_days(#[case] days: i64, #[case] is_valid: bool) {
    let then = now() + SignedDuration::from_hours(24 * days);
    for address in each_kind() {
        assert_eq!(ours().open(address.expose(), then).is_ok(), is_valid);
    }
}

#[test]
fn stored_sender_outlives_its_token() {
    let address = ours().for_sender(&sender("dot.@lists.example"), now());
    let expires = address.stored_token().unwrap().expires();
    assert_eq!(expires, "2026-12-13T00:00:00Z".parse().unwrap());
    assert!(ours().open(address.expose(), expires - SignedDuration::from_secs(1)).is_ok());
    assert_eq!(ours().open(address.expose(), expires), Err(OpenError::Invalid));
}

#[rstest::rstest]
#[case::same(&["master"], DOMAIN, true)]
#[case::after_rotation(&["new", "master"], DOMAIN, true)]
#[case::other_secret(&["new"], DOMAIN, false)]
#[case::other_domain(&["master"], "back.elsewhere.example", false)]
fn address_opens_under_its_secret(#[case] secrets: &[&str], #[case] domain: &str, #[case] opens: bool) {
    let other = return_path(secrets, domain);
    for address in each_kind() {
        let token = address.expose().rsplit_once('@').unwrap().0;
        assert_eq!(other.open(&format!("{token}@{domain}"), now()).is_ok(), opens);
    }
}

#[rstest::rstest]
#[case::empty("", OpenError::OtherDomain)]
#[case::no_domain("postmaster", OpenError::OtherDomain)]
#[case::community("ann@ubuntu.com", OpenError::OtherDomain)]
#[case::subdomain("ann@x.back.forwards.example", OpenError::OtherDomain)]
#[case::no_token("ann@back.forwards.example", OpenError::Invalid)]
#[case::no_local_part("@back.forwards.example", OpenError::Invalid)]
#[case::not_ascii("räö@back.forwards.example", OpenError::Invalid)]
fn made_up_address_is_refused(#[case] address: &str, #[case] expected: OpenError) {
    assert_eq!(ours().open(address, now()), Err(expected));
}

#[test]
fn any_changed_character_is_refused() {
    for address in each_kind() {
        let text = address.expose();
        let end = text.find('@').unwrap();
        for index in 0..end {
            for other in "abcdefghijklmnopqrstuvwxyz234567=.-_+@".bytes() {
                let mut changed = text.as_bytes().to_vec();
                changed[index] = other;
                let changed = String::from_utf8(changed).unwrap();
                assert!(changed == text || ours().open(&changed, now()).is_err(), "index {index}");
            }
        }
        for shorter in 0..end {
            assert!(ours().open(&text[shorter + 1..], now()).is_err());
            assert!(ours().open(&format!("{}@{DOMAIN}", &text[..shorter]), now()).is_err());
        }
        assert!(ours().open(&format!("{}a@{DOMAIN}", &text[..end]), now()).is_err());
    }
}

#[test]
fn stored_token_names_one_sender() {
    let address = ours().for_sender(&sender("dot.@lists.example"), now());
    let token = address.stored_token().unwrap();
    assert!(!ours().is_token_of(token, &sender("dot..@lists.example")));
    assert!(!ours().is_token_of(token, &sender("Dot.@lists.example")));
}

#[test]
fn debug_omits_addresses() {
    let address = ours().for_sender(&sender("ann@lists.example"), now());
    let opened = ours().open(address.expose(), now());
    assert_eq!(format!("{address:?} {opened:?}"), "ReturnAddress([redacted]) Ok(Sender(Sender([redacted])))");
}

/// Senders of at most 254 octets: plain ones, and any printable text before the `@`.
fn senders() -> impl Strategy<Value = Sender> {
    let local_part = prop_oneof!["[A-Za-z0-9=.+_-]{1,60}", "[ -;=?-~]{1,120}"];
    let domain = prop_oneof!["[a-zA-Z0-9-]{1,20}(\\.[a-z]{1,10}){0,5}", "\\[[0-9.:a-f]{1,40}\\]"];
    (local_part, domain).prop_map(|(local_part, domain)| sender(&format!("{local_part}@{domain}")))
}

proptest! {
    #[test]
    fn any_sender_returns(sender in senders(), case in any::<u64>()) {
        let ours = ours();
        let address = ours.for_sender(&sender, now());
        let token = address.expose().rsplit_once('@').unwrap().0;
        prop_assert!(token.len() <= 64 && is_dot_atom(token));
        prop_assert!(token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"=.-_+".contains(&byte)));
        let spelled: String = address
            .expose()
            .chars()
            .enumerate()
            .map(|(index, letter)| if case >> (index % 64) & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
            .collect();
        prop_assert!(is_return_of(&ours, &spelled, &sender, now()));
    }

    /// The other sender differs by one character, or is any other.
    #[test]
    fn senders_share_no_token(one in senders(), other in senders(), changed in any::<prop::sample::Index>(), by in "[A-Z=@.]") {
        let ours = ours();
        let index = changed.index(one.expose().len());
        let similar = [&one.expose()[..index], &by, &one.expose()[index + 1..]].concat();
        for other in [Ok(other), Sender::parse(&similar)].into_iter().flatten() {
            let is_same = ours.for_sender(&one, now()) == ours.for_sender(&other, now());
            prop_assert_eq!(is_same, one == other);
        }
    }

    #[test]
    fn any_text_opens_to_nothing(token in "\\PC{0,80}", kind in "[rsn]", upper in any::<bool>()) {
        let made_up = format!("{kind}{}{token}@{DOMAIN}", day_text(day(now())));
        let made_up = if upper { made_up.to_ascii_uppercase() } else { made_up };
        prop_assert!(ours().open(&made_up, now()).is_err());
    }
}
