//! What the stories need: the deployed stack, a browser that keeps cookies, and the stand-ins' switches.

pub mod browser;
pub mod mail;
pub mod people;
pub mod proxy;
pub mod stack;
pub mod wait;
