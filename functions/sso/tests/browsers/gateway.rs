//! The provider's response through Amazon API Gateway.

use crate::support::{Gateway, SentBy, World};

/// A `+` that is decoded twice is a space.
#[rstest::rstest]
#[tokio::test]
async fn plus_in_address_survives_gateway(
    #[values(Gateway::Rest, Gateway::Http)] gateway: Gateway,
    #[values(SentBy::Query, SentBy::Form, SentBy::Base64Form)] sent_by: SentBy,
) {
    let (world, browser, assertion) = World::signing_in().await;
    let assertion = assertion.with("sreg.email", "alice+site@example.org");
    let request = match sent_by {
        SentBy::Query => gateway.callback(&assertion.url(), &browser.header(false), None, false),
        SentBy::Form | SentBy::Base64Form => {
            let (url, form) = assertion.form();
            let in_base64 = matches!(sent_by, SentBy::Base64Form);
            gateway.callback(&url, &browser.header(true), Some(&form), in_base64)
        }
    };
    let page = world.handle(&request).await;
    assert_eq!(page.status(), 303, "{}", page.text());
    assert_eq!(world.sign_in_address().await, "alice+site@example.org");
    // The provider signed this text, and denies any other.
    let confirmed = world.cloud.last_verification();
    assert!(confirmed.contains("openid.sreg.email=alice%2Bsite%40example.org"), "{confirmed}");
}

/// A query is form-encoded, so a bare `+` is a space in both events, and a space is in no address.
#[rstest::rstest]
#[tokio::test]
async fn bare_plus_is_a_space(#[values(Gateway::Rest, Gateway::Http)] gateway: Gateway) {
    let (world, browser, assertion) = World::signing_in().await;
    let mut url = assertion.with("sreg.email", "alice+site@example.org").url();
    let query = url.query().unwrap_or_default().replace("alice%2Bsite", "alice+site");
    url.set_query(Some(&query));
    let page = world.handle(&gateway.callback(&url, &browser.header(false), None, false)).await;
    assert_eq!((page.status(), world.has_recorded("bad-email")), (400, true), "{}", page.text());
}
