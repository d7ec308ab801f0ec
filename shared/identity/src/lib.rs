//! Authentication of browsers: sign-in with OpenID 2.0 or OpenID Connect, the state that binds it to a browser, sessions and
//! CSRF tokens. Also the other cookie of the site: the chosen language.

pub mod csrf;
#[cfg(any(feature = "openid2", feature = "openid-connect"))]
mod http_client;
mod keyed;
pub mod language_cookie;
pub mod link_token;
#[cfg(feature = "openid2")]
pub mod openid2;
#[cfg(feature = "openid-connect")]
pub mod openid_connect;
#[cfg(any(feature = "openid2", feature = "openid-connect"))]
mod parameters;
pub mod session;
mod site_cookie;
pub mod state;
