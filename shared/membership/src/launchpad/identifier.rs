//! The same identifier under another root.
//!
//! Launchpad compares the root byte by byte with its configured ones, which are not published. Canonical's own services
//! rewrite `https://login.ubuntu.com/` to `https://login.launchpad.net/` before they look up a person.

/// The end of every root.
const SUFFIX_MARK: &str = "+id/";

/// The identifier under the last other root of the list; none without another root or a suffix.
pub(crate) fn under_other_root(identifier: &str, roots: &[String]) -> Option<String> {
    let (root, suffix) = identifier.split_at(identifier.find(SUFFIX_MARK)? + SUFFIX_MARK.len());
    let is_plain = !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let other = roots.iter().rev().find(|other| other.as_str() != root)?;
    is_plain.then(|| format!("{other}{suffix}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const UBUNTU: &str = "https://login.ubuntu.com/+id/";
    const LAUNCHPAD: &str = "https://login.launchpad.net/+id/";

    #[rstest]
    #[case::first("https://login.ubuntu.com/+id/4Mn8bcd", Some("https://login.launchpad.net/+id/4Mn8bcd"))]
    #[case::last("https://login.launchpad.net/+id/4Mn8bcd", Some("https://login.ubuntu.com/+id/4Mn8bcd"))]
    #[case::unlisted("http://127.0.0.1:9/+id/4Mn8bcd", Some("https://login.launchpad.net/+id/4Mn8bcd"))]
    #[case::no_mark("https://login.ubuntu.com/alice", None)]
    #[case::no_suffix("https://login.ubuntu.com/+id/", None)]
    #[case::strange_suffix("https://login.ubuntu.com/+id/a/../b", None)]
    fn identifier_moves_to_other_root(#[case] identifier: &str, #[case] other: Option<&str>) {
        let roots = [UBUNTU.to_owned(), LAUNCHPAD.to_owned()];
        assert_eq!(under_other_root(identifier, &roots).as_deref(), other);
    }

    #[rstest]
    #[case::none(&[])]
    #[case::its_own(&[UBUNTU])]
    fn identifier_stays_without_other_root(#[case] roots: &[&str]) {
        let roots: Vec<_> = roots.iter().map(|root| (*root).to_owned()).collect();
        assert_eq!(under_other_root("https://login.ubuntu.com/+id/4Mn8bcd", &roots), None);
    }
}
