//! The return path of mail that this community sends: addresses `TOKEN@DOMAIN` in a domain of the mail host. A bounce to
//! such an address finds its sender, and nobody without the master secret can make one.
//!
//! A destination checks by SPF (RFC 7208) whether a host may send for the domain of the envelope sender, so forwarded mail
//! needs a sender in a domain of ours. A token is a local part of at most 64 octets (RFC 5321, 4.5.3.1.1) and consists of
//! `a-z`, `0-9`, `=`, `.`, `-`, `_` and `+`:
//!
//! | kind | form |
//! | --- | --- |
//! | inline | `r`, day (2), MAC (10), upper case (0 or more), `=`, the sender's domain, `=`, its local part |
//! | stored | `s`, day (2), MAC of the sender (26), MAC (10) |
//! | notice | `n`, day (2), MAC (10), member id (26) |
//!
//! Day, MACs and upper case are in base32 (RFC 4648, section 6). Case has no meaning in a token, because some servers
//! change it: the upper-case letters of an inline sender are a list of bits.

mod mac;
mod sender;
mod spelling;
mod token;

pub use sender::{Sender, SenderError};
pub use token::{OpenError, Opened, ReturnAddress, ReturnPath, StoredToken};
