//! Who a browser speaks for: the sign-in by OpenID 2.0, the state that ties it to a browser, sessions, and the token
//! of our own forms.

pub mod csrf;
mod keyed;
#[cfg(feature = "openid2")]
pub mod openid2;
pub mod session;
mod site_cookie;
pub mod state;
