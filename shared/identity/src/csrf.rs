//! The token of our own forms: whoever knows it has read a page of this session.

use subtle::ConstantTimeEq;

use crate::keyed::{from_text, tag, to_text};
use crate::session::SessionId;

const LABEL: &[u8] = b"membermail/1/form";

/// The token of a session's forms.
pub fn token(session: &SessionId) -> String {
    to_text(&tag(session.bytes(), LABEL))
}

/// Whether a token is this session's; takes the same time whether it is or not.
pub fn is_token_of(token: &str, session: &SessionId) -> bool {
    from_text::<32>(token).is_some_and(|given| given.ct_eq(&tag(session.bytes(), LABEL)).into())
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn a_token_is_of_one_session() {
        let random = CountingRandom::default();
        let (one, other) = (SessionId::new(&random), SessionId::new(&random));
        assert!(is_token_of(&token(&one), &one));
        assert!(!is_token_of(&token(&one), &other));
        assert!(!is_token_of("", &one));
    }
}
