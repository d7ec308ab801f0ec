//! The mail host of a deployment: Postfix with `alias-map` as its lookup tables, and rspamd for DKIM and ARC signatures.
//!
//! [`config`] renders the configuration, [`smtp`] sends a test mail, and [`delivery`] follows it in Postfix's log.

pub mod config;
pub mod delivery;
pub mod mail_log;
pub mod smtp;
