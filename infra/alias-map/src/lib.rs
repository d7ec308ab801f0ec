//! The socketmap server that Postfix asks where mail to an address of ours goes, why it is refused, and which domains are
//! ours. It reads the table and writes nothing.

pub mod cache;
pub mod client;
pub mod endpoint;
pub mod lookups;
pub mod netstring;
pub mod protocol;
pub mod recipient;
pub mod refusal;
pub mod server;
pub mod settings;
pub mod source;
pub mod table;
