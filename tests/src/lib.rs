//! What the stories need: the deployed stack, browsers, a mailbox, and the stand-ins' switches.

pub mod browser;
pub mod chromium;
pub mod cli;
pub mod dns;
pub mod gateway;
pub mod logs;
pub mod mail;
pub mod mailbox;
pub mod peers;
pub mod people;
pub mod proxy;
pub mod sockets;
pub mod stack;
pub mod syncs;
pub mod table;
pub mod wait;
