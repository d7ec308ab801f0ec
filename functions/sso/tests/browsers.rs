//! The function as browsers meet it: each request could come twice, late, or from somebody else.

#[path = "browsers/check.rs"]
mod check;
#[path = "browsers/provider.rs"]
mod provider;
#[path = "browsers/refused.rs"]
mod refused;
#[path = "browsers/sessions.rs"]
mod sessions;
mod support;
