//! What the stories need: the deployed stack, a browser that keeps cookies, a mailbox, and the stand-ins' switches.

pub mod browser;
pub mod mail;
pub mod peers;
pub mod people;
pub mod stack;
pub mod syncs;
pub mod table;
pub mod wait;
