//! After the end-to-end tests: checks that the logs of the functions and of alias-map contain no address and no token.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

/// Names that precede a secret: in cookies (`session`, `sign-in`), form fields, and percent-encoded URLs.
const TOKENS: [&str; 7] = ["session=", "sign-in=", "state=", "state%3D", "csrf=", "openid.sig", "SecretString"];

/// Checks every log of the functions in `logs`, and the alias-map log of each mail host in `mail`. Returns the number of
/// lines. The error names the location of a finding but does not repeat its text.
pub(crate) fn check(logs: &Path, mail: &Path) -> Result<usize> {
    let mut lines = 0;
    let mut findings = Vec::new();
    let mut files = fs::read_dir(logs)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    // The folder does not exist if no test started a mail host.
    for host in fs::read_dir(mail).into_iter().flatten() {
        files.push(host?.path().join("alias-map.log"));
    }
    for file in files.into_iter().filter(|file| file.is_file()) {
        for (number, line) in fs::read_to_string(&file)?.lines().enumerate() {
            lines += 1;
            if let Some(kind) = find_sensitive(line) {
                findings.push(format!("{}:{}: {kind}", file.display(), number + 1));
            }
        }
    }
    if !findings.is_empty() {
        let first = &findings[..findings.len().min(20)];
        bail!("{} log lines contain sensitive data:\n  {}", findings.len(), first.join("\n  "));
    }
    Ok(lines)
}

/// The kind of sensitive data in a line.
fn find_sensitive(line: &str) -> Option<&'static str> {
    if TOKENS.iter().any(|token| line.contains(token)) {
        return Some("a token");
    }
    let has_address = line.match_indices('@').any(|(at, _)| {
        let has_local_part = line[..at].ends_with(|last: char| last.is_ascii_alphanumeric() || ".+-_%".contains(last));
        let domain = line[at + 1..].split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').next();
        has_local_part && domain.is_some_and(|domain| domain.contains('.'))
    });
    has_address.then_some("an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_map_logs_are_checked_too() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        let host = folder.path().join("mail/door");
        fs::create_dir_all(&logs).unwrap();
        assert_eq!(check(&logs, &folder.path().join("mail")).unwrap(), 0);
        fs::create_dir_all(&host).unwrap();
        fs::write(host.join("mail.log"), "to=<alice@mail.example>\n").unwrap();
        fs::write(host.join("alias-map.log"), "{}\n").unwrap();
        assert_eq!(check(&logs, &folder.path().join("mail")).unwrap(), 1);
        fs::write(host.join("alias-map.log"), "{\"key\":\"alice@ubuntu.com\"}\n").unwrap();
        let error = check(&logs, &folder.path().join("mail")).unwrap_err().to_string();
        assert!(error.contains("door/alias-map.log:1: an address") && !error.contains("alice"), "{error}");
    }

    #[rstest::rstest]
    #[case::address("member alice@mail.example checked", Some("an address"))]
    #[case::ours("alice+tag@ubuntu.com is new", Some("an address"))]
    #[case::cookie("cookie: session=abc", Some("a token"))]
    #[case::sealed_cookie("cookie: __Host-sign-in=abc; other=1", Some("a token"))]
    #[case::callback("GET /callback?state=abc&openid.mode=id_res", Some("a token"))]
    #[case::return_to("openid.return_to=https%3A%2F%2Fmail.example%2Fcallback%3Fstate%3Dabc", Some("a token"))]
    #[case::signature("openid.sig=abc", Some("a token"))]
    #[case::sign_out("csrf=abc", Some("a token"))]
    #[case::secret(r#"{"SecretString":"abc"}"#, Some("a token"))]
    #[case::fields(r#"{"state":"held","message":"sign-in state unknown"}"#, None)]
    #[case::member("member 01ARZ3NDEKTSV4RRFFQ69G5FAV checked", None)]
    #[case::mention("see @operators", None)]
    fn sensitive_data_is_found(#[case] line: &str, #[case] expected: Option<&str>) {
        assert_eq!(find_sensitive(line), expected);
    }
}
