//! The function over HTTP, with requests that are repeated, late or forged.

#[path = "browsers/check.rs"]
mod check;
#[path = "browsers/gateway.rs"]
mod gateway;
#[path = "browsers/languages.rs"]
mod languages;
#[path = "browsers/openid_connect.rs"]
mod openid_connect;
#[path = "browsers/provider.rs"]
mod provider;
#[path = "browsers/refused.rs"]
mod refused;
#[path = "browsers/sessions.rs"]
mod sessions;
mod support;
