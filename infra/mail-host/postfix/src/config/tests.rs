use super::*;

pub(super) fn docs_example() -> MailHost {
    let docs = include_str!("../../../../../docs/mail.md");
    let text = docs.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    toml::from_str(text).unwrap()
}

pub(super) fn domains() -> Vec<DomainName> {
    ["ubuntu.com", "kubuntu.org"].map(|name| DomainName::parse(name).unwrap()).to_vec()
}

#[test]
fn docs_example_renders() {
    let host = docs_example();
    insta::assert_snapshot!("main.cf", host.main_cf().unwrap());
    insta::assert_snapshot!("master.cf", host.master_cf().unwrap());
    insta::assert_snapshot!("smtpd.conf", host.smtpd_conf().unwrap().unwrap());
    insta::assert_snapshot!("rspamd.conf", host.rspamd_conf(&domains()).unwrap().unwrap());
}

#[rstest::rstest]
#[case::docs_example("mx.forwards.example", "back.forwards.example", None)]
#[case::subdomain("mx.forwards.example", "back.ubuntu.com", Some("return-path-domain back.ubuntu.com"))]
#[case::same_domain("mx.forwards.example", "kubuntu.org", Some("return-path-domain kubuntu.org"))]
#[case::same_organizational_domain("mx.forwards.example", "back.lovers.co.uk", Some("like loco.lovers.co.uk of"))]
#[case::same_public_suffix("mx.forwards.example", "forwards.co.uk", None)]
#[case::host_name_of_bounces("mail.ubuntu.com", "back.forwards.example", Some("hostname mail.ubuntu.com"))]
#[case::public_suffix("mx.forwards.example", "co.uk", Some("public suffix"))]
fn aligned_host_name_is_rejected(
    #[case] hostname: &str,
    #[case] return_path_domain: &str,
    #[case] expected: Option<&str>,
) {
    let hostname = hostname.parse().unwrap();
    let return_path_domain = return_path_domain.parse().unwrap();
    let community = [domains(), vec!["loco.lovers.co.uk".parse().unwrap()]].concat();
    let result = MailHost { hostname, return_path_domain, ..docs_example() }.check_alignment(&community);
    match (result, expected) {
        (Ok(()), None) => {}
        (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
        (result, _) => panic!("{result:?}"),
    }
}

#[test]
fn sasl_is_off_without_login() {
    let host = MailHost { login: None, ..docs_example() };
    assert_eq!(host.smtpd_conf().unwrap(), None);
    let all = [host.main_cf().unwrap(), host.master_cf().unwrap()].concat();
    assert!(!all.contains("sasl") && all.contains("permit_mynetworks,reject\n"), "{all}");
    assert!(host.rspamd_conf(&domains()).unwrap().unwrap().contains("sign_authenticated = false;\n    sign_local"));
}

#[rstest::rstest]
#[case::no_sender("notices", &[], "login.senders is empty")]
#[case::no_address("notices", &["noreply"], "invalid sender")]
#[case::space("notices other", &["noreply@ubuntu.com"], "login.user must consist of")]
#[case::realm("notices@ubuntu.com", &["noreply@ubuntu.com"], "login.user must consist of")]
fn unsafe_login_is_rejected(#[case] user: &str, #[case] senders: &[&str], #[case] expected: &str) {
    let senders = senders.iter().map(|&one| one.to_owned()).collect();
    let login = Login { user: user.to_owned(), senders, passwords: "/etc/postfix/sasl/sasldb2".into() };
    let error = MailHost { login: Some(login), ..docs_example() }.main_cf().unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}
