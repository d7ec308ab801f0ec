//! After all stories: what the functions and alias-map logged of them names nobody and opens nothing.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

/// What no line may hold beside addresses: the names under which browsers and providers hand on what is secret, as
/// cookies (`session`, `sign-in`), as fields of a form, and within an address that is itself a value of another.
const TOKENS: [&str; 7] = ["session=", "sign-in=", "state=", "state%3D", "csrf=", "openid.sig", "SecretString"];

/// Reads every log in the folder of the functions, and that of alias-map of each mail host in the other; says where lines
/// are that tell too much, and not what they say.
pub(crate) fn check(logs: &Path, mail: &Path) -> Result<usize> {
    let (mut lines, mut faults) = (0, Vec::new());
    let mut files = Vec::new();
    for entry in fs::read_dir(logs)? {
        files.push(entry?.path());
    }
    // Where no story was about mail, there is no such folder.
    for host in fs::read_dir(mail).into_iter().flatten() {
        files.push(host?.path().join("alias-map.log"));
    }
    for file in files.into_iter().filter(|file| file.is_file()) {
        for (number, line) in fs::read_to_string(&file)?.lines().enumerate() {
            lines += 1;
            if let Some(what) = tells(line) {
                faults.push(format!("{}:{}: {what}", file.display(), number + 1));
            }
        }
    }
    if !faults.is_empty() {
        bail!("the logs tell too much in {} lines:\n  {}", faults.len(), faults[..faults.len().min(20)].join("\n  "));
    }
    Ok(lines)
}

/// What a line tells that it must not.
fn tells(line: &str) -> Option<&'static str> {
    if TOKENS.iter().any(|token| line.contains(token)) {
        return Some("a token");
    }
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_%".contains(&byte);
    let is_address = |(at, _): (usize, &str)| {
        let before = at.checked_sub(1).and_then(|place| line.as_bytes().get(place));
        let domain = line[at + 1..].split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').next();
        before.is_some_and(|byte| is_local(*byte)) && domain.is_some_and(|domain| domain.contains('.'))
    };
    line.match_indices('@').any(is_address).then_some("an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alias_map_logs_counts_too() {
        let folder = tempfile::tempdir().unwrap();
        let (logs, host) = (folder.path().join("logs"), folder.path().join("mail/door"));
        fs::create_dir_all(&logs).unwrap();
        assert_eq!(check(&logs, &folder.path().join("mail")).unwrap(), 0);
        fs::create_dir_all(&host).unwrap();
        fs::write(host.join("mail.log"), "to=<alice@mail.example>\n").unwrap();
        fs::write(host.join("alias-map.log"), "{}\n").unwrap();
        assert_eq!(check(&logs, &folder.path().join("mail")).unwrap(), 1);
        fs::write(host.join("alias-map.log"), "{\"key\":\"alice@ubuntu.com\"}\n").unwrap();
        let told = check(&logs, &folder.path().join("mail")).unwrap_err().to_string();
        assert!(told.contains("door/alias-map.log:1: an address") && !told.contains("alice"), "{told}");
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
    fn lines(#[case] line: &str, #[case] expected: Option<&str>) {
        assert_eq!(tells(line), expected);
    }
}
