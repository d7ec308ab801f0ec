//! The rules of Membermail: who is eligible, which address they get, what a change of it means.
//!
//! Everything here takes values and returns values: no network, no table, no AWS type. The two things
//! that rules cannot be without, the time and random bytes, are parameters ([`clock`], [`random`]).

pub mod address;
pub mod alias;
pub mod audit;
pub mod clock;
pub mod community;
pub mod digest;
pub mod domain_mail;
pub mod domain_proof;
pub mod eligibility;
pub mod email;
pub mod expiry;
pub mod full_read;
pub mod guard;
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
pub mod retirement;
pub mod rolling;
pub mod roster;
