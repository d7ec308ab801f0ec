//! An address that a member may have is one that the mailer takes: by the same rule, so that no notice fails on it.

use lettre::Address;
use membermail_core::email::EmailAddress;
use proptest::prelude::*;

/// Our subset of the mailer's domains: host names of two labels or more, the last one not a number, in ASCII.
fn is_of_our_subset(address: &Address) -> bool {
    let labels: Vec<_> = address.domain().split('.').collect();
    let is_host = |label: &&str| {
        let is_ldh = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        is_ldh && !label.to_ascii_lowercase().starts_with("xn--")
    };
    let is_number = labels.last().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let whole: &str = address.as_ref();
    whole.len() <= 254 && address.user().is_ascii() && labels.len() > 1 && labels.iter().all(is_host) && !is_number
}

fn agree(text: &str) -> Result<(), TestCaseError> {
    let (ours, mailers) = (EmailAddress::parse(text), text.parse::<Address>());
    if let Ok(ours) = &ours {
        let taken = ours.expose().parse::<Address>();
        prop_assert!(taken.is_ok_and(|taken| taken.domain() == ours.domain()), "the mailer refuses {:?}", text);
    }
    if let Ok(mailers) = mailers.as_ref().ok().filter(|address| is_of_our_subset(address)).ok_or(()) {
        prop_assert!(ours.is_ok(), "the mailer takes {mailers}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn mailer_agrees_on_any_text(text in ".{0,40}") {
        agree(&text)?;
    }

    #[test]
    fn mailer_agrees_on_likely_addresses(
        local in r#""?[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\\ "<>(),:;-]{1,70}"?"#,
        domain in r"[a-zA-Z0-9äé-]{0,65}(\.[a-zA-Z0-9_-]{0,10}){0,3}\.?",
    ) {
        agree(&format!("{local}@{domain}"))?;
    }

    #[test]
    fn mailer_takes_plain_addresses(local in "[a-z0-9]{1,10}(\\.[a-z0-9]{1,10}){0,2}", domain in "[a-z0-9]{1,10}\\.[a-z]{2,6}") {
        let text = format!("{local}@{domain}");
        prop_assert!(EmailAddress::parse(&text).is_ok());
        agree(&text)?;
    }
}
