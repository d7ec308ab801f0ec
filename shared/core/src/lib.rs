//! The rules of Membermail: who is eligible, which address they get, and which notices a change causes.
//!
//! Pure code: values in, values out, without network, table or AWS types. Time and random bytes are parameters ([`clock`],
//! [`random`]).

pub mod address;
pub mod address_search;
pub mod admin;
pub mod alias;
pub mod audit;
pub mod ban;
pub mod clock;
pub mod code;
mod comment;
pub mod community;
pub mod destination;
pub mod digest;
pub mod domain_mail;
pub mod domain_proof;
pub mod dot_atom;
pub mod dry_run;
pub mod eligibility;
pub mod email;
pub mod expiry;
pub mod failing;
pub mod full_read;
pub mod guard;
pub mod json;
pub mod language;
pub mod lifecycle;
pub mod master;
pub mod member;
pub mod message;
mod newtype;
pub mod notice;
pub mod plan;
mod plan_text;
pub mod random;
pub mod relevance;
pub mod reserved;
pub mod restoring;
pub mod retirement;
pub mod rolling;
pub mod roster;
pub mod schedule;
pub mod status;
pub mod status_code;
#[cfg(test)]
mod testing;
