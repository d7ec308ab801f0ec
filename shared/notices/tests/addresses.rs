//! The core and the mail library agree on which addresses are valid, so that no notice fails because of its recipient.

use lettre::Address;
use membermail_core::email::EmailAddress;
use proptest::prelude::*;

/// The core accepts a subset of the mail library's domains: ASCII host names of at least two labels, the last one not a
/// number.
fn is_in_subset(address: &Address) -> bool {
    let labels: Vec<_> = address.domain().split('.').collect();
    let is_number = labels.last().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let whole: &str = address.as_ref();
    whole.len() <= 254
        && address.user().is_ascii()
        && labels.len() > 1
        && labels.iter().all(|label| is_host(label))
        && !is_number
}

fn is_host(label: &str) -> bool {
    let is_ldh = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_ldh && !label.to_ascii_lowercase().starts_with("xn--")
}

fn agree(text: &str) -> Result<(), TestCaseError> {
    let ours = EmailAddress::parse(text);
    let theirs = text.parse::<Address>();
    if let Ok(ours) = &ours {
        let parsed = ours.expose().parse::<Address>();
        prop_assert!(parsed.is_ok_and(|parsed| parsed.domain() == ours.domain()), "the library rejects {:?}", text);
    }
    if let Ok(theirs) = theirs.as_ref().ok().filter(|address| is_in_subset(address)).ok_or(()) {
        prop_assert!(ours.is_ok(), "the library accepts {theirs}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn core_and_library_agree_on_text(text in ".{0,40}") {
        agree(&text)?;
    }

    #[test]
    fn core_and_library_agree_on_addresses(
        local in r#""?[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\\ "<>(),:;-]{1,70}"?"#,
        domain in r"[a-zA-Z0-9äé-]{0,65}(\.[a-zA-Z0-9_-]{0,10}){0,3}\.?",
    ) {
        agree(&format!("{local}@{domain}"))?;
    }

    #[test]
    fn plain_address_is_valid(local in "[a-z0-9]{1,10}(\\.[a-z0-9]{1,10}){0,2}", domain in "[a-z0-9]{1,10}\\.[a-z]{2,6}") {
        let text = format!("{local}@{domain}");
        prop_assert!(EmailAddress::parse(&text).is_ok());
        agree(&text)?;
    }
}
