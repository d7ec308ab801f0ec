//! CSRF tokens: an HMAC under the session id, so that only a page of the session can contain it.

use subtle::ConstantTimeEq;

use crate::keyed::{from_text, tag, to_text};
use crate::session::SessionId;

const LABEL: &[u8] = b"membermail/1/form";

/// The CSRF token of a session.
pub fn token(session: &SessionId) -> String {
    to_text(&tag(session.bytes(), LABEL))
}

/// Whether a token belongs to this session; compares in constant time.
pub fn is_token_of(token: &str, session: &SessionId) -> bool {
    from_text::<32>(token).is_some_and(|given| given.ct_eq(&tag(session.bytes(), LABEL)).into())
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn token_belongs_to_one_session() {
        let random = CountingRandom::default();
        let one = SessionId::new(&random);
        let other = SessionId::new(&random);
        assert!(is_token_of(&token(&one), &one));
        assert!(!is_token_of(&token(&one), &other));
        assert!(!is_token_of("", &one));
    }
}
