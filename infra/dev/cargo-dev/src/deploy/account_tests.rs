use aws_sdk_s3::config::Credentials;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpListener;

use super::*;

const OWNER: &str = "123456789012";

/// An account in eu-west-1 whose S3 responds to each request with this status and region of the bucket.
async fn account(status: u16, bucket_region: Option<&'static str>) -> Account {
    let answer = move |request: HeaderMap| async move {
        assert_eq!(request["x-amz-expected-bucket-owner"], OWNER);
        let mut headers = HeaderMap::new();
        headers.extend(
            bucket_region.map(|region| (HeaderName::from_static(REGION_HEADER), HeaderValue::from_static(region))),
        );
        (StatusCode::from_u16(status).unwrap(), headers)
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let config =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).endpoint_url(url).region(Region::new("eu-west-1"));
    let config = config.credentials_provider(Credentials::new("test", "test", None, None, "test")).load().await;
    Account { config, id: OWNER.to_owned(), region: "eu-west-1".to_owned() }
}

#[rstest::rstest]
#[case::usable(200, Some("eu-west-1"), "")]
#[case::elsewhere(200, Some("us-east-1"), "the bucket code is in us-east-1, but Lambda needs its code in eu-west-1")]
// S3 redirects requests for a bucket in another region.
#[case::redirected(301, Some("us-east-1"), "the bucket code is in us-east-1, but Lambda needs its code in eu-west-1")]
#[case::missing(404, None, "cannot access the bucket code as account 123456789012 (HTTP status 404): create it with")]
#[case::of_another_account(
    403,
    Some("eu-west-1"),
    "cannot access the bucket code as account 123456789012 (HTTP status 403)"
)]
#[tokio::test]
async fn bucket_must_be_usable(#[case] status: u16, #[case] region: Option<&'static str>, #[case] expected: &str) {
    let account = account(status, region).await;
    let checked = account.check_bucket(&account.s3(), "code").await;
    let error = checked.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.starts_with(expected) && error.is_empty() == expected.is_empty(), "{error}");
}
