//! OpenID 2.0 without HTTP: messages, associations and key exchange.

mod association;
mod diffie_hellman;
pub(crate) mod mac;
pub(crate) mod message;

pub use association::Associations;
pub(crate) use association::{Association, Refusal};
