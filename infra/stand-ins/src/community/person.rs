//! Somebody, as the provider and Launchpad know them.

use super::Key;

/// An account.
#[derive(Clone, Debug)]
pub struct Person {
    /// Launchpad's id.
    pub id: u64,
    /// Launchpad's name just now.
    pub name: String,
    /// The word at the end of the claimed identifier.
    pub word: String,
    /// What the provider calls them: the name of when they signed up.
    pub nickname: String,
    /// The address that the provider knows.
    pub email: String,
    /// The language that they like best, as the provider has it.
    pub language: String,
    /// An active account.
    pub is_valid: bool,
    /// Signed the Code of Conduct.
    pub signed: bool,
    /// Their page is gone.
    pub suspended: bool,
    /// Whether Launchpad has an account for them.
    pub known: bool,
    /// A team that somebody can sign in as all the same, as accounts that were turned into teams can.
    pub is_team: bool,
    /// What they show, for the list at the provider.
    pub shows: &'static str,
    /// Counts their changes.
    pub revision: u32,
}

impl Person {
    /// Somebody without any trouble.
    pub(super) fn new(id: u64, key: &Key) -> Self {
        Self {
            id,
            name: key.to_string(),
            word: word(id),
            nickname: key.to_string(),
            email: email(key),
            language: "en".to_owned(),
            is_valid: true,
            signed: true,
            suspended: false,
            known: true,
            is_team: false,
            shows: "",
            revision: 0,
        }
    }
}

/// An address of nobody's whose local part is one, whatever the name is.
fn email(name: &str) -> String {
    let mut local = name.replace('+', "-").replace("..", ".");
    local.truncate(60);
    format!("{}@mail.example", local.trim_end_matches('.'))
}

/// Seven letters and digits that look drawn by lot, as the provider's do, and differ from id to id.
fn word(id: u64) -> String {
    const LETTERS: &[u8; 56] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    const WORDS: u128 = 56_u128.pow(7);
    // Odd and not divisible by 7, so it has no factor in common with 56 and no two ids come to the same word.
    let mut rest = u128::from(id) * 618_033_988_749 % WORDS;
    (0..7)
        .map(|_| {
            let index = usize::try_from(rest % 56).unwrap_or_default();
            rest /= 56;
            char::from(LETTERS[index])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("alice", "alice@mail.example")]
    #[case("heidi+tag", "heidi-tag@mail.example")]
    #[case("ivan..dots", "ivan.dots@mail.example")]
    #[case("judy.", "judy@mail.example")]
    fn addresses_are_addresses(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(email(name), expected);
    }

    #[test]
    fn no_two_of_very_many_have_the_same_word() {
        let words: std::collections::HashSet<_> = (1_000..301_000).map(word).collect();
        assert_eq!(words.len(), 300_000);
    }
}
