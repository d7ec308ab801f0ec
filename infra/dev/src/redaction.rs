//! After all stories: what the functions logged of them names nobody and opens nothing.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

/// What no line may hold beside addresses: the names under which browsers and providers hand on what is secret, as
/// cookies (`session`, `sign-in`), as fields of a form, and within an address that is itself a value of another.
const TOKENS: [&str; 7] = ["session=", "sign-in=", "state=", "state%3D", "csrf=", "openid.sig", "SecretString"];

/// Reads every log in the folder; says where the first line is that tells too much, and not what it says.
pub(crate) fn check(logs: &Path) -> Result<usize> {
    let (mut lines, mut faults) = (0, Vec::new());
    for entry in fs::read_dir(logs)? {
        let file = entry?.path();
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
