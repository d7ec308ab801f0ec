//! Tokens of links that begin to add an account to the signed-in member. A form could not do it: the browser blocks one that
//! redirects to the provider (`form-action 'self'`). Like a CSRF token it is an HMAC under the session id, so that no other
//! site can begin it; it is for one provider, since it can show up in a log of the browser.

use subtle::ConstantTimeEq;

use crate::keyed::{from_text, tag, to_text};
use crate::session::SessionId;

/// The provider of the account to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTo {
    /// The community's current provider.
    Current,
    /// The provider before it.
    Former,
}

impl LinkTo {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Current => b"membermail/1/link/current",
            Self::Former => b"membermail/1/link/former",
        }
    }
}

/// The token of a session for links to this provider.
pub fn token(session: &SessionId, to: LinkTo) -> String {
    to_text(&tag(session.bytes(), to.label()))
}

/// Whether a token belongs to this session and provider; compares in constant time.
pub fn is_token_of(token: &str, session: &SessionId, to: LinkTo) -> bool {
    from_text::<32>(token).is_some_and(|given| given.ct_eq(&tag(session.bytes(), to.label())).into())
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;
    use crate::csrf;

    #[test]
    fn token_belongs_to_session_and_provider() {
        let random = CountingRandom::default();
        let one = SessionId::new(&random);
        let other = SessionId::new(&random);
        let link = token(&one, LinkTo::Current);
        assert!(is_token_of(&link, &one, LinkTo::Current));
        assert!(!is_token_of(&link, &one, LinkTo::Former));
        assert!(!is_token_of(&link, &other, LinkTo::Current));
        assert!(!is_token_of("", &one, LinkTo::Current));
    }

    #[test]
    fn form_token_links_nothing() {
        let session = SessionId::new(&CountingRandom::default());
        assert!(!is_token_of(&csrf::token(&session), &session, LinkTo::Current));
        assert!(!csrf::is_token_of(&token(&session, LinkTo::Current), &session));
    }
}
