//! Test support: the deployed stack, browsers, a mailbox, and the controls of the fakes.

pub mod browser;
pub mod chromium;
pub mod cli;
pub mod dns;
pub mod documents;
pub mod example;
pub mod front;
pub mod functions;
pub mod gateway;
pub mod logs;
pub mod mail;
pub mod peers;
pub mod people;
pub mod proxy;
pub mod signatures;
pub mod sockets;
pub mod stack;
pub mod syncs;
pub mod table;
pub mod template;
pub mod wait;
